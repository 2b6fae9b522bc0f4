"""Processes that ended as nobody meant them to: neither killed here, nor with a code that says why."""

import re
import signal
from collections.abc import Mapping

from daemon.core.errors import PartAway, SetupProblem

SAID = {SetupProblem.exit_code, PartAway.exit_code}
KILLED = -signal.SIGKILL
CHILD_ENDED = re.compile(r"(\S+) ended with (-?\d+); starting it again")
"""As the log of `labelloop up` tells it."""


def crashes(fallen: Mapping[tuple[str, int], int], logs: str) -> list[str]:
    """Each of them with its code.

    Args:
        fallen: process and exit code -> how often it ended by itself.
        logs: of every `labelloop up`, whose children are killed here, too.
    """
    ours = [name_and_code for name_and_code, count in fallen.items() for _ in range(count)]
    below = [(name, int(code)) for name, code in CHILD_ENDED.findall(logs)]
    found = [one for one in ours if one[1] not in SAID] + [
        one for one in below if one[1] not in {*SAID, KILLED}
    ]
    return [f"{name} ended with {code}" for name, code in found]
