"""`labelloop replay` killed twice and started again: the outcome is that of one that was not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_fixtures import wait_until
from program import FUNCTIONS, Program, configuration, item

SLOW = (
    FUNCTIONS
    + """

import os
import time


@labeling_function
def slow(x):
    time.sleep(float(os.environ.get("SECONDS_AN_ITEM", "0")))
    return ABSTAIN
"""
)
ITEMS, CHUNK = 2_000, 50


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path, configuration("", {}, None, "group"))
    del made.config["kafka"]
    made.write(SLOW)
    for name, numbers in (("a", range(0, ITEMS, 2)), ("b", range(1, ITEMS, 2))):
        lines = [item(number) for number in numbers]
        lines[77] = b"no json"
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    yield made
    made.stop()


def test_killed_and_started_again_it_gives_what_one_run_gives(program: Program) -> None:
    archive = [str(program.folder / f"{name}.jsonl") for name in "ab"]
    options = ("--chunk", str(CHUNK))
    folder = program.folder / "out.parquet.replay"
    rows = ("--rows", str(program.folder / "out.parquet"))
    for enough in (5, 15):
        running = program.start("replay", *archive, *rows, *options, SECONDS_AN_ITEM="0.002")
        wait_until(lambda enough=enough: len(list(folder.glob("0*.json"))) >= enough, what="some chunks")
        running.kill()
        running.wait()
        assert not (program.folder / "out.parquet").exists()
    (folder / "000039.rows.part").write_bytes(b"half a file, as a kill leaves it")
    resumed = program.run("replay", *archive, *rows, *options)
    assert resumed.returncode == 0, resumed.stderr
    earlier = re.search(r"labeled 1,998 items .*, ([\d,]+) of them earlier", resumed.stdout)
    assert earlier is not None, resumed.stdout
    assert 15 * CHUNK - 2 <= int(earlier[1].replace(",", "")) < ITEMS
    assert not folder.exists()
    once = program.run("replay", *archive, "--rows", str(program.folder / "once.parquet"), *options)
    assert once.returncode == 0, once.stderr
    for ending in ("parquet", "rejected.jsonl"):
        assert (program.folder / f"out.{ending}").read_bytes() == (
            program.folder / f"once.{ending}"
        ).read_bytes()
    rejected = (program.folder / "out.rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["place"].rsplit("/")[-1] for line in rejected] == [
        "a.jsonl, line 78",
        "b.jsonl, line 78",
    ]


def test_two_never_work_in_one_folder(program: Program) -> None:
    archive, rows = str(program.folder / "a.jsonl"), ("--rows", str(program.folder / "out.jsonl"))
    running = program.start("replay", archive, *rows, "--chunk", "50", SECONDS_AN_ITEM="0.01")
    folder = program.folder / "out.jsonl.replay"
    wait_until(lambda: list(folder.glob("0*.json")), what="a chunk")
    second = program.run("replay", archive, *rows, "--chunk", "50")
    assert second.returncode == 2 and "another process works in" in second.stderr
    assert running.poll() is None, program.logs()
