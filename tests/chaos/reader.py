"""What an independent reader finds in the end: own SQL, another Kafka client, none of the program's code.

Every check gives a list of what is wrong; a whole house gives none.
"""

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from feed import CLASSES, truth
from house import TOPICS

MICROS = 1_000_000
SHOWN = 5
"""Of what is wrong, so many are named."""
READ_SECONDS = 60


@dataclass(frozen=True)
class Sent:
    """What the reader is told of the outside.

    Attributes:
        items: ids that were sent. spoiled: place of each message that can never be labeled.
        acknowledged: question, item, reviewer and class of each answer whose 200 came back.
        prices: currency an answer, by tier of people. target: share of wrong labels that is promised.
        model_answers: item -> answers of the model. model_spoiled: those that nobody could read, and were
            paid as well.
        cut_calls: ids of calls to the model that a fault parted from their answers: under way when their
            process was killed, or stood still until its lease had run out.
        crashed: processes that ended as nobody meant them to.
    """

    items: set[str]
    spoiled: set[tuple[int, int]]
    acknowledged: Sequence[tuple[int, str, int, int]]
    prices: dict[str, float]
    target: float
    model_answers: Mapping[str, int] = field(default_factory=dict)
    model_spoiled: Mapping[str, int] = field(default_factory=dict)
    cut_calls: Collection[int] = ()
    crashed: Sequence[str] = ()


@dataclass(frozen=True)
class Message:
    """A record of topic `labels` or `dead-letters`."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]


@dataclass(frozen=True)
class Found:
    """Everything that was read."""

    sent: Sent
    items: dict[str, tuple[str, int]]
    labels: dict[tuple[str, int], tuple[int, str]]
    answers: list[tuple[int, str, int | None, int, bytes, bool]]
    questions: dict[int, tuple[str, str, str, str]]
    spend: list[tuple[int | None, str, str, int]]
    calls: list[tuple[str, str, int, int]]
    made_calls: list[tuple[int, str, str]]
    budgets: list[tuple[str, int, int]]
    left: dict[str, int]
    published: list[Message]
    letters: list[Message]


def read(url: str, bootstrap: str, sent: Sent) -> Found:
    """Look at everything."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # all of it at one moment

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return list(connection.execute(sql.encode()))

        return Found(
            sent=sent,
            items={id_: (state, revision) for id_, state, revision in rows(_ITEMS)},
            labels={(item, n): (bytes(said)[0], status) for item, n, said, status in rows(_LABELS)},
            answers=[(*row[:4], bytes(row[4]), row[5]) for row in rows(_ANSWERS)],
            questions={row[0]: row[1:] for row in rows(_QUESTIONS)},
            spend=rows("SELECT question, tier, state, micros FROM spend"),
            calls=rows("SELECT tier, state, reserved, micros FROM calls"),
            made_calls=rows("SELECT id, item, state FROM calls WHERE NOT cached AND state <> 'released'"),
            budgets=rows("SELECT tier, sum(reserved)::bigint, sum(spent)::bigint FROM budgets GROUP BY tier"),
            left={what: rows(sql)[0][0] for what, sql in LEFT.items()},
            published=read_topic(bootstrap, TOPICS["labels"]),
            letters=read_topic(bootstrap, TOPICS["dead_letters"]),
        )


_ITEMS = "SELECT id, state, revision FROM items"
_LABELS = "SELECT item, revision, labels, status FROM labels"
_ANSWERS = "SELECT id, item, question, annotator, labels, retracted_at IS NULL FROM answers"
_QUESTIONS = "SELECT id, item, tier, purpose, state FROM questions"
LEFT = {
    "open questions": "SELECT count(*) FROM questions WHERE state IN ('open', 'leased')",
    "rows of the outbox": "SELECT count(*) FROM outbox",
    "rechecks": "SELECT count(*) FROM recheck",
    "calls that should be written off": "SELECT count(*) FROM calls WHERE state = 'reserved' AND deadline < "
    "extract(epoch FROM now()) * 1000 - 20000",
    "open windows": "SELECT count(*) FROM windows WHERE state = 'open'",
    "items being asked": "SELECT count(*) FROM items WHERE state IN ('asking', 'frozen')",
}
"""What must come to nothing in the end."""


