"""Traces as OpenTelemetry's JSON (OTLP), with the attributes that MLflow's pages show.

The form: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daemon.core.settings import MICROS
from daemon.core.traces import Trace, TracedCall, TracedItem
from labeling_functions.llm.chat_model import Message

PREFIX = "tr-"
"""MLflow's trace ids are this and OpenTelemetry's 16 bytes in hexadecimal."""

GOOD, BAD = 1, 2
"""OpenTelemetry's codes of a span's status."""

LONGEST_TEXT = 100_000
"""Characters of one text that are kept."""

Attributes = Mapping[str, Any]


def new_id() -> str:
    """Id of a trace, as MLflow will know it."""
    return PREFIX + secrets.token_hex(16)


def encode(trace: Trace, currency: str = "USD") -> bytes:
    """The spans of a trace, for `body`. `currency`: of prices; MLflow shows costs in USD alone."""
    root = secrets.token_hex(8)
    spans = [_root(trace, root, currency), *(_call(trace, call, root, currency) for call in trace.calls)]
    return ",".join(json.dumps(span) for span in spans).encode()


def body(traces: Iterable[bytes]) -> bytes:
    """The body of one export of encoded traces."""
    resource = json.dumps({"attributes": _pairs({"service.name": "labelloop"})}).encode()
    spans = b",".join(traces)
    return b'{"resourceSpans":[{"resource":%b,"scopeSpans":[{"spans":[%b]}]}]}' % (resource, spans)


def _root(trace: Trace, id_: str, currency: str) -> dict[str, Any]:
    price = sum(call.micros for call in trace.calls) / MICROS
    asked, replied = _conversation(trace.calls)
    about = {
        "mlflow.spanType": "CHAIN",
        "mlflow.message.format": "openai",
        "mlflow.spanInputs": {
            **asked,
            "items": [{"item": one.item, "question": one.question} for one in trace.items],
        },
        "mlflow.spanOutputs": {**replied, "answers": [_answer(one) for one in trace.items]},
        "labelloop.version": trace.way.version,
        "labelloop.price": price,
        "labelloop.currency": currency,
        **{f"mlflow.traceTag.{key}": value for key, value in _tags(trace).items()},
    }
    return _span(trace, id_, trace.way.name, (trace.started, trace.ended), about, trace.error)


def _conversation(calls: Sequence[TracedCall]) -> tuple[Attributes, Attributes]:
    """Prompt and last answer, so that they are seen at once; nothing where there are several prompts."""
    if sum(not call.repair for call in calls) > 1:
        return {}, {}
    return {"messages": _messages(calls[0])}, {"choices": _choices(calls[-1])}


def _call(trace: Trace, call: TracedCall, parent: str, currency: str) -> dict[str, Any]:
    request = call.request
    about = {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.message.format": "openai",
        "mlflow.llm.model": request.model,
        "mlflow.llm.provider": trace.way.endpoint,
        "mlflow.spanInputs": _asked(call),
        "labelloop.repair": call.repair,
        **_replied(call, currency),
    }
    span = _span(
        trace, secrets.token_hex(8), trace.way.endpoint, (call.started, call.ended), about, call.error
    )
    return {**span, "parentSpanId": parent}


def _tags(trace: Trace) -> dict[str, str]:
    """What traces can be searched by; an item only where it is the only one."""
    way = trace.way
    tags = {"tier": way.tier, "variant": way.name, "version": way.version}
    if len(trace.items) == 1:
        (one,) = trace.items
        tags |= {"item": one.item, "question": str(one.question)}
    return {f"labelloop.{key}": value for key, value in tags.items()} | {"mlflow.traceName": way.name}


def _answer(one: TracedItem) -> dict[str, Any]:
    said: dict[str, Any] = {"item": one.item, "label": one.label or "(abstains)"}
    return said if one.confidence is None else {**said, "confidence": one.confidence}


def _asked(call: TracedCall) -> dict[str, Any]:
    request = call.request
    asked = {
        "model": request.model,
        "messages": _messages(call),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.samples > 1:
        asked["n"] = request.samples
    if request.schema is not None:
        asked["response_format"] = json.dumps(request.schema)
    return asked


def _replied(call: TracedCall, currency: str) -> dict[str, Any]:
    """What is known of the reply; a kept one used no tokens now, and says how many it once took."""
    reply, price = call.reply, call.micros / MICROS
    if reply is None:
        return {}
    usage = {"input_tokens": reply.tokens_in, "output_tokens": reply.tokens_out}
    about = {
        "mlflow.spanOutputs": {"choices": _choices(call)},
        "labelloop.price": price,
        "labelloop.cached": reply.cached,
        "labelloop.seconds": float(reply.seconds),
    }
    if reply.cached:
        return {**about, "labelloop.kept_tokens": usage}
    about["mlflow.chat.tokenUsage"] = {**usage, "total_tokens": reply.tokens_in + reply.tokens_out}
    return {**about, "mlflow.llm.cost": {"total_cost": price}} if currency == "USD" else about


def _messages(call: TracedCall) -> list[dict[str, str]]:
    return [{"role": one.role, "content": _content(one)} for one in call.request.messages]


def _choices(call: TracedCall) -> list[dict[str, Any]]:
    texts = () if call.reply is None else call.reply.texts
    return [
        {"index": index, "message": {"role": "assistant", "content": _cut(text)}}
        for index, text in enumerate(texts)
    ]


def _content(message: Message) -> str:
    pictures = [f"[picture, {len(address)} characters]" for address in message.images]
    return "\n".join([_cut(message.text), *pictures])


def _cut(text: str) -> str:
    more = len(text) - LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]}\n[cut: {more} more characters]" if more > 0 else text


def _span(
    trace: Trace, id_: str, name: str, times: tuple[int, int], about: Attributes, error: str
) -> dict[str, Any]:
    started, ended = times
    return {
        "traceId": trace.id.removeprefix(PREFIX),
        "spanId": id_,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(max(started, ended)),
        "attributes": _pairs(about),
        "status": {"code": BAD, "message": _clean(_cut(error))} if error else {"code": GOOD},
    }


def _pairs(values: Attributes) -> list[dict[str, Any]]:
    return [{"key": _clean(key), "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    """A value in OpenTelemetry's own form of JSON (AnyValue)."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": _clean(value)}
        case Mapping():
            return {"kvlistValue": {"values": _pairs(value)}}
        case _:
            return {"arrayValue": {"values": [_value(one) for one in value]}}


def _clean(text: str) -> str:
    """Halves of surrogate pairs are no characters, and refused."""
    return text.encode("utf-8", "replace").decode()
