"""Processes whose wall clock is wrong by so much, from one moment to the next. Needs Linux and a compiler."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("wrong_clock.c")
SECOND = 1_000_000_000


def missing() -> str | None:
    """What this machine lacks; None if clocks can be wrong here."""
    if sys.platform != "linux":
        return "clocks can be made wrong on Linux only"
    return None if shutil.which("cc") else "needs a C compiler for wrong clocks (Debian: gcc)"


class WrongClocks:
    """One clock a name; they are right at first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = folder / "wrong_clock.so"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self._library, SOURCE, "-ldl"], check=True)

    def environment(self, name: str) -> dict[str, str]:
        """Variables for a process that lives by this clock, and for all that it starts."""
        if not self._file(name).exists():
            self._file(name).write_bytes(struct.pack("=q", 0))
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK_FILE": str(self._file(name))}

    def set(self, name: str, seconds: float) -> None:
        """From now on this clock is so much ahead, or behind."""
        file = os.open(self._file(name), os.O_WRONLY)
        try:
            os.pwrite(file, struct.pack("=q", round(seconds * SECOND)), 0)
        finally:
            os.close(file)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"
