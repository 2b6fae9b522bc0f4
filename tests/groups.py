"""Which tests run in one process when there are several, and how many of whole programs beside each other."""

from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE_PROGRAMS = ("acceptance", "chaos")
MOST_WHOLE = 2
"""Processes that test whole programs at a time: each has half a dozen below it, and some tests wait for what
must come about in time."""

LONG_IN_STARTING = ("mlflow_server: MlflowServer", '"mlflow_server"', "SentenceEncoder")
"""Words of files whose tests share a part that each process starts once: an MLflow server, and
sentence-transformers, whose import takes ten seconds on a slow machine. One process has them all.
"""
SHARING = "those that share what is long in starting"


class Groups(LoadScopeScheduling):
    """Hands out files. Marks cannot say groups: pytest-xdist 3.8 writes them where pytest 9.2 never looks."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return SHARING if shares(self.config.rootpath / file) else file

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(self._next(node), last=False)
        super()._assign_work_unit(node)

    def _next(self, node: Any) -> str:
        """The next file in line, but for those of whole programs while enough other processes have some."""
        others = [files for one, files in self.assigned_work.items() if one is not node]
        busy = sum(
            any(is_whole(file) and not all(work.values()) for file, work in files.items()) for files in others
        )
        allowed = (file for file in self.workqueue if busy < MOST_WHOLE or not is_whole(file))
        return next(allowed, next(iter(self.workqueue)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    """In the place of `--dist loadgroup`."""
    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None


@cache
def shares(file: Path) -> bool:
    """Whether its tests need what is long in starting; one of whole programs starts its own."""
    return not is_whole(file.as_posix()) and any(word in file.read_text() for word in LONG_IN_STARTING)


def is_whole(file: str) -> bool:
    """Whether its tests drive whole programs."""
    return PurePosixPath(file).parent.name in WHOLE_PROGRAMS
