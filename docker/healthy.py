"""Exit code 0 if a process of this kind in this container said lately that it is alive: healthy.py KIND.

Meant for `run` and `learn`, which serve no page that could be asked. Needs PostgreSQL.
"""

import socket
import sys
from pathlib import Path

from sqlalchemy import create_engine, text

from daemon.wiring.config import load

LIMIT_SECONDS = 120
"""A learner that waits for an MLflow server that is down says nothing for a minute or so."""

AGE = text(
    "SELECT extract(epoch FROM clock_timestamp()) - max(at) / 1000.0 FROM processes"
    " WHERE kind = :kind AND starts_with(name, :start)"
)


def main(kind: str, file: Path) -> int:
    """0 for healthy, 1 for silent too long or never heard of."""
    engine = create_engine(load(file).database_url)
    with engine.connect() as connection:
        age = connection.execute(AGE, {"kind": kind, "start": f"{kind}-{socket.gethostname()}-"}).scalar_one()
    if age is None or age > LIMIT_SECONDS:
        print(f"{kind}: {'nothing heard yet' if age is None else f'silent for {age:.0f} s'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path("/etc/labelloop/labelloop.yaml")))
