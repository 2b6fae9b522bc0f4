"""From topic `items` to a language model and back to topic `labels`, with every process as `up` starts it."""

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from program import Program, published
from up_program import Up, up_program

from benchmarks.past_the_program import query
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

MESSAGES, DOUBTFUL_EVERY = 200, 10


def number_of(asked: Asked) -> int:
    """Which of the doubtful messages it is."""
    return int(asked.prompt.rsplit("maybe ", 1)[1].split()[0].split("<")[0])


def opinion(number: int) -> str:
    return "spam" if number % 3 == 0 else "ham"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A model with opinions, which fails at first."""
    with ScriptedServer(lambda asked: opinion(number_of(asked))) as made:
        made.inject(Fault("status", 500), 3)
        yield made


@pytest.fixture
def program(tmp_path: Path, server: ScriptedServer) -> Iterator[Program]:
    made = up_program(tmp_path)
    made.config["tiers"] = {
        "llm": {"backend": "llm", "price": 0.01, "accuracy": 0.95},
        "expert": {"price": 0.6, "final": True},
    }
    made.config["guarantee"]["cold_start_gold"] = 0
    endpoint = {"base_url": server.base_url, "price_in": 0.1, "price_out": 0.1, "timeout_seconds": 60}
    made.config["endpoints"] = {"scripted": endpoint}
    made.config["llm"] = {"llm": {"endpoint": "scripted", "model": "scripted", "confidence": "none"}}
    made.write()
    yield made
    made.stop()


def voted_for(records: Sequence[Any], items: set[str]) -> dict[str, str]:
    """Item -> current label, of those that the model's vote is told of."""
    out = published([record for record in records if record.key.decode() in items])
    current = {name: out.current(name) for name in out.revisions}
    return {
        name: str(label["label"])
        for name, label in current.items()
        if "llm:llm/llm" in {vote["annotator"] for vote in label["votes"]}
    }


@pytest.mark.timeout(240)
def test_a_doubtful_item_is_labeled_as_the_model_says(program: Program, server: ScriptedServer) -> None:
    up = Up(program)
    url = f"sqlite:///{program.folder / 'state' / 'labelloop.db'}"
    up.send(0, MESSAGES)
    doubtful = range(0, MESSAGES, DOUBTFUL_EVERY)
    wanted = {f"item-{number}": opinion(number) for number in doubtful}
    turned = {name: label for name, label in wanted.items() if label == "spam"}  # they were ham at first
    up.kafka.read_all("labels", lambda read: voted_for(read, set(turned)) == turned, 120)
    program.until(lambda: len(query(url, "select id from answers")) == len(wanted), "an answer to each")
    answered = query(url, "select item, cost from answers")
    assert {item for item, _ in answered} == set(wanted)
    assert len(answered) == len(wanted), "nobody is asked twice"
    assert sum(cost for _, cost in answered) == query(url, "select sum(micros) from calls")[0][0] > 0
    times = Counter(str(body["messages"]) for body in server.requests)
    assert sum(times.values()) - len(times) == 3, "asked again where the server failed, and nowhere else"
    up.end(signal.SIGTERM)
