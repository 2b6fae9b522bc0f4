"""What the ledger of released labels says, and what it stops."""

from dataclasses import dataclass, replace
from typing import cast

from daemon.core.ledger import AcceptedFrom, in_words, is_suspended, standing, telling_since
from daemon.core.ports import WindowStore
from daemon.core.settings import GuaranteeSettings
from daemon.core.window_rows import NOTHING_RELEASED, LedgerRecord, LedgerStep

PROMISE = GuaranteeSettings(target_error=0.05, confidence=0.9)
GOOD = LedgerRecord(windows=9, released=100_000, audited=1_000, found=0, p=0.01)
BAD = replace(GOOD, found=300)
SMALL = replace(GOOD, windows=1, released=200, audited=3, found=3)


def test_before_the_first_audits_there_is_nothing_to_say() -> None:
    assert standing(NOTHING_RELEASED, PROMISE) is None
    assert not is_suspended(NOTHING_RELEASED, PROMISE)
    assert in_words(NOTHING_RELEASED, PROMISE) == "Of released labels none has been audited again so far."


def test_too_many_errors_suspend_as_soon_as_the_ledger_can_tell() -> None:
    assert not is_suspended(GOOD, PROMISE)
    assert not is_suspended(SMALL, PROMISE)
    assert is_suspended(BAD, PROMISE)
    assert not is_suspended(BAD, replace(PROMISE, target_error=0.49))


def test_it_is_said_in_words() -> None:
    assert in_words(BAD, PROMISE).startswith("Automatic acceptance is suspended. Of 100,000 released labels ")
    assert "1,000 were audited again and none was wrong: with 90% confidence at most" in in_words(
        GOOD, PROMISE
    )
    assert "and 1 was wrong" in in_words(replace(GOOD, found=1), PROMISE)
    assert in_words(SMALL, PROMISE).endswith("It takes more of them to hold this against the target.")


def test_it_can_tell_from_the_window_on_that_made_it_long_enough() -> None:
    steps = [LedgerStep(4, 1_000, SMALL), LedgerStep(6, 2_000, BAD), LedgerStep(7, 3_000, BAD)]
    since = telling_since(steps, PROMISE)
    assert since is not None
    assert since.window == 6
    assert telling_since(steps[:1], PROMISE) is None


@dataclass
class Windows:
    """What a follower asks of the store; counts how often it is asked."""

    tau: float | None
    record: LedgerRecord = NOTHING_RELEASED
    looks: int = 0

    def last_threshold(self, since: int | None = None) -> float | None:
        self.looks += 1
        return self.tau

    def ledger(self) -> LedgerRecord:
        return self.record


def _follower(windows: Windows, times: list[float], provisional: str = "accepted") -> AcceptedFrom:
    promise = replace(PROMISE, provisional=provisional)
    return AcceptedFrom(cast(WindowStore, windows), promise, clock=lambda: times[0])


def test_labels_go_out_from_the_last_windows_threshold_on() -> None:
    times, windows = [0.0], Windows(0.97)
    accepted_from = _follower(windows, times)
    assert accepted_from() == 0.97
    windows.tau = None
    assert accepted_from() == 0.97
    assert windows.looks == 1, "the database is not asked for every batch"
    times[0] = 1.1
    assert accepted_from() == float("inf")


def test_nothing_goes_out_early_while_acceptance_is_suspended() -> None:
    assert _follower(Windows(0.5, BAD), [0.0])() == float("inf")


def test_other_settings_do_not_ask() -> None:
    for provisional in ("publish", "hold"):
        windows = Windows(0.5)
        assert _follower(windows, [0.0], provisional)() is None
        assert windows.looks == 0


def test_the_threshold_is_told_whatever_goes_out_early() -> None:
    assert _follower(Windows(0.5), [0.0], "publish").threshold() == 0.5
    assert _follower(Windows(None), [0.0], "hold").threshold() == float("inf")
    assert _follower(Windows(0.5, BAD), [0.0], "publish").threshold() == float("inf")
