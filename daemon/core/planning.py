"""What a target costs before it is spent: a plan from recent items, closed windows and the settings.

Guesses in, guesses out: nothing here takes part in a certificate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.core.decide import first_gold
from daemon.core.forecasting import what_if
from daemon.core.policy import Policy
from daemon.core.proofs import NEAR, surer_half
from daemon.core.report_rows import Overview
from daemon.core.rows import F4
from daemon.core.states import AuditProtocol
from daemon.core.window_rows import WindowRecord
from daemon.core.windows import fewest_items
from labeling_functions.label_space import LabelSpace
from models.arrays import F8
from models.bundles import AnyBundle
from models.forecast import Forecast
from models.guarantee.binomial import audits_needed
from models.guarantee.planning import Outlook, audits_to_pass, outlook
from models.guarantee.window import accepted_counts, expected_errors

SIZES = (0.5, 1.0, 2.0)
"""Windows that are planned, as multiples of the usual one."""

LARGEST_WINDOW = 100_000

EXPERTS = (1.0, 0.99, 0.98, 0.97, 0.95)
"""How often experts may be right."""

LEAST_SHARE = 0.01
"""A certificate on less of a window than this is not worth waiting for."""

GUESSED_ITEMS = 2_000
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Recent items as the votes at hand show them, answers of people left out.

    Attributes:
        posterior: (n, F * K). scores: (n,) calibrated probability that the label is right.
        per_day: items that come in a day; None if nobody knows.
        guessed: no item has come yet, so that these are made up.
    """

    posterior: F8
    scores: F8
    per_day: float | None
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What windows of one size promise; None where it would take for ever, or nobody knows.

    Attributes:
        window_items: size. chance: that one releases anything. share: of its items that it releases.
        windows, items, audits, money, hours, days: until the first certificate; items of the whole stream,
            money and hours of audits and of what the cold start still lacks.
    """

    window_items: int
    chance: float
    share: float
    windows: float | None
    items: float | None
    audits: float | None
    money: float | None
    hours: float | None
    days: float | None


@dataclass(frozen=True, slots=True)
class ExpertPlan:
    """Chance and released share of the usual window against experts who are this often right."""

    accuracy: float
    chance: float
    share: float


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What 1,000 items take at the present settings: answers, currency and hours of people.

    `audit_money` is the part of `money` that goes to audits and the ledger's.
    """

    audits: float
    ledger_audits: float
    other_answers: float
    audit_money: float
    money: float
    hours: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the target takes.

    Attributes:
        least_audits: above the threshold, if none finds an error. usual_audits: at `error_seen`, the share
            of errors among the surer half of the audits so far; None if nothing is known or it is too large.
        ready_share: of the items that are sure enough for a window. window_items: that one will usually have.
        windows: by rising size. experts: what they must be. upkeep: of 1,000 items.
        today: what the present budgets buy.
        guesses: what rests on no figure, in words.
    """

    target_error: float
    confidence: float
    least_audits: int
    usual_audits: int | None
    error_seen: float | None
    ready_share: float
    window_items: int
    windows: Sequence[WindowPlan]
    experts: Sequence[ExpertPlan]
    upkeep: Upkeep
    today: Forecast
    guesses: Sequence[str]


def guessed_sample(space: LabelSpace, per_day: float | None) -> Sample:
    """Items to plan with before any has come: half are easy, one label in six is wrong."""
    n_facets, n_options = space.n_facets, len(space.options)
    place = (np.arange(GUESSED_ITEMS) + 0.5) / GUESSED_ITEMS
    right = np.maximum(1 - 0.8 * place**3, n_options**-n_facets)
    wrong = 1 - right ** (1 / n_facets)
    facet = np.repeat(wrong[:, None] / (n_options - 1), n_options, axis=1)
    facet[:, 0] = 1 - wrong
    return Sample(np.tile(facet, n_facets), right, per_day, guessed=True)


def make_plan(sample: Sample, overview: Overview, bundle: AnyBundle, policy: Policy) -> Plan:
    """Plan with the present settings.

    Args:
        sample: recent items. overview: of the database.
        bundle: that is followed. policy: settings.
    """
    windows, missing = overview.windows, _first_answers_missing(overview, policy)
    promise = policy.guarantee
    alpha, delta = promise.target_error, 1 - promise.confidence
    ready = np.sort(sample.scores[sample.scores >= policy.routing.ask_below])[::-1]
    share = len(ready) / len(sample.scores)
    rates = expected_rates(ready, windows)
    seen = surer_half(windows)
    size = usual_size(policy, share, sample.per_day)
    sizes = sorted({min(round(size * times), LARGEST_WINDOW) for times in SIZES})
    outlooks = [_outlook(rates, one, policy) for one in sizes] if len(ready) else []
    present = next((one for one in outlooks if one.window_items == size), None)
    today = buy(sample, windows, bundle, policy, budgets_of(policy, sample.per_day))
    return Plan(
        target_error=alpha,
        confidence=promise.confidence,
        least_audits=audits_needed(alpha, delta),
        usual_audits=None if seen is None or seen > NEAR * alpha else audits_to_pass(seen, alpha, delta),
        error_seen=seen,
        ready_share=share,
        window_items=size,
        windows=[_window(one, share, missing, sample.per_day, policy) for one in outlooks],
        experts=_experts(rates, size, policy) if len(ready) else [],
        upkeep=_upkeep(share, 0.0 if present is None else present.share, today, policy),
        today=today,
        guesses=guesses(sample, overview, policy),
    )


def usual_size(policy: Policy, ready_share: float, per_day: float | None) -> int:
    """Items of a window at this pace: those that the settings name, or what comes until its time is up."""
    promise = policy.guarantee
    if per_day is None:
        return promise.window_items
    by_time = per_day * ready_share * promise.window_seconds / DAY_SECONDS
    return min(promise.window_items, math.ceil(max(by_time, fewest_items(promise))))


def expected_rates(scores: F8, windows: Sequence[WindowRecord]) -> F8:
    """(n,) how often labels of these scores are expected to be wrong, by what earlier audits found.

    `scores` (n,) fall. The same curve as the one that windows are planned by.
    """
    seen = np.concatenate([np.empty(0), *(window.scores for window in windows)])
    wrong = np.concatenate([np.empty(0, np.bool_), *(window.wrong for window in windows)])
    levels = np.unique(scores)[::-1]
    counts = np.diff(accepted_counts(scores, levels), prepend=0)
    errors = np.diff(expected_errors(scores, levels, seen, wrong), prepend=0.0)
    return np.repeat(np.clip(errors / np.maximum(counts, 1), 0.0, 1.0), counts)


def foreseen_chance(window: WindowRecord, scores: F4, earlier: Sequence[WindowRecord]) -> float | None:
    """Chance that this window would release anything, by what was known before its audits.

    `scores`: (s,) of typical items of it. None where nothing was audited.
    """
    if not len(window.scores) or not len(scores):
        return None
    rates = expected_rates(np.sort(scores.astype(np.float64))[::-1], earlier)
    return outlook(rates, window.n, len(window.scores) / window.n, window.alpha, window.delta).chance


@dataclass(frozen=True, slots=True)
class Budgets:
    """Currency an item: of all tiers together, and of single ones; None or absent: no limit."""

    total: float | None = None
    tiers: tuple[tuple[str, float], ...] = ()


def budgets_of(policy: Policy, per_day: float | None) -> Budgets:
    """What the settings' daily budgets leave for an item; no limit where nobody knows how many share them."""
    if not per_day:
        return Budgets()
    caps = {name: tier.budget_per_day for name, tier in policy.tiers.items()}
    return Budgets(tiers=tuple((name, cap / per_day) for name, cap in caps.items() if cap is not None))


