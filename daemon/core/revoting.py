"""Votes that functions give anew on items that are stored already."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from daemon.core.rows import I1

REVOTED = "replay"
"""Reason of the recheck of an item whose votes were written anew."""


@dataclass(frozen=True, slots=True)
class NewVotes:
    """What the functions of one set say of n items.

    Attributes:
        ids: item ids, as often as they came. digests: 16 bytes each; equal digests mean equal content.
        inline: (n, m * F) votes, those of one function side by side.
    """

    ids: Sequence[str]
    digests: Sequence[bytes]
    inline: I1


@dataclass(frozen=True, slots=True)
class Revoted:
    """Counts of items; those of several chunks add up.

    Attributes:
        written: whose votes were replaced, each to be decided anew. frozen: those of them in an open window,
            which are decided anew when it has closed.
        same: whose votes are these already.
        not_stored: that the loop has never seen. other_content: that it has, with other content.
    """

    written: int = 0
    frozen: int = 0
    same: int = 0
    not_stored: int = 0
    other_content: int = 0

    def __add__(self, other: "Revoted") -> "Revoted":
        return Revoted(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))
