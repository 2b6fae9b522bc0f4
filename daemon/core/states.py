"""The words that items, questions, labels and windows go through; stored as they are written here."""

from enum import StrEnum


class ItemState(StrEnum):
    """Where an item stands: asking <-> ready -> frozen -> certified | human | back to asking."""

    ASKING = "asking"
    READY = "ready"
    FROZEN = "frozen"
    CERTIFIED = "certified"
    HUMAN = "human"


class Purpose(StrEnum):
    """Why a question is asked.

    GOLD is a random blind draw before the first window; AUDIT is the coin of a window. Both are truth
    for evaluation. OUTGOING is the coin of a released label, for the ledger. SETTLE and ADJUDICATE finish
    doubtful items, LEARN picks serve training. CONTROL asks a person about an item whose label is known, to
    learn how good the person is: its answer says nothing of the item.
    """

    LEARN = "learn"
    SETTLE = "settle"
    AUDIT = "audit"
    GOLD = "gold"
    ADJUDICATE = "adjudicate"
    OUTGOING = "outgoing"
    CONTROL = "control"


RANDOM_PURPOSES = (Purpose.AUDIT, Purpose.GOLD)
"""Purposes whose items were drawn at random and asked blind: only their answers may judge models."""

BLIND_PURPOSES = (*RANDOM_PURPOSES, Purpose.OUTGOING)
"""Purposes whose questions show no suggestion and no earlier answer. Released labels are no random sample of
the stream: their audits count in the ledger, and judge no model."""

SETTLING = (Purpose.SETTLE, Purpose.ADJUDICATE)
"""Purposes whose questions the router asks, moves in their queue, and withdraws."""


PICKED = "learn"
"""Reason of a recheck by which the learner asks for an item to be answered."""

DRAWN = "draw"
"""Reason of a recheck of an item that was drawn for a random blind question."""


class QuestionState(StrEnum):
    """One row of `questions` is one wanted vote. PASSED: whoever was asked abstained, for good."""

    OPEN = "open"
    LEASED = "leased"
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PASSED = "passed"


class PersonState(StrEnum):
    """Whether somebody is given questions. PAUSED: not until somebody who may lets them go on."""

    ACTIVE = "active"
    PAUSED = "paused"


class CallState(StrEnum):
    """Of a call to a language model: LOST is one whose outcome nobody knows, and counts as spent."""

    RESERVED = "reserved"
    SPENT = "spent"
    RELEASED = "released"
    LOST = "lost"


class LabelStatus(StrEnum):
    """What a published label rests on."""

    PROVISIONAL = "provisional"
    CERTIFIED = "certified"
    HUMAN = "human"


class AuditProtocol(StrEnum):
    """Who audits a label: one expert, or two who do not know of each other and a third where they differ."""

    SINGLE = "single"
    DOUBLE = "double"


class WindowState(StrEnum):
    """A window waits for its audits, then closes for good."""

    OPEN = "open"
    CLOSED = "closed"


class AnnotatorKind(StrEnum):
    """Who casts a vote. A QUEUE never does: it holds questions for people who answer outside."""

    FUNCTION = "function"
    CLASSIFIER = "classifier"
    LLM = "llm"
    PERSON = "person"
    QUEUE = "queue"
