"""Labelling functions: small rules that vote for a class, or say nothing.

A function sees one item. It returns a class name, or None when it cannot tell. It may be wrong: how
often, and together with which others, is estimated from the votes and from what people answer.

`labelloop lfs --file SAMPLE.csv --label-column label` shows how they do.
"""

from labeling_functions import Item, keywords, labeling_function, matches

# Ready-made functions: any of these words; any match of this pattern.
outage = keywords("outage", ["down", "outage", "offline", "cannot log in", "crashed"], "urgent")
deadline = matches("deadline", r"(?i)\b(?:asap|immediately|right now|today)\b", "urgent")
how_to = keywords("how_to", ["how do i", "how can i", "is it possible", "feature request"], "routine")


@labeling_function
def polite_question(item: Item) -> str | None:
    """Who is stuck rarely finds the time for thanks in advance."""
    text = item.text.lower()
    return "routine" if text.endswith("?") and "thank" in text else None
