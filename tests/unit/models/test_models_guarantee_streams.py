"""The simulated promise: the certificate keeps it where other rules break it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def modules() -> Iterator[tuple[ModuleType, ModuleType, ModuleType]]:
    """Of `benchmarks`, which is not installed: the program, the rules, the streams."""
    sys.path.insert(0, str(ROOT))
    try:
        names = ("guarantee", "guarantee_rules", "guarantee_streams")
        program, rules, streams = (importlib.import_module(f"benchmarks.{name}") for name in names)
        yield program, rules, streams
    finally:
        sys.path.remove(str(ROOT))


Modules = tuple[ModuleType, ModuleType, ModuleType]


@pytest.mark.parametrize("scenario", ["steady", "abrupt drift", "recurring drift", "overconfident", "edge"])
@pytest.mark.parametrize("rule", ["certificate", "equal coins"])
def test_the_promise_is_kept_by_windows_and_by_the_ledger(modules: Modules, scenario: str, rule: str) -> None:
    program, rules, streams = modules
    terms = rules.Terms(windows=4, items=2_000, share=0.15)
    result = streams.simulate(scenario, rule, 15, 5, terms)
    assert program.keeps(result, terms.delta), result
    assert result.coverage <= result.oracle or scenario == "edge"


def test_coins_where_they_help_release_more_for_the_same_audits(modules: Modules) -> None:
    _, rules, streams = modules
    terms = rules.Terms(windows=4)
    ours, equal = (streams.simulate("steady", rule, 15, 5, terms) for rule in ("certificate", "equal coins"))
    assert ours.oracle == equal.oracle, "both must see the same streams"
    assert ours.coverage > 1.2 * equal.coverage > 0.1


def test_trusting_scores_breaks_under_drift_and_would_be_seen(modules: Modules) -> None:
    program, rules, streams = modules
    terms = rules.Terms(windows=4, items=1_000)
    result = streams.simulate("overconfident", "trust the scores", 10, 5, terms)
    assert result.violations > program.allowance(terms.delta, result.windows)


def test_a_test_at_the_edge_has_power(modules: Modules) -> None:
    """Whoever never errs where every release is an error is too strict."""
    _, rules, streams = modules
    result = streams.simulate("edge", "certificate", 40, 5, rules.Terms(windows=4))
    assert 0.02 < result.violations < 0.17


def test_intervals_hold_the_share(modules: Modules) -> None:
    program, _, _ = modules
    assert program.interval(0, 10)[0] == 0.0 and program.interval(10, 10)[1] == 1.0
    low, high = program.interval(5, 100)
    assert 0.016 < low < 0.05 < high < 0.115
