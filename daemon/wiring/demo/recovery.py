"""What the demo's change of the stream did, window by window and model by model, against the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.window_rows import WindowRecord
from daemon.wiring.demo.corpus import Message
from daemon.wiring.demo.heard import Heard


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """A closed window: how many of its items came after the change, and what its certificate was worth."""

    window: WindowRecord
    shifted: float
    certified: int
    wrong: int

    @property
    def holds(self) -> bool:
        """Whether the promise was kept: never more wrong labels among the certified than alpha says."""
        return self.wrong <= self.window.alpha * self.certified


@dataclass(frozen=True, slots=True)
class Stage:
    """First labels that a bundle gave items before or after the change, without any person's help."""

    shifted: bool
    bundle: int | None
    labels: int
    right: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """The figures of the drift demo. `before`: messages before the change."""

    before: int
    windows: Sequence[WindowOutcome]
    stages: Sequence[Stage]
    alarms: Sequence[AlarmRecord]


def judge(
    heard: Heard,
    messages: Sequence[Message],
    windows: Sequence[tuple[WindowRecord, Sequence[str]]],
    alarms: Sequence[AlarmRecord],
) -> Recovery:
    """Compare what was published with the truth; `windows` are closed ones with the ids of their items."""
    known = {message.id: message for message in messages}
    return Recovery(
        before=sum(not message.shifted for message in messages),
        windows=[_window(record, ids, heard.certified.get(record.id, {}), known) for record, ids in windows],
        stages=_stages(heard, known),
        alarms=sorted(alarms, key=lambda alarm: alarm.id),
    )


def _window(
    record: WindowRecord, ids: Sequence[str], certified: Mapping[str, str], known: Mapping[str, Message]
) -> WindowOutcome:
    wrong = sum(known[item].truth != label for item, label in certified.items())
    shifted = sum(known[item].shifted for item in ids) / len(ids)
    return WindowOutcome(record, shifted, len(certified), wrong)


def _stages(heard: Heard, known: Mapping[str, Message]) -> list[Stage]:
    counts: dict[tuple[bool, int], list[bool]] = {}
    for item, label in heard.first.items():
        message = known[item]
        place = (message.shifted, label.bundle or 0)
        counts.setdefault(place, []).append(label.label == message.truth)
    return [
        Stage(shifted, bundle or None, len(right), sum(right))
        for (shifted, bundle), right in sorted(counts.items())
    ]


def table(recovery: Recovery) -> RenderableType:
    """What happened, in three parts: windows, alarms, and how right the models' first labels were."""
    return Group(Text(), _windows(recovery), Text(), _alarms(recovery), Text(), _models(recovery))


def _windows(recovery: Recovery) -> Table:
    shown = _table("Windows before and after the change", "window", "items", "after the change")
    for name in ("audit share", "audits", "found wrong", "certified", "truly wrong", "promise"):
        shown.add_column(name, justify="right")
    for one in recovery.windows:
        record = one.window
        shown.add_row(
            str(record.id),
            f"{record.n:,}",
            f"{one.shifted:.0%}",
            f"{record.p:.0%}",
            f"{len(record.wrong):,}",
            f"{int(record.wrong.sum()):,}",
            f"{one.certified:,}",
            f"{one.wrong:,} ({one.wrong / one.certified:.1%})" if one.certified else "-",
            "nothing released" if not one.certified else "held" if one.holds else "broken",
        )
    return shown


def _alarms(recovery: Recovery) -> Table:
    shown = _table("Alarms", "signal", "messages after the change", "ended")
    shown.add_column("what")
    for alarm in recovery.alarms:
        late = alarm.items - recovery.before
        shown.add_row(
            alarm.signal,
            f"{late:,}" if late >= 0 else f"a false alarm, {-late:,} before it",
            "open"
            if alarm.ended_at is None
            else f"after {(alarm.ended_at - alarm.at) / 1000:,.0f} s by bundle {alarm.ended_by}",
            alarm.detail,
        )
    if not recovery.alarms:
        shown.add_row("none", "-", "-", "")
    return shown


def _models(recovery: Recovery) -> Table:
    shown = _table("First labels, before anybody was asked", "items", "labeled by", "labels")
    shown.add_column("right", justify="right")
    for stage in recovery.stages:
        shown.add_row(
            "after the change" if stage.shifted else "before the change",
            "built-in priors" if stage.bundle is None else f"bundle {stage.bundle}",
            f"{stage.labels:,}",
            f"{stage.right / stage.labels:.1%}",
        )
    return shown


def _table(title: str, *columns: str) -> Table:
    shown = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        shown.add_column(name, justify="left" if number == 0 else "right")
    return shown
