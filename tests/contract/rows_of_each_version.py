"""A small house as any version may have left it: rows of every table, with every column of the newest schema.

A test stores those columns that its version had. Ids are those that a fresh database counts to.
"""

import hashlib
import json
from typing import Any

import numpy as np

from daemon.adapters.store.codec import label_bytes, pack_frozen, pack_messages
from daemon.core.window_rows import Frozen
from daemon.core.wire import OutMessage
from models.archive import pack
from models.bundle import Bundle, fallback_tables

NOON = 1_790_000_000_000
"""Milliseconds; far in the past of nobody's clock: nothing here is held by its time."""
DAY = "2026-09-21"
ENCODER = "small"
CLASSES = ("ham", "spam")


def f4(*values: float) -> bytes:
    return np.array(values, "<f4").tobytes()


def f8(*values: float) -> bytes:
    return np.array(values, "<f8").tobytes()


def i8(*values: int) -> bytes:
    return np.array(values, "<i8").tobytes()


def i4(*values: int) -> bytes:
    return np.array(values, "<i4").tobytes()


def first_bundle() -> bytes:
    """As the first version wrote one: one set of tables, no reference, no gold."""
    fallbacks = fallback_tables(2, {"crowd": 0.8})
    about = {
        "format": 1,
        "classes": CLASSES,
        "tables": [],
        "fallbacks": list(fallbacks),
        "temperature": 0.7,
        "encoder": None,
        "label_model": "majority",
        "trained_at": "",
    }
    arrays = {f"fallback_{place}": table for place, table in enumerate(fallbacks.values())} | {
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        "prior": np.log(np.full(2, 0.5)),
        "edges": np.array([0.7, 0.9]),
        "calibration": np.array([[0.0, 1.0], [0.0, 1.0]]),
    }
    return pack(arrays)


def bundle(id_: int, data: bytes, current: bool) -> dict[str, Any]:
    return {
        "id": id_,
        "digest": hashlib.sha256(data).hexdigest(),
        "data": data,
        "run_id": f"run-{id_}",
        "mlflow_version": str(id_),
        "current": current,
        "trained_at": NOON - 10_000 + id_,
        "promoted_at": NOON - 9_000 + id_,
        "answers_seen": 1,
    }


def item(id_: str, state: str, label: int, revision: int, **more: Any) -> dict[str, Any]:
    row = {
        "id": id_,
        "topic_id": "topic",
        "partition": 0,
        "offset": ord(id_),
        "subject": None,
        "payload": json.dumps({"id": id_, "text": f"hello {id_}"}).encode(),
        "digest": id_.encode() * 16,
        "arrived": NOON - 60_000 + ord(id_),
        "functions": 1,
        "inline": np.array([label, -1], np.int8).tobytes(),
        "classifier": f4(0.5, 0.5),
        "bundle": 2,
        "posterior": f4(0.1, 0.9) if label else f4(0.9, 0.1),
        "labels": label_bytes(label, 1),
        "score": 0.9,
        "state": state,
        "window": None,
        "revision": revision,
        "sent_back": 0,
        "ready_since": NOON if state == "ready" else None,
        "changed": NOON,
    }
    return {**row, **more}


def label(id_: str, revision: int, said: int, status: str, **more: Any) -> dict[str, Any]:
    row = {
        "item": id_,
        "revision": revision,
        "labels": label_bytes(said, 1),
        "probabilities": f4(0.1, 0.9) if said else f4(0.9, 0.1),
        "status": status,
        "window": None,
        "bundle": 2,
        "cost": 0,
        "at": NOON + revision,
    }
    return {**row, **more}


def question(id_: int, about: str, tier: str, purpose: str, state: str, **more: Any) -> dict[str, Any]:
    row = {
        "id": id_,
        "item": about,
        "tier": tier,
        "purpose": purpose,
        "window": None,
        "priority": 1.5,
        "price": 600_000 if tier == "expert" else 50_000,
        "reserved_for": None,
        "holder": None,
        "leased_until": None,
        "attempt": 0,
        "state": state,
        "created": NOON,
        "closed": NOON + 5 if state == "answered" else None,
        "chance": None,
    }
    return {**row, **more}


def answer(id_: int, about: str, annotator: int, asked: int | None, said: int, **more: Any) -> dict[str, Any]:
    row = {
        "id": id_,
        "item": about,
        "annotator": annotator,
        "question": asked,
        "purpose": "settle",
        "labels": label_bytes(said, 1),
        "probabilities": None,
        "seconds": 2.5,
        "cost": 600_000,
        "trace": None,
        "external": None,
        "at": NOON + 5,
        "retracted_at": None,
    }
    return {**row, **more}


def spent(
    id_: int, asked: int, about: str, tier: str, state: str, purpose: str, **more: Any
) -> dict[str, Any]:
    row = {
        "id": id_,
        "at": NOON,
        "tier": tier,
        "annotator": 3 if state == "spent" else None,
        "question": asked,
        "item": about,
        "state": state,
        "micros": 600_000 if tier == "expert" else 50_000,
        "tokens": 0,
        "seconds": 2.5 if state == "spent" else 0.0,
        "purpose": purpose,
        "external": None,
    }
    return {**row, **more}


