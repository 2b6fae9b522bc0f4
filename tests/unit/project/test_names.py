"""Our packages have generic names; what Python finds under them must be ours."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import daemon
import labeling_functions
import models

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("package", [daemon, labeling_functions, models])
def test_the_package_is_this_projects(package: object) -> None:
    assert Path(str(package.__file__)).parent.parent == PROJECT  # type: ignore[attr-defined]


def test_the_packages_are_found_from_elsewhere(tmp_path: Path) -> None:
    names = "daemon, labeling_functions, models"
    code = f"import {names}; print(*(m.__file__ for m in ({names})), sep='\\n')"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [Path(line).parent.parent for line in found.stdout.split()] == [PROJECT] * 3


def test_the_installed_program_says_its_version(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("labelloop")
    found = subprocess.run([program, "version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == f"labelloop {version('labelloop')}\n"
