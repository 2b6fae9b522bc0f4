"""Samples for the insights page: each of a size that does not grow with the number of items."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, and_, func, select

from daemon.adapters.store import annotating
from daemon.adapters.store.audited import Audited, audited_windows
from daemon.adapters.store.codec import f8, i1, label_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, items, labels, windows
from daemon.adapters.store.windows import record_of
from daemon.core.insight_rows import AuditedWindow, CheckedVotes, CostSlice, InsightRows
from daemon.core.rows import I1
from daemon.core.states import RANDOM_PURPOSES, AnnotatorKind, ItemState, WindowState
from models.guarantee.window import coin_shares

VOTES = 10_000
"""Items whose votes are counted: the newest."""
CHECKED = 5_000
"""Random blind answers that functions are judged by: the newest."""
WINDOWS = 20
SLICES = 20
SLICE_ITEMS = 500
"""Items of a stretch of time whose costs are summed: the first of it."""

Members = tuple[int, ...]
"""Annotator ids of a function set, in the order of its columns."""


class InsightRoom:
    """`daemon.core.insight_ports.InsightStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, final: frozenset[str], n_facets: int = 1) -> None:
        """Make one.

        Args:
            final: tiers whose answers are the truth.
            n_facets: bytes of a label: 1, or the number of classes of a multilabel task.
        """
        self._database = database
        self._final = final
        self._n_facets = n_facets
        self._windows: dict[int, AuditedWindow] = {}

    def insight_rows(self) -> InsightRows:
        """Samples of votes, checked votes, audited windows and costs, of one transaction."""
        with self._database.read() as connection:
            newest = _newest_votes(connection)
            functions = int(newest[0].functions) if newest else 0
            members = annotating.members(connection, [functions]).get(functions, ())
            return InsightRows(
                functions=annotating.functions_of(connection, functions) if members else [],
                votes=self._stacked([row.inline for row in newest if row.functions == functions], members),
                checked=self._checked(connection, members),
                windows=self._closed(connection),
                costs=_costs(connection),
            )

    def _stacked(self, rows: Sequence[bytes], members: Members) -> I1:
        width = len(members) * self._n_facets
        if not width:
            return np.empty((0, 0), np.int8)
        return np.frombuffer(b"".join(rows), np.int8).reshape(-1, width)

    def _checked(self, connection: Connection, members: Members) -> CheckedVotes:
        rows = _first_of_each(_random_answers(connection, self._final))
        known = annotating.members(connection, sorted({row.functions for row in rows}))
        rows = [row for row in rows if row.functions in known]
        aligned = [self._aligned(i1(row.inline), known[row.functions], members) for row in rows]
        return CheckedVotes(
            votes=np.stack(aligned) if aligned else np.empty((0, len(members) * self._n_facets), np.int8),
            truth=np.array([label_of(row.labels) for row in rows], np.int64),
            at=np.array([row.at for row in rows], np.int64),
        )

    def _aligned(self, votes: I1, voted: Members, members: Members) -> I1:
        """Votes of one set of functions in the columns of another; a function of both keeps its own."""
        if voted == members:
            return votes
        columns = votes.reshape(len(voted), self._n_facets)
        silent = np.full(self._n_facets, -1, np.int8)
        place = {member: number for number, member in enumerate(voted)}
        taken = [columns[place[member]] if member in place else silent for member in members]
        return np.concatenate(taken) if taken else np.empty(0, np.int8)

    def _closed(self, connection: Connection) -> list[AuditedWindow]:
        """Closed windows never change: each is read once."""
        closed = windows.c.state == WindowState.CLOSED.value
        newest = select(windows.c.id).where(closed).order_by(windows.c.id.desc()).limit(WINDOWS)
        ids = list(connection.execute(newest).scalars())
        unknown = [id_ for id_ in ids if id_ not in self._windows]
        if unknown:
            seen = audited_windows(connection, unknown)
            rows = connection.execute(select(windows).where(windows.c.id.in_(unknown)))
            self._windows.update({row.id: _window(row, seen[row.id]) for row in rows})
        self._windows = {id_: self._windows[id_] for id_ in ids}
        return [self._windows[id_] for id_ in ids]


def _newest_votes(connection: Connection) -> list[Row[*tuple[Any, ...]]]:
    query = select(items.c.functions, items.c.inline).order_by(items.c.arrived.desc(), items.c.id)
    return list(connection.execute(query.limit(VOTES)))


def _random_answers(connection: Connection, final: frozenset[str]) -> list[Row[*tuple[Any, ...]]]:
    """The newest, oldest first."""
    query = (
        select(answers.c.item, answers.c.labels, answers.c.at, items.c.functions, items.c.inline)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .join(items, items.c.id == answers.c.item)
        .where(
            annotators.c.kind == AnnotatorKind.PERSON.value,
            annotators.c.tier.in_(sorted(final)),
            answers.c.purpose.in_([purpose.value for purpose in RANDOM_PURPOSES]),
            answers.c.retracted_at.is_(None),
        )
        .order_by(answers.c.id.desc())
        .limit(CHECKED)
    )
    return list(connection.execute(query))[::-1]


def _first_of_each(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Row[*tuple[Any, ...]]]:
    """With a panel of experts an item has several answers: the first is taken."""
    return list({row.item: row for row in reversed(rows)}.values())[::-1]


def _window(row: Row[Any], seen: Audited) -> AuditedWindow:
    record = record_of(row)
    rest = row.p if row.rest is None else row.rest
    chances = coin_shares(record.scores, f8(row.lambdas), row.p, rest)
    return AuditedWindow(
        id=row.id,
        n=row.n,
        certified=row.certified,
        alpha=row.alpha,
        tau=row.tau,
        closed_at=row.closed_at,
        scores=record.scores,
        wrong=record.wrong,
        weights=1 / chances,
        pairs=seen.pairs,
        typical=seen.scores,
    )


def _costs(connection: Connection) -> list[CostSlice]:
    first, last = connection.execute(select(func.min(items.c.arrived), func.max(items.c.arrived))).one()
    if first is None:
        return []
    edges = np.linspace(first, last + 1, SLICES + 1).astype(np.int64).tolist()
    # In a short time many edges fall together.
    slices = [(start, end) for start, end in pairwise(edges) if start < end]
    return [_cost(connection, start, end) for start, end in slices]


def _cost(connection: Connection, start: int, end: int) -> CostSlice:
    some = (
        select(items.c.id, items.c.revision, items.c.state)
        .where(items.c.arrived >= start, items.c.arrived < end, items.c.revision > 0)
        .order_by(items.c.arrived)
        .limit(SLICE_ITEMS)
        .subquery()
    )
    current = and_(labels.c.item == some.c.id, labels.c.revision == some.c.revision)
    query = select(some.c.state, labels.c.cost).join(labels, current)
    rows = connection.execute(query).all()
    human = sum(row.state == ItemState.HUMAN.value for row in rows)
    return CostSlice(start, end, len(rows), human, sum(int(row.cost) for row in rows))
