"""What the lead's page is made from, as plain records. Times in milliseconds since 1970, UTC."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.core.states import AnnotatorKind


@dataclass(frozen=True, slots=True)
class TierPace:
    """How fast a tier is asked and answers, lately.

    Attributes:
        asked, answered: questions made (withdrawn ones and controls left out) and answers given, within
            `seconds`.
        seconds: an hour, or less where the newest rows that are read, or all there are, span less.
    """

    tier: str
    asked: int
    answered: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """Somebody who answered in a tier.

    Attributes:
        today: standing answers of the UTC day. today_micros: earned by them. last_at: of the last answer.
    """

    name: str
    tier: str
    today: int
    today_micros: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Said:
    """One standing answer."""

    name: str
    kind: AnnotatorKind
    tier: str | None
    label: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which standing answers differ. `label`: as it is now; `at`: of the last answer."""

    item: str
    payload: bytes
    label: int
    said: Sequence[Said]
    at: int


@dataclass(frozen=True, slots=True)
class LeadRows:
    """Everything that is read at once; disagreements newest first."""

    paces: Sequence[TierPace]
    reviewers: Sequence[WorkRecord]
    disagreements: Sequence[Disagreement]
