"""Models and clocks that tests of the wrappers ask."""

from collections.abc import Iterable

from labeling_functions.llm.chat_model import ChatReply, ChatRequest, Message

REQUEST = ChatRequest("m", (Message("user", "Is it?"),), max_tokens=10)
REPLY = ChatReply(texts=("yes",), tokens=(), tokens_in=5, tokens_out=1, seconds=0.1)


class Told:
    """Replies or raises what it was told, in turn; then always REPLY."""

    def __init__(self, outcomes: Iterable[BaseException | ChatReply] = ()) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[ChatRequest] = []

    def ask(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if self.outcomes else REPLY
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now
