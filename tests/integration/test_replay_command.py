"""`labelloop replay` of files: what it writes, what it leaves alone, and when it goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from loop_harness import Loop
from replay_house import ReplayHouse, items
from rows_for_tests import add_answer

from daemon.adapters.store import schema
from daemon.adapters.store.codec import f4, label_of
from daemon.wiring.replay import chunks
from models.bundles import bundle_from_priors


@pytest.fixture
def house(tmp_path: Path) -> ReplayHouse:
    """No database yet."""
    made = ReplayHouse(tmp_path)
    made.write()
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def labeled(house: ReplayHouse, request: pytest.FixtureRequest) -> Iterator[tuple[ReplayHouse, Loop]]:
    """Two hundred items that the worker labeled, on either kind of database, and their archive."""
    if request.param == "postgresql":
        house.url = request.getfixturevalue("postgres_url")
        house.write()
    lines = items(200)
    house.archive(lines)
    loop = house.label(lines)
    yield house, loop
    loop.close()


def test_each_item_gets_what_the_worker_gave_it(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    done = house.replay("archive.jsonl", "--rows", "out.jsonl", "--diff", "diff.json", "--chunk", "30")
    assert done.exit_code == 0, done.output
    with loop.database.read() as connection:
        stored = {row.id: row for row in connection.execute(schema.items.select())}
    rows = house.rows()
    assert [row["item"] for row in rows] == [f"item-{number}" for number in range(200)]
    for row in rows:
        before = stored[row["item"]]
        assert row["label"] == ("ham", "spam")[label_of(before.labels)]
        assert row["confidence"] == pytest.approx(before.score, abs=1e-6)
        assert list(row["probabilities"].values()) == pytest.approx(f4(before.posterior).tolist(), abs=1e-6)
    assert {row["votes"] for row in rows} == {0, 3}
    assert (house.report()["same"], house.report()["turned"], house.report()["cannot_be_said"]) == (
        200,
        0,
        {},
    )
    assert sorted(file.name for file in house.folder.glob("*out*")) == ["out.jsonl"], "no folder is left"


def test_nothing_is_written_but_the_files(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    loop.close()
    before, files = house.database(), {file.name for file in house.folder.iterdir()}
    (house.folder / "my_functions.py").write_text(
        (house.folder / "my_functions.py").read_text().replace("prize", "price")
    )  # functions that the database has never seen
    assert house.replay("archive.jsonl", "--diff", "diff.json").exit_code == 0
    assert house.database() == before
    new = {file.name for file in house.folder.iterdir()} - files
    assert {name for name in new if not name.startswith("loop.db")} <= {
        "diff.json",
        "diff.turned.jsonl",
        "__pycache__",
    }


def test_an_archive_alone_is_labeled_by_what_is_believed_at_first(house: ReplayHouse) -> None:
    house.archive(items(20))
    done = house.replay("archive.jsonl", "--rows", "out.parquet")
    assert "labeled 20 items by what is believed before anything is learned" in done.stdout, done.output
    assert len(pq.read_table(house.folder / "out.parquet")) == 20
    assert not (house.folder / "loop.db").exists()
    without = house.replay("archive.jsonl", "--diff", "diff.json")
    assert without.exit_code == 2 and "no database yet" in without.stderr


def test_records_that_are_no_items_are_counted_and_named(house: ReplayHouse) -> None:
    lines = items(12)
    lines[3:3] = [b"no json", b"", b'{"id": "x"}']
    house.archive(lines)
    (house.folder / "mail.csv").write_text('id,text\na,"hello\nfriend"\n,\n')
    done = house.replay("archive.jsonl", "mail.csv", "--rows", "out.jsonl", "--chunk", "4")
    assert done.exit_code == 0, done.output
    assert "3 records are no items (1 not_json, 2 wrong_shape)" in done.stdout
    named = house.rows("out.rejected.jsonl")
    assert [(one["place"].rsplit("/")[-1], one["reason"]) for one in named] == [
        ("archive.jsonl, line 4", "not_json"),
        ("archive.jsonl, line 6", "wrong_shape"),
        ("mail.csv, row 2", "wrong_shape"),
    ]
    assert f"{named[0]['place']}: not_json" in done.stdout
    assert [row["item"] for row in house.rows()] == [*(f"item-{number}" for number in range(12)), "a"]


def test_a_function_that_fails_is_told_of(house: ReplayHouse) -> None:
    house.archive(items(12))
    with (house.folder / "my_functions.py").open("a") as file:
        file.write("\n\n@labeling_function\ndef broken(x):\n    return 1 // (len(x.text) - len('maybe 0'))\n")
    done = house.replay("archive.jsonl", "--rows", "out.jsonl", "--chunk", "5")
    assert "labeling function broken failed on 1 items and abstained there: ZeroDivisionError" in done.stdout


def test_what_turns_is_named_and_what_rests_on_more_is_left_open(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    add_answer(loop.database, "item-1", loop.questions.enroll("ann", "expert").id, 1)
    with loop.database.write() as connection:
        frozen = schema.items.update().where(schema.items.c.id == "item-2").values(state="frozen")
        connection.execute(frozen)
    house.archive([*items(210), b'{"id": "item-3", "text": "hello again"}'])
    house.turn_functions()
    done = house.replay("archive.jsonl", "--diff", "diff.json", "--chunk", "17")
    assert done.exit_code == 0, done.output
    told = house.report()
    sure = [number for number in range(200) if number % 10]
    turned = [number for number in sure if number not in (1, 2)]
    assert told["cannot_be_said"] == {
        "answered_by_people": 1,
        "in_an_open_window": 1,
        "not_stored": 10,
        "other_content": 1,
    }
    assert (told["turned"], told["same"]) == (len(turned), 20)
    assert sum(one["items"] for one in told["turns"]) == len(turned)
    assert {(one["from"], one["to"]) for one in told["turns"]} == {("ham", "spam"), ("spam", "ham")}
    assert [row["item"] for row in house.rows("diff.turned.jsonl")] == [f"item-{number}" for number in turned]
    assert f"beside the database: 20 stay, {len(turned)} turn, of 13 it cannot be said" in done.stdout
    assert "1 answered by people, 1 in an open window, 10 not stored" in done.stdout


def test_the_bundle_in_use_decides_unless_another_is_named(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    priors = bundle_from_priors(("ham", "spam"), False, {"crowd": 0.9, "expert": 0.98})
    tempted = np.log([0.01, 0.99])
    member = priors.parts[0].members[0]
    other = replace(priors.parts[0], members=(replace(member, prior=tempted),))
    first = loop.learning.save_bundle("a", priors.to_bytes(), None, None)
    second = loop.learning.save_bundle("b", other.to_bytes(), None, None)
    duty = loop.store.take_duty("learning", "test", 10.0)
    assert duty is not None
    loop.learning.promote(duty, second)
    assert f"by bundle {second}" in house.replay("archive.jsonl", "--rows", "out.jsonl").stdout
    assert {row["label"] for row in house.rows() if row["votes"] == 0} == {"spam"}
    assert (
        f"by bundle {first}"
        in house.replay("archive.jsonl", "--rows", "a.jsonl", "--bundle", str(first)).stdout
    )
    assert {row["label"] for row in house.rows("a.jsonl") if row["votes"] == 0} == {"ham"}
    unknown = house.replay("archive.jsonl", "--rows", "b.jsonl", "--bundle", "77")
    assert unknown.exit_code == 2 and "has no bundle 77" in unknown.stderr


class Ended(Exception):
    """Stands for an end from outside, where the real one takes a process of its own."""


@pytest.fixture
def halfway(house: ReplayHouse, monkeypatch: pytest.MonkeyPatch) -> ReplayHouse:
    """A replay that ended after three of its ten chunks."""
    house.archive(items(100))
    keep, kept = chunks.ChunkFolder.keep, []

    def ending(self: chunks.ChunkFolder, chunk: chunks.Chunk, files: dict[str, bytes]) -> None:
        if len(kept) == 3:
            raise Ended
        kept.append(chunk)
        keep(self, chunk, files)

    with monkeypatch.context() as patched:
        patched.setattr(chunks.ChunkFolder, "keep", ending)
        done = house.replay("archive.jsonl", "--rows", "out.jsonl", "--chunk", "10")
        assert isinstance(done.exception, Ended)
    assert not (house.folder / "out.jsonl").exists()
    return house


def again(house: ReplayHouse, *options: str) -> tuple[int, str]:
    done = house.replay("archive.jsonl", "--rows", "out.jsonl", *(options or ("--chunk", "10")))
    return done.exit_code, done.output


def test_the_same_command_goes_on_where_it_ended(halfway: ReplayHouse) -> None:
    assert "labeled 100 items" in (told := again(halfway)[1]) and "30 of them earlier" in told
    once = halfway.rows()
    halfway.replay("archive.jsonl", "--rows", "once.jsonl")
    assert once == halfway.rows("once.jsonl") and len(once) == 100
    assert not (halfway.folder / "out.jsonl.replay").exists()


def test_it_does_not_go_on_with_something_else(halfway: ReplayHouse) -> None:
    code, told = again(halfway, "--chunk", "20")
    assert code == 2 and "options, --chunk: was 10, is 20" in told
    functions = halfway.folder / "my_functions.py"
    source = functions.read_text()
    functions.write_text(source.replace('"prize"', '"price"'))
    code, told = again(halfway)
    assert code == 2 and "functions, prize: was" in told and "remove the folder to begin anew" in told
    functions.write_text(source)
    halfway.write(tiers={"crowd": {"accuracy": 0.7}, "expert": {"final": True, "accuracy": 0.8}})
    code, told = again(halfway)
    assert code == 2 and "models, content of the bundle" in told
    halfway.write()
    halfway.archive(items(101))
    code, told = again(halfway)
    assert code == 2 and "archive, " in told and "archive.jsonl: was" in told


def test_another_bundle_in_use_does_not_slip_in(
    labeled: tuple[ReplayHouse, Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, loop = labeled
    with monkeypatch.context() as patched:
        patched.setattr(chunks.ChunkFolder, "keep", lambda *_: (_ for _ in ()).throw(Ended))
        house.replay("archive.jsonl", "--rows", "out.jsonl")
    priors = bundle_from_priors(("ham", "spam"), False, {"crowd": 0.9, "expert": 0.98})
    bundle = loop.learning.save_bundle("a", priors.to_bytes(), None, None)
    duty = loop.store.take_duty("learning", "test", 10.0)
    assert duty is not None
    loop.learning.promote(duty, bundle)
    done = house.replay("archive.jsonl", "--rows", "out.jsonl")
    assert done.exit_code == 2
    assert f"models, bundle (--bundle): was built-in priors, is {bundle}" in done.stderr


def test_what_is_there_is_not_written_over(house: ReplayHouse) -> None:
    house.archive(items(10))
    house.archive([b"precious"], "out.jsonl")
    done = house.replay("archive.jsonl", "--rows", "out.jsonl")
    assert done.exit_code == 2 and "out.jsonl is there already" in done.stderr
    assert (house.folder / "out.jsonl").read_bytes() == b"precious\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["archive.jsonl"], "name a file for the items (--rows)"),
        (["--rows", "out.jsonl"], "name either files, or --topic, or --stored"),
        (["--stored", "--rows", "out.jsonl"], "--stored: there is no database yet"),
        (
            ["archive.jsonl", "--topic", "items", "--rows", "out.jsonl"],
            "name either files, or --topic, or --stored",
        ),
        (["archive.jsonl", "--rows", "out.xlsx"], "ends with neither of .jsonl, .parquet"),
        (["absent.jsonl", "--rows", "out.jsonl"], "there is no file"),
        (["archive.jsonl", "--rows", "absent/out.jsonl"], "cannot be written: No such file or directory"),
        (["--topic", "items", "--rows", "out.jsonl"], "no broker is known"),
    ],
)
def test_what_cannot_be_done_is_said(house: ReplayHouse, arguments: list[str], message: str) -> None:
    house.archive(items(3))
    done = house.replay(*arguments)
    assert done.exit_code == 2 and message in done.stderr


def test_an_empty_archive_gives_empty_files(house: ReplayHouse) -> None:
    (house.folder / "empty.jsonl").touch()
    assert "labeled 0 items" in house.replay("empty.jsonl", "--rows", "out.parquet").stdout
    assert pq.read_table(house.folder / "out.parquet").column_names == [
        "item",
        "label",
        "p_ham",
        "p_spam",
        "confidence",
        "votes",
    ]


def test_a_database_of_another_task_is_refused_and_stays(labeled: tuple[ReplayHouse, Loop]) -> None:
    house, loop = labeled
    loop.close()
    before = house.database()
    house.write(task={"name": "messages", "classes": ["spam", "ham"]})
    done = house.replay("archive.jsonl", "--rows", "out.jsonl")
    assert done.exit_code == 2 and "this database was made for ham, spam" in done.stderr
    assert house.database() == before
