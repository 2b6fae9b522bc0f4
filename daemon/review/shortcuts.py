"""Which key does what on the review page."""

from collections.abc import Mapping

DEFAULT_KEYS: Mapping[str, str] = {
    **{f"answer_{number}": str(number % 10) for number in range(1, 11)},
    "skip": "s",
    "undo": "u",
    "flag": "f",
    "guidelines": "g",
    "help": "?",
}
"""Action -> key. The tenth answer has 0, which stands behind 9."""


def merged(chosen: Mapping[str, str]) -> dict[str, str]:
    """All actions with their keys: the chosen ones, and the defaults of the others.

    Raises ValueError for an action that there is none of, for what is no single character (letters are
    meant in either case), and for a key of two actions.
    """
    if unknown := sorted(chosen.keys() - DEFAULT_KEYS.keys()):
        raise ValueError(f"keys: {unknown[0]!r} is no action; there are {', '.join(DEFAULT_KEYS)}")
    for action, key in chosen.items():
        if len(key) != 1 or not key.isprintable() or key.isspace():
            raise ValueError(f"keys: {action} has {key!r}; a key is one character that can be seen")
    keys = {action: key.lower() for action, key in {**DEFAULT_KEYS, **chosen}.items()}
    taken: dict[str, str] = {}
    for action, key in keys.items():
        if (other := taken.setdefault(key, action)) != action:
            raise ValueError(f"keys: {key!r} is the key of both {other} and {action}; give one another key")
    return keys