def buy(
    sample: Sample, windows: Sequence[WindowRecord], bundle: AnyBundle, policy: Policy, budgets: Budgets
) -> Forecast:
    """What budgets buy beside the audits, which are paid first."""
    ready = sample.scores >= policy.routing.ask_below
    audits = float(ready.mean()) * policy.guarantee.audit_share * audit_price(policy)
    tiers = {
        name: max(money - audits, 0.0) if name == policy.final_tier else money
        for name, money in budgets.tiers
    }
    least = _released_from(sample, windows, policy)
    return what_if(
        sample.posterior,
        bundle,
        policy,
        None if budgets.total is None else max(budgets.total - audits, 0.0),
        lambda posterior: np.asarray(bundle.scores(posterior) >= least),
        tier_budgets=tiers,
    )


def audits_per_day(sample: Sample, policy: Policy) -> float:
    """Currency a day that windows' audits take, whatever the budgets; 0 where no pace is known."""
    ready = float((sample.scores >= policy.routing.ask_below).mean())
    return (sample.per_day or 0.0) * ready * policy.guarantee.audit_share * audit_price(policy)


def audit_price(policy: Policy) -> float:
    """Expected price of an audit: of all answers that the protocol asks for it."""
    return policy.tiers[policy.final_tier].price * answers_an_audit(policy)


