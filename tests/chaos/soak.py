"""`make soak MINUTES=10`: faults of every kind for so long, with lines of progress and a report at the end.

Exit code 0 if all invariants hold, 1 if one is broken or the program did not recover, 2 if a part is missing.
"""

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from chaos import Plan, missing, play, report
from faults import FAULTS


def main() -> int:
    """Play, print, and say by the exit code whether all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="that faults go on for")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat its faults")
    parser.add_argument("--kinds", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--keep", type=Path, default=None, help="new folder for logs, kept in the end")
    given = parser.parse_args()
    if lacking := missing(given.kinds):
        print(f"soak: {lacking}")
        return 2
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    plan = Plan(seed, given.kinds, 60 * given.minutes)
    print(f"soak: seed {seed}, {given.minutes:g} minutes", flush=True)
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="labelloop-soak-", ignore_cleanup_errors=True) as made:
        outcome = play(plan, given.keep or Path(made), tell)
    print(report(plan, outcome))
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
