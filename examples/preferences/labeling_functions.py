"""What can be said of a pair of responses without understanding them."""

import re

from labeling_functions import (
    Item,
    labeling_function,
    less_repetition,
    longer_response,
    no_refusal,
    same_words,
)

longer = longer_response("longer", ratio=2.0)
repeats_less = less_repetition("repeats_less", least=0.2)
does_not_refuse = no_refusal("does_not_refuse")
same = same_words("same")


@labeling_function
def echoes_the_prompt(x: Item) -> str | None:
    """A response that only repeats words of the prompt, in their order, loses."""
    echoes = [_plain(response) in _plain(x.prompt) for response in (x.response_a, x.response_b)]
    return None if echoes[0] == echoes[1] else "AB"[echoes.index(False)]


@labeling_function
def keeps_to_one_word(x: Item) -> str | None:
    """Where one word is asked for, one word is better than more."""
    if not re.search(r"\bone word\b", x.prompt, re.IGNORECASE):
        return None
    short = [len(response.split()) == 1 for response in (x.response_a, x.response_b)]
    return None if short[0] == short[1] else "AB"[short.index(True)]


def _plain(text: str) -> str:
    return " ".join(["", *re.findall(r"\w+", text.lower()), ""])
