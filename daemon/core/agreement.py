"""Agreement of people, from their answers: by tier, class, day, pair and person."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations

import numpy as np

from daemon.core.agreement_rows import GivenAnswer, Pair, TierAgreement, WithOthers
from models.agreement import Agreement, agreement, cohen_kappa
from models.arrays import I8

PAIRS = 20
"""Pairs of people that are told of, a tier."""
TOGETHER = 10
"""Items that two people have in common at least, for their kappa to be told."""
DRAWS = 400

READ = 20_000
"""Newest answers that are looked at."""

Shared = Mapping[str, Sequence[GivenAnswer]]
"""Item -> what several people of one tier answered."""


def by_tier(given: Sequence[GivenAnswer], classes: Sequence[str]) -> list[TierAgreement]:
    """Figures of each tier where anything was answered by two people; tiers by name.

    Args:
        given: at most one answer of a person on an item.
        classes: of the task; with more than one the answers of a multilabel task have a byte for each.
    """
    tiers: dict[str, dict[str, list[GivenAnswer]]] = defaultdict(lambda: defaultdict(list))
    for one in given:
        tiers[one.tier][one.item].append(one)
    found = []
    for tier, items in sorted(tiers.items()):
        shared = {item: answers for item, answers in items.items() if len(answers) >= 2}
        if shared:
            found.append(_of_tier(tier, shared, classes))
    return found


def _of_tier(tier: str, shared: Shared, classes: Sequence[str]) -> TierAgreement:
    whole = _whole(shared)
    days = np.array([_day(max(one.at for one in answers)) for answers in shared.values()])
    return TierAgreement(
        tier=tier,
        all=agreement(whole, DRAWS),
        by_class={name: _on_class(shared, place) for place, name in enumerate(classes)},
        by_day={str(day): agreement(whole[days == day], DRAWS) for day in np.unique(days)},
        pairs=_pairs(shared),
        people=_people(shared),
    )


def _whole(shared: Shared) -> I8:
    """(items, labels) how often each label that occurs was said."""
    place = {labels: number for number, labels in enumerate(sorted(_labels(shared)))}
    counts = np.zeros((len(shared), len(place)), np.int64)
    for row, answers in enumerate(shared.values()):
        for one in answers:
            counts[row, place[one.labels]] += 1
    return counts


def _labels(shared: Shared) -> set[bytes]:
    return {one.labels for answers in shared.values() for one in answers}


def _on_class(shared: Shared, place: int) -> Agreement:
    """On the question whether it is this class (or this class applies)."""
    yes = np.array([sum(_names(one.labels, place) for one in answers) for answers in shared.values()])
    of = np.array([len(answers) for answers in shared.values()])
    return agreement(np.stack([of - yes, yes], axis=1), DRAWS)


def _names(labels: bytes, place: int) -> bool:
    return labels[0] == place if len(labels) == 1 else labels[place] == 1


def _pairs(shared: Shared) -> list[Pair]:
    said: dict[tuple[str, str], list[tuple[bytes, bytes]]] = defaultdict(list)
    for answers in shared.values():
        for one, other in combinations(sorted(answers, key=lambda answer: answer.name), 2):
            said[one.name, other.name].append((one.labels, other.labels))
    enough = [(names, both) for names, both in said.items() if len(both) >= TOGETHER]
    enough.sort(key=lambda pair: (-len(pair[1]), pair[0]))
    return [Pair(*names, len(both), _kappa(both)) for names, both in enough[:PAIRS]]


def _kappa(both: Sequence[tuple[bytes, bytes]]) -> float:
    _, coded = np.unique(np.array([label.hex() for pair in both for label in pair]), return_inverse=True)
    return cohen_kappa(coded[0::2].astype(np.int64), coded[1::2].astype(np.int64))


def _people(shared: Shared) -> list[WithOthers]:
    pairs: dict[str, int] = defaultdict(int)
    same: dict[str, int] = defaultdict(int)
    for answers in shared.values():
        for one in answers:
            pairs[one.name] += len(answers) - 1
            same[one.name] += sum(other.labels == one.labels for other in answers) - 1
    return [WithOthers(name, pairs[name], same[name]) for name in sorted(pairs)]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
