"""Ends what `labelloop up` started if `up` itself is killed. A script of its own: nothing but the library.

It reads process group ids from its standard input, one a line. When the other end closes, which it also does
when the writer is killed, all these groups are killed. The lock on the state folder is inherited, so that a
new `up` waits until this is done.
"""

import contextlib
import os
import signal
import sys
import time

GONE_SECONDS = 3.0


def main() -> None:
    """Read until the writer is gone, then kill every group that was named and not taken back (`-ID`)."""
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
    deadline = time.monotonic() + GONE_SECONDS
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
            while time.monotonic() < deadline:
                os.killpg(group, 0)
                time.sleep(0.02)


if __name__ == "__main__":
    main()
