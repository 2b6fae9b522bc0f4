"""Items that go up a tier whatever another answer is worth: people disagree, or somebody asks for it."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.core.rows import Answer, OpenItem
from daemon.core.settings import TierSettings
from daemon.core.states import AnnotatorKind

NOWHERE = -1


def raised_to(
    items: Sequence[OpenItem], ladder: Sequence[str], tiers: Mapping[str, TierSettings]
) -> NDArray[np.int64]:
    """(n,) place in the ladder of the tier that must be asked about each item, -1 for none.

    That is the next tier of people above one whose people disagree (`escalate_below`) or flagged the item,
    unless that or a higher one has answered.
    """
    return np.array([_raised_to(item, ladder, tiers) for item in items], np.int64)


def _raised_to(item: OpenItem, ladder: Sequence[str], tiers: Mapping[str, TierSettings]) -> int:
    if not item.flagged and len(item.answers) < 2:
        return NOWHERE
    from_places = [
        place
        for place, name in enumerate(ladder)
        if name in item.flagged or _disagree(_said(item.answers, name), tiers[name])
    ]
    above = [_above(place, ladder, tiers) for place in from_places]
    target = max(above, default=NOWHERE)
    answered = {answer.tier for answer in item.answers}
    return NOWHERE if target == NOWHERE or answered & set(ladder[target:]) else target


def _said(answers: Sequence[Answer], tier: str) -> list[int]:
    return [one.label for one in answers if one.tier == tier and one.kind == AnnotatorKind.PERSON]


def _disagree(labels: Sequence[int], tier: TierSettings) -> bool:
    """Whether fewer than the tier wants say what most say."""
    if tier.escalate_below is None or len(labels) < 2:
        return False
    return max(Counter(labels).values()) < tier.escalate_below * len(labels)


def _above(place: int, ladder: Sequence[str], tiers: Mapping[str, TierSettings]) -> int:
    higher = (above for above in range(place + 1, len(ladder)) if not tiers[ladder[above]].is_llm)
    return next(higher, NOWHERE)


def lots_for(ids: Sequence[str], tiers: Mapping[str, TierSettings]) -> NDArray[np.float64] | None:
    """`lots` of these items; None where no tier goes by them, asking as many people about each item."""
    return lots(ids) if any(tier.overlap_share < 1 for tier in tiers.values()) else None


def lots(ids: Sequence[str]) -> NDArray[np.float64]:
    """(n,) numbers in [0, 1) that look drawn and are the same for an id whenever they are asked for."""
    digests = [hashlib.blake2b(id_.encode(), digest_size=8, person=b"overlap").digest() for id_ in ids]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.float64) / 2.0**64
