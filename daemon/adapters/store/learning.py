"""What the learner reads, keeps and promotes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    except_,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

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
VECTORS_AT_ONCE = 2_000
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

    def training_rows(self, limit: int, always: Collection[str] | None = None) -> TrainingRows:
        """Newest items and every one that a person answered, at most `limit` if there are fewer of these.

        With `always` only those that these tiers answered are among them in any case; of the others that
        people answered the newest, for at most half of the limit, and at least as many that nobody did.
        """
        with self._database.read() as connection:
            newest = connection.execute(select(func.coalesce(func.max(answers.c.id), 0))).scalar_one()
            rows = _items(connection, limit, always)
            place = {row.id: index for index, row in enumerate(rows)}
            given = _answers(connection, place)
            sets = annotating.members(connection, sorted({row.functions for row in rows}))
            names = _names(connection, sets, given)
            encoder, matrix, has_vector = _vectors(connection, place)
            drift = alarms.standing(connection)
            judges = judge_records(connection)
        self._seen = int(newest)
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

    def rejected(self) -> int:
        """Bundles that were trained and not promoted before the first one was; 0 from then on."""
        with self._database.glance() as connection:
            return rejected_bundles(connection)

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
    return _recheck(select(items.c.id).where(items.c.state.in_(waiting)), reason, now)


def _again_released(reason: str, now: int, limit: int) -> Insert:
    newest = (
        select(items.c.id)
        .where(items.c.state == ItemState.CERTIFIED.value)
        .order_by(items.c.arrived.desc())
        .limit(limit)
    )
    return _recheck(select(newest.subquery().c.id), reason, now)


def _recheck(wanted: Select[Any], reason: str, now: int) -> Insert:
    """Rows for these items, but for those that an earlier pass has not come to yet: they keep their place,
    and are looked at once.

    EXCEPT, as it is never done item by item: PostgreSQL thinks that a table is small which has just been
    filled, and would read all of it for each item.
    """
    waiting = select(recheck.c.item).where(recheck.c.reason == reason)
    new = except_(wanted, waiting).subquery()
    rows = select(new.c.id, literal(reason), literal(now)).order_by(new.c.id)
    return insert(recheck).from_select(["item", "reason", "due"], rows)


def bundle_of(row: Row[Any]) -> StoredBundle:
    """A row of `bundles`."""
    return StoredBundle(row.id, row.digest, row.data, row.trained_at, row.run_id, row.mlflow_version)


def rejected_bundles(connection: Connection) -> int:
    """Bundles that were trained before the first is promoted; 0 once one is."""
    promoted = select(bundles.c.id).where(bundles.c.current)
    query = select(func.count()).select_from(bundles).where(~exists(promoted))
    return int(connection.execute(query).scalar_one())


def _count(connection: Connection, *where: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(answers).where(*where)).scalar_one())


def _items(connection: Connection, limit: int, always: Collection[str] | None) -> list[Any]:
    """Rows of `_COLUMNS`, newest first, as `LearningRoom.training_rows` chooses them."""
    if always is None:
        rows = _rows(connection, _answered(_OF_PEOPLE))
    else:
        rows = _rows(connection, _answered(_OF_PEOPLE, annotators.c.tier.in_(always)))
        asked = _answered(_OF_PEOPLE) & ~_answered(_OF_PEOPLE, annotators.c.tier.in_(always))
        rows += _rows(connection, asked, limit // 2)
    others = max(limit - len(rows), 0 if always is None else limit // 2)
    rows += _rows(connection, ~_answered(_OF_PEOPLE), others)
    return sorted(rows, key=lambda row: (-row.arrived, row.id))


def _answered(*by: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an item has a standing answer of such an annotator."""
    return exists().where(
        answers.c.item == items.c.id, _STANDING, answers.c.annotator == annotators.c.id, *by
    )


def _rows(connection: Connection, which: ColumnElement[bool], newest: int | None = None) -> list[Any]:
    query = select(*_COLUMNS).where(which)
    if newest is not None:
        query = query.order_by(items.c.arrived.desc(), items.c.id).limit(newest)
    return list(connection.execute(query))


def _answers(connection: Connection, place: dict[str, int]) -> list[tuple[int, Answer]]:
    """What was said of these items. Language models may have answered many more."""
    query = (
        select(*answer_columns, questions.c.chance)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .outerjoin(questions, questions.c.id == answers.c.question)
        .where(_STANDING, among(connection, answers.c.item, place))
        .order_by(answers.c.id)
    )
    rows = connection.execute(query)
    return [(place[row.item], replace(answer_of(row), chance=row.chance)) for row in rows]


def _names(
    connection: Connection, sets: dict[int, tuple[int, ...]], given: Sequence[tuple[int, Answer]]
) -> dict[int, tuple[str, str]]:
    ids = {id_ for members in sets.values() for id_ in members} | {answer.annotator for _, answer in given}
    query = select(annotators).where(among(connection, annotators.c.id, ids))
    return {row.id: (row.name, row.version) for row in connection.execute(query)}


def _vectors(
    connection: Connection, place: dict[str, int]
) -> tuple[str | None, NDArray[np.float16], NDArray[np.bool_]]:
    """The encoder that embedded the newest of these items, (n, d) its vectors, zero where missing, and which
    rows have one.

    They are most of what a training holds, so that each goes to its place as it comes.
    """
    has_vector = np.zeros(len(place), np.bool_)
    encoder = _newest_encoder(connection, place)
    if encoder is None:
        return None, np.zeros((len(place), 0), np.float16), has_vector
    query = select(vectors.c.item, vectors.c.vector).where(
        vectors.c.encoder == encoder, among(connection, vectors.c.item, place)
    )
    matrix: NDArray[np.float16] | None = None
    for item, data in connection.execute(query, execution_options={"yield_per": VECTORS_AT_ONCE}):
        vector = f2(data)
        if matrix is None:
            matrix = np.zeros((len(place), len(vector)), np.float16)
        matrix[place[item]] = vector
        has_vector[place[item]] = True
    assert matrix is not None
    return encoder, matrix, has_vector


def _newest_encoder(connection: Connection, ids: Iterable[str]) -> str | None:
    newest = (
        select(vectors.c.encoder)
        .join(items, items.c.id == vectors.c.item)
        .where(among(connection, items.c.id, ids))
        .order_by(items.c.arrived.desc(), items.c.id)
        .limit(1)
    )
    return connection.execute(newest).scalar_one_or_none()
