"""A PostgreSQL server of our own for one test session: loopback, temporary folder, nothing left behind."""

import atexit
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType

from certificates import Issued

from daemon.adapters.starting import free_port


def server_binaries() -> Path | None:
    """Folder that holds initdb and postgres, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/").glob("usr/lib/postgresql/*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class PrivatePostgres:
    """Started on entering, stopped and deleted on leaving.

    Args:
        binaries: folder of initdb and postgres.
        certificate: of the server, which then lets nobody in without TLS.
        clients: file of the authority that signed clients' certificates; nobody is let in without one that
            names him, nor without his password.
        beside: addresses of this machine other than loopback at which it listens too, for their networks.
    """

    def __init__(
        self,
        binaries: Path,
        certificate: Issued | None = None,
        beside: Sequence[str] = (),
        clients: Path | None = None,
    ) -> None:
        self._binaries = binaries
        self._beside = beside
        self._certificate = certificate
        self._clients = clients
        self._user = _unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="labelloop-postgres-"))
        self._port = free_port()

    @property
    def url(self) -> str:
        """Address of the server's own database."""
        return self.url_at("127.0.0.1")

    def url_at(self, address: str) -> str:
        """The same for those who reach it there."""
        return f"postgresql://tester:secret@{address}:{self._port}/postgres"

    def __enter__(self) -> "PrivatePostgres":
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        blank = _blank(self._binaries, "md5" if self._certificate is None else "scram-sha-256")
        subprocess.run(["cp", "-a", blank, self._folder / "data"], check=True)
        with (self._folder / "data" / "pg_hba.conf").open("a") as allowed:
            allowed.writelines(f"host all all {address}/30 md5\n" for address in self._beside)
        if self._certificate is not None:
            self._secure(self._certificate)
        self.start()
        return self

    def start(self) -> None:
        """Serve, again after `crash`; returns when it answers."""
        settings = {
            "listen_addresses": ",".join(("127.0.0.1", *self._beside)),
            "port": str(self._port),
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "shared_buffers": "32MB",
            "deadlock_timeout": "200ms",
            "ssl": "off" if self._certificate is None else "on",
            "ssl_ca_file": "" if self._clients is None else "clients.crt",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        data, log = str(self._folder / "data"), str(self._folder / "log")
        self._run(["pg_ctl", "-D", data, "-l", log, "-w", "-t", "180", "-o", options, "start"])

    @property
    def pid(self) -> int:
        """Of the server, which leads a group of its own."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def crash(self) -> None:
        """End all its processes at once, as a power cut would; what was committed is there after `start`."""
        self._run(["pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._folder / "data" / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self._folder)

    def _secure(self, certificate: Issued) -> None:
        data = self._folder / "data"
        files = [(certificate.certificate, "server.crt"), (certificate.key, "server.key")]
        if self._clients is not None:
            files.append((self._clients, "clients.crt"))
        for source, name in files:
            copied = data / name
            copied.touch(0o600)
            copied.write_bytes(source.read_bytes())
            if self._user is not None:
                shutil.chown(copied, self._user)
        allowed = data / "pg_hba.conf"
        wanted = "" if self._clients is None else " clientcert=verify-full"
        lines = re.sub("^host (.*)$", rf"hostssl \1{wanted}", allowed.read_text(), flags=re.MULTILINE)
        allowed.write_text(lines)

    def _run(self, command: Sequence[str]) -> None:
        _run(self._binaries, self._folder, command)


@cache
def _blank(binaries: Path, login: str) -> Path:
    """Data of a server that never ran, for copying; deleted when this process ends.

    `login`: how it asks for passwords. `md5` is what a test need not wait for: `scram-sha-256` is slow by
    design, on the client's side, with every connection.
    """
    folder = Path(tempfile.mkdtemp(prefix="labelloop-initdb-"))
    atexit.register(shutil.rmtree, folder)
    password, data = folder / "password", folder / "data"
    password.write_text("secret")
    if (user := _unprivileged_user()) is not None:
        for path in (folder, password):
            shutil.chown(path, user)
    words = ["-D", str(data), "-U", "tester", "-A", login, "--pwfile", str(password), "-N"]
    _run(binaries, folder, ["initdb", *words])
    return data


def _run(binaries: Path, folder: Path, command: Sequence[str]) -> None:
    done = subprocess.run(
        [str(binaries / command[0]), *command[1:]],
        user=_unprivileged_user(),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout!r}")


def _unprivileged_user() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
