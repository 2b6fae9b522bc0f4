"""A wrong clock shows the wrong time, and makes no second longer or shorter."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wrong_clocks
from patience import PATIENCE
from wrong_clocks import WrongClocks

WAITS = """
import asyncio, queue, select, sys, threading, time
from confluent_kafka import Consumer

def taken(wait):
    began = time.monotonic()
    wait()
    return time.monotonic() - began

def empty():
    try:
        queue.Queue().get(timeout=0.2)
    except queue.Empty:
        pass

consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "none", "log_level": 0})
waits = {
    "sleep": lambda: time.sleep(0.2),
    "event": lambda: threading.Event().wait(0.2),
    "queue": empty,
    "select": lambda: select.select([], [], [], 0.2),
    "asyncio": lambda: asyncio.run(asyncio.sleep(0.2)),
    "librdkafka": lambda: consumer.poll(0.2),
}
for line in sys.stdin:
    print(time.time(), *(f"{name}={taken(wait)}" for name, wait in waits.items()), flush=True)
consumer.close()
"""


def test_the_time_is_wrong_and_waits_are_right(tmp_path: Path) -> None:
    if lacking := wrong_clocks.missing():
        pytest.skip(lacking)
    clocks = WrongClocks(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        env={**os.environ, **clocks.environment("one")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    for wrong in (0, 5_400, -5_400):
        clocks.set("one", wrong)
        before = time.time()
        process.stdin.write("\n")
        process.stdin.flush()
        now, *waits = process.stdout.readline().split()
        assert before - 1 <= float(now) - wrong <= time.time() + 1
        for wait in waits:
            assert 0.15 < float(wait.partition("=")[2]) < 5, wait
    process.stdin.close()
    assert process.wait(10 * PATIENCE) == 0
    process.stdout.close()