def window(id_: int, state: str, ids: list[str], **more: Any) -> dict[str, Any]:
    frozen = Frozen(ids, np.full(len(ids), 0.9, np.float32), np.ones((len(ids), 1), np.int8))
    row = {
        "id": id_,
        "state": state,
        "n": len(ids),
        "p": 0.5,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": f8(0.8, 0.55),
        "start": 1,
        "tier": "expert",
        "price": 600_000,
        "priority": 20.0,
        "deadline": NOON + 10**12,
        "frozen_at": NOON + id_,
        "frozen": pack_frozen(frozen),
        "seed": str(id_),
        "audited": i4(0),
        **dict.fromkeys(("accepted", "errors", "tau", "certified", "wrong", "closed_at")),
        "protocol": "single",
        **dict.fromkeys(("outgoing_p", "outgoing_seed", "outgoing", "outgoing_deadline")),
        **dict.fromkeys(("outgoing_open", "outgoing_wrong", "rest", "limits")),
    }
    return {**row, **more}


RELEASED = {
    "accepted": i8(1, 1),
    "errors": i8(0, 0),
    "tau": 0.55,
    "certified": 1,
    "wrong": b"\x00",
    "closed_at": NOON + 9,
}
WITH_A_LEDGER = {
    "outgoing_p": 0.25,
    "outgoing_seed": "7",
    "outgoing": i4(),
    "outgoing_deadline": NOON + 10,
    "outgoing_open": 0,
    "outgoing_wrong": 0,
    "rest": 0.5,
    "limits": i8(0, 0),
}

PUBLISHED = [OutMessage("labels", 1, b"a", b'{"item": "a", "revision": 2}', (("reason", b"test"),))]
"""What waits in the outbox."""

