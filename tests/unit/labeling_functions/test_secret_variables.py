"""Secrets come from variables, or from files that variables name."""

from pathlib import Path

import pytest

from labeling_functions.secret_variables import SecretUnreadable, secret


def test_a_secret_is_the_variables_value_or_stands_in_the_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    in_file = {"KEY_FILE": str(tmp_path / "key")}
    assert secret("KEY", in_file) == "from a file"
    assert secret("KEY", {**in_file, "KEY": " given "}) == "given"
    assert secret("KEY", {**in_file, "KEY": ""}) == "from a file"


@pytest.mark.parametrize("environ", [{}, {"KEY": " "}, {"KEY_FILE": ""}, {"OTHER_FILE": "/no/where"}])
def test_nothing_is_no_secret(environ: dict[str, str]) -> None:
    assert secret("KEY", environ) == ""


def test_a_file_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"hidden \xff")
    for file, why in ((tmp_path / "absent", "No such file"), (tmp_path / "binary", "it is no UTF-8")):
        with pytest.raises(SecretUnreadable, match=f"KEY_FILE names {file}, .* {why}") as problem:
            secret("KEY", {"KEY_FILE": str(file)})
        assert "hidden" not in str(problem.value)
