"""When a window freezes, on what terms, and what its audits mean for every item in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.decide import told_posterior
from daemon.core.evidence import final_label
from daemon.core.ledger import is_withheld
from daemon.core.messages import Certificate, Voter, composer
from daemon.core.panel import UNANSWERED
from daemon.core.policy import AUDIT_PRIORITY, Outputs, Policy
from daemon.core.rows import Compose, Decision, OpenItem
from daemon.core.settings import GuaranteeSettings
from daemon.core.states import AuditProtocol, ItemState, LabelStatus
from daemon.core.window_rows import Closing, Frozen, OpenWindow, Ready, WindowPlan, WindowRecord
from labeling_functions.label_space import joined
from models.guarantee.binomial import audits_needed
from models.guarantee.design import design
from models.guarantee.published import published_verdict
from models.guarantee.window import Verdict, verdict

SPARE = 2.0
"""A window that closes by time has this many times the audits that it needs if none finds an error."""


def is_due(ready: Ready, policy: Policy, learned: bool) -> bool:
    """Whether to freeze now: by count or time, never because of what audits said.

    Nothing is frozen before the random answers of the cold start are in and a bundle has `learned` from
    them. A window too small to have a fair chance would waste its audits; it waits.
    """
    promise = policy.guarantee
    if promise.cold_start_gold and (ready.gold < promise.cold_start_gold or not learned):
        return False
    if ready.count >= promise.window_items:
        return True
    return ready.oldest_age >= promise.window_seconds and ready.count >= fewest_items(promise)


def fewest_items(promise: GuaranteeSettings) -> float:
    """Items that a window needs for so many audits as a certificate takes, with some to spare."""
    return SPARE * audits_needed(promise.target_error, 1 - promise.confidence) / promise.audit_share


def plan(
    frozen: Frozen,
    history: Sequence[WindowRecord],
    policy: Policy,
    audit_share: float = 0.0,
    history_since: int = 0,
) -> WindowPlan:
    """A window's terms, from the frozen scores and earlier windows' audits alone.

    Args:
        audit_share: wanted while something is amiss; the configured share is the least.
        history_since: windows frozen before this time (milliseconds since 1970) teach nothing any more.
    """
    promise = policy.guarantee
    delta = 1 - promise.confidence
    recent = [record for record in history if record.frozen_at >= history_since]
    best = design(
        frozen.scores,
        np.concatenate([np.empty(0), *(record.scores for record in recent)]),
        np.concatenate([np.empty(0, np.bool_), *(record.wrong for record in recent)]),
        min(1.0, max(promise.audit_share, audit_share)),
        promise.target_error,
        delta,
    )
    return WindowPlan(
        p=best.p,
        alpha=promise.target_error,
        delta=delta,
        lambdas=best.lambdas,
        start=best.start,
        tier=policy.final_tier,
        price=policy.tiers[policy.final_tier].price_micros,
        priority=AUDIT_PRIORITY,
        deadline_seconds=promise.audit_deadline_seconds,
        protocol=AuditProtocol(promise.audit_protocol),
        outgoing_p=promise.outgoing_share,
        rest=best.rest,
        limits=best.limits,
    )


@dataclass(frozen=True, slots=True)
class WindowJudge:
    """Turns a window whose audits are in into labels, certificates and work for the router."""

    policy: Policy
    outputs: Outputs
    names: Callable[[int], Sequence[str]]
    """Function set id -> names of its functions."""

    def __call__(self, window: OpenWindow) -> Closing | None:
        """The verdict, or None while audits are missing before the deadline."""
        unanswered = window.audits == UNANSWERED
        if unanswered.any() and not window.overdue:
            return None
        result = _verdict(window, self._told(window))
        tau = None if is_withheld(window, self.policy.guarantee) else result.tau
        decision = self._decision(window, tau)
        return Closing(
            accepted=result.accepted,
            errors=result.errors,
            tau=tau,
            decision=decision,
            sent_back=np.array([state == ItemState.ASKING for state in decision.states], np.bool_),
            compose=self._compose(window, decision, tau),
        )

    def _decision(self, window: OpenWindow, tau: float | None) -> Decision:
        told = self._told(window)
        released = window.scores >= tau if tau is not None else np.zeros(len(window.scores), np.bool_)
        skipped = np.zeros(len(window.scores), np.bool_)
        skipped[window.audited[window.audits < 0]] = True
        states = [
            ItemState.HUMAN
            if answer >= 0
            else ItemState.CERTIFIED
            if free and not missed
            else ItemState.ASKING
            for answer, free, missed in zip(told, released, skipped, strict=True)
        ]
        labels = window.labels.copy()
        labels[told >= 0] = self.policy.space.spread(told[told >= 0])
        n = len(states)
        return Decision(
            posterior=self._posterior(window, told),
            labels=labels,
            scores=window.scores,
            classifier=None,
            bundle=None,
            states=states,
            publish=np.array([state != ItemState.ASKING for state in states], np.bool_),
            status=[
                LabelStatus.HUMAN if state == ItemState.HUMAN else LabelStatus.CERTIFIED for state in states
            ],
            withdraw=np.zeros(n, np.bool_),
            window=window.id,
        )

    def _told(self, window: OpenWindow) -> NDArray[np.int64]:
        """(n,) what the auditing tier, or any final tier meanwhile, says; -1 where nobody was asked."""
        final = self.policy.final_tiers
        told = np.array([final_label(item.answers, final) for item in window.items], np.int64)
        answered = window.audits >= 0
        told[window.audited[answered]] = window.audits[answered]
        return told

    def _posterior(self, window: OpenWindow, told: NDArray[np.int64]) -> NDArray[np.float32]:
        posterior = np.array([item.posterior for item in window.items], np.float32)
        rows = np.flatnonzero(told >= 0)
        if len(rows):
            posterior[rows] = told_posterior(told[rows], self.policy)
        return posterior

    def _compose(self, window: OpenWindow, decision: Decision, tau: float | None) -> Compose:
        certificates = {}
        if tau is not None:
            terms = window.plan
            released = Certificate(terms.alpha, terms.delta, window.id, tau, terms.protocol)
            certificates = {
                row: released for row, state in enumerate(decision.states) if state == ItemState.CERTIFIED
            }
        return composer(
            decision,
            lambda row: voter_of(window.items[row], self.names),
            self.policy,
            self.outputs,
            certificates,
        )


def _verdict(window: OpenWindow, told: NDArray[np.int64]) -> Verdict:
    terms = window.plan
    scores = window.scores.astype(np.float64)
    # Neither an unanswered audit nor an undecided one is the label: both are errors.
    wrong = window.audits != joined(window.labels)[window.audited]
    if terms.limits is None:
        return verdict(
            scores, terms.lambdas, terms.start, window.audited, wrong, terms.p, terms.alpha, terms.delta
        )
    kept = told < 0
    kept[window.audited] = False
    # Nor is either proof of an error that is gone from what is published.
    proven = np.zeros(len(scores), np.bool_)
    proven[window.audited[wrong & (window.audits >= 0)]] = True
    return published_verdict(
        scores,
        terms.lambdas,
        terms.limits,
        terms.start,
        window.audited,
        wrong,
        terms.p,
        terms.alpha,
        terms.delta,
        window.tie,
        kept,
        proven,
    )


def voter_of(item: OpenItem, names: Callable[[int], Sequence[str]]) -> Voter:
    """What a label message tells about a stored item."""
    return Voter(
        item=item.id,
        payload=item.payload,
        revision=item.revision,
        functions=names(item.functions),
        inline=item.inline.tolist(),
        answers=item.answers,
        cost=item.cost,
        bundle=item.bundle,
    )
