"""`labelloop replay --publish`: stored items get the votes of today's functions, and are decided by them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loop_harness import Loop
from program import item
from replay_house import ReplayHouse, items
from sqlalchemy import select, update

from daemon.adapters.store import schema
from daemon.adapters.store.codec import i1, label_of
from daemon.adapters.store.rechecks import PATIENCE
from daemon.core.revoting import REVOTED, Revoted
from daemon.wiring.config import load as load_config
from daemon.wiring.replay import Wish, chunks
from daemon.wiring.replay import main as replay
from labeling_functions.loading import load

COUNT = 60
PUBLISH = ("archive.jsonl", "--diff", "diff.json", "--chunk", "25", "--publish")
SURE = [number for number in range(COUNT) if number % 10]
"""Items that functions say something of."""


@pytest.fixture(params=["sqlite", "postgresql"])
def labeled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[ReplayHouse, Loop]]:
    """Items that the worker labeled, on either kind of database; the functions have been turned since."""
    house = ReplayHouse(tmp_path)
    if request.param == "postgresql":
        house.url = request.getfixturevalue("postgres_url")
    house.write()
    lines = items(COUNT)
    house.archive(lines)
    loop = house.label(lines)
    house.turn_functions()
    yield house, loop
    loop.close()


def stored(loop: Loop) -> dict[str, Any]:
    with loop.database.read() as connection:
        return {row.id: row for row in connection.execute(select(schema.items))}


def waiting(loop: Loop) -> list[str]:
    with loop.database.read() as connection:
        query = select(schema.recheck.c.item).where(schema.recheck.c.reason == REVOTED)
        return sorted(connection.execute(query).scalars())


def decide(loop: Loop, house: ReplayHouse) -> None:
    """Let a worker with the same functions as the command look again at what is due."""
    keys = [f"function:{f.name}@{f.version}" for f in load(["my_functions.py"], house.folder)]
    loop.desk.keys = lambda _: keys
    loop.settle()


def test_stored_items_are_decided_by_the_new_votes(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    before = stored(loop)
    done = house.replay(*PUBLISH, "--yes")
    assert done.exit_code == 0, done.output
    assert f"published: new votes on {COUNT} stored items" in done.stdout
    assert house.report()["turned"] == len(SURE), "the report comes with it"
    assert not (house.folder / "diff.json.replay").exists()
    names = {f.name: f.version for f in load(["my_functions.py"], house.folder)}
    revoted = stored(loop)
    (functions,) = {row.functions for row in revoted.values()}
    assert {f.name: f.version for f in loop.store.function_keys(functions)} == names
    for id_, row in revoted.items():
        said, was = i1(row.inline), i1(before[id_].inline)
        assert said[was != -1].tolist() == (1 - was[was != -1]).tolist()
        assert (said == -1).tolist() == (was == -1).tolist()
    decide(loop, house)
    after = stored(loop)
    for number in range(COUNT):
        now, was = after[f"item-{number}"], before[f"item-{number}"]
        if number in SURE:
            assert label_of(now.labels) == 1 - label_of(was.labels)
            assert now.revision == was.revision + 1, "a correction goes out"
    assert waiting(loop) == []


def test_what_says_the_same_is_left_alone(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    house.replay(*PUBLISH, "--yes")
    decide(loop, house)
    before = house.database()
    again = house.replay(*PUBLISH[:2], "again.json", *PUBLISH[3:], "--yes")
    assert f"on 0 stored items, which `labelloop run` decides anew; {COUNT} had these" in again.stdout
    assert house.database() == before


def test_other_content_and_unknown_items_are_left_alone(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    before = stored(loop)["item-1"]
    house.archive([b'{"id": "item-1", "text": "hello again"}', b'{"id": "new", "text": "hello"}'])
    done = house.replay(*PUBLISH, "--yes")
    assert "left alone: 1 not stored, 1 stored with other content" in done.stdout
    assert stored(loop)["item-1"] == before and "new" not in stored(loop)


def test_in_an_open_window_new_votes_wait_until_it_has_closed(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    with loop.database.write() as connection:
        frozen = update(schema.items).where(schema.items.c.id == "item-1")
        connection.execute(frozen.values(state="frozen"))
    before = stored(loop)["item-1"]
    done = house.replay(*PUBLISH, "--yes")
    assert "1 of them stand in an open window" in done.stdout
    decide(loop, house)
    still = stored(loop)["item-1"]
    assert (still.state, still.labels, still.score) == ("frozen", before.labels, before.score)
    assert waiting(loop) == ["item-1"]
    with loop.database.write() as connection:
        closed = update(schema.items).where(schema.items.c.id == "item-1")
        connection.execute(closed.values(state="certified"))
    loop.clock.advance(PATIENCE / 1000)
    decide(loop, house)
    assert label_of(stored(loop)["item-1"].labels) == 1 - label_of(before.labels)
    assert waiting(loop) == []


def test_nothing_is_written_unless_somebody_agrees(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    before, config = house.database(), load_config(house.folder / "labelloop.yaml")
    wish = Wish(files=(str(house.folder / "archive.jsonl"),), diff=house.folder / "diff.json", publish=True)
    seen: list[str] = []
    told = replay(config, wish, lambda lines: bool(seen.extend(lines)))
    assert told == ["nothing is published; the same command asks again, without labeling anew"]
    assert f"beside the database: 6 stay, {len(SURE)} turn" in "\n".join(seen)
    assert house.database() == before and house.report()["turned"] == len(SURE)
    (published, *_) = replay(config, wish, lambda lines: f", {COUNT} of them earlier" in lines[0])
    assert f"new votes on {COUNT} stored items" in published
    assert len(waiting(loop)) == COUNT


class Ended(Exception):
    """Stands for an end from outside."""


def test_ended_while_it_publishes_it_goes_on(
    labeled: tuple[ReplayHouse, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, loop = labeled
    publish, marked = chunks.ChunkFolder.publish, []

    def ending(self: chunks.ChunkFolder, number: int, revoted: Revoted) -> None:
        if marked:
            raise Ended  # its votes are written, and nothing says so yet
        marked.append(number)
        publish(self, number, revoted)

    with monkeypatch.context() as patched:
        patched.setattr(chunks.ChunkFolder, "publish", ending)
        assert isinstance(house.replay(*PUBLISH, "--yes").exception, Ended)
    assert len(waiting(loop)) == 50
    done = house.replay(*PUBLISH, "--yes")
    assert done.exit_code == 0, done.output
    assert "new votes on 35 stored items, which `labelloop run` decides anew; 25 had these" in done.stdout
    assert waiting(loop) == sorted(f"item-{number}" for number in range(COUNT))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (PUBLISH, "nobody can answer here; say --yes"),
        (("archive.jsonl", "--rows", "out.jsonl", "--publish", "--yes"), "--publish wants --diff too"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    house = ReplayHouse(tmp_path)
    house.write()
    house.archive(items(3))
    done = house.replay(*arguments)
    assert done.exit_code == 2 and message in done.stderr


def test_released_labels_are_taken_back_at_the_rate_of_corrections(tmp_path: Path) -> None:
    house = ReplayHouse(tmp_path)
    house.write()
    lines = items(COUNT)
    house.archive(lines)
    loop = house.label(lines)
    house.turn_functions()
    with loop.database.write() as connection:
        connection.execute(update(schema.items).values(state="certified"))
    loop.desk._corrections.limit = 7
    house.replay(*PUBLISH, "--yes")
    before = stored(loop)
    decide(loop, house)
    turned = [id_ for id_, row in stored(loop).items() if row.labels != before[id_].labels]
    assert len(turned) == 7
    loop.close()


def test_all_that_is_stored_can_be_labeled_anew(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    loop.clock.advance(-1)
    loop.send([item(number) for number in range(COUNT, COUNT + 5)])
    loop.read()
    done = house.replay("--stored", *PUBLISH[1:], "--rows", "out.jsonl", "--yes")
    assert done.exit_code == 0, done.output
    assert f"new votes on {COUNT + 5} stored items" in done.stdout
    assert sorted(row["item"] for row in house.rows()) == sorted(stored(loop))
    assert house.report()["cannot_be_said"] == {}
    assert {row.functions for row in stored(loop).values()} == {2}


def test_items_that_came_after_it_began_are_left_for_another_time(
    labeled: tuple[ReplayHouse, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, loop = labeled
    rows = ("--stored", "--rows", "out.jsonl", "--chunk", "25")
    loop.clock.advance(-1)
    loop.send([item(number) for number in range(COUNT, COUNT + 5)])
    loop.read()
    keep, kept = chunks.ChunkFolder.keep, []

    def ending(self: chunks.ChunkFolder, chunk: chunks.Chunk, files: dict[str, bytes]) -> None:
        if kept:
            raise Ended
        kept.append(chunk)
        keep(self, chunk, files)

    with monkeypatch.context() as patched:
        patched.setattr(chunks.ChunkFolder, "keep", ending)
        assert isinstance(house.replay(*rows).exception, Ended)
    loop.clock.advance(1)
    loop.send([item(number) for number in range(COUNT + 5, COUNT + 9)])
    loop.read()
    done = house.replay(*rows)
    assert done.exit_code == 0, done.output
    assert f"labeled {COUNT + 5} items" in done.stdout and f"{kept[0].items} of them earlier" in done.stdout
    assert len({row["item"] for row in house.rows()}) == len(house.rows()) == COUNT + 5
