"""Where the loops tell how they are."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Metrics and health of `run`, `learn` and `annotate`; the pages' server tells those of the loop.

    Attributes:
        port: where each of these processes serves /metrics, /healthz and /readyz; null for nowhere, 0 for any
            free port, which the log names. If it is taken, the process works on without.
        host: address to listen on. Nobody is asked for an account there: open it to the network of your
            Prometheus alone.
        stale_seconds: /readyz says no when a batch takes longer than this to be saved, or a loop does not
            come round for so long.
    """

    port: Annotated[int, Ge(0), Le(65_535)] | None = None
    host: str = "127.0.0.1"
    stale_seconds: Annotated[float, Gt(0)] = 120.0
