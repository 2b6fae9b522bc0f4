"""The demo's live picture."""

import io
from dataclasses import replace

import numpy as np
from rich.console import Console

from daemon.core.alarm_rows import AlarmRecord
from daemon.core.report_rows import NOTHING_YET, Overview
from daemon.core.settings import DriftSettings
from daemon.core.window_rows import WindowRecord
from daemon.wiring.demo.screen import Streaming, picture


def window(id_: int, certified: int, frozen_at: int) -> WindowRecord:
    nothing = np.zeros(0, np.float32), np.zeros(0, np.bool_)
    return WindowRecord(id_, 100, 0.1, 0.05, 0.1, 0.9, certified, *nothing, frozen_at + 1, frozen_at)


def shown(overview: Overview) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    stream = Streaming(sent=10, total=20, seconds=3.0, addresses=["http://pages"])
    console.print(picture(overview, stream, "USD", DriftSettings(gold=40)))
    return console.export_text()


def test_it_can_be_shown_before_anything_came() -> None:
    assert "10 of 20" in shown(NOTHING_YET)


def test_an_alarm_stands_where_it_was_raised_among_the_windows() -> None:
    alarm = AlarmRecord(1, 250, 250, 1, 900, "distance", "far", 0.4, 1, None, None)
    windows = [window(4, 99, 400), window(3, 0, 300), window(2, 99, 200), window(1, 99, 100)]
    text = shown(replace(NOTHING_YET, windows=windows, alarms=[alarm], fresh=12))
    assert "██!▁█" in text
    assert "ALARM (distance)" in text
    assert "12 of 40" in text
    over = replace(alarm, ended_at=9_250, ended_by=2)
    assert "calm again: distance alarm ended after 9 s by bundle 2" in shown(
        replace(NOTHING_YET, windows=windows, alarms=[over])
    )
