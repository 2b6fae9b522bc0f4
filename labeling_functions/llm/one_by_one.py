"""Several answers from an endpoint that gives one a call."""

from dataclasses import replace

from labeling_functions.llm.chat_model import ChatFailure, ChatModel, ChatReply, ChatRequest, ChatUnknown


class OneByOne:
    """A model that is asked once for each sample; with a seed, sample i has the seed plus i."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def ask(self, request: ChatRequest) -> ChatReply:
        """As ChatModel's. Any failure after the first answer is ChatUnknown: something was paid."""
        replies: list[ChatReply] = []
        for sample in range(request.samples):
            try:
                replies.append(self._model.ask(_single(request, sample)))
            except ChatFailure as failed:
                if not replies:
                    raise
                raise ChatUnknown(f"{sample} of {request.samples} answers came, then: {failed}") from failed
        return _together(replies)


def _single(request: ChatRequest, sample: int) -> ChatRequest:
    seed = None if request.seed is None else request.seed + sample
    return replace(request, samples=1, seed=seed)


def _together(replies: list[ChatReply]) -> ChatReply:
    complete = all(reply.tokens for reply in replies)
    return ChatReply(
        texts=tuple(text for reply in replies for text in reply.texts),
        tokens=tuple(tokens for reply in replies for tokens in reply.tokens) if complete else (),
        tokens_in=sum(reply.tokens_in for reply in replies),
        tokens_out=sum(reply.tokens_out for reply in replies),
        seconds=sum(reply.seconds for reply in replies),
    )
