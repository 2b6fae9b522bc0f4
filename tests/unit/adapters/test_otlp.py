"""Traces as OpenTelemetry's JSON: whatever text is in them, it is what its own parser reads."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from traces_for_tests import example_trace

from daemon.adapters import otlp
from daemon.core.traces import Trace, TracedItem
from labeling_functions.llm.chat_model import ChatReply, ChatRequest, Message

ID = "tr-" + "0a" * 16


def plain(value: Any) -> Any:
    """An AnyValue as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, kind)


def read(*traces: Trace, currency: str = "USD") -> list[tuple[Any, dict[str, Any]]]:
    """Spans as OpenTelemetry's parser reads them, each with its attributes."""
    sent = json.loads(otlp.body(otlp.encode(trace, currency) for trace in traces))
    for span in sent["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId", "parentSpanId"):  # its ids are base64, those of OTLP hexadecimal
            if name in span:
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    parsed = Parse(json.dumps(sent), ExportTraceServiceRequest())
    spans = parsed.resource_spans[0].scope_spans[0].spans
    return [(span, {pair.key: plain(pair.value) for pair in span.attributes}) for span in spans]


def test_the_asking_is_the_root_and_its_calls_are_below() -> None:
    (root, about), (call, told) = read(example_trace(ID))
    assert root.trace_id == call.trace_id == bytes.fromhex("0a" * 16)
    assert not root.parent_span_id and call.parent_span_id == root.span_id
    assert (root.name, call.name) == ("llm/short", "hosted")
    assert root.start_time_unix_nano < call.start_time_unix_nano < call.end_time_unix_nano
    assert call.end_time_unix_nano < root.end_time_unix_nano
    assert about["mlflow.spanInputs"]["items"] == [{"item": "a", "question": 4}]
    assert about["mlflow.spanOutputs"]["answers"] == [{"item": "a", "label": "spam", "confidence": 0.75}]
    tags = {key: value for key, value in about.items() if key.startswith("mlflow.traceTag.labelloop.")}
    assert {key.rpartition(".")[2]: value for key, value in tags.items()} == {
        "tier": "llm",
        "variant": "llm/short",
        "version": "0f0f",
        "item": "a",
        "question": "4",
    }
    assert about["labelloop.price"] == told["labelloop.price"] == 0.022
    for span in (about, told):
        assert span["mlflow.spanInputs"]["messages"] == [{"role": "user", "content": "ham or spam?"}]
        assert span["mlflow.spanOutputs"]["choices"][0]["message"]["content"] == "spam"
    assert told["mlflow.chat.tokenUsage"] == {"input_tokens": 20, "output_tokens": 1, "total_tokens": 21}
    assert (told["labelloop.seconds"], told["labelloop.cached"], told["labelloop.repair"]) == (
        0.25,
        False,
        False,
    )
    assert (root.status.code, call.status.code) == (otlp.GOOD, otlp.GOOD)


def test_several_traces_are_sent_together() -> None:
    other = "tr-" + "0b" * 16
    spans = [span for span, _ in read(example_trace(ID), example_trace(other))]
    assert [span.trace_id.hex() for span in spans] == ["0a" * 16] * 2 + ["0b" * 16] * 2


def test_the_asking_shows_the_first_prompt_and_the_last_answer() -> None:
    first = example_trace(ID, reply="no idea").calls[0]
    second = replace(example_trace(ID, prompt="An earlier answer").calls[0], repair=True)
    (_, about), *_ = read(replace(example_trace(ID), calls=[first, second]))
    assert about["mlflow.spanInputs"]["messages"][0]["content"] == "ham or spam?"
    assert about["mlflow.spanOutputs"]["choices"][0]["message"]["content"] == "spam"
    assert about["labelloop.price"] == 0.044


def test_several_prompts_are_not_mixed_up() -> None:
    calls = [example_trace(ID, prompt=order).calls[0] for order in ("A, then B", "B, then A")]
    (_, about), *told = read(replace(example_trace(ID), calls=calls))
    assert about["mlflow.spanInputs"].keys() == {"items"}
    assert about["mlflow.spanOutputs"].keys() == {"answers"}
    prompts = [span["mlflow.spanInputs"]["messages"][0]["content"] for _, span in told]
    assert prompts == ["A, then B", "B, then A"]


def test_what_failed_is_told_as_failed() -> None:
    for span, attributes in read(example_trace(ID, error="ChatDown: nobody there")):
        assert (span.status.code, span.status.message) == (otlp.BAD, "ChatDown: nobody there")
        assert "mlflow.chat.tokenUsage" not in attributes


def test_a_kept_reply_used_no_tokens() -> None:
    trace = example_trace(ID)
    call = replace(trace.calls[0], reply=ChatReply(("spam",), (), 20, 1, 0.25, cached=True), micros=0)
    _, told = read(replace(trace, calls=[call]))[1]
    assert told["labelloop.cached"] and told["labelloop.price"] == 0
    assert "mlflow.chat.tokenUsage" not in told


def test_mlflow_is_told_of_dollars_only() -> None:
    (_, about), (_, told) = read(example_trace(ID), currency="EUR")
    assert (about["labelloop.price"], about["labelloop.currency"]) == (0.022, "EUR")
    assert "mlflow.llm.cost" not in told
    assert read(example_trace(ID))[1][1]["mlflow.llm.cost"] == {"total_cost": 0.022}


def test_several_items_are_told_but_none_is_a_tag() -> None:
    trace = replace(example_trace(ID), items=[TracedItem("a", 4, "spam"), TracedItem("b", 5)])
    _, about = read(trace)[0]
    answers = about["mlflow.spanOutputs"]["answers"]
    assert answers == [{"item": "a", "label": "spam"}, {"item": "b", "label": "(abstains)"}]
    assert "mlflow.traceTag.labelloop.item" not in about
    assert about["mlflow.traceTag.labelloop.tier"] == "llm"


def test_long_texts_are_cut_and_pictures_left_out() -> None:
    picture = "data:image/png;base64," + "A" * 5_000
    trace = example_trace(ID, reply="x" * (otlp.LONGEST_TEXT + 7))
    request = ChatRequest("small", (Message("user", "look", (picture,)),))
    _, told = read(replace(trace, calls=[replace(trace.calls[0], request=request)]))[1]
    content = told["mlflow.spanInputs"]["messages"][0]["content"]
    assert content == f"look\n[picture, {len(picture)} characters]"
    reply = told["mlflow.spanOutputs"]["choices"][0]["message"]["content"]
    assert reply.startswith("x" * otlp.LONGEST_TEXT) and reply.endswith("[cut: 7 more characters]")


@given(st.text(st.characters(exclude_categories=[]), max_size=30), st.text(max_size=10))
def test_any_text_can_be_sent(text: str, item: str) -> None:
    trace = replace(example_trace(ID, prompt=text, reply=text), items=[TracedItem(item, 1, "spam")])
    (_, about), (_, told) = read(trace)
    sent = text.encode("utf-8", "replace").decode()
    assert told["mlflow.spanInputs"]["messages"][0]["content"] == sent
    assert about["mlflow.spanInputs"]["items"][0]["item"] == item


@pytest.mark.parametrize("_", range(3))
def test_ids_are_new_each_time_and_as_mlflow_wants_them(_: int) -> None:
    first, second = otlp.new_id(), otlp.new_id()
    assert first != second
    assert len(bytes.fromhex(first.removeprefix("tr-"))) == 16