def read_topic(bootstrap: str, topic: str) -> list[Message]:
    """Every message from the beginning to the end of now, in order within a partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"reader-{uuid.uuid4().hex[:8]}",
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
        }
    )
    try:
        numbers = consumer.list_topics(topic, 30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
        found: list[Message] = []
        ended: set[int] = set()
        for _ in range(READ_SECONDS * 2):
            for one in consumer.consume(5_000, 0.5):
                if one.error() is not None:
                    ended.add(one.partition())
                else:
                    found.append(_message(one))
            if len(ended) == len(numbers):
                return found
        raise TimeoutError(f"the end of topic {topic} was not reached in {READ_SECONDS} s")
    finally:
        consumer.close()


def _message(one: Any) -> Message:
    headers = {name: value or b"" for name, value in one.headers() or []}
    return Message(one.partition(), one.offset(), one.key() or b"", one.value() or b"", headers)


def items_are_there_once(found: Found) -> list[str]:
    """Every item sent is stored, in one state that fits its label, and nothing else is."""
    missing, extra = found.sent.items - found.items.keys(), found.items.keys() - found.sent.items
    odd = []
    for item, (state, revision) in found.items.items():
        status = found.labels.get((item, revision), (0, "none"))[1]
        done = state in ("certified", "human")
        if (done and status != state) or (not done and status != "provisional"):
            odd.append(f"{item} is {state}, its label {status}")
    return [
        *_some("items sent but not stored", missing),
        *_some("items stored but never sent", extra),
        *_some("states that do not fit the label", odd),
    ]


def labels_are_current(found: Found) -> list[str]:
    """One label an item and revision; the highest is the item's, and the last one on the topic."""
    wrong, last = [], {}
    highest: dict[str, int] = defaultdict(int)
    told: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for one in found.published:
        said = json.loads(one.value)
        item, revision = said["item"], said["revision"]
        last[item] = revision
        highest[item] = max(highest[item], revision)
        told[item, revision].add(one.value)
        stored = found.labels.get((item, revision))
        if stored is None or (CLASSES[stored[0]], stored[1]) != (said["label"], said["status"]):
            wrong.append(f"{item} revision {revision}: {said['label']} {said['status']}, stored {stored}")
    current = {item: revision for item, (_, revision) in found.items.items()}
    holes = {
        item for item, n in current.items() if any((item, k) not in found.labels for k in range(1, n + 1))
    }
    return [
        *_some("published labels that are not those stored", wrong),
        *_some("two messages of one revision", {key for key, said in told.items() if len(said) > 1}),
        *_some("items without a published label", current.keys() - last.keys()),
        *_some(
            "items whose highest published revision is not theirs",
            {i for i in current if i in highest and highest[i] != current[i]},
        ),
        *_some(
            "items whose last message is not their highest revision",
            {f"{i}: {last[i]} after {highest[i]}" for i in last if last[i] != highest[i]},
        ),
        *_some("items with a hole in their revisions", holes),
    ]


def answers_are_kept(found: Found) -> list[str]:
    """Every answer that was acknowledged stands, by who gave it, and each question has one."""
    standing = {
        (question, item, who): said[0] for _, item, question, who, said, stands in found.answers if stands
    }
    lost = {
        (question, item, who)
        for question, item, who, label in found.sent.acknowledged
        if standing.get((question, item, who)) != label
    }
    counts = Counter(question for question, _, _ in standing)
    answered = {number for number, (*_, state) in found.questions.items() if state == "answered"}
    twice = Counter((item, who) for _, item, who in standing)
    return [
        *_some("answers acknowledged and lost", lost),
        *_some("answered questions without exactly one answer", {q for q in answered if counts[q] != 1}),
        *_some("answers to questions that are not answered", {q for q in counts if q not in answered}),
        *_some("items that one person answered twice", {key for key, n in twice.items() if n > 1}),
    ]


def ledger_is_exact(found: Found) -> list[str]:
    """What was paid is what was answered, once each at its price, and nothing stays reserved."""
    paid: dict[int | None, list[int]] = defaultdict(list)
    reserved: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    for question, tier, state, micros in found.spend:
        if state == "spent":
            paid[question].append(micros)
            spent[tier] += micros
        elif state == "reserved":
            reserved[tier] += micros
    prices = {tier: round(price * MICROS) for tier, price in found.sent.prices.items()}
    answered = {
        n: tier
        for n, (_, tier, _, state) in found.questions.items()
        if state == "answered" and tier in prices
    }
    unpaid = {n for n, tier in answered.items() if paid.get(n) != [prices[tier]]}
    off = {
        f"{tier}: booked {booked} spent and {held} reserved, lines say {spent[tier]} and {reserved[tier]}"
        for tier, held, booked in found.budgets
        if tier in prices and (held, booked) != (reserved[tier], spent[tier])
    }
    return [
        *_some("answers not paid exactly once at their price", unpaid),
        *_some("payments without an answer", {n for n in paid if n not in answered}),
        *_some("budgets that differ from their lines", off),
        *_some("money still reserved", {f"{tier}: {held}" for tier, held in reserved.items() if held}),
    ]


