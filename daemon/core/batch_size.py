"""How many messages are labeled together: many where that is quick, few where a label would wait for it."""

from dataclasses import dataclass

FIRST_ITEMS = 256
"""A batch begins at this, and is never made smaller: journeys to the database cost too much an item below."""
LABEL_SECONDS = 0.25
"""Labeling a batch takes about this long, where its size can bring that about,"""
WAIT_SHARE, MOST_LABEL_SECONDS = 0.1, 3.0
"""or this share of what the last of those that wait have yet to wait, but no longer than so many seconds.

They come to their labels sooner by what large batches save (an encoder has texts of like length together)
than the first ones come later.
"""
GROWTH = 2.0
"""A batch has so many times the messages of the one before, at most."""


@dataclass
class BatchSize:
    """The size that the next batch has, if so many messages wait.

    Attributes:
        most: `stream.batch_items`.
    """

    most: int

    def __post_init__(self) -> None:
        self.items = min(FIRST_ITEMS, self.most)

    def took(self, items: int, seconds: float, waiting: int = 0) -> None:
        """Labeling so many messages took so long, and so many wait. Batches that were not full say nothing of
        full ones.
        """
        if items < self.items:
            return
        each = max(seconds, 1e-6) / items
        meant = min(max(LABEL_SECONDS, WAIT_SHARE * waiting * each), MOST_LABEL_SECONDS)
        wanted = min(meant / each, self.items * GROWTH)
        self.items = min(max(round(wanted), FIRST_ITEMS), self.most)
