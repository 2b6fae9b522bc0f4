"""What is known of a tier as a whole where its people are told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.arrays import F8, softmax
from models.label_model.protocol import Member
from models.votes import TIER, Votes, family, kind

TINY = 1e-9


def with_tiers(members: Sequence[Member], votes: Votes, item_weight: F8 | None = None) -> tuple[Member, ...]:
    """The same members, each with a table of every tier: what a vote says of whose giver nothing is known.

    It is the mean of the people's likelihoods, each by the share of the tier's votes that are theirs, for
    whoever answers next is most likely somebody who answers much. A mean of log-likelihoods would believe
    one excellent person more than ten who click at random.

    Args:
        members: fitted on the votes.
        votes: on n items.
        item_weight: (n,) how many equal items each one stands for; 1 when not given.
    """
    counted = None if item_weight is None else item_weight[votes.row]
    given = np.bincount(votes.annotator, counted, len(votes.annotators)).tolist()
    tiers: dict[str, dict[str, float]] = {}
    for key, share in zip(votes.annotators, given, strict=True):
        if kind(key) == TIER and share > 0:
            tiers.setdefault(family(key), {})[key] = share
    told_apart = {tier: shares for tier, shares in tiers.items() if set(shares) != {tier}}
    return tuple(
        replace(member, tables=dict(member.tables) | _tables(member.tables, told_apart)) for member in members
    )


def _tables(tables: Mapping[str, F8], tiers: Mapping[str, Mapping[str, float]]) -> dict[str, F8]:
    return {tier: _mean({key: tables[key] for key in shares}, shares) for tier, shares in tiers.items()}


def _mean(tables: Mapping[str, F8], shares: Mapping[str, float]) -> F8:
    """(K, K) log of the mean likelihood."""
    whole = sum(shares.values())
    likely = sum(shares[key] / whole * softmax(table.T).T for key, table in tables.items())
    return np.asarray(np.log(np.maximum(likely, TINY)), np.float64)