def answers_an_audit(policy: Policy) -> float:
    """One, or two and a third where two experts of the settings' accuracy differ."""
    if policy.guarantee.audit_protocol == AuditProtocol.SINGLE:
        return 1.0
    accuracy = policy.tiers[policy.final_tier].accuracy
    return 2 + 2 * accuracy * (1 - accuracy)


def _outlook(rates: F8, size: int, policy: Policy) -> Outlook:
    promise = policy.guarantee
    alpha, delta = promise.target_error, 1 - promise.confidence
    return outlook(rates, size, promise.audit_share, alpha, delta, audit_price(policy))


def _first_answers_missing(overview: Overview, policy: Policy) -> int:
    """Random blind answers that the first window still waits for."""
    return max(0, first_gold(policy.guarantee.cold_start_gold, overview.rejected) - overview.gold)


def _window(one: Outlook, share: float, missing: int, per_day: float | None, policy: Policy) -> WindowPlan:
    """`missing` random blind answers are paid before."""
    if not math.isfinite(one.windows) or one.share < LEAST_SHARE:
        return WindowPlan(one.window_items, one.chance, one.share, *(None,) * 6)
    final = policy.tiers[policy.final_tier]
    answers = one.total_audits * answers_an_audit(policy) + missing
    items = one.items / share
    return WindowPlan(
        window_items=one.window_items,
        chance=one.chance,
        share=one.share,
        windows=one.windows,
        items=items,
        audits=one.total_audits,
        money=one.money + missing * final.price,
        hours=answers * final.seconds_per_answer / 3_600,
        days=items / per_day if per_day else None,
    )


def _experts(rates: F8, size: int, policy: Policy) -> list[ExpertPlan]:
    """An expert's slip contradicts a right label, and seldom happens to agree with a wrong one."""
    seen = {right: _outlook(rates * right + (1 - rates) * (1 - right), size, policy) for right in EXPERTS}
    return [ExpertPlan(right, one.chance, one.share) for right, one in seen.items()]


def _upkeep(share: float, released: float, today: Forecast, policy: Policy) -> Upkeep:
    promise, final = policy.guarantee, policy.tiers[policy.final_tier]
    audits = 1_000 * share * promise.audit_share
    ledger = 1_000 * share * released * promise.outgoing_share
    blind = (audits + ledger) * answers_an_audit(policy)
    seconds = {name: tier.seconds_per_answer for name, tier in policy.tiers.items()}
    asked = sum(1_000 * votes * seconds[name] for name, votes in today.votes.items())
    return Upkeep(
        audits=audits,
        ledger_audits=ledger,
        other_answers=1_000 * sum(today.votes.values()),
        audit_money=(audits + ledger) * audit_price(policy),
        money=(audits + ledger) * audit_price(policy) + 1_000 * today.cost,
        hours=(blind * final.seconds_per_answer + asked) / 3_600,
    )


def _released_from(sample: Sample, windows: Sequence[WindowRecord], policy: Policy) -> float:
    """The score from which labels pass by themselves: that of the last window, or the one planned."""
    last = next((window.tau for window in windows if window.tau is not None), None)
    ready = np.sort(sample.scores[sample.scores >= policy.routing.ask_below])[::-1]
    if last is not None or not len(ready):
        return math.inf if last is None else last
    size = usual_size(policy, len(ready) / len(sample.scores), sample.per_day)
    plan = _outlook(expected_rates(ready, windows), size, policy)
    count = round(plan.share * len(ready))
    return float(ready[count - 1]) if count else math.inf


def guesses(sample: Sample, overview: Overview, policy: Policy) -> list[str]:
    """What a plan takes for granted, in sentences."""
    told, gold = [], overview.gold
    if sample.guessed:
        told.append("No item has come yet: half of them are taken to be easy, and one label in six wrong.")
    elif _first_answers_missing(overview, policy) or not gold:
        few = f"Only {gold:,} random blind answers are" if gold else "No random blind answer is"
        told.append(
            f"{few} in: how often labels are wrong is taken from the "
            "built-in beliefs about functions and people."
        )
    if not overview.windows:
        told.append(
            "No window has closed yet: labels are taken to be wrong somewhat more often than they say."
        )
    if not sample.per_day:
        told.append("Nobody knows how many items come in a day (--items-per-day says it).")
    return told