def calls_are_booked(found: Found) -> list[str]:
    """What a tier of language models has spent is what its calls cost, lost ones at their longest.

    Calls of a process that was killed are held for as long as anybody might wait for them, then written off.
    """
    held: Counter[str] = Counter()
    cost: Counter[str] = Counter()
    for tier, state, reserved, micros in found.calls:
        held[tier] += reserved if state == "reserved" else 0
        cost[tier] += micros if state in ("spent", "lost") else 0
    booked = {tier: amounts for tier, *amounts in found.budgets}
    off = {
        f"{tier}: booked {booked.get(tier)}, calls hold {held[tier]} and cost {n}"
        for tier, n in cost.items()
        if booked.get(tier) != [held[tier], n]
    }
    return _some("tiers whose calls cost something else than is booked", off)


def calls_are_paid_once(found: Found) -> list[str]:
    """An answer of the model is paid once; again only where a fault parted a call from its answer.

    Nobody but the killed process knew the answers to its calls under way; who stood still until his lease ran
    out sent his call before somebody else was asked. Each such call excuses itself, and no other. No answer
    that came is thrown away, no line stands for a call that the model does not know of, and none is missing.
    """
    cut, answers = found.sent.cut_calls, found.sent.model_answers
    seen = Counter(answers) + Counter(found.sent.model_spoiled)
    booked = Counter(item for _, item, _ in found.made_calls)
    uncut = Counter(item for id_, item, _ in found.made_calls if id_ not in cut)
    paid = Counter(item for id_, item, state in found.made_calls if id_ not in cut and state == "spent")
    # Of a call that was cut off nobody can tell whether its answer was given.
    told = Counter(item for id_, item, state in found.made_calls if id_ in cut or state == "spent")
    return [
        *_some("items whose answer was paid again", {i for i, n in paid.items() if n > 1}),
        *_some("items whose answer came and was lost", {i for i, n in answers.items() if n > told[i]}),
        *_some("items with calls that the model never saw", {i for i, n in uncut.items() if n > seen[i]}),
        *_some("items with calls that are not booked", {i for i, n in seen.items() if n > booked[i]}),
    ]


def questions_are_single(found: Found) -> list[str]:
    """Nothing is asked twice for one purpose that asks once, however often its batch was begun."""
    once = Counter(
        (i, p) for i, _, p, state in found.questions.values() if p == "gold" and state != "cancelled"
    )
    return _some("items asked twice as random draws", {key for key, n in once.items() if n > 1})


def dead_letters_are_complete(found: Found) -> list[str]:
    """Each spoiled message is told, and no other; one that was published twice counts once."""
    places = {(int(one.headers["partition"]), int(one.headers["offset"])) for one in found.letters}
    return [
        *_some("spoiled messages without a dead letter", found.sent.spoiled - places),
        *_some("dead letters of good messages", places - found.sent.spoiled),
    ]


def certified_error_holds(found: Found) -> list[str]:
    """Among all certified labels no more are wrong than promised, plus three standard deviations."""
    certified = [i for i, (state, _) in found.items.items() if state == "certified"]
    wrong = sum(found.labels[i, found.items[i][1]][0] != truth(i) for i in certified)
    n, target = len(certified), found.sent.target
    most = n * target + 3 * sqrt(max(n, 1) * target * (1 - target))
    return [f"{wrong} of {n} certified labels are wrong, at most {most:.0f} may be"] if wrong > most else []


def nothing_crashed(found: Found) -> list[str]:
    """Whoever ended by itself said why; a segmentation fault does not."""
    return _some("crashes", found.sent.crashed)


def nothing_waits(found: Found) -> list[str]:
    """The queue, the outbox and the windows came to their end."""
    return [f"{number} {what} are left" for what, number in found.left.items() if number]


CHECKS: dict[str, Callable[[Found], list[str]]] = {
    "every item sent is there, in exactly one state": items_are_there_once,
    "one current label an item, the last on the topic": labels_are_current,
    "no acknowledged answer is lost": answers_are_kept,
    "what was paid is what was answered": ledger_is_exact,
    "what calls cost is what is booked": calls_are_booked,
    "what a model answered is paid once": calls_are_paid_once,
    "nothing is asked twice": questions_are_single,
    "dead letters are the spoiled messages": dead_letters_are_complete,
    "certified labels are right as promised": certified_error_holds,
    "nothing waits in the end": nothing_waits,
    "nothing crashed": nothing_crashed,
}
"""Invariant -> what is wrong with it."""


def broken(found: Found) -> dict[str, list[str]]:
    """Invariant -> problems, of those that do not hold."""
    judged = {name: check(found) for name, check in CHECKS.items()}
    return {name: problems for name, problems in judged.items() if problems}


def _some(what: str, which: Any) -> list[str]:
    listed = sorted(which, key=str)
    shown = ", ".join(str(one) for one in listed[:SHOWN])
    return [f"{len(listed)} {what}: {shown}"] if listed else []
