"""Every asking can be read afterwards: its calls, what came of them, and where its votes point."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from traces_for_tests import WAY

from daemon.adapters.fake_traces import FakeTraces
from daemon.core.ask_variant import Chat
from daemon.core.call_rows import ModelVote
from daemon.core.errors import CapReached
from daemon.core.paid_chat import About, Paid
from daemon.core.rows import Lease
from daemon.core.traced_asker import TracedAsker
from daemon.core.traces import Trace, TracedItem
from labeling_functions.label_space import LabelSpace
from labeling_functions.llm.chat_model import ChatDown, ChatReply, ChatRequest, Message
from labeling_functions.task import ABSTAIN

REPLY = ChatReply(("spam",), (), 20, 1, 0.25)
LEASES = [Lease(4, "a", "llm", b"", False, 0), Lease(5, "b", "llm", b"", False, 0)]


@dataclass
class Script:
    """A chat that says what it is told to, and remembers what calls were made for."""

    says: list[Paid | Exception]
    about: list[About] = field(default_factory=list)

    def ask(self, request: ChatRequest, about: About) -> Paid:
        self.about.append(about)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


@dataclass(frozen=True)
class Asker:
    """Asks once for all items together, and once more to repair it."""

    chat: Chat
    label: int = 1
    probabilities: tuple[float, ...] | None = (0.25, 0.75)

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> Sequence[ModelVote]:
        for repair in (False, True):
            self.chat.ask(ChatRequest("small", (Message("user", "?"),)), About(annotator, repair=repair))
        return [ModelVote(self.label, self.probabilities, micros=7) for _ in leases]


def traced(script: Script, traces: FakeTraces, make: Callable[[Chat], Asker] = Asker) -> TracedAsker:
    return TracedAsker(make, script, traces, WAY, LabelSpace(("ham", "spam")), itertools.count(100).__next__)


def only(traces: FakeTraces) -> Trace:
    (trace,) = traces.kept.values()
    return trace


def test_a_trace_holds_every_call_and_the_votes_point_at_it() -> None:
    traces = FakeTraces()
    script = Script([Paid(REPLY, 30), Paid(REPLY, 40)])
    votes = traced(script, traces)(7, LEASES)
    trace = only(traces)
    assert votes == [ModelVote(1, (0.25, 0.75), micros=7, trace=trace.id)] * 2
    assert script.about == [About(7, trace=trace.id), About(7, repair=True, trace=trace.id)]
    assert [(call.reply, call.micros, call.repair) for call in trace.calls] == [
        (REPLY, 30, False),
        (REPLY, 40, True),
    ]
    times = [time for call in trace.calls for time in (call.started, call.ended)]
    assert [trace.started, *times, trace.ended] == list(range(100, 106))
    assert trace.items == [TracedItem("a", 4, "spam", 0.75), TracedItem("b", 5, "spam", 0.75)]
    assert (trace.way, trace.error) == (WAY, "")


def test_an_abstention_is_no_label_and_without_confidence_none_is_told() -> None:
    for label, probabilities, item in (
        (ABSTAIN, None, TracedItem("a", 4)),
        (0, None, TracedItem("a", 4, "ham")),
    ):
        traces = FakeTraces()
        script = Script([Paid(REPLY, 30), Paid(REPLY, 30)])
        traced(script, traces, lambda chat: Asker(chat, label, probabilities))(7, LEASES[:1])  # noqa: B023
        assert only(traces).items == [item]


def test_of_a_set_the_class_that_the_model_is_least_sure_about_is_told() -> None:
    traces, space = FakeTraces(), LabelSpace(("ham", "spam", "scam"), sets=True)
    script = Script([Paid(REPLY, 30), Paid(REPLY, 30)])
    asker = replace(
        traced(script, traces, lambda chat: Asker(chat, 0b101, (0.9, 0.3, 0.8))),
        space=space,
    )
    asker(7, LEASES[:1])
    assert only(traces).items == [TracedItem("a", 4, "ham, scam", 0.7)]


def test_a_failure_is_a_trace_too_and_goes_on() -> None:
    traces = FakeTraces()
    script = Script([Paid(REPLY, 30), ChatDown("nobody there")])
    with pytest.raises(ChatDown):
        traced(script, traces)(7, LEASES)
    trace = only(traces)
    assert trace.error == "ChatDown: nobody there"
    assert [(call.reply, call.error) for call in trace.calls] == [
        (REPLY, ""),
        (None, "ChatDown: nobody there"),
    ]
    assert trace.items == [TracedItem("a", 4), TracedItem("b", 5)]


def test_what_a_cap_refused_was_never_asked() -> None:
    traces = FakeTraces()
    with pytest.raises(CapReached):
        traced(Script([CapReached("no money")]), traces)(7, LEASES)
    assert traces.kept == {}
    with pytest.raises(CapReached):
        traced(Script([Paid(REPLY, 30), CapReached("no money")]), traces)(7, LEASES)
    assert len(only(traces).calls) == 1


def test_what_is_not_sampled_is_asked_all_the_same() -> None:
    traces = FakeTraces(share=0.0)
    script = Script([Paid(REPLY, 30), Paid(REPLY, 40)])
    assert traced(script, traces)(7, LEASES) == [ModelVote(1, (0.25, 0.75), micros=7)] * 2
    assert script.about == [About(7), About(7, repair=True)]
    assert traces.kept == {}


def test_each_asking_is_a_trace_of_its_own() -> None:
    traces = FakeTraces()
    ask = traced(Script([Paid(REPLY, 30)] * 4), traces)
    first, second = ask(7, LEASES[:1]), ask(7, LEASES[1:])
    assert {first[0].trace, second[0].trace} == set(traces.kept)
    assert [len(trace.calls) for trace in traces.kept.values()] == [2, 2]
