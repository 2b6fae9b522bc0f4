"""`labelloop check`: is everything there that the processes will need? Nothing is changed by asking."""

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from daemon.core.addresses import without_passwords
from daemon.core.errors import SetupProblem
from daemon.core.settings import LABEL_STUDIO, MTURK
from daemon.wiring import check_accounts, check_llm, check_outside, checks
from daemon.wiring.checks import Check, Finding, State
from daemon.wiring.config import Config, load
from daemon.wiring.config_show import show as effective

DEADLINE_SECONDS = 9.0
"""What has not answered by then is reported so; the checks run side by side."""

CHECKS: Mapping[str, Check] = {
    "state": checks.state_folder,
    "functions": checks.functions,
    "encoder": checks.encoder,
    "kafka": checks.kafka,
    "database": checks.database,
    "mlflow": checks.mlflow,
    "review": checks.review_port,
    "accounts": check_accounts.accounts,
}


def main(file: Path, deep: bool = False, show: bool = False) -> bool:
    """Print one line a part; True if nothing is wrong.

    Raises:
        ConfigError: the configuration itself cannot be used.
    """
    config = load(file)
    if show:
        print(effective(config))
    said = checks.configuration(config, file)
    print(_line("config", said), flush=True)
    healthy = said.state is not State.PROBLEM
    chosen = {**CHECKS, "encoder": checks.encoder_loaded} if deep else dict(CHECKS)
    if config.llm_tiers:
        chosen["llm"] = check_llm.endpoints
    backends = {tier.backend for tier in config.tiers.values()}
    if LABEL_STUDIO in backends:
        chosen["label_studio"] = check_outside.label_studio
    if MTURK in backends:
        chosen["mturk"] = check_outside.mturk
    if config.webhooks:
        chosen["webhooks"] = check_outside.told
    for name, finding in _side_by_side(config, chosen, None if deep else DEADLINE_SECONDS):
        print(_line(name, finding), flush=True)
        healthy = healthy and finding.state is not State.PROBLEM
    return healthy


def _side_by_side(
    config: Config, chosen: Mapping[str, Check], seconds: float | None
) -> Iterator[tuple[str, Finding]]:
    """Findings in the order of the checks, whichever is done first."""
    answers: dict[str, queue.Queue[Finding]] = {name: queue.Queue() for name in chosen}
    for name, check in chosen.items():
        # A daemon thread, so that a connection that hangs does not keep the command from ending.
        threading.Thread(target=_answer, args=(check, config, answers[name]), daemon=True).start()
    deadline = None if seconds is None else time.monotonic() + seconds
    for name, answer in answers.items():
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            yield name, answer.get(timeout=left)
        except queue.Empty:
            yield name, Finding(State.PROBLEM, f"no answer within {seconds:g} s")


def _answer(check: Check, config: Config, answer: "queue.Queue[Finding]") -> None:
    try:
        answer.put(check(config))
    except SetupProblem as problem:
        answer.put(Finding(State.PROBLEM, str(problem)))
    except Exception as error:  # noqa: BLE001 (whatever one part does, the others are still reported)
        answer.put(Finding(State.PROBLEM, f"{type(error).__name__}: {error}"))


def _line(name: str, finding: Finding) -> str:
    text = without_passwords(" ".join(finding.text.split()))
    return f"{finding.state.value:<8} {name:<10} {text}"
