"""A trace to keep: one question, one call."""

from daemon.core.traces import Trace, TracedCall, TracedItem, TracedWay
from labeling_functions.llm.chat_model import ChatReply, ChatRequest, Message

START = 1_790_000_000_000_000_000
"""Nanoseconds since 1970."""

MILLISECOND = 1_000_000

WAY = TracedWay("llm/short", "0f0f", "llm", "hosted")


def example_trace(
    id_: str, prompt: str = "ham or spam?", reply: str = "spam", error: str = "", start: int = START
) -> Trace:
    """Item `a` called spam for 0.022; or an error, and no answer."""
    request = ChatRequest("small", (Message("user", prompt),), max_tokens=10)
    came = None if error else ChatReply((reply,), (), 20, 1, 0.25)
    times = (start + MILLISECOND, start + 251 * MILLISECOND)
    call = TracedCall(request, came, 0 if error else 22_000, False, *times, error)
    item = TracedItem("a", 4) if error else TracedItem("a", 4, "spam", 0.75)
    return Trace(id_, WAY, [item], [call], start, start + 252 * MILLISECOND, error)
