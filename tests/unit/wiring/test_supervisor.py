"""Children start, are watched, and end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_fixtures import wait_until

from daemon.core.errors import SetupProblem
from daemon.wiring.supervisor import Child, StateLock, Supervisor

FOREVER = [sys.executable, "-S", "-c", "import time; print('here', flush=True); time.sleep(1000)"]
STUBBORN = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(1000)",
]


def script(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", f"import sys; {code}"]


def alive(process_id: int) -> bool:
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[StateLock]:
    held = StateLock(tmp_path)
    yield held
    held.release()


@pytest.fixture
def supervisor(tmp_path: Path, lock: StateLock) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", lock)
    yield made
    made.stop()


def said(supervisor: Supervisor, name: str) -> str:
    return supervisor.log_file(name).read_text()


def given_up(supervisor: Supervisor) -> str:
    """What the supervisor says when it stops trying; empty while it still tries."""
    try:
        supervisor.watch()
    except SetupProblem as problem:
        return str(problem)
    return ""


def test_stop_ends_all_and_kills_who_will_not(supervisor: Supervisor) -> None:
    supervisor.start(Child("kind", FOREVER))
    supervisor.start(Child("stubborn", STUBBORN, grace=0.3))
    wait_until(lambda: "here" in said(supervisor, "kind") and "here" in said(supervisor, "stubborn"))
    ids = supervisor.processes()
    supervisor.stop()
    assert not any(alive(process_id) for process_id in ids.values())


def test_a_fallen_child_is_started_again_a_few_times(supervisor: Supervisor) -> None:
    supervisor.start(Child("weak", script("print('tried', flush=True); sys.exit(1)")))
    problem = wait_until(lambda: given_up(supervisor))
    assert "weak ended with 1" in problem
    assert said(supervisor, "weak").count("tried") == 4


def test_an_error_in_the_configuration_is_not_tried_again(supervisor: Supervisor) -> None:
    supervisor.start(Child("wrong", script("print('bad key', flush=True); sys.exit(2)")))
    assert "bad key" in wait_until(lambda: given_up(supervisor))
    assert said(supervisor, "wrong").count("bad key") == 1


def test_a_part_that_never_was_there_ends_the_tree_with_the_reason(supervisor: Supervisor) -> None:
    supervisor.start(Child("early", script("print('no server listens there', flush=True); sys.exit(75)")))
    assert "no server listens there" in wait_until(lambda: given_up(supervisor))


def test_a_part_that_went_away_is_waited_for_however_often_it_takes(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("daemon.wiring.supervisor.SETTLED_SECONDS", 0.0)
    monkeypatch.setattr("daemon.wiring.supervisor.AWAY_SECONDS", (0.01,))
    back = tmp_path / "back"
    code = f"import os, time; os.path.exists({str(back)!r}) and time.sleep(1000); print('tried', flush=True)"
    supervisor.start(Child("patient", script(f"{code}; sys.exit(75)")))

    def tried(times: int) -> bool:
        assert given_up(supervisor) == ""
        return said(supervisor, "patient").count("tried") >= times

    wait_until(lambda: tried(6))
    back.touch()
    wait_until(lambda: given_up(supervisor) == "" and "patient" in supervisor.processes())
    assert "patient waits for a part that does not answer" in caplog.text


def test_one_that_never_gets_ready_shows_its_log(supervisor: Supervisor) -> None:
    def never(alive: object) -> None:
        raise SetupProblem("no answer")

    supervisor.start(Child("mute", FOREVER, ready=never))
    wait_until(lambda: "here" in said(supervisor, "mute"))
    with pytest.raises(SetupProblem, match=r"(?s)mute did not start.*no answer.*here"):
        supervisor.wait_ready()


def test_waiting_for_one_that_ended_is_told(supervisor: Supervisor) -> None:
    def ready(alive) -> None:  # type: ignore[no-untyped-def]
        wait_until(lambda: not alive())
        raise SetupProblem("it is gone")

    supervisor.start(Child("short", script("print('bye', flush=True)"), ready=ready))
    with pytest.raises(SetupProblem, match=r"(?s)short did not start \(ended with 0\): it is gone.*bye"):
        supervisor.wait_ready()


def test_the_state_folder_belongs_to_one(tmp_path: Path) -> None:
    first = StateLock(tmp_path)
    try:
        with pytest.raises(SetupProblem, match="in use by another"):
            StateLock(tmp_path, seconds=0.3)
    finally:
        first.release()
    StateLock(tmp_path, seconds=0.3).release()


def test_a_killed_parent_takes_its_children_along_before_the_folder_is_free(tmp_path: Path) -> None:
    code = f"""
        import time
        from pathlib import Path
        from daemon.wiring.supervisor import Child, StateLock, Supervisor
        lock = StateLock(Path({str(tmp_path)!r}))
        supervisor = Supervisor(Path({str(tmp_path)!r}) / "logs", lock)
        supervisor.start(Child("one", {STUBBORN!r}))
        print(supervisor.processes()["one"], flush=True)
        time.sleep(1000)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.stdout.close()
    wait_until(lambda: "here" in (tmp_path / "logs" / "one.log").read_text())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    StateLock(tmp_path).release()
    assert not alive(child)
