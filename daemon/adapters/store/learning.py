"""What the learner reads, keeps and promotes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Insert, Row, func, insert, literal, select, update

from daemon.adapters.store import alarms, annotating, duties, picks
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f2, i1
from daemon.adapters.store.engine import Database
from daemon.adapters.store.judgments import judge_records
from daemon.adapters.store.open_items import answer_columns, answer_of
from daemon.adapters.store.schema import (
    annotators,
    answers,
    bundles,
    items,
    positions,
    questions,
    recheck,
    vectors,
)
from daemon.core.learning_rows import News, Prospects, Standing, StoredBundle, TrainingRows
from daemon.core.rows import Answer, Duty
from daemon.core.states import RANDOM_PURPOSES, AnnotatorKind, ItemState

_STANDING = answers.c.retracted_at.is_(None)
_OF_PEOPLE = answers.c.annotator.not_in(
    select(annotators.c.id).where(annotators.c.kind == AnnotatorKind.LLM.value)
)
"""Language models may answer everything: what they say is learned from, and is no news that starts a run."""
_COLUMNS = (
    items.c.id,
    items.c.payload,
    items.c.subject,
    items.c.arrived,
    items.c.functions,
    items.c.inline,
)


class LearningRoom:
    """`daemon.core.ports.LearningStore` on SQLite or PostgreSQL.

    A bundle remembers the newest answer that it was trained on: the one that was newest when this object
    last read training rows.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: int | None = None

    def news(self) -> News:
        """What is new since the last trained bundle."""
        newest = select(bundles.c.trained_at, bundles.c.answers_seen).order_by(bundles.c.id.desc()).limit(1)
        random = [purpose.value for purpose in RANDOM_PURPOSES]
        with self._database.read() as connection:
            last = connection.execute(newest).one_or_none()
            seen, since = (last.answers_seen, last.trained_at) if last else (0, None)
            if since is None:
                since = connection.execute(select(func.min(items.c.arrived))).scalar_one()
            now = self._database.now(connection)
            return News(
                answers=_count(connection, answers.c.id > seen, _STANDING, _OF_PEOPLE),
                gold=_count(connection, answers.c.purpose.in_(random), _STANDING),
                items=int(
                    connection.execute(select(func.coalesce(func.sum(positions.c.stored), 0))).scalar_one()
                ),
                age=0.0 if since is None else max(0, now - since) / 1000,
                fresh=alarms.fresh_answers(connection),
            )

    def training_rows(self, limit: int) -> TrainingRows:
        """Newest items and every one that a person answered, at most `limit` if there are fewer of these."""
        with self._database.read() as connection:
            newest = connection.execute(select(func.coalesce(func.max(answers.c.id), 0))).scalar_one()
            rows = _items(connection, limit)
            place = {row.id: index for index, row in enumerate(rows)}
            given = _answers(connection, place)
            sets = annotating.members(connection, sorted({row.functions for row in rows}))
            names = _names(connection, sets, given)
            encoder, stored = _vectors(connection, [row.id for row in rows])
            drift = alarms.standing(connection)
            judges = judge_records(connection)
        self._seen = int(newest)
        matrix, has_vector = _matrix(place, stored)
        return TrainingRows(
            ids=[row.id for row in rows],
            payloads=[row.payload for row in rows],
            subjects=[row.subject for row in rows],
            arrived=np.array([row.arrived for row in rows], np.int64),
            functions=np.array([row.functions for row in rows], np.int64),
            inline=[i1(row.inline) for row in rows],
            sets=sets,
            names=names,
            vectors=matrix,
            has_vector=has_vector,
            encoder=encoder,
            answers=given,
            since=drift.since,
            judges=judges,
        )

    def save_bundle(self, digest: str, data: bytes, run_id: str | None, mlflow_version: str | None) -> int:
        """Keep a trained bundle, not yet current; its id."""
        with self._database.write() as connection:
            seen = self._seen
            if seen is None:
                seen = connection.execute(select(func.coalesce(func.max(answers.c.id), 0))).scalar_one()
            row = insert(bundles).values(
                digest=digest,
                data=data,
                run_id=run_id,
                mlflow_version=mlflow_version,
                current=False,
                trained_at=self._database.now(connection),
                answers_seen=seen,
            )
            return int(connection.execute(row.returning(bundles.c.id)).scalar_one())

    def promote(self, duty: Duty, bundle: int, ends_alarms: bool = False) -> None:
        """Make it the one that workers follow, and end every open drift alarm if told so.

        Alarms that were raised while it trained end, too: they compare with an older bundle's reference.

        Raises:
            DutyLost: somebody else learns now. KeyError: a bundle that is not kept.
        """
        with self._database.write() as connection:
            duties.check(connection, duty)
            now = self._database.now(connection)
            connection.execute(update(bundles).where(bundles.c.current).values(current=False))
            promoted = connection.execute(
                update(bundles).where(bundles.c.id == bundle).values(current=True, promoted_at=now)
            )
            if promoted.rowcount != 1:
                raise KeyError(bundle)
            if ends_alarms:
                alarms.end(connection, bundle, now)

    def end_alarms(self, duty: Duty) -> None:
        """End every open drift alarm: the current bundle stands after it. Raises DutyLost."""
        with self._database.write() as connection:
            duties.check(connection, duty)
            current = select(bundles.c.id).where(bundles.c.current)
            bundle = connection.execute(current).scalar_one_or_none()
            alarms.end(connection, bundle, self._database.now(connection))

    def current_bundle(self, known: int | None) -> StoredBundle | None:
        """The promoted bundle, or None when it is `known` (or none was ever promoted)."""
        query = select(bundles).where(bundles.c.current)
        if known is not None:
            query = query.where(bundles.c.id != known)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else bundle_of(row)

    def last_bundles(self, count: int) -> list[StoredBundle]:
        """The bundles trained last, promoted or not, oldest first."""
        query = select(bundles).order_by(bundles.c.id.desc()).limit(count)
        with self._database.read() as connection:
            return [bundle_of(row) for row in connection.execute(query)][::-1]

    def prospects(self) -> Prospects:
        """What says how many items to pick, counted from the last trained bundle."""
        newest = select(func.max(bundles.c.answers_seen))
        with self._database.read() as connection:
            return picks.prospects(connection, connection.execute(newest).scalar_one() or 0)

    def standings(self, ids: Sequence[str]) -> dict[str, Standing]:
        """How each of these items stands to learning; items that no person is to answer are left out."""
        with self._database.read() as connection:
            return picks.standings(connection, ids)

    def leave_picks(self, duty: Duty, ids: Sequence[str]) -> None:
        """Have `run` ask about these items so that the models learn. Raises DutyLost."""
        with self._database.write() as connection:
            duties.check(connection, duty)
            picks.leave(connection, ids)

    def withdraw_picks(self, duty: Duty) -> int:
        """Ask no longer about what was picked and nobody has begun to answer; how many questions.

        Raises DutyLost.
        """
        with self._database.write() as connection:
            duties.check(connection, duty)
            return picks.withdraw(connection, self._database.now(connection))

    def look_again(self, reason: str, released: int = 0) -> int:
        """Add a recheck for every item that asks or is ready, and for the newest `released` certified ones.

        They are due from now on, so that answers, due since ever, come first. Returns the number of items.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            return sum(
                int(connection.execute(query, execution_options={"preserve_rowcount": True}).rowcount)
                for query in (_again(reason, now), _again_released(reason, now, released))
            )


def _again(reason: str, now: int) -> Insert:
    waiting = (ItemState.ASKING.value, ItemState.READY.value)
    open_items = select(items.c.id, literal(reason), literal(now)).where(
        items.c.state.in_(waiting), ~_waits(reason)
    )
    return insert(recheck).from_select(["item", "reason", "due"], open_items)


def _again_released(reason: str, now: int, limit: int) -> Insert:
    newest = (
        select(items.c.id, literal(reason), literal(now))
        .where(items.c.state == ItemState.CERTIFIED.value, ~_waits(reason))
        .order_by(items.c.arrived.desc())
        .limit(limit)
    )
    return insert(recheck).from_select(["item", "reason", "due"], newest)


def _waits(reason: str) -> ColumnElement[bool]:
    """Whether an earlier pass has not come to the item yet: it keeps its place, and is looked at once."""
    return items.c.id.in_(select(recheck.c.item).where(recheck.c.reason == reason))


def bundle_of(row: Row[Any]) -> StoredBundle:
    """A row of `bundles`."""
    return StoredBundle(row.id, row.digest, row.data, row.trained_at, row.run_id, row.mlflow_version)


def _count(connection: Connection, *where: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(answers).where(*where)).scalar_one())


def _items(connection: Connection, limit: int) -> list[Any]:
    answered = select(answers.c.item).where(_STANDING, _OF_PEOPLE)
    rows: list[Any] = list(connection.execute(select(*_COLUMNS).where(items.c.id.in_(answered))))
    if len(rows) < limit:
        newest = (
            select(*_COLUMNS)
            .where(items.c.id.not_in(answered))
            .order_by(items.c.arrived.desc())
            .limit(limit - len(rows))
        )
        rows += connection.execute(newest)
    return sorted(rows, key=lambda row: (-row.arrived, row.id))


def _answers(connection: Connection, place: dict[str, int]) -> list[tuple[int, Answer]]:
    query = (
        select(*answer_columns, questions.c.chance)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .outerjoin(questions, questions.c.id == answers.c.question)
        .where(_STANDING)
        .order_by(answers.c.id)
    )
    rows = connection.execute(query)
    # Answers on items that have not come yet stand nowhere.
    return [
        (place[row.item], replace(answer_of(row), chance=row.chance)) for row in rows if row.item in place
    ]


def _names(
    connection: Connection, sets: dict[int, tuple[int, ...]], given: Sequence[tuple[int, Answer]]
) -> dict[int, tuple[str, str]]:
    ids = {id_ for members in sets.values() for id_ in members} | {answer.annotator for _, answer in given}
    query = select(annotators).where(among(connection, annotators.c.id, ids))
    return {row.id: (row.name, row.version) for row in connection.execute(query)}


def _vectors(connection: Connection, ids: Sequence[str]) -> tuple[str | None, dict[str, NDArray[np.float16]]]:
    """Vectors of the encoder that embedded the newest of these items (newest first)."""
    found = {
        (row.item, row.encoder): row.vector
        for row in connection.execute(select(vectors).where(among(connection, vectors.c.item, ids)))
    }
    if not found:
        return None, {}
    place = {id_: index for index, id_ in enumerate(ids)}
    encoder = min(found, key=lambda key: place[key[0]])[1]
    return encoder, {item: f2(data) for (item, name), data in found.items() if name == encoder}


def _matrix(
    place: dict[str, int], stored: dict[str, NDArray[np.float16]]
) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """(n, d) vectors, zero where missing, and which rows have one."""
    width = len(next(iter(stored.values()))) if stored else 0
    matrix, has_vector = np.zeros((len(place), width), np.float16), np.zeros(len(place), np.bool_)
    for id_, vector in stored.items():
        matrix[place[id_]] = vector
        has_vector[place[id_]] = True
    return matrix, has_vector
