"""What `labelloop init` writes."""

import re
import stat
from pathlib import Path

import pytest
from config_files import MINIMAL, load_text

from daemon.core.errors import SetupProblem
from daemon.core.settings import TierSettings
from daemon.wiring import init
from daemon.wiring.config import KEYS, load
from labeling_functions.ballot import ballot_of
from labeling_functions.function import Heuristic
from labeling_functions.items import Item
from labeling_functions.loading import load as load_functions

SETTING = re.compile(r"^(\s*)#(?=\S)", flags=re.MULTILINE)
"""A `#` right before a key; prose has a blank between."""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder made by init."""
    init.main(tmp_path / "new" / "folder")
    return tmp_path / "new" / "folder"


def test_the_written_config_is_valid_as_it_is(written: Path) -> None:
    config = load(written / "labelloop.yaml", {})
    assert config.audit_tier == "expert"
    assert config.database.url is None and config.kafka.bootstrap is None


def test_commented_settings_stand_at_their_defaults(written: Path) -> None:
    file = written / "labelloop.yaml"
    before = load(file, {})
    text, count = SETTING.subn(r"\1", file.read_text())
    assert count > 40
    file.write_text(text)
    assert load(file, {}) == before


def test_every_key_is_named_once(written: Path) -> None:
    text = SETTING.sub(r"\1", (written / "labelloop.yaml").read_text())
    uncommented = load_text(written, text)  # a key that stands twice would be refused here
    assert uncommented.tiers["expert"] == TierSettings(**init.EXPERT)
    for key in KEYS.keys:
        if key.path != ("task", "descriptions") and key.path[0] not in init.OF_THE_USER:  # said by `classes`
            assert re.search(rf"^ *{key.path[-1]}:", text, flags=re.MULTILINE), key.path


def test_the_written_file_shows_ranges_and_meanings(written: Path) -> None:
    text = " ".join((written / "labelloop.yaml").read_text().replace("#", " ").split())
    for key in KEYS.keys:
        if key.path[0] not in ("task", "functions", *init.OF_THE_USER):
            assert key.allowed in text
            assert key.meaning[1:] in text


def test_the_written_file_has_every_section(written: Path) -> None:
    text = (written / "labelloop.yaml").read_text()
    for section in init.OF_THE_USER:
        assert re.search(rf"^{section}:", text, flags=re.MULTILINE)


def test_the_written_functions_load_and_vote_for_the_written_classes(written: Path) -> None:
    config = load(written / "labelloop.yaml", {})
    functions = load_functions(config.functions.modules, config.folder)
    assert len(functions) >= 3
    ballot = ballot_of(config.task.space)
    for function in functions:
        ballot.votes(
            function.label if isinstance(function, Heuristic) else function(Item("1", {"text": "Hi"}))
        )


def test_the_functions_file_hides_no_module_of_ours() -> None:
    assert Path(init.FUNCTIONS_FILE).stem not in ("labeling_functions", "daemon", "models")


def test_the_terminal_is_told_what_was_written_and_what_is_next(tmp_path: Path) -> None:
    said = "\n".join(init.main(tmp_path))
    assert str(tmp_path / "labelloop.yaml") in said and "labelloop check" in said


@pytest.mark.parametrize("name", ["labelloop.yaml", "my_functions.py"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(SetupProblem, match=f"{name} is there already"):
        init.main(tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "mine")]


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupProblem, match="cannot be written"):
        init.main(tmp_path / "file" / "folder")


def test_written_files_may_be_edited(written: Path) -> None:
    assert (written / "labelloop.yaml").stat().st_mode & stat.S_IWUSR


def test_a_minimal_file_and_the_written_one_differ_in_task_and_tiers_only(
    written: Path, tmp_path: Path
) -> None:
    full, minimal = load(written / "labelloop.yaml", {}), load_text(tmp_path, MINIMAL)
    for name in ("guarantee", "routing", "stream", "learning", "kafka", "database", "mlflow", "review"):
        assert getattr(full, name) == getattr(minimal, name)
