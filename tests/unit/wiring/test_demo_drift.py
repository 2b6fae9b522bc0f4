"""The demo's change of the stream, and the figures that tell what came of it."""

import io
import random
from collections.abc import Sequence

import numpy as np
import pytest
from rich.console import Console

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.window_rows import WindowRecord
from daemon.wiring.demo.corpus import Message
from daemon.wiring.demo.heard import CertificateMessage, Heard, LabelMessage
from daemon.wiring.demo.recovery import Stage, judge, table
from daemon.wiring.demo.shift import CAMPAIGN_SHARE, disguise, shifted


def collection() -> list[Message]:
    ham = [Message(f"h{n}", "see you " * (1 + n % 50), "ham") for n in range(400)]
    spam = [Message(f"s{n}", "URGENT claim £500 now on 08001234567", "spam") for n in range(60)]
    mixed = [*ham, *spam]
    random.Random(1).shuffle(mixed)
    return mixed


def test_the_second_half_is_of_another_kind_and_nothing_is_lost() -> None:
    messages = collection()
    stream = shifted(messages)
    half = [message.shifted for message in stream].index(True)
    before, after = stream[:half], stream[half:]
    assert not any(message.shifted for message in before)
    assert all(message.shifted for message in after)
    truth = {message.id: message.truth for message in stream}
    assert {id_: truth[id_] for id_ in truth if not id_.startswith("new-")} == {
        m.id: m.truth for m in messages
    }
    new = [message for message in after if message.id.startswith("new-")]
    assert len(new) / len(after) == pytest.approx(CAMPAIGN_SHARE, abs=0.01)
    assert {message.truth for message in new} == {"spam"}
    assert longest(before, "ham") <= shortest(after, "ham")
    assert share(after, "spam") > 1.5 * share(before, "spam")


def longest(messages: Sequence[Message], truth: str) -> int:
    return max(len(message.text) for message in messages if message.truth == truth)


def shortest(messages: Sequence[Message], truth: str) -> int:
    return min(len(message.text) for message in messages if message.truth == truth)


def share(messages: Sequence[Message], truth: str) -> float:
    return float(np.mean([message.truth == truth for message in messages]))


def test_the_same_seed_gives_the_same_stream() -> None:
    assert shifted(collection()) == shifted(collection())
    assert shifted(collection(), seed=1) != shifted(collection())


def test_a_disguised_message_hides_numbers_and_money() -> None:
    text = disguise("Claim £500 now, call 08001234567", random.Random(0))
    assert "0.8.0.0.1.2.3.4.5.6.7" in text
    assert "£" not in text
    assert "c@ll" in text


def label(
    item: str, revision: int, said: str, bundle: int | None = 1, window: int | None = None
) -> LabelMessage:
    certificate = None if window is None else CertificateMessage(window)
    return LabelMessage(item, revision, said, "certified" if window else "provisional", bundle, certificate)


MESSAGES = [
    *(Message(f"a{n}", "", "ham") for n in range(4)),
    *(Message(f"b{n}", "", "spam", shifted=True) for n in range(4)),
]


def heard() -> Heard:
    told = Heard()
    for message in [
        label("a0", 2, "ham", window=1),
        label("a0", 1, "ham"),
        label("a0", 1, "ham"),
        label("a1", 1, "spam", None),
        label("b0", 2, "ham", 1, window=2),
        label("b0", 1, "ham"),
        label("b0", 3, "spam", 2),
        label("b1", 1, "spam", 2),
        label("b2", 2, "spam", 2, window=2),
    ]:
        told.take(message)
    return told


def test_labels_are_kept_whatever_their_order() -> None:
    told = heard()
    assert {item: (one.revision, one.label) for item, one in told.labels.items()} == {
        "a0": (2, "ham"),
        "a1": (1, "spam"),
        "b0": (3, "spam"),
        "b1": (1, "spam"),
        "b2": (2, "spam"),
    }
    assert told.first["a0"].revision == 1
    assert told.certified == {1: {"a0": "ham"}, 2: {"b0": "ham", "b2": "spam"}}, "later corrections leave it"


def window(id_: int) -> WindowRecord:
    wrong = np.array([True, False])
    return WindowRecord(id_, 4, 0.1, 0.05, 0.1, 0.9, 2, np.zeros(2, np.float32), wrong, 0)


def test_windows_and_models_are_judged_by_the_truth() -> None:
    alarm = AlarmRecord(1, 1_000, 1_000, 1, 6, "distance", "far", 0.4, 1, 9_000, 2)
    windows = [(window(1), ["a0", "a1", "a2", "b3"]), (window(2), ["b0", "b1", "b2", "b3"])]
    recovery = judge(heard(), MESSAGES, windows, [alarm])
    first, second = recovery.windows
    assert (first.shifted, first.certified, first.wrong, first.holds) == (0.25, 1, 0, True)
    assert (second.shifted, second.certified, second.wrong, second.holds) == (1.0, 2, 1, False)
    assert recovery.before == 4
    assert recovery.stages == [
        Stage(False, None, 1, 0),
        Stage(False, 1, 1, 1),
        Stage(True, 1, 1, 0),
        Stage(True, 2, 2, 2),
    ]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(recovery))
    shown = console.export_text()
    assert "broken" in shown
    assert "after 8 s by bundle 2" in shown
