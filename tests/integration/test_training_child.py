"""Training in a process of its own ends when it is told to."""

import multiprocessing
import multiprocessing.resource_tracker
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from children import in_a_child
from threadpoolctl import threadpool_info

from daemon.core.errors import TrainingFailed, TrainingStopped
from daemon.wiring import learn
from daemon.wiring.training_child import _stay_unfelt, train_apart
from models.set_bundle import SetBundle
from models.set_training import SetData
from models.training import TrainingData, TrainingOptions
from models.votes import Votes


def data() -> TrainingData:
    labels = np.arange(60) % 2
    return TrainingData(
        classes=("ham", "spam"),
        votes=Votes.from_dense(labels[:, None], ["function:f@1"], 2),
        expert=labels,
        audited=np.ones(60, bool),
        fresh=np.ones(60, bool),
        vectors=None,
        groups=np.arange(60),
        tier_accuracy={},
    )


def test_it_gives_what_the_child_trained() -> None:
    candidate = train_apart(data(), TrainingOptions(("majority",)), None, lambda: None, threading.Event())
    assert candidate.bundle.label_model == "majority"


def test_one_model_a_class_comes_back_too() -> None:
    facet = replace(data(), classes=("no", "yes"))
    sets = SetData(("billing", "praise"), (facet, replace(facet, expert=1 - facet.expert)))
    candidate = train_apart(sets, TrainingOptions(("majority",)), None, lambda: None, threading.Event())
    assert isinstance(candidate.bundle, SetBundle)
    assert candidate.bundle.classes == sets.classes
    assert candidate.bundle.trained_at


def test_a_child_that_cannot_begin_is_an_error_however_much_there_is_to_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than a pipe holds: nobody may wait for a reader that is gone."""
    # the tracker starts with the first child, by the same executable, and tests after this one need it
    multiprocessing.resource_tracker.ensure_running()
    monkeypatch.setattr(multiprocessing.spawn, "get_executable", lambda: b"/bin/false")
    much = replace(data(), vectors=np.zeros((60, 10_000), np.float32), encoder="e")
    with pytest.raises(TrainingFailed, match="ended with 1"):
        train_apart(much, TrainingOptions(("majority",)), None, lambda: None, threading.Event())


def test_it_computes_on_one_thread_and_keeps_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    pools, paced = in_a_child(_tell_limits)
    assert pools, "numpy brings a pool of threads"
    assert set(pools) == {1}
    assert paced, "nobody looks at how much it uses"


def _tell_limits(to: Connection) -> None:
    """As the child is before it trains."""
    _stay_unfelt()
    paced = signal.getitimer(signal.ITIMER_PROF) != (0.0, 0.0)
    to.send(([pool["num_threads"] for pool in threadpool_info()], paced))


@pytest.mark.parametrize("own_session", [True, False])
def test_a_learner_comes_after_other_sessions_too_where_linux_weighs_these(own_session: bool) -> None:
    program = (
        "import os\n"
        "from pathlib import Path\n"
        "from daemon.wiring import learn\n"
        "learn.AUTOGROUP = Path('group')\n"
        "learn._come_after_others()\n"
        "print(os.nice(0) - int(os.environ['BEFORE']), Path('group').exists())\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "BEFORE": str(os.nice(0))},
            cwd=folder,
            start_new_session=own_session,
            capture_output=True,
            text=True,
            check=True,
        )
    niceness, told = done.stdout.split()
    assert int(niceness) == min(learn.NICENESS, 19 - os.nice(0))
    assert told == str(own_session), "a session that others share is not ours to weigh"


def test_told_to_end_it_ends_and_leaves_no_process() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(TrainingStopped):
        train_apart(data(), TrainingOptions(("pool",)), None, lambda: None, stop)
    assert not multiprocessing.active_children()


def test_a_child_of_a_program_that_stands_on_no_path_finds_our_packages() -> None:
    """As the learner of `up`: an editable install, and a folder with a file that is called like a package."""
    folder = Path(__file__).parents[2] / "examples" / "sms_spam"
    program = (
        "import importlib, multiprocessing, sys\n"
        "from pathlib import Path\n"
        "from labeling_functions.loading import load\n"
        "load(['labeling_functions.py'], Path(sys.argv[1]))\n"
        "spawn = multiprocessing.get_context('spawn')\n"
        "child = spawn.Process(target=importlib.import_module, args=('labeling_functions.loading',))\n"
        "child.start(), child.join(), sys.exit(child.exitcode)\n"
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", program, str(folder)]
    done = subprocess.run(command, env=kept, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
