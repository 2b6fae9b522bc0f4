"""People whom known labels have not tested count half, however well others did.

A temperature says how much the votes on judged items must be damped. Of those who had no say there it says
nothing: people are asked about doubtful items, known labels are those of items drawn at random. Until enough
of their own votes could be judged they are taken as all are before any known label. Functions, classifier
and language models speak of judged items as of all others.
"""

from dataclasses import replace

import numpy as np

from models.arrays import F8
from models.label_model.protocol import Member
from models.votes import TIER, Votes, family, kind

FEWEST_JUDGED = 10
"""Below this number of judged known labels nothing can be weighed or tempered."""

UNTRAINED_TEMPERATURE = 0.5
"""Models of votes are overconfident; this much before known labels can say."""


def judged_families(judged: Votes) -> frozenset[str]:
    """Families of annotators (a tier is one) that said something of enough of these judged items."""
    numbers: dict[str, int] = {}
    families = [numbers.setdefault(family(key), len(numbers)) for key in judged.annotators]
    said = np.unique(np.stack([np.array(families, np.int64)[judged.annotator], judged.row]), axis=1)
    items = np.bincount(said[0], minlength=len(numbers))
    return frozenset(name for name, number in numbers.items() if items[number] >= FEWEST_JUDGED)


def with_untested(member: Member, known: frozenset[str]) -> Member:
    """The member with tables `as_untested` of all whose family is not `known`."""
    tables = {
        key: table if family(key) in known else as_untested(member, key, table)
        for key, table in member.tables.items()
    }
    return replace(member, tables=tables)


def as_untested(member: Member, key: str, table: F8) -> F8:
    """(S, K) an annotator's table, of people such that the member's temperature makes of it what it would be
    before any known label, at most.
    """
    return table * min(1.0, UNTRAINED_TEMPERATURE / member.temperature) if kind(key) == TIER else table
