"""What the encoder of a configuration reaches with nothing else to do.

    python -m benchmarks.encoder_alone CONFIGURATION COUNT KIND

Encodes the texts that `benchmarks.end_to_end` writes, many at once, and prints texts per second without the
start-up. The cache of vectors is on, as in the stream.
"""

import sys
import time
from pathlib import Path

from benchmarks.end_to_end_world import TEXTS
from daemon.core.metrics import UNMETERED
from daemon.wiring.config import load
from daemon.wiring.encoding import encoding_by_processes
from labeling_functions.items import Item

AT_ONCE = 4_096
"""Texts of which batches are made: so many that the last ones of each process do not show."""
WARM_UP = 200


def main(config: Path, count: int, kind: str) -> None:
    """Measure and print."""
    items = [Item(str(number), {"text": one.text}) for number, one in enumerate(TEXTS[kind](count, 2))]
    with encoding_by_processes(load(config), UNMETERED) as encoding:
        if encoding is None:
            raise SystemExit("encoder_alone: the configuration has no encoder")
        encoding.encoder.encode([Item(str(row), {"text": f"warm up {row}"}) for row in range(WARM_UP)])
        began = time.perf_counter()
        for start in range(0, count, AT_ONCE):
            encoding.encoder.encode(items[start : start + AT_ONCE])
        print(count / (time.perf_counter() - began))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
