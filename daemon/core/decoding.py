"""From a Kafka record to an item, or to the reason why it can never be one."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from daemon.core.wire import Record
from labeling_functions.items import Item
from labeling_functions.pairs import no_texts_to_match, not_a_pair
from labeling_functions.task import CLASSIFICATION, MATCHING, PREFERENCE

Message = TypeVar("Message", bound=msgspec.Struct)

MAX_ID_BYTES = 512

MAX_DEPTH = 100
"""Lists and objects within each other; far fewer than readers with the fewest levels to spare can follow."""

_NESTS_NOTHING = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)
"""Of JSON, what is no bracket: texts, whatever they hold, and all between brackets."""

FIELDS_OF: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    PREFERENCE: not_a_pair,
    MATCHING: no_texts_to_match,
}
"""Kind of task -> what is wrong with an item's fields, empty if nothing; other kinds take any."""


class ItemMessage(msgspec.Struct, frozen=True):
    """The JSON of topic `items`. Keys that are not named here are ignored."""

    id: str
    text: str | None = None
    fields: dict[str, Any] | None = None
    images: list[str] = []
    subject: str | None = None
    metadata: dict[str, Any] = {}
    created: str | None = None


class Arrival(msgspec.Struct, frozen=True):
    """A record that holds an item. `digest` (16 bytes) is equal for equal content, whatever the layout."""

    record: Record
    item: Item
    digest: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that can never be labeled; `reason` is one word for counting, `detail` helps a person."""

    record: Record
    reason: str
    detail: str


_decoder = msgspec.json.Decoder(ItemMessage)
_encoder = msgspec.json.Encoder(order="deterministic")


def decode(record: Record, max_bytes: int, kind: str = CLASSIFICATION) -> Arrival | Rejected:
    """Check one record and read its item, which a task of this kind is to label."""
    if record.value is None:
        return Rejected(record, "empty", "the message has no value; an item needs JSON with id and text")
    if len(record.value) > max_bytes:
        return Rejected(
            record, "too_large", f"{len(record.value)} bytes; stream.max_message_bytes allows {max_bytes}"
        )
    message = read_json(record, record.value, _decoder)
    if isinstance(message, Rejected):
        return message
    if problem := _problem(message) or _problem_for(kind, message):
        return Rejected(record, "wrong_shape", problem)
    return Arrival(record, _item(message), _digest(message))


def read_json(record: Record, value: bytes, decoder: msgspec.json.Decoder[Message]) -> Message | Rejected:
    """The record's value as a message, or why it is none."""
    if _too_deep(value):
        return Rejected(
            record, "wrong_shape", f"lists and objects lie in each other more than {MAX_DEPTH} times"
        )
    try:
        return decoder.decode(value)
    except UnicodeDecodeError as error:
        return Rejected(record, "not_utf8", f"byte {error.start} is not UTF-8; messages are JSON in UTF-8")
    except msgspec.ValidationError as error:
        return Rejected(record, "wrong_shape", str(error))
    except msgspec.DecodeError as error:
        return Rejected(record, "not_json", str(error))


def decode_stored(payload: bytes) -> Item:
    """Read the item of a payload that was accepted before."""
    return _item(_decoder.decode(payload))


def _too_deep(value: bytes) -> bool:
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _NESTS_NOTHING.sub(b"", value):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _problem(message: ItemMessage) -> str | None:
    if not message.id or "\x00" in message.id:
        return "`id` is empty or holds a NUL character"
    try:
        size = len(message.id.encode())
        (message.subject or "").encode()
    except UnicodeEncodeError:
        return "`id` or `subject` holds half of a surrogate pair, which is no character"
    if size > MAX_ID_BYTES:
        return f"`id` has {size} bytes; at most {MAX_ID_BYTES} are allowed"
    if message.subject is not None and "\x00" in message.subject:
        return "`subject` holds a NUL character"
    if (message.text is None) == (message.fields is None):
        return "an item has either `text` or `fields`"
    if message.fields is not None and not message.fields:
        return "`fields` is empty"
    return None


def _problem_for(kind: str, message: ItemMessage) -> str:
    wrong = FIELDS_OF.get(kind)
    return "" if wrong is None else wrong(message.fields or {})


def _item(message: ItemMessage) -> Item:
    return Item(
        id=message.id,
        fields={"text": message.text} if message.fields is None else message.fields,
        subject=message.subject,
        metadata=message.metadata,
        images=tuple(message.images),
        created=message.created,
    )


def _digest(message: ItemMessage) -> bytes:
    return hashlib.blake2b(_encoder.encode(message), digest_size=16).digest()