ROWS: dict[str, list[dict[str, Any]]] = {
    "positions": [
        {"topic_id": "topic", "partition": 0, "topic": "items", "next_offset": 200, "stored": 6},
    ],
    "items": [
        item("a", "asking", 1, 1, subject="s"),
        item("b", "ready", 0, 1, subject="s"),
        item("c", "frozen", 1, 1, window=2),
        item("d", "certified", 1, 2, sent_back=1),
        item("e", "human", 0, 2),
        item("f", "asking", 0, 0, classifier=None),
    ],
    "annotators": [
        {"id": id_, "kind": kind, "name": name, "version": version, "tier": tier, "state": "active", **more}
        for id_, kind, name, version, tier, more in (
            (1, "function", "prize", "v1", None, {"state_at": None, "note": None}),
            (2, "function", "hello", "v1", None, {"state_at": None, "note": None}),
            (3, "person", "ann", "expert", "expert", {"state_at": NOON, "note": "back from a pause"}),
            (4, "person", "bob", "crowd", "crowd", {"state_at": None, "note": None}),
        )
    ],
    "function_sets": [{"id": 1, "annotators": i4(1, 2)}],
    "windows": [
        window(1, "closed", ["d"], **RELEASED, **WITH_A_LEDGER),
        window(2, "open", ["c"]),
    ],
    "questions": [
        question(1, "d", "expert", "audit", "answered", window=1, chance=0.5),
        question(2, "c", "expert", "audit", "open", window=2, chance=0.5),
        question(3, "a", "crowd", "settle", "open", reserved_for=4),
        question(4, "f", "crowd", "settle", "leased", holder=4, leased_until=NOON + 10**12, attempt=1),
        question(5, "e", "expert", "settle", "answered"),
    ],
    "skips": [{"question": 3, "annotator": 3}],
    "answers": [
        answer(1, "d", 3, 1, 1, purpose="audit", trace="t-1"),
        answer(2, "e", 3, 5, 0, probabilities=f4(0.8, 0.2), external="kafka:e"),
        answer(3, "a", 3, None, 1, retracted_at=NOON + 8, cost=0),
    ],
    "labels": [
        label("a", 1, 1, "provisional"),
        label("b", 1, 0, "provisional"),
        label("c", 1, 1, "provisional"),
        label("d", 1, 1, "provisional"),
        label("d", 2, 1, "certified", window=1, cost=600_000),
        label("e", 1, 1, "provisional"),
        label("e", 2, 0, "human", cost=600_000),
    ],
    "outbox": [{"seq": 1, "topic": "labels", "partition": 1, "messages": pack_messages(PUBLISHED)}],
    "recheck": [{"seq": 1, "item": "a", "reason": "answer", "due": 0}],
    "bundles": [
        bundle(1, first_bundle(), False),
        bundle(2, Bundle.from_priors(CLASSES, {"crowd": 0.8, "expert": 0.95}).to_bytes(), True),
    ],
    "spend": [
        spent(1, 1, "d", "expert", "spent", "audit", external="mturk:1", tokens=3),
        spent(2, 2, "c", "expert", "reserved", "audit"),
        spent(3, 4, "f", "crowd", "reserved", "settle"),
        spent(4, 5, "e", "expert", "spent", "settle"),
    ],
    "budgets": [
        {
            "tier": "expert",
            "period": DAY,
            "cap": 9_000_000,
            "reserved": 600_000,
            "spent": 1_200_000,
            "audits": 1_200_000,
            "learning": 0,
            "refused_at": NOON,
        },
        {
            "tier": "crowd",
            "period": DAY,
            "cap": None,
            "reserved": 50_000,
            "spent": 0,
            "audits": 0,
            "learning": 50_000,
            "refused_at": None,
        },
    ],
    "vectors": [
        {"item": id_, "encoder": ENCODER, "vector": np.array([1, 2], "<f2").tobytes()} for id_ in "abc"
    ],
    "duties": [{"name": "windows", "holder": "run-1", "until": NOON, "epoch": 3}],
    "processes": [{"name": "run-1", "kind": "run", "at": NOON, "report": json.dumps({"messages": 6})}],
    "counters": [{"name": "dead_letter:not_json", "value": 4}, {"name": f"arrived:{DAY}", "value": 6}],
    "facts": [{"name": "classes", "value": json.dumps(CLASSES)}, {"name": "origin", "value": "abcd"}],
    "ledgers": [{"id": 1, "after_window": 0, "started_at": NOON, "reason": "mended"}],
    "alarms": [
        {
            "id": 1,
            "at": NOON,
            "signal": "coverage:prize",
            "detail": "half of it",
            "size": 0.5,
            "process": "run-1",
            "bundle": 2,
            "ended_at": NOON + 5,
            "last_at": NOON + 1,
            "times": 2,
            "items": 6,
            "ended_by": 2,
        }
    ],
    "calls": [
        {
            "id": 1,
            "at": NOON,
            "tier": "crowd",
            "endpoint": "local",
            "annotator": 4,
            "question": 3,
            "item": "a",
            "run": "r",
            "state": "spent",
            "reserved": 100,
            "micros": 80,
            "tokens_in": 10,
            "tokens_out": 5,
            "seconds": 0.5,
            "cached": False,
            "deadline": NOON + 100,
            "trace": "t-2",
        }
    ],
    "chat_cache": [{"key": "k", "reply": b"spam", "at": NOON}],
    "judgments": [
        {"annotator": 4, "item": "a", "said_ab": 0, "said_ba": 1, "first_ab": 0.75, "first_ba": 0.25}
    ],
    "accounts": [
        {
            "id": 1,
            "name": "Ann",
            "key": "ann",
            "password_hash": "$argon2id$x",
            "role": "admin",
            "tiers": '["expert"]',
            "state": "active",
            "created": NOON,
        }
    ],
    "invitations": [
        {
            "id": 1,
            "digest": b"\x01" * 32,
            "name": "Bob",
            "role": "reviewer",
            "tiers": '["crowd"]',
            "invited_by": "Ann",
            "created": NOON,
            "expires": NOON + 10**12,
            "closed": NOON + 1,
        }
    ],
    "sessions": [
        {
            "id": 1,
            "digest": b"\x02" * 32,
            "account": 1,
            "created": NOON,
            "seen": NOON,
            "address": "127.0.0.1",
            "agent": "browser",
        }
    ],
    "api_tokens": [
        {
            "id": 1,
            "digest": b"\x03" * 32,
            "account": 1,
            "name": "prometheus",
            "scopes": "read",
            "created": NOON,
            "used": NOON + 1,
            "revoked": NOON + 2,
        }
    ],
    "login_tries": [{"key": "name:ann", "failures": 1, "at": NOON, "until": NOON + 1}],
    "audit_log": [
        {
            "id": 1,
            "at": NOON,
            "actor": "Ann",
            "action": "invited",
            "subject": "Bob",
            "detail": "{}",
            "address": "127.0.0.1",
        }
    ],
    "controls": [
        {
            "question": 5,
            "annotator": 3,
            "item": "e",
            "truth": label_bytes(0, 1),
            "labels": label_bytes(0, 1),
            "seconds": 2.5,
            "at": NOON + 5,
        }
    ],
    "truths": [{"item": "e", "labels": label_bytes(0, 1), "source": "import", "at": NOON}],
    "webhooks": [{"name": "bell", "events": " answered accepted "}],
    "deliveries": [
        {
            "id": 1,
            "uid": "u-1",
            "webhook": "bell",
            "event": "answered",
            "ref": 1,
            "at": NOON,
            "tries": 1,
            "due": NOON,
            "state": "waiting",
            "problem": "503",
        }
    ],
    "flags": [
        {"id": 1, "question": 3, "annotator": 4, "item": "a", "tier": "crowd", "note": "odd", "at": NOON}
    ],
}
