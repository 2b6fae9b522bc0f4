"""Which tests run in one process when there are several: those of a file, and all of whole programs."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE_PROGRAMS = ("acceptance", "chaos")


class Groups(LoadScopeScheduling):
    """Hands out groups. Marks cannot say them: pytest-xdist 3.8 writes them where pytest 9.2 never looks."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    """In the place of `--dist loadgroup`."""
    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None


def group(nodeid: str) -> str:
    """Of a test: its file; or "programs", as two of those beside each other would fill the machine."""
    file = PurePosixPath(nodeid.partition("::")[0])
    return "programs" if file.parent.name in WHOLE_PROGRAMS else str(file)
