"""What proofs take: audits until a window can release labels, releases until the ledger can tell."""

import math
from collections.abc import Sequence

import numpy as np

from daemon.core.ledger import in_words, standing
from daemon.core.report_rows import Claim
from daemon.core.settings import GuaranteeSettings
from daemon.core.window_rows import LedgerRecord, WindowRecord
from models.guarantee.binomial import audits_needed
from models.guarantee.outgoing import anytime_upper_bound
from models.guarantee.planning import audits_to_pass

NEAR = 0.9
"""Labels whose share of errors is this near to the target, or beyond it, are not worth planning for."""


def certificate_claim(windows: Sequence[WindowRecord], promise: GuaranteeSettings) -> Claim:
    """Whether a window released labels, and how many audits it takes before one can."""
    alpha, delta = promise.target_error, 1 - promise.confidence
    least = audits_needed(alpha, delta)
    expected = promise.audit_share * promise.window_items
    if windows and windows[0].tau is not None:
        last = windows[0]
        said = f"Window {last.id} released {last.certified:,} labels with at most {last.alpha:.1%} wrong."
        return Claim("Certificate", said, "", least, least)
    unknown = f"Whether labels with at most {alpha:.1%} wrong can be released at {promise.confidence:.0%}"
    if expected < least:
        said = (
            f"{unknown}: a window has about {expected:.0f} audits; without a single error it takes {least}."
        )
        return Claim("Certificate", said, _larger(promise, least), expected, least)
    seen = sum(len(window.wrong) for window in windows)
    why = "no window has closed yet" if not windows else f"window {windows[0].id} released nothing"
    return Claim(
        "Certificate", f"{unknown}: {why}.", _audits(windows, alpha, delta), min(seen, least - 1), least
    )


def _larger(promise: GuaranteeSettings, least: int) -> str:
    items = math.ceil(least / promise.audit_share)
    share = least / promise.window_items
    other = f", or audit_share {share:.0%} at least" if share <= 1 else ""
    return f"window_items {items:,} at least{other}."


def _audits(windows: Sequence[WindowRecord], alpha: float, delta: float) -> str:
    """What it takes with labels as wrong as the surer half of the audited ones were."""
    needs = f"{audits_to_pass(0.0, alpha, delta)} audits above the threshold if none finds an error"
    rate = surer_half(windows)
    if not rate:
        return f"{needs}."
    if rate > NEAR * alpha:
        return f"{needs}; but of the surer half of the audited labels {rate:.1%} were wrong."
    return (
        f"{needs}, {audits_to_pass(rate, alpha, delta):,} at the {rate:.1%} found in the surer half so far."
    )


def surer_half(windows: Sequence[WindowRecord]) -> float | None:
    """Share of wrong labels among the audited ones with the higher scores; None without audits."""
    if not windows:
        return None
    scores = np.concatenate([window.scores for window in windows])
    wrong = np.concatenate([window.wrong for window in windows])
    if not len(scores):
        return None
    surer = np.argsort(-scores, kind="stable")[: math.ceil(len(scores) / 2)]
    return float(wrong[surer].mean())


def released_until_telling(record: LedgerRecord, promise: GuaranteeSettings) -> int:
    """Released labels from which on a flawless ledger shows the target met."""
    p = promise.outgoing_share if record.p is None else record.p
    return math.ceil(anytime_upper_bound(0, p, 1 - promise.confidence) / promise.target_error)


def ledger_claim(record: LedgerRecord, windows: Sequence[WindowRecord], promise: GuaranteeSettings) -> Claim:
    """What the ledger says, or how many released labels it takes before it can."""
    want = released_until_telling(record, promise)
    ledger = standing(record, promise)
    if ledger is not None and ledger.telling:
        return Claim("Ledger", in_words(record, promise), "", record.released, want)
    said = f"Whether all labels released so far ({record.released:,}) meet the target together."
    needs = f"{want - record.released:,} more released labels whose audits are in"
    each = np.mean([window.certified for window in windows]) if windows else 0.0
    if each:
        needs += (
            f", about {math.ceil((want - record.released) / each):,} windows like the last {len(windows)}"
        )
    return Claim("Ledger", said, f"{needs}.", record.released, want)
