"""A run that is killed leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kafka_fixtures import wait_until

RUN = """
import subprocess, sys, time
from sweeping import Sweeper
kept, gone = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
sweeper = Sweeper()
sweeper.watch(kept.pid)
sweeper.watch(gone.pid)
sweeper.forget(gone.pid)
print(kept.pid, gone.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes")
def test_what_a_killed_run_started_ends_with_it() -> None:
    here = Path(__file__).parent
    path = os.pathsep.join((str(here), str(here.parents[1])))
    run = subprocess.Popen(
        [sys.executable, "-c", RUN], env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    kept, gone = (psutil.Process(int(word)) for word in run.stdout.readline().split())
    try:
        run.kill()
        run.wait()
        wait_until(lambda: not kept.is_running() or kept.status() == psutil.STATUS_ZOMBIE, 10, "its end")
        assert gone.is_running(), "what it was told to forget is somebody else's"
    finally:
        gone.kill()
        run.stdout.close()
