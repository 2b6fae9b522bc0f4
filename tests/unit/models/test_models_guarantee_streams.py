"""The simulated promise: the certificate keeps it where other rules break it."""

import numpy as np
import pytest

from benchmarks import guarantee as program
from benchmarks import guarantee_rules as rules
from benchmarks import guarantee_streams as streams


@pytest.mark.parametrize("scenario", ["steady", "abrupt drift", "recurring drift", "overconfident", "edge"])
@pytest.mark.parametrize("rule", ["certificate", "equal coins"])
def test_the_promise_is_kept_by_windows_and_by_the_ledger(scenario: str, rule: str) -> None:
    terms = rules.Terms(windows=4, items=2_000, share=0.15)
    result = streams.simulate(scenario, rule, 15, 5, terms)
    assert program.keeps(result, terms.delta), result
    assert result.coverage <= result.oracle or scenario == "edge"


def test_coins_where_they_help_release_more_for_the_same_audits() -> None:
    terms = rules.Terms(windows=4)
    ours, equal = (streams.simulate("steady", rule, 15, 5, terms) for rule in ("certificate", "equal coins"))
    assert ours.oracle == equal.oracle, "both must see the same streams"
    assert ours.coverage > 1.2 * equal.coverage > 0.1


def test_the_promise_is_kept_where_the_last_threshold_decides_what_is_encoded() -> None:
    """Functions that promise far too much, and no classifier to say so about what they are sure of."""
    terms = rules.Terms(windows=4, items=2_000, share=0.15)
    violated = spared = released = 0
    for seed in range(15):
        random, history, least = np.random.default_rng([8, seed]), rules.History.empty(), np.inf
        for window in range(terms.windows):
            with_classifier, wrong = streams.steady(random, 0.0, terms.items)
            doubt = np.exp(-random.normal(0.5, 1.0, terms.items))
            functions = 1 / (1 + (1 / with_classifier - 1) * doubt)
            scores = np.where(functions >= least, functions, with_classifier)
            release = rules.certificate(scores, wrong, history, 100 * seed + window, terms)
            spared += int((functions >= least).sum())
            least = np.inf if release.tau is None else release.tau
            out = scores >= least
            released += int(out.sum())
            violated += int((out & wrong).sum() > terms.alpha * out.sum())
    windows = 15 * terms.windows
    assert violated <= windows * program.allowance(terms.delta, windows)
    assert min(spared, released) > 0.1 * windows * terms.items


def test_trusting_scores_breaks_under_drift_and_would_be_seen() -> None:
    terms = rules.Terms(windows=4, items=1_000)
    result = streams.simulate("overconfident", "trust the scores", 10, 5, terms)
    assert result.violations > program.allowance(terms.delta, result.windows)


def test_a_test_at_the_edge_has_power() -> None:
    """Whoever never errs where every release is an error is too strict."""
    result = streams.simulate("edge", "certificate", 40, 5, rules.Terms(windows=4))
    assert 0.02 < result.violations < 0.17


def test_intervals_hold_the_share() -> None:
    assert program.interval(0, 10)[0] == 0.0 and program.interval(10, 10)[1] == 1.0
    low, high = program.interval(5, 100)
    assert 0.016 < low < 0.05 < high < 0.115
