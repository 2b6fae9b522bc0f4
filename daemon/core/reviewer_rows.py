"""How reviewers stand, for those who lead them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.core.account_rows import Actor
from daemon.core.states import PersonState


@dataclass(frozen=True, slots=True)
class ReviewerRecord:
    """Somebody who reviews in a tier; who reviews in two is there twice.

    Attributes:
        id: what calls name them by.
        state, note, since: whether they get questions, why not, and when that changed (ms since 1970, UTC).
        answers: standing ones, control questions apart. seconds: median of the newest, 0 without any.
        controls, right: counted answers to control questions, and how many of them are right.
        micros: paid so far, control questions among it.
        suspicions: what looks like clicking without reading, in words.
    """

    id: int
    name: str
    tier: str
    state: PersonState
    note: str | None
    since: int | None
    answers: int
    seconds: float
    controls: int
    right: int
    micros: int
    suspicions: Sequence[str] = ()


class ReviewerStore(Protocol):
    """Who reviews, how well, and who is paused."""

    def reviewers(self) -> Sequence[ReviewerRecord]:
        """Everybody who ever enrolled, by tier and name."""

    def set_state(self, person: int, state: PersonState, note: str, by: Actor) -> None:
        """Pause somebody, or let them go on, when their control questions are counted anew.

        What somebody who is paused holds goes back into the queue. A line in the audit log says who did it.

        Raises:
            UnknownReviewer: nobody has this id.
        """
