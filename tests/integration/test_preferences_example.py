"""What docs/preferences.md tells people to do with the example, but for the processes that it starts."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from daemon import cli
from daemon.core.decoding import Arrival, decode
from daemon.core.wire import Record
from daemon.wiring.config import load
from daemon.wiring.ways import way_of
from labeling_functions.applier import Applier
from labeling_functions.llm.pairwise import PairwiseJudge
from labeling_functions.llm.response_scores import ScoreJudge
from labeling_functions.loading import load as load_functions
from labeling_functions.task import ABSTAIN

EXAMPLE = Path(__file__).parents[2] / "examples" / "preferences"
LINES = (EXAMPLE / "pairs.jsonl").read_text().splitlines()


def test_every_pair_can_be_sent_and_every_function_speaks() -> None:
    config = load(EXAMPLE / "labelloop.yaml", {})
    arrivals = [decode(Record("f", 0, 0, None, line.encode(), 0), 10_000, config.task.kind) for line in LINES]
    items = [one.item for one in arrivals if isinstance(one, Arrival)]
    assert len(items) == len(LINES) == len({item.id for item in items})
    functions = load_functions(config.functions.modules, config.folder)
    applied = Applier(functions, config.task.space, 10.0).apply(items)
    assert applied.failures == {}
    assert (applied.L != ABSTAIN).any(axis=0).all()
    truth = np.array([config.task.classes.index(json.loads(line)["better"]) for line in LINES])
    longer = applied.L[:, [one.name for one in functions].index("longer")]
    spoke = longer != ABSTAIN
    assert (spoke.sum(), (longer == truth)[spoke].sum()) == (11, 4), "as the example's README says"


def test_the_functions_are_reported_on() -> None:
    command = ["lfs", "-c", str(EXAMPLE / "labelloop.yaml"), "--file", str(EXAMPLE / "pairs.jsonl")]
    shown = CliRunner().invoke(cli.main, [*command, "--label-column", "better"], env={"COLUMNS": "160"})
    assert shown.exit_code == 0, shown.output
    assert "24 items" in shown.stdout and "echoes_the_prompt" in shown.stdout


def test_judges_are_two_ways_of_asking() -> None:
    config = load(EXAMPLE / "with_judges.yaml", {})
    assert config.variants("judge") == ("compared", "scored")
    made = [way_of(config, "judge", name) for name in config.variants("judge")]
    assert [type(one) for one in made] == [PairwiseJudge, ScoreJudge]
    assert made[0].settings.chain_of_thought
