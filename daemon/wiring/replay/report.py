"""What came of a replay, for people and as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from daemon.core.label_diff import MEANINGS, Diff, Unsaid
from daemon.wiring.replay.chunks import Chunk

MOST_TURNS = 10
"""Kinds of turn that people are told of."""


@dataclass(slots=True)
class Sum:
    """All chunks together; attributes as those of `Chunk`."""

    items: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    first: str = ""
    failures: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)
    diff: Diff | None = None


def summed(chunks: Mapping[int, Chunk]) -> Sum:
    """What all chunks say, in the order of their numbers."""
    total = Sum()
    for number in sorted(chunks):
        chunk = chunks[number]
        total.items += chunk.items
        total.rejected.update(chunk.rejected)
        total.first = total.first or chunk.first
        total.failures.update(chunk.failures)
        total.messages = {**chunk.messages, **total.messages}
        if chunk.diff is not None:
            total.diff = total.diff or Diff()
            total.diff.add(chunk.diff)
    return total


def as_json(total: Sum, bundle: int | None, ask_below: float) -> bytes:
    """The report that `--diff` writes."""
    diff = total.diff or Diff()
    told = {
        "bundle": bundle,
        "items": total.items,
        "rejected": dict(sorted(total.rejected.items())),
        "function_failures": dict(sorted(total.failures.items())),
        "compared": diff.compared,
        "same": diff.same,
        "turned": diff.turned,
        "turns": [{"from": before, "to": after, "items": count} for before, after, count in _turns(diff)],
        "turned_from_state": dict(sorted(diff.turned_from.items())),
        "confident_from": ask_below,
        "newly_confident": diff.newly_confident,
        "no_longer_confident": diff.no_longer_confident,
        "cannot_be_said": dict(sorted(diff.unsaid.items())),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def lines(total: Sum, rejected: Path) -> list[str]:
    """What people are told of records and functions; `rejected`: file that names each record."""
    said: list[str] = []
    if count := sum(total.rejected.values()):
        why = _counts(total.rejected)
        said += [f"{count:,} records are no items ({why}), see {rejected}; the first:", f"  {total.first}"]
    said += [
        f"labeling function {name} failed on {count:,} items and abstained there: {total.messages[name]}"
        for name, count in sorted(total.failures.items())
    ]
    return said


def compared(total: Sum, turned: Path) -> list[str]:
    """What people are told of what would change; `turned`: file that names each item that turns."""
    diff = total.diff or Diff()
    unsaid = sum(diff.unsaid.values())
    said = [
        f"beside the database: {diff.same:,} stay, {diff.turned:,} turn, of {unsaid:,} it cannot be said",
        *[f"  {before} -> {after}: {count:,}" for before, after, count in _turns(diff)[:MOST_TURNS]],
    ]
    if diff.turned:
        said.append(f"  their states now: {_counts(diff.turned_from)}; see {turned}")
    said.append(f"  newly confident: {diff.newly_confident:,}, no longer: {diff.no_longer_confident:,}")
    if unsaid:
        named = {MEANINGS[Unsaid(reason)]: count for reason, count in diff.unsaid.items()}
        said.append(f"  cannot be said of: {_counts(named)}")
    return said


def _turns(diff: Diff) -> Sequence[tuple[str, str, int]]:
    """Before, after, items; most first."""
    turns = [(before, after, n) for before, others in diff.turns.items() for after, n in others.items()]
    return sorted(turns, key=lambda turn: (-turn[2], turn[0], turn[1]))


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counted.items()))
