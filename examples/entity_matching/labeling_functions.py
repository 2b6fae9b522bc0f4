"""Do two offers show the same product? Rules of thumb on two short texts."""

import re

from labeling_functions import Item, labeling_function

MODEL = re.compile(r"\b([a-z]{2})-?(\d{3})\b")
PRICE = re.compile(r"(?:(\d+)[.,]\d\d eur|eur (\d+)[.,]\d\d)")
SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s?(gb|tb|litre|l|ml|v)\b")
IN_ONE_UNIT = {
    "tb": (1_000, "gb"),
    "gb": (1, "gb"),
    "l": (1_000, "ml"),
    "litre": (1_000, "ml"),
    "ml": (1, "ml"),
    "v": (1, "v"),
}
COLORS = {"black": "black", "blk": "black", "white": "white", "blue": "blue", "brass": "brass"}
FILLING = {"eur", "with", "incl", "and", "over", "ear", "in"}


def models(text: str) -> set[str]:
    """Model numbers, however they are spelled."""
    return {"".join(parts) for parts in MODEL.findall(text.lower())}


def sizes(text: str) -> set[tuple[float, str]]:
    """Capacities and volumes, in one unit each."""
    found = SIZE.findall(text.lower())
    factors = ((float(number.replace(",", ".")), IN_ONE_UNIT[unit]) for number, unit in found)
    return {(number * factor, name) for number, (factor, name) in factors}


def prices(text: str) -> list[int]:
    """Whole euros."""
    return [int(one or other) for one, other in PRICE.findall(text.lower())]


def words(text: str) -> set[str]:
    """Words that may mean something."""
    return set(re.findall(r"[a-z]{3,}", text.lower())) - FILLING


@labeling_function
def same_model(pair: Item) -> str | None:
    """Both name one model number."""
    return "same" if models(pair.left) & models(pair.right) else None


@labeling_function
def other_model(pair: Item) -> str | None:
    """Both name model numbers, and none is the same."""
    left, right = models(pair.left), models(pair.right)
    return "different" if left and right and not left & right else None


@labeling_function
def other_size(pair: Item) -> str | None:
    """Both name sizes, and none is the same."""
    left, right = sizes(pair.left), sizes(pair.right)
    return "different" if left and right and not left & right else None


@labeling_function
def other_color(pair: Item) -> str | None:
    """Both name colors, and none is the same."""
    left, right = (
        {COLORS[word] for word in words(text) if word in COLORS} for text in (pair.left, pair.right)
    )
    return "different" if left and right and not left & right else None


@labeling_function
def price_apart(pair: Item) -> str | None:
    """One costs more than a quarter more than the other."""
    left, right = prices(pair.left), prices(pair.right)
    if not left or not right:
        return None
    return "different" if max(left[0], right[0]) > 1.25 * min(left[0], right[0]) else None


@labeling_function
def price_alike(pair: Item) -> str | None:
    """They cost the same within a tenth."""
    left, right = prices(pair.left), prices(pair.right)
    if not left or not right:
        return None
    return "same" if max(left[0], right[0]) < 1.1 * min(left[0], right[0]) else None


@labeling_function
def words_in_common(pair: Item) -> str | None:
    """Most words of the shorter offer stand in the other one, or hardly any."""
    left, right = words(pair.left), words(pair.right)
    share = len(left & right) / max(min(len(left), len(right)), 1)
    if share > 0.8:
        return "same"
    return "different" if share < 0.3 else None
