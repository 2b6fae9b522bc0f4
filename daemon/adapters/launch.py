"""`launch.py PARENT COMMAND...`: becomes COMMAND, and ends with its parent even if that one is killed.

A file of its own, run with `python -I -S`, so that no code runs between fork and exec in a threaded parent.
Only Linux can tie a child to its parent; elsewhere the command runs all the same.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask the kernel for a SIGTERM at the parent's death, then become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we could ask
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
