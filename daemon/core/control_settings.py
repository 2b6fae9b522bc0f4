"""Control questions: how it is seen whether people answer well, and when somebody is paused."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Questions whose answer is known, mixed among a person's others and paid like them.

    Attributes:
        share: of a person's questions, how many are control questions.
        onboarding: how many of the first questions of somebody new are.
        pause_below: share of right answers to control questions below which a person gets no more questions
            until a lead lets them go on; null: nobody is paused for it.
        pause_after: control questions that a person has answered, at least, before they can be paused. The
            last 50 count.
        pause_clicking: whether somebody is paused whose answers are too fast beside the others', or too often
            the same in a row, to have been read; it is looked at after one answer in ten.
    """

    share: Annotated[float, Ge(0), Le(0.5)] = 0.0
    onboarding: Annotated[int, Ge(0), Le(100)] = 0
    pause_below: Annotated[float, Gt(0), Lt(1)] | None = None
    pause_after: Annotated[int, Ge(1), Le(50)] = 10
    pause_clicking: bool = False

    def __post_init__(self) -> None:
        if self.pause_below is not None and not self.asked:
            raise ValueError("pause_below: nobody is asked control questions; set share or onboarding")

    @property
    def asked(self) -> bool:
        """Whether anybody is asked control questions."""
        return self.share > 0 or self.onboarding > 0
