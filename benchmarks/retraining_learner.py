"""A learner that trains without pause, beside the stream that `benchmarks.retraining` measures."""

import argparse
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from daemon.adapters.fake_registry import FakeRegistry
from daemon.core.learning import Train
from daemon.wiring import learn, parts
from daemon.wiring.config import load
from models.any_training import AnyCandidate, AnyData
from models.bundles import AnyBundle


def main() -> None:
    """Train until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--promote", action="store_true", help="workers follow each candidate")
    given = parser.parse_args()
    config = load(given.config)
    learner = learn.make(config, parts.open_database(config), threading.Event())
    learner.registry = FakeRegistry()  # MLflow's own time is not the question here
    if given.promote:
        learner.train = _promoted(learner.train)
    while True:
        learner.step(whatever=True)


def _promoted(train: Train) -> Train:
    """The same, but that every candidate counts as better than the champion."""

    def trained(data: AnyData, champion: AnyBundle | None, alive: Callable[[], object]) -> AnyCandidate:
        candidate = train(data, champion, alive)
        return replace(candidate, comparison=replace(candidate.comparison, promoted=True))

    return trained


if __name__ == "__main__":
    main()
