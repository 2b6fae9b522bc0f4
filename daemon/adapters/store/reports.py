"""What pages and `labelloop status` show, in few statements: it is asked for every two seconds."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select

from daemon.adapters.store import alarms, judgments, people, quality, spending, stories, webhooks
from daemon.adapters.store.asking import Caps
from daemon.adapters.store.audited import Audited, audited_windows
from daemon.adapters.store.codec import classes_in, unpack_frozen
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import rejected_bundles
from daemon.adapters.store.ledger import Book
from daemon.adapters.store.rested import Rested
from daemon.adapters.store.schema import (
    annotators,
    answers,
    bundles,
    counters,
    items,
    outbox,
    processes,
    questions,
    recheck,
    windows,
)
from daemon.adapters.store.windows import record_of
from daemon.core.bundles import whole
from daemon.core.decide import STATUS
from daemon.core.learning_rows import StoredBundle
from daemon.core.planning import foreseen_chance
from daemon.core.report_rows import ModelFacts, Overview, ProcessReport, QueueDepth, RecentLabel, facts_of
from daemon.core.states import (
    RANDOM_PURPOSES,
    AnnotatorKind,
    ItemState,
    LabelStatus,
    Purpose,
    QuestionState,
    WindowState,
)
from daemon.core.story_rows import ItemStory
from daemon.core.window_rows import WindowRecord

MINUTE = 60_000
WINDOWS = 50
ALARMS = 20
AUTOMATIC = (ItemState.READY.value, ItemState.FROZEN.value, ItemState.CERTIFIED.value)


class ReportRoom:
    """`daemon.core.ports.ReportStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database, caps: Caps, final: frozenset[str] = frozenset()) -> None:
        """Make one.

        Args:
            caps: tier -> micro-units that may be promised in a UTC day; None or absent: no limit.
            final: tiers whose answers are the truth; without any nobody is judged.
        """
        self._database = database
        self._caps = caps
        self._final = final
        self._closed: dict[int, WindowRecord] = {}
        self._audited: dict[int, Audited] = {}
        self._chances: dict[int, float | None] = {}
        self._facts: tuple[int, ModelFacts | None] | None = None
        self._book = Book()
        self._states = Rested(_states)
        self._labels = Rested(_count_labels)
        self._arrivals = Rested(_arrivals)
        self._answers = Rested(_answers)
        self._answered_automatic = Rested(_answered_automatic)
        self._queues = Rested(_queues)
        self._people = Rested(people.people)
        self._quality = Rested(quality.annotator_records)
        self._judges = Rested(judgments.judge_records)

    def overview(self) -> Overview:
        """The whole picture, read in one transaction.

        With very many items, questions or answers their counts may be some seconds old.
        """
        with self._database.read() as connection:
            now = self._database.now(connection)
            states = self._states.get(connection)
            statuses, classes = self._labels.get(connection)
            arrivals, last_minute = self._arrivals.get(connection, now)
            automatic = sum(states.get(state, 0) for state in AUTOMATIC)
            given = self._answers.get(connection)
            counted = _counters(connection)
            bundle = _bundle(connection)
            closed = self._windows(connection)
            return Overview(
                states=states,
                statuses=statuses,
                classes=classes,
                items_per_minute=last_minute,
                arrivals=arrivals,
                open_windows=_number(connection, windows, windows.c.state == WindowState.OPEN.value),
                windows=closed,
                gold=given.random,
                answers=given.standing,
                queues=self._queues.get(connection, now),
                spending=spending.spending(connection, self._caps, now),
                dead_letters=counted["dead_letter"],
                function_failures=counted["function_failure"],
                webhooks=webhooks.standing(connection),
                processes=_processes(connection, now),
                bundle=bundle,
                model=None if bundle is None else self._model(connection, bundle.id),
                outbox=_number(connection, outbox),
                rechecks=_number(connection, recheck, recheck.c.due <= now),
                automated=max(0, automatic - self._answered_automatic.get(connection)),
                ledger=self._book.record(connection),
                gold_classes=given.gold,
                people=self._people.get(connection),
                annotators=self._quality.get(connection, self._final),
                judges=self._judges.get(connection),
                chances=dict(self._chances),
                audited=[pair for window in closed for pair in self._audited[window.id].pairs],
                alarms=alarms.newest(connection, ALARMS),
                fresh=alarms.fresh_answers(connection),
                paused=people.paused(connection),
                last_training=connection.execute(select(func.max(bundles.c.trained_at))).scalar_one(),
                rejected=rejected_bundles(connection),
            )

    def item(self, id_: str) -> ItemStory | None:
        """Everything about one item; None if there is none of this id."""
        with self._database.read() as connection:
            return stories.story(connection, id_)

    def recent_labels(self, limit: int) -> list[RecentLabel]:
        """Current labels of items that came or were answered lately, newest label first."""
        with self._database.read() as connection:
            return stories.recent(connection, limit)

    def _model(self, connection: Connection, bundle: int) -> ModelFacts | None:
        """What the bundle is made of, None if it is damaged; its bytes are read once."""
        if self._facts is None or self._facts[0] != bundle:
            data = connection.execute(select(bundles.c.data).where(bundles.c.id == bundle)).scalar_one()
            read = whole(bundle, data)
            self._facts = (bundle, None if read is None else facts_of(read))
        return self._facts[1]

    def window_items(self, window: int) -> list[str]:
        """Ids of the items that froze in a window; KeyError if there is none of this id."""
        with self._database.read() as connection:
            frozen = connection.execute(select(windows.c.frozen).where(windows.c.id == window)).scalar()
        if frozen is None:
            raise KeyError(window)
        return list(unpack_frozen(frozen).ids)

    def _windows(self, connection: Connection) -> list[WindowRecord]:
        closed = windows.c.state == WindowState.CLOSED.value
        newest = select(windows.c.id).where(closed).order_by(windows.c.id.desc()).limit(WINDOWS)
        ids = list(connection.execute(newest).scalars())
        unknown = [id_ for id_ in ids if id_ not in self._closed]
        known = {id_: record for id_, record in self._closed.items() if id_ in ids}
        if unknown:
            rows = connection.execute(select(windows).where(windows.c.id.in_(unknown)))
            known.update({row.id: record_of(row) for row in rows})
            self._audited.update(audited_windows(connection, unknown))
        self._closed = known
        self._audited = {id_: self._audited[id_] for id_ in known}
        newest_first = [known[id_] for id_ in ids]
        self._chances = {
            window.id: self._chances[window.id]
            if window.id in self._chances
            else foreseen_chance(window, self._audited[window.id].scores, newest_first[place + 1 :])
            for place, window in enumerate(newest_first)
        }
        return newest_first


def _pairs(connection: Connection, query: Any) -> dict[Any, int]:
    return {key: int(count) for key, count in connection.execute(query)}


def _number(connection: Connection, table: Any, *where: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def _states(connection: Connection) -> dict[str, int]:
    return _pairs(connection, select(items.c.state, func.count()).group_by(items.c.state))


def _count_labels(connection: Connection) -> tuple[dict[str, int], dict[int, int]]:
    published = (items.c.revision > 0).label("published")
    query = select(items.c.state, items.c.labels, published, func.count().label("n"))
    statuses: dict[str, int] = defaultdict(int)
    classes: dict[int, int] = defaultdict(int)
    for row in connection.execute(query.group_by(items.c.state, items.c.labels, published)):
        for place in classes_in(row.labels):
            classes[place] += row.n
        if row.published:
            statuses[STATUS.get(ItemState(row.state), LabelStatus.PROVISIONAL)] += row.n
    return dict(statuses), dict(classes)


def _arrivals(connection: Connection, now: int) -> tuple[list[tuple[int, int]], float]:
    """Items of each of the last 60 minutes (minutes since 1970, oldest first), and of the last 60 seconds."""
    minute = (items.c.arrived - items.c.arrived % MINUTE).label("minute")
    this = now - now % MINUTE
    query = select(minute, func.count()).where(items.c.arrived >= this - 59 * MINUTE).group_by(minute)
    found = _pairs(connection, query)
    starts = range(this - 59 * MINUTE, this + MINUTE, MINUTE)
    last = _number(connection, items, items.c.arrived > now - MINUTE)
    return [(start // MINUTE, found.get(start, 0)) for start in starts], float(last)


@dataclass(frozen=True, slots=True)
class _Given:
    """Standing answers, the random blind ones among them, and how many of these name each class."""

    standing: int
    random: int
    gold: Mapping[int, int]


def _answers(connection: Connection) -> _Given:
    query = select(answers.c.purpose, answers.c.labels, func.count().label("n"))
    rows = connection.execute(
        query.where(answers.c.retracted_at.is_(None)).group_by(answers.c.purpose, answers.c.labels)
    ).all()
    random = [row for row in rows if row.purpose in RANDOM_PURPOSES]
    gold: dict[int, int] = defaultdict(int)
    for row in random:
        for place in classes_in(row.labels):
            gold[place] += row.n
    return _Given(sum(row.n for row in rows), sum(row.n for row in random), dict(gold))


def _answered_automatic(connection: Connection) -> int:
    answered = (
        select(answers.c.item)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .join(items, items.c.id == answers.c.item)
        .where(
            answers.c.retracted_at.is_(None),
            annotators.c.kind == AnnotatorKind.PERSON.value,
            items.c.state.in_(AUTOMATIC),
        )
        .distinct()
    )
    return _number(connection, answered.subquery())


def _queues(connection: Connection, now: int) -> list[QueueDepth]:
    leased = and_(questions.c.state == QuestionState.LEASED.value, questions.c.leased_until > now)
    lapsed = and_(questions.c.state == QuestionState.LEASED.value, questions.c.leased_until <= now)
    is_open = or_(questions.c.state == QuestionState.OPEN.value, lapsed)
    answered = questions.c.state == QuestionState.ANSWERED.value
    query = (
        select(
            questions.c.tier,
            questions.c.purpose,
            func.sum(case((is_open, 1), else_=0)).label("open"),
            func.sum(case((leased, 1), else_=0)).label("leased"),
            func.sum(case((answered, 1), else_=0)).label("answered"),
            func.min(case((is_open, questions.c.created))).label("oldest"),
        )
        .group_by(questions.c.tier, questions.c.purpose)
        .order_by(questions.c.tier, questions.c.purpose)
    )
    return [
        QueueDepth(
            tier=row.tier,
            purpose=Purpose(row.purpose),
            open=int(row.open),
            leased=int(row.leased),
            answered=int(row.answered),
            oldest_age=0.0 if row.oldest is None else max(0, now - row.oldest) / 1000,
        )
        for row in connection.execute(query)
    ]


def _counters(connection: Connection) -> dict[str, dict[str, int]]:
    """Counters by the part of their names before the colon."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(select(counters).order_by(counters.c.name)):
        kind, _, name = row.name.partition(":")
        found[kind][name] = int(row.value)
    return found


def _processes(connection: Connection, now: int) -> Sequence[ProcessReport]:
    query = select(processes).order_by(processes.c.kind, processes.c.name)
    return [
        ProcessReport(row.name, row.kind, max(0, now - row.at) / 1000, json.loads(row.report))
        for row in connection.execute(query)
    ]


def _bundle(connection: Connection) -> StoredBundle | None:
    query = select(
        bundles.c.id, bundles.c.digest, bundles.c.trained_at, bundles.c.run_id, bundles.c.mlflow_version
    )
    row = connection.execute(query.where(bundles.c.current.is_(True))).one_or_none()
    if row is None:
        return None
    return StoredBundle(row.id, row.digest, b"", row.trained_at, row.run_id, row.mlflow_version)
