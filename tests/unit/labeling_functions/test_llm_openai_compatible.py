"""What is sent, and what each kind of trouble on the way becomes; against a scripted server."""

import logging
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatFailure,
    ChatRefused,
    ChatRequest,
    ChatUnknown,
    Message,
)
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.openai_compatible import OpenAICompatible
from labeling_functions.llm.openai_failures import failure, retry_after
from labeling_functions.llm.prices import answer_tokens_at_most, prompt_tokens_at_most
from labeling_functions.llm.scripted_completion import Answer
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

REQUEST = ChatRequest("m", (Message("system", "Be brief."), Message("user", "Is it?")), max_tokens=5)
KEY = "sk-very-secret"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Always says "yes it is"."""
    with ScriptedServer(lambda asked: "yes it is") as serving:
        yield serving


def model(server: ScriptedServer, key: str | None = None, **settings: object) -> OpenAICompatible:
    """A client of this server that waits two seconds at most."""
    defaults = {"base_url": server.base_url, "timeout_seconds": 2.0}
    return OpenAICompatible(EndpointSettings(**{**defaults, **settings}), key)  # type: ignore[arg-type]


def test_a_plain_question_sends_what_it_says_and_no_more(server: ScriptedServer) -> None:
    reply = model(server).ask(REQUEST)
    assert server.requests == [
        {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it?"}],
            "temperature": 0.0,
            "max_tokens": 5,
        }
    ]
    assert (reply.texts, reply.tokens, reply.cached) == (("yes it is",), (), False)
    assert (reply.tokens_in, reply.tokens_out) == (server.bill.tokens_in, server.bill.tokens_out) == (12, 3)


def test_samples_seed_and_log_probabilities_are_sent(server: ScriptedServer) -> None:
    model(server).ask(replace(REQUEST, samples=2, seed=7, temperature=0.5, top_logprobs=4))
    sent = server.requests[0]
    assert (sent["n"], sent["seed"], sent["temperature"]) == (2, 7, 0.5)
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 4)


def test_pictures_follow_the_text_as_parts(server: ScriptedServer) -> None:
    message = Message("user", "What is it?", images=("https://x/1.png", "data:image/png;base64,AA"))
    model(server).ask(replace(REQUEST, messages=(message,)))
    assert server.requests[0]["messages"][0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://x/1.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    ]


def test_a_schema_is_sent_only_where_the_endpoint_holds_to_it(server: ScriptedServer) -> None:
    asked = replace(REQUEST, schema={"type": "object"})
    model(server).ask(asked)
    model(server, schema=True).ask(asked)
    without, held = server.requests
    assert "response_format" not in without
    assert held["response_format"]["type"] == "json_schema"
    assert held["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_the_longest_answer_is_named_as_the_endpoint_wants(server: ScriptedServer) -> None:
    model(server, limit_name="max_completion_tokens").ask(REQUEST)
    assert server.requests[0]["max_completion_tokens"] == 5
    assert "max_tokens" not in server.requests[0]


def test_alternatives_of_tokens_are_told() -> None:
    with ScriptedServer(lambda asked: Answer("ham now", first={"ham": 0.75, "spam": 0.25})) as server:
        reply = model(server).ask(replace(REQUEST, top_logprobs=2))
    first, second = reply.tokens[0]
    assert (first.text, second.text) == ("ham", " now")
    assert first.others == {"ham": pytest.approx(-0.2877, abs=1e-4), "spam": pytest.approx(-1.3863, abs=1e-4)}
    assert first.logprob == first.others["ham"]


def test_each_sample_has_its_own_text() -> None:
    with ScriptedServer(lambda asked: f"answer {asked.sample}") as server:
        reply = model(server).ask(replace(REQUEST, samples=3))
    assert reply.texts == ("answer 0", "answer 1", "answer 2")


def test_too_few_samples_are_no_reply_and_the_setting_is_named(server: ScriptedServer) -> None:
    server.inject(Fault("one_sample"), calls=1)
    with pytest.raises(ChatUnknown, match=r"1 answers came, 2 were asked for; .* set its `samples` to false"):
        model(server).ask(replace(REQUEST, samples=2))


def test_a_server_that_counts_no_tokens_is_believed_to_have_used_the_most(server: ScriptedServer) -> None:
    server.inject(Fault("no_usage"), calls=2)
    endpoint = EndpointSettings(base_url=server.base_url)
    reply = model(server).ask(REQUEST)
    assert reply.tokens_in == prompt_tokens_at_most(REQUEST, endpoint) >= server.bill.tokens_in
    assert reply.tokens_out == answer_tokens_at_most(REQUEST)
    roomy = model(server).ask(replace(REQUEST, max_tokens=100))
    assert roomy.tokens_out == len("yes it is") + 1  # bytes, and the end


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", 400), ChatRefused),
        (Fault("status", 401), ChatRefused),
        (Fault("status", 404), ChatRefused),
        (Fault("status", 422), ChatRefused),
        (Fault("status", 408), ChatDown),
        (Fault("status", 429), ChatBusy),
        (Fault("status", 503), ChatBusy),
        (Fault("status", 500), ChatDown),
        (Fault("status", 502), ChatDown),
        (Fault("status", 504), ChatUnknown),
        (Fault("garbage"), ChatUnknown),
        (Fault("shape"), ChatUnknown),
        (Fault("close"), ChatUnknown),
        (Fault("hang"), ChatUnknown),
    ],
)
def test_every_trouble_has_its_failure_and_is_met_once(
    server: ScriptedServer, fault: Fault, kind: type[ChatFailure]
) -> None:
    server.inject(fault)
    asking = model(server, timeout_seconds=0.2 if fault.kind == "hang" else 5.0)
    with pytest.raises(ChatFailure) as caught:
        asking.ask(REQUEST)
    assert caught.type is kind
    assert server.base_url in str(caught.value)
    assert server.bill.calls == 1
    server.heal()
    assert asking.ask(REQUEST).texts == ("yes it is",)


def test_what_counts_as_free_was_not_billed_and_the_rest_may_be(server: ScriptedServer) -> None:
    for fault in (Fault("status", 429), Fault("status", 500), Fault("status", 400), Fault("close")):
        server.inject(fault, calls=1)
        with pytest.raises(ChatFailure):
            model(server).ask(REQUEST)
    assert (server.bill.calls, server.bill.billed) == (4, 1)


def test_half_a_surrogate_pair_in_an_item_is_refused_and_not_sent(server: ScriptedServer) -> None:
    with pytest.raises(ChatRefused, match="surrogates not allowed"):
        model(server).ask(replace(REQUEST, messages=(Message("user", "half a \ud83d"),)))
    assert server.bill.calls == 0


def test_nobody_listening_is_down() -> None:
    with socket.socket() as bound:  # but not listening
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        with pytest.raises(ChatDown, match="not reachable"):
            OpenAICompatible(EndpointSettings(base_url=url), None).ask(REQUEST)


def test_a_busy_server_says_how_long_in_seconds_or_by_date(server: ScriptedServer) -> None:
    server.inject(Fault("status", 429, retry_after="7"), calls=1)
    with pytest.raises(ChatBusy) as caught:
        model(server).ask(REQUEST)
    assert caught.value.retry_after == 7.0
    server.inject(Fault("status", 503, retry_after=formatdate(4_000_000_000, usegmt=True)), calls=1)
    with pytest.raises(ChatBusy) as caught:
        model(server).ask(REQUEST)
    assert caught.value.retry_after is not None and caught.value.retry_after > 1_000_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_in_both_its_forms(value: str, seconds: float | None) -> None:
    headers = {"retry-after": value, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert retry_after(headers) == seconds


def test_a_date_without_the_servers_clock_is_reckoned_by_ours() -> None:
    assert retry_after({"retry-after": "Thu, 01 Jan 2015 00:00:00 GMT"}) == 0.0
    assert retry_after({}) is None


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("ConnectTimeout", ChatDown),
        ("PoolTimeout", ChatDown),
        ("ReadTimeout", ChatUnknown),
        ("ReadError", ChatUnknown),
    ],
)
def test_only_what_cannot_have_been_sent_is_down(cause: str, kind: type[ChatFailure]) -> None:
    import httpx2
    from openai import APIConnectionError

    error = APIConnectionError(request=httpx2.Request("POST", "http://x"))
    error.__cause__ = getattr(httpx2, cause)("it failed")
    assert type(failure(error)) is kind


def test_trouble_with_encryption_is_unknown_unless_it_was_met_while_connecting() -> None:
    error = Exception("lost")
    error.__cause__ = ssl.SSLError("bad record")
    assert type(failure(error)) is ChatUnknown


def test_the_key_is_sent_and_never_written(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    asking = model(server, KEY)
    asking.ask(REQUEST)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    server.inject(Fault("status", 401, message=f"the key {KEY} is wrong"))
    with pytest.raises(ChatRefused, match=r"HTTP 401: the key \*\*\* is wrong") as caught:
        asking.ask(REQUEST)
    chain = [caught.value, caught.value.__cause__]
    assert KEY not in repr(chain) + caplog.text + "".join(capfd.readouterr())
    assert caught.value.__suppress_context__


def test_the_key_of_another_endpoint_is_not_sent(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    model(server).ask(REQUEST)
    sent = str(server.headers)
    assert KEY not in sent and "org-secret" not in sent


def test_seconds_are_those_between_question_and_answer(server: ScriptedServer) -> None:
    times = iter([100.0, 102.5])
    endpoint = EndpointSettings(base_url=server.base_url)
    assert OpenAICompatible(endpoint, None, lambda: next(times)).ask(REQUEST).seconds == 2.5


def test_a_script_may_answer_by_the_prompt() -> None:
    def script(asked: Asked) -> str:
        return "yes" if "Is it?" in asked.prompt else "no"

    with ScriptedServer(script) as other:
        assert model(other).ask(REQUEST).texts == ("yes",)
        assert model(other).ask(replace(REQUEST, messages=(Message("user", "What?"),))).texts == ("no",)


def test_an_error_object_is_not_needed_to_tell_what_was_refused() -> None:
    error = Exception("plain")
    error.status_code = 418  # type: ignore[attr-defined]
    error.response = SimpleNamespace(headers={})  # type: ignore[attr-defined]
    assert str(failure(error)) == "HTTP 418: plain"
