"""The small server beside a loop."""

import json
import logging
import socket
import threading
from collections.abc import Mapping

import httpx
import pytest
from metrics_for_tests import Told
from patience import ANSWER_SECONDS

from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.adapters.watching.server import served
from daemon.adapters.watching.settings import MetricsSettings
from daemon.core.metrics import ITEMS, By
from daemon.core.readiness import Answers, Missing, Readiness

ANY_PORT = MetricsSettings(port=0)
READY = Readiness({})


def _get(path: str, needs: Mapping[str, Missing], meter: PrometheusMeter | None = None) -> httpx.Response:
    with served(ANY_PORT, meter or PrometheusMeter(By.RUN), Readiness(needs)) as port:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=ANSWER_SECONDS)


def test_metrics_are_served_as_prometheus_reads_them() -> None:
    meter = PrometheusMeter(By.RUN)
    meter.add(ITEMS, 12)
    answer = _get("/metrics", {}, meter)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "\nlabelloop_items_total 12.0\n" in answer.text


@pytest.mark.parametrize("by", [By.RUN, By.LEARN, By.ANNOTATE])
def test_metrics_tell_what_is_missing_now(by: By) -> None:
    """A worker that waits for its broker counts nothing and fails nowhere: no other figure shows that."""
    wrong = "Kafka does not answer"
    needs = {"kafka": lambda: wrong, "database": lambda: ""}
    with served(ANY_PORT, PrometheusMeter(by), Readiness(needs)) as port:
        address = f"http://127.0.0.1:{port}/metrics"
        first = Told(httpx.get(address, timeout=ANSWER_SECONDS).text)
        wrong = ""
        second = Told(httpx.get(address, timeout=ANSWER_SECONDS).text)
    assert first.by("labelloop_missing", "need") == {"kafka": 1, "database": 0}
    assert second.by("labelloop_missing", "need") == {"kafka": 0, "database": 0}


def test_a_process_that_is_not_ready_lives_all_the_same_and_says_what_is_missing() -> None:
    needs = {"kafka": lambda: "Kafka does not answer", "database": lambda: ""}
    assert _get("/healthz", needs).json() == {"ok": True}
    answer = _get("/readyz", needs)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "missing": {"kafka": "Kafka does not answer"}}


def test_a_process_with_all_it_needs_is_ready() -> None:
    answer = _get("/readyz?verbose=1", {"kafka": lambda: ""})
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


def test_there_is_nothing_else() -> None:
    assert _get("/etc/passwd", {}).status_code == 404
    with served(ANY_PORT, PrometheusMeter(By.RUN), READY) as port:
        assert httpx.post(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS).status_code == 501


def test_without_a_port_nothing_is_served() -> None:
    with served(MetricsSettings(), PrometheusMeter(By.RUN), READY) as port:
        assert port is None


def test_a_port_that_is_taken_stops_no_work(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = MetricsSettings(port=other.getsockname()[1])
        with caplog.at_level(logging.ERROR), served(settings, PrometheusMeter(By.RUN), READY) as port:
            assert port is None
    assert str(settings.port) in caplog.text and "metrics.port" in caplog.text


def test_the_port_is_free_again_afterwards() -> None:
    with served(ANY_PORT, PrometheusMeter(By.RUN), READY) as port:
        assert port is not None
    with served(MetricsSettings(port=port), PrometheusMeter(By.RUN), READY) as again:
        assert again == port


def test_a_caller_that_says_nothing_holds_nobody_up() -> None:
    with served(ANY_PORT, PrometheusMeter(By.RUN), READY) as port:
        assert port is not None
        with socket.create_connection(("127.0.0.1", port)):
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=ANSWER_SECONDS).status_code == 200


def test_a_page_that_cannot_be_made_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> str:
        raise LookupError("no such need")

    with pytest.raises(httpx.RemoteProtocolError):
        _get("/readyz", {"kafka": broken})
    assert "LookupError: no such need" in capsys.readouterr().err


def test_what_hangs_is_reported_in_time_and_not_asked_again_meanwhile() -> None:
    go_on, asked = threading.Event(), []

    def ask() -> None:
        asked.append(1)
        go_on.wait(30)

    look = Answers("the database", ask, seconds=0.05)
    assert look() == look() == "the database does not answer within 0.05 s"
    assert asked == [1]
    go_on.set()
    assert Answers("the database", ask)() == ""


def test_what_fails_is_named_by_its_kind_alone() -> None:
    def ask() -> None:
        raise ConnectionError("postgresql://labelloop:secret@host")

    said = Readiness({"database": Answers("the database", ask)}).missing()
    assert said == {"database": "the database does not answer (ConnectionError)"}
    assert "secret" not in json.dumps(said)
