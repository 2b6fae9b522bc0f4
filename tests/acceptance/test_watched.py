"""`labelloop up` with metrics: every process says how it is, whatever listens on the ports already."""

import re
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest
from kafka_fixtures import wait_until
from metrics_for_tests import Told
from patience import ANSWER_SECONDS
from program import Program
from up_program import Up, program

__all__ = ["program"]

START_SECONDS = 120
"""The learner comes after everybody else, and begins late where other tests run beside this one."""


def addresses(said: str) -> list[str]:
    """Of all pages of metrics, as the welcome names them."""
    (line,) = re.findall(r"^ +metrics +(.+)$", said, re.MULTILINE)
    return [found.strip() for found in line.split(",")]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """One for all calls: to make one reads every certificate that is trusted."""
    with httpx.Client(timeout=ANSWER_SECONDS) as made:
        yield made


def told_at(client: httpx.Client, address: str, name: str) -> float | None:
    return Told(client.get(address).text).get(name)


@pytest.mark.timeout(START_SECONDS + 180)
def test_every_process_tells_its_figures_though_the_port_is_taken(
    program: Program, client: httpx.Client
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        up = Up(program, LABELLOOP_METRICS__PORT=str(taken))
        review, run, learn = addresses(up._said())
        assert f":{taken}/" not in run and f":{taken}/" not in learn
        for address in (review, run, learn):
            ready = address.replace("/metrics", "/readyz")
            program.until(lambda ready=ready: answers(client, ready), ready, START_SECONDS)
            assert client.get(ready).json() == {"ready": True, "missing": {}}
        up.send(0, 300)
        program.until(lambda: told_at(client, run, "labelloop_items_total") == 300, "300 items")
        wait_until(lambda: told_at(client, run, "labelloop_partitions") == 3, 30, "a look at the partitions")
        assert told_at(client, run, "labelloop_lag_messages") is None, "the embedded broker cannot tell"
        loop = Told(client.get(review).text)
        assert sum(loop.by("labelloop_loop_items", "state").values()) == 300
        assert told_at(client, learn, "labelloop_registry_failures_total") is not None
        up.end(signal.SIGTERM)


def answers(client: httpx.Client, url: str) -> bool:
    """Whether the page says yes."""
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False
