"""What askers and pages rely on, of traces in memory and of MLflow."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from socket import socket

import pytest
from mlflow_fixtures import mlflow_server
from traces_for_tests import example_trace

from daemon.adapters.fake_traces import FakeTraces
from daemon.adapters.mlflow_trace_pages import MlflowTracePages
from daemon.adapters.mlflow_traces import MlflowTraces
from daemon.core.errors import TracesUnavailable
from daemon.core.traces import TraceLog, TracePages

__all__ = ["mlflow_server"]

WAIT_SECONDS = 60.0

UNKNOWN = "tr-" + "0" * 32


@dataclass(frozen=True)
class Place:
    """A place for traces: `log` gives one that keeps a share of them, drawn as told."""

    log: Callable[..., TraceLog]
    pages: TracePages


@pytest.fixture(params=["memory", "mlflow"])
def place(request: pytest.FixtureRequest) -> Place:
    """An empty place."""
    if request.param == "memory":
        return _memory()
    return _mlflow(request.getfixturevalue("mlflow_server").uri)


@pytest.fixture(params=["memory", "mlflow"])
def dead_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place that is out of order."""
    if request.param == "memory":
        yield _memory(down=True)
        return
    with closing(socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield _mlflow(f"http://127.0.0.1:{reserved.getsockname()[1]}")


def _memory(down: bool = False) -> Place:
    pages = FakeTraces()
    pages.down = down

    def log(share: float = 1.0, **options: Callable[[], float]) -> FakeTraces:
        made = FakeTraces(share, **options)
        made.kept, made.down = pages.kept, down
        return made

    return Place(log, pages)


def _mlflow(uri: str) -> Place:
    name = f"task-{uuid.uuid4().hex[:8]}"
    return Place(
        lambda share=1.0, **options: MlflowTraces(uri, name, share, **options), MlflowTracePages(uri)
    )


def begun(log: TraceLog) -> str:
    """Id of a new trace."""
    id_ = log.begin()
    assert id_ is not None
    return id_


def test_what_is_kept_has_a_page(place: Place) -> None:
    log = place.log()
    ids = [begun(log) for _ in range(3)]
    assert len(set(ids)) == 3
    for id_ in ids:
        log.keep(example_trace(id_))
    log.close(WAIT_SECONDS)
    assert log.dropped == 0
    addresses = [place.pages.address(id_) for id_ in ids]
    assert all(id_ in (address or "") for id_, address in zip(ids, addresses, strict=True))


def test_a_trace_that_is_begun_and_not_kept_is_not_there(place: Place) -> None:
    log = place.log()
    id_ = begun(log)
    log.close(WAIT_SECONDS)
    assert log.dropped == 0
    assert place.pages.address(id_) is None


@pytest.mark.parametrize("id_", [UNKNOWN, "", "tr-1", "../experiments/list", "tr-" + "0" * 31 + "/"])
def test_what_is_no_trace_has_no_page(place: Place, id_: str) -> None:
    assert place.pages.address(id_) is None


def test_a_share_is_kept(place: Place) -> None:
    drawn = iter([0.1, 0.3, 0.2, 0.9])
    log = place.log(0.25, chance=lambda: next(drawn))
    assert [log.begin() is not None for _ in range(4)] == [True, False, True, False]
    log.close(WAIT_SECONDS)


def test_after_the_end_nothing_is_kept_and_all_is_counted(place: Place) -> None:
    log = place.log()
    log.close(WAIT_SECONDS)
    id_ = begun(log)
    log.keep(example_trace(id_))
    assert log.dropped == 1
    assert place.pages.address(id_) is None


def test_an_outage_fails_nothing_and_is_counted(dead_place: Place) -> None:
    log = dead_place.log()
    for _ in range(3):
        log.keep(example_trace(begun(log)))
    log.close(0.1)
    assert log.dropped == 3


def test_during_an_outage_pages_say_so(dead_place: Place) -> None:
    with pytest.raises(TracesUnavailable):
        dead_place.pages.address(UNKNOWN)
