"""Marks around an item's text that the text cannot forge, so that a prompt says what of it is data."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

CONTROL = re.compile(
    r"<(?=[|｜]|/?s>|bos>|eos>|pad>|unk>|/?think>|image>|__media__>|<?/?SYS>>)"
    r"|<(?=(?:start|end)_of_(?:turn|image)>)"
    r"|\[(?=/?INST\]|/?SYSTEM_PROMPT\]|TOOL_CALLS\]|/?TOOL_RESULTS\]|/?AVAILABLE_TOOLS\]|IMG\])"
)
"""Where words begin that a server's chat template takes for a turn's end, a new role or a picture."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one prompt.

    Attributes:
        code: hexadecimal digits that occur in none of the prompt's texts.
    """

    code: str

    def opening(self, name: str, number: int | None = None) -> str:
        """The mark before a text; with the number by which the answer calls it, if it has one."""
        return f"<{name}-{self.code}>" if number is None else f"<{name}-{self.code} id={number}>"

    def closing(self, name: str) -> str:
        """The mark after a text."""
        return f"</{name}-{self.code}>"

    def around(self, name: str, text: str, number: int | None = None) -> str:
        """The text between its marks, its control words broken."""
        return f"{self.opening(name, number)}\n{harmless(text)}\n{self.closing(name)}"

    def outside(self, prompt: str) -> str:
        """What of a prompt is not between marks."""
        region = rf"<(\w+)-{self.code}(?: id=\d+)?>\n.*?\n</\1-{self.code}>"
        return re.sub(region, "", prompt, flags=re.DOTALL)

    def enclose_all(self, prompt: str) -> bool:
        """Whether every mark in a prompt opens or closes a whole text, and there is one at least."""
        return self.code in prompt and self.code not in self.outside(prompt)


def marks_for(texts: Iterable[str]) -> Marks:
    """Marks that occur in none of these texts, whatever their case, width and invisible characters.

    They are the same for nearly all prompts, so that servers can cache what prompts begin with. A text that
    holds them changes them; what comes next depends on all texts, so no text can hold that as well.
    """
    folded = [_folded(text) for text in texts]
    content = hashlib.blake2b("\0".join(folded).encode("utf-8", "surrogatepass")).digest()
    for attempt in count():
        seed = content if attempt else b""
        code = hashlib.blake2b(seed, digest_size=4, salt=attempt.to_bytes(4, "big")).hexdigest()
        if not any(code in text for text in folded):
            return Marks(code)
    raise AssertionError("a text of finite length cannot hold every code")


def harmless(text: str) -> str:
    """The text with a space inside each word that a chat template would obey."""
    return CONTROL.sub(lambda found: found.group() + " ", text)


def _folded(text: str) -> str:
    """Lower case, normal width, letters and digits alone: look-alikes of a code are the code."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, plain))
