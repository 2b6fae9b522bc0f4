"""The example where any number of classes may apply, but for the processes that it starts."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from daemon import cli
from daemon.core.decoding import Arrival, decode
from daemon.core.wire import Record
from daemon.wiring.config import Config, load
from labeling_functions import Item
from labeling_functions.applier import Applied, Applier
from labeling_functions.label_space import spread
from labeling_functions.loading import load as load_functions
from labeling_functions.task import ABSTAIN

EXAMPLE = Path(__file__).parents[2] / "examples" / "support_topics"
LINES = (EXAMPLE / "items.jsonl").read_text().splitlines()


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE / "labelloop.yaml", {})


@pytest.fixture(scope="module")
def items(config: Config) -> list[Item]:
    records = (Record("f", 0, 0, None, line.encode(), 0) for line in LINES)
    arrivals = [decode(record, 10_000, config.task.kind) for record in records]
    return [one.item for one in arrivals if isinstance(one, Arrival)]


@pytest.fixture(scope="module")
def applied(config: Config, items: list[Item]) -> Applied:
    functions = load_functions(config.functions.modules, config.folder)
    return Applier(functions, config.task.space, 10.0).apply(items)


def test_the_messages_are_those_that_its_program_makes() -> None:
    made = runpy.run_path(str(EXAMPLE / "make_items.py"))["items"]()
    assert [json.loads(line) for line in LINES] == made


def test_every_message_can_be_sent(config: Config, items: list[Item]) -> None:
    assert len({item.id for item in items}) == len(LINES) == 600
    assert {name for line in LINES for name in json.loads(line)["truth"]} == set(config.task.classes)


def test_every_function_speaks_and_is_mostly_right(config: Config, applied: Applied) -> None:
    space = config.task.space
    truth = spread(np.array([space.label_of(json.loads(line)["truth"]) for line in LINES]), space.n_facets)
    votes = applied.L.reshape(len(LINES), -1, space.n_facets)
    assert applied.failures == {}
    spoke = votes != ABSTAIN
    assert spoke.any(axis=(0, 2)).all(), "every function speaks"
    right = (votes == truth[:, None])[spoke].mean()
    assert right > 0.95
    said = spoke.any(axis=1)
    assert (said.mean(axis=0) > 0.4).all(), "something is said of each class"


def test_the_functions_are_reported_on() -> None:
    file, column = str(EXAMPLE / "items.jsonl"), ["--label-column", "truth"]
    command = ["lfs", "-c", str(EXAMPLE / "labelloop.yaml"), "--file", file, *column]
    told = CliRunner().invoke(cli.main, command, catch_exceptions=False)
    assert told.exit_code == 0
    assert "the classes of 600 are known" in told.output
    assert "question_before_buying" in told.output
