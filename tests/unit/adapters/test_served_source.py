"""What a served version carries is enough for its serving file, and little more."""

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.adapters.mlflow_model import CLASSIFIER, SERVED
from daemon.adapters.served_source import PACKAGE, copy_needed

IMPORTS_ALL = """
import importlib, pathlib, sys
folder = pathlib.Path(sys.argv[1])
sys.path[:] = [str(folder), *(path for path in sys.path if path != sys.argv[2])]
for file in sorted(folder.rglob("*.py")):
    name = ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
    assert pathlib.Path(importlib.import_module(name).__file__) == file
"""


@pytest.mark.parametrize("served", [CLASSIFIER, *SERVED.values()], ids=lambda served: served.name)
def test_all_that_is_carried_can_be_imported_without_the_rest(served, tmp_path: Path) -> None:
    place = copy_needed(served.file, tmp_path)
    assert place == tmp_path / "models"
    carried = list(place.rglob("*.py"))
    assert place / "serving.py" in carried
    assert len(carried) < len(list(PACKAGE.rglob("*.py"))) / 2
    code = [sys.executable, "-c", IMPORTS_ALL, str(tmp_path), str(PACKAGE.parent)]
    done = subprocess.run(code, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_import_in_the_middle_of_a_file_counts(tmp_path: Path) -> None:
    serving = tmp_path / "serving.py"
    serving.write_text("import models.arrays\ndef late():\n    from models.label_model import counts\n")
    carried = copy_needed(serving, tmp_path / "out")
    names = {file.relative_to(carried).as_posix() for file in carried.rglob("*.py")}
    assert names >= {"__init__.py", "arrays.py", "label_model/__init__.py", "label_model/counts.py"}
