"""All wrappers together, against a scripted server."""

import threading
from dataclasses import replace

import pytest
from llm_models_for_tests import REQUEST

from labeling_functions.llm.calls import endpoint_model
from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatModel, ChatUnknown
from labeling_functions.llm.endpoint import EndpointSettings, KeyMissing
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer


def model(server: ScriptedServer, stop: threading.Event | None = None, **settings: object) -> ChatModel:
    """The composition as processes use it."""
    endpoint = EndpointSettings(base_url=server.base_url, **settings)  # type: ignore[arg-type]
    return endpoint_model("a", endpoint, stop or threading.Event(), {"EXAMPLE_KEY": "sk-1"})


def test_passing_trouble_is_not_seen_and_paid_once() -> None:
    with ScriptedServer(lambda asked: "yes") as server:
        server.inject(Fault("status", 429, retry_after="0"), calls=1)
        assert model(server).ask(REQUEST).texts == ("yes",)
        assert (server.bill.calls, server.bill.billed) == (2, 1)


def test_a_lost_answer_is_not_asked_for_again() -> None:
    with ScriptedServer(lambda asked: "yes") as server:
        server.inject(Fault("close"), calls=1)
        with pytest.raises(ChatUnknown):
            model(server).ask(REQUEST)
        assert (server.bill.calls, server.bill.billed) == (1, 1)


def test_an_endpoint_that_is_out_is_spared() -> None:
    with ScriptedServer(lambda asked: "yes") as server:
        server.inject(Fault("close"))
        asking = model(server)
        for _ in range(5):
            with pytest.raises(ChatUnknown):
                asking.ask(REQUEST)
        with pytest.raises(ChatDown, match="endpoint a is out"):
            asking.ask(REQUEST)
        assert server.bill.calls == 5


def test_once_stopped_nothing_is_sent() -> None:
    stop = threading.Event()
    stop.set()
    with ScriptedServer(lambda asked: "yes") as server:
        with pytest.raises(ChatBusy, match="stopped"):
            model(server, stop).ask(REQUEST)
        assert server.bill.calls == 0


def test_samples_are_asked_for_singly_where_the_endpoint_wants_it() -> None:
    def script(asked: Asked) -> str:
        return f"seed {asked.body['seed']}"

    with ScriptedServer(script) as server:
        reply = model(server, samples=False).ask(replace(REQUEST, samples=3, seed=1))
        assert reply.texts == ("seed 1", "seed 2", "seed 3")
        assert server.bill.calls == 3


def test_the_key_is_looked_up_at_once() -> None:
    with ScriptedServer(lambda asked: "yes") as server:
        model(server, key_env="EXAMPLE_KEY").ask(REQUEST)
        assert server.headers[0]["authorization"] == "Bearer sk-1"
        with pytest.raises(KeyMissing):
            model(server, key_env="OTHER_KEY")
