"""A network of its own, with a line to each of some parts outside that drops every packet once it is cut."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from kafka_fixtures import wait_until

NEEDED = {"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux"}
"""Programs, and the Debian packages that they are in."""
NOBODY = "02:00:00:00:00:01"
"""No device has this address: what is sent there arrives nowhere, and nobody is told."""

BLOCK = "198.18"
"""How addresses for trials of networks begin (RFC 2544)."""


def missing_network() -> str | None:
    """What this machine lacks; None if a room can be made."""
    for program, package in NEEDED.items():
        if shutil.which(program) is None:
            return f"needs network namespaces: {program} is not there (Debian: {package})"
    tried = "unshare -n ip link add near type veth peer far"
    if os.geteuid() != 0 or subprocess.run(tried.split(), capture_output=True, check=False).returncode != 0:
        return "needs network namespaces, which this user may not make here"
    return None


@dataclass(frozen=True, slots=True)
class Line:
    """Two devices that are joined, and their addresses: outside, where parts listen, and in the room."""

    device: str
    address: str
    far_device: str
    far_address: str


class FarRoom:
    """A network namespace while it is entered; it goes with the last process in it, whatever ends this one.

    Attributes:
        lines: name -> line to a part outside.
        holder: id of the process that keeps it.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.lines: dict[str, Line] = {}

    def __enter__(self) -> "FarRoom":
        # `cat` ends with our end of the pipe, so that a run that is killed leaves nothing behind.
        self._process = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE)
        self.holder = self._process.pid
        try:
            wait_until(self._is_apart, 10, "a network of its own")
            self.lines = {name: self._laid() for name in self._names}
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self.lines.values():
            _run(f"ip link del {line.device}")
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    @property
    def within(self) -> tuple[str, ...]:
        """The words before a command that is to run in the room."""
        return ("nsenter", "-t", str(self.holder), "-n")

    def cut(self, name: str) -> None:
        """From now on nothing arrives, from either end; connections stay as they are."""
        line = self.lines[name]
        _run(f"ip neigh replace {line.far_address} dev {line.device} lladdr {NOBODY} nud permanent")
        self._inside(f"neigh replace {line.address} dev {line.far_device} lladdr {NOBODY} nud permanent")

    def heal(self, name: str) -> None:
        """Everything arrives again."""
        line = self.lines[name]
        _run(f"ip neigh del {line.far_address} dev {line.device}")
        self._inside(f"neigh del {line.address} dev {line.far_device}")

    def _is_apart(self) -> bool:
        mine, its = (Path(f"/proc/{process}/ns/net").readlink() for process in ("self", self.holder))
        return mine != its

    def _laid(self) -> Line:
        mark, net = secrets.token_hex(4), f"{BLOCK}.{_free_net()}"
        line = Line(f"near{mark}", f"{net}.1", f"far{mark}", f"{net}.2")
        _run(f"ip link add {line.device} type veth peer {line.far_device} netns {self.holder}")
        _run(f"ip addr add {line.address}/30 dev {line.device}")
        _run(f"ip link set {line.device} up")
        self._inside(f"addr add {line.far_address}/30 dev {line.far_device}")
        self._inside(f"link set {line.far_device} up")
        return line

    def _inside(self, words: str) -> None:
        _run(f"{' '.join(self.within)} ip {words}")


def _free_net() -> int:
    """A third number of addresses of that block that no device of this machine has."""
    taken = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    return next(number for number in range(256) if f" {BLOCK}.{number}." not in taken)


def _run(command: str) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed: {done.stderr}")
