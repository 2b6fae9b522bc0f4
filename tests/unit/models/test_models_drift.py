"""Alarms when the stream changes, and only then."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from models.drift.change import MeanWatch, adwin
from models.drift.monitor import DriftMonitor, MonitorSettings, classifier_agreement
from models.drift.reference import Reference
from models.drift.symbol_counts import SymbolCounts, exact_p
from models.set_bundle import facet_key

KEYS = ("function:a@1", "function:b@1", "function:c@1")
D = 16


def vectors_of(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Unit vectors around one direction; a shift turns them away from it."""
    raw = np.random.default_rng(seed).normal(0, 0.2, (n, D))
    raw[:, 0] += 1
    raw[:, 1] += shift
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def votes_of(n: int, seed: int, speaks: tuple[float, float, float] = (0.3, 0.5, 0.05)) -> np.ndarray:
    """Two classes; each function speaks on a share of the items."""
    random = np.random.default_rng(seed)
    return np.where(random.random((n, 3)) < speaks, random.integers(0, 2, (n, 3)), -1).astype(np.int8)


@pytest.fixture
def reference() -> Reference:
    return Reference.of(vectors_of(2_000, 1), votes_of(2_000, 1), KEYS, 2)


def signals(monitor: DriftMonitor, n: int, seed: int, **feed: object) -> list[str]:
    """Signals raised by n items in batches of 64."""
    shift, speaks = feed.get("shift", 0.0), feed.get("speaks", (0.3, 0.5, 0.05))
    vectors, matrix = vectors_of(n, seed, shift), votes_of(n, seed, speaks)  # type: ignore[arg-type]
    agrees = np.random.default_rng(seed).random(n) < feed.get("agrees", 0.9)  # type: ignore[operator]
    raised = []
    for start in range(0, n, 64):
        part = slice(start, start + 64)
        raised += monitor.update(vectors[part], matrix[part], KEYS, agrees[part].astype(float))
    return [alarm.signal for alarm in raised]


def test_an_unchanged_stream_is_silent(reference: Reference) -> None:
    assert signals(DriftMonitor(reference), 20_000, 2) == []


@pytest.mark.parametrize(
    ("change", "signal"),
    [
        ({"shift": 1.0}, "distance"),
        ({"speaks": (0.3, 0.0, 0.05)}, "symbols"),
        ({"speaks": (0.3, 0.5, 0.5)}, "symbols"),
        ({"agrees": 0.4}, "agreement"),
    ],
)
def test_each_change_raises_its_own_signal_once(
    reference: Reference, change: dict[str, object], signal: str
) -> None:
    monitor = DriftMonitor(reference, MonitorSettings(block_items=(128,)))
    assert signals(monitor, 1_024, 2) == []
    assert signals(monitor, 640, 3, **change) == [signal]


def test_a_stream_that_starts_out_changed_is_noticed(reference: Reference) -> None:
    assert "distance" in signals(DriftMonitor(reference), 256, 2, shift=1.0)


def test_an_alarm_says_what_how_much_and_after_how_many(reference: Reference) -> None:
    monitor = DriftMonitor(reference, MonitorSettings(block_items=(128,)))
    (alarm,) = monitor.update(None, votes_of(128, 2, (0.3, 0.0, 0.05)), KEYS)
    assert alarm.seen == 128
    assert alarm.size == pytest.approx(0.5, abs=0.05)
    assert "b abstained on 100.0% of 128 items" in alarm.detail
    (alarm,) = DriftMonitor(reference).update(vectors_of(256, 2, 1.0), votes_of(256, 2), KEYS)
    assert "farther from" in alarm.detail
    assert 0.2 < alarm.size <= 1


def test_an_alarm_about_one_class_of_several_names_it() -> None:
    keys = [facet_key("function:a@1", name) for name in ("billing", "praise", "outage")]
    reference = Reference.of(None, votes_of(2_000, 1), keys, 2)
    monitor = DriftMonitor(reference, MonitorSettings(block_items=(128,)), classes=("no", "yes"))
    (alarm,) = monitor.update(None, votes_of(128, 2, (0.3, 0.0, 0.05)), keys)
    assert alarm.detail.startswith("a (praise) abstained on 100.0% of 128 items")


def test_audits_are_a_signal_of_their_own(reference: Reference) -> None:
    monitor = DriftMonitor(reference)
    assert monitor.audited(np.ones(200), np.full(200, 0.98)) == []
    (alarm,) = monitor.audited(np.zeros(100), np.full(100, 0.98))
    assert alarm.signal == "audits"
    assert "fewer were right than their scores said, before 2.0% more" in alarm.detail


def test_audits_of_doubtful_labels_after_those_of_sure_ones_are_no_drift(reference: Reference) -> None:
    random = np.random.default_rng(3)
    monitor, raw = DriftMonitor(reference), DriftMonitor(reference)
    alarms, misled = [], []
    for window in range(12):
        scores = random.uniform(0.5, 0.7, 100) if window >= 6 else random.uniform(0.95, 1.0, 100)
        right = (random.random(100) < scores).astype(np.float64)
        alarms += monitor.audited(right, scores)
        misled += raw.audited(right, np.full(100, 0.8))
    assert alarms == []
    assert misled, "without their scores the windows would look like changes"


def test_labels_that_are_wrong_oftener_than_their_scores_say_are_noticed(reference: Reference) -> None:
    random = np.random.default_rng(4)
    monitor, scores = DriftMonitor(reference), random.uniform(0.6, 1.0, 600)
    right = (random.random(600) < scores).astype(np.float64)
    assert monitor.audited(right[:300], scores[:300]) == []
    wrong = (random.random(300) < scores[300:] - 0.3).astype(np.float64)
    assert monitor.audited(wrong, scores[300:])


def test_batches_of_any_size_tell_the_same(reference: Reference) -> None:
    matrix = np.concatenate([votes_of(700, 2), votes_of(700, 3, (0.9, 0.5, 0.05))])
    vectors = np.concatenate([vectors_of(700, 2), vectors_of(700, 3, 1.0)])
    told = []
    for size in (1, 50, 1_400):
        monitor = DriftMonitor(reference, MonitorSettings(block_items=(128,)))
        raised = [
            monitor.update(vectors[start : start + size], matrix[start : start + size], KEYS)
            for start in range(0, 1_400, size)
        ]
        told.append(sorted((alarm.signal) for alarms in raised for alarm in alarms))
    assert told[0] == told[1] == told[2] == ["distance", "symbols"]


def test_without_a_reference_nothing_is_said() -> None:
    monitor = DriftMonitor(Reference.from_arrays({}))
    assert monitor.update(vectors_of(2_000, 1), votes_of(2_000, 1), KEYS) == []
    assert (
        DriftMonitor(Reference.of(None, votes_of(0, 1), KEYS, 2)).update(None, votes_of(300, 1), KEYS) == []
    )


def test_functions_that_the_reference_does_not_know_are_passed_over(reference: Reference) -> None:
    monitor = DriftMonitor(reference)
    matrix = np.column_stack([np.ones(2_048, np.int8), votes_of(2_048, 5)])
    assert monitor.update(None, matrix, ("function:new@1", *KEYS)) == []
    assert monitor.update(None, matrix[:, :1], ("function:new@1",)) == []


def test_a_shift_is_told_again_only_after_a_block_like_the_reference(reference: Reference) -> None:
    blocks = SymbolCounts(reference.symbols, 128, 0.01)
    odd = (0.9, 0.5, 0.05)
    assert blocks.update(votes_of(128, 2, odd), KEYS) is not None
    assert blocks.update(votes_of(128, 3, odd), KEYS) is None
    assert blocks.update(votes_of(128, 4), KEYS) is None
    shift = blocks.update(votes_of(128, 5, odd), KEYS)
    assert shift is not None
    assert (shift.key, shift.over) == ("function:a@1", 128)


def test_false_alarms_of_symbols_stay_below_their_bound() -> None:
    """Reference and stream are drawn anew each time: together they must not exceed alpha."""
    alarms = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        small = Reference.of(None, votes_of(150, seed + 1_000), KEYS, 2)
        blocks = SymbolCounts(small.symbols, 64, 0.2)
        alarms += blocks.update(votes_of(640, int(random.integers(1 << 30))), KEYS) is not None
    assert alarms <= 0.2 * 300


def test_exact_p_is_that_of_the_hypergeometric_test() -> None:
    p = exact_p(np.array([40, 10, 0]), np.array([50, 50, 0]), np.array([20, 20, 20]), np.array([100] * 3))
    assert p[0] == pytest.approx(2 * hypergeom.sf(39, 150, 60, 50), rel=1e-9)
    assert p[1:].tolist() == [1.0, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 200))
def test_exact_p_is_a_probability(now: int, then: int) -> None:
    p = exact_p(np.array([now]), np.array([60]), np.array([then]), np.array([200]))
    assert 0 <= p[0] <= 1


def test_a_mean_watch_passes_over_gaps_and_tells_both_means() -> None:
    watch = MeanWatch(0.002)
    assert watch.update(np.full(10, np.nan)) is None
    assert watch.update(np.tile([1.0, np.nan], 300)) is None
    change = watch.update(np.zeros(64))
    assert change is not None
    assert change.before > change.now


def test_rivers_class_comes_alone_and_is_the_same() -> None:
    from river.drift import ADWIN

    heavy = ("sklearn", "pandas", "scipy")
    code = "import sys; from models.drift.change import adwin; adwin(); "
    code += f"print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    whole, alone = ADWIN(0.01), adwin()(0.01)
    for value in np.random.default_rng(3).random(600) + np.repeat([0, 1, 0.5], 200):
        whole.update(value)
        alone.update(value)
        assert (whole.drift_detected, whole.estimation) == (alone.drift_detected, alone.estimation)
    assert whole.n_detections == alone.n_detections


def test_a_reference_survives_storage(reference: Reference) -> None:
    arrays = reference.arrays()
    assert sorted(arrays) == ["distances", "mean", *(f"symbols:{key}" for key in KEYS)]
    again = Reference.from_arrays({"other": np.zeros(3), **arrays})
    assert np.array_equal(again.mean, reference.mean)
    assert np.array_equal(again.distances, reference.distances)
    assert {k: v.tolist() for k, v in again.symbols.items()} == {
        k: v.tolist() for k, v in reference.symbols.items()
    }


def test_a_reference_counts_votes_with_abstention_last() -> None:
    made = Reference.of(None, np.array([[0, -1], [1, -1], [0, 1]]), ("a", "b"), 2)
    assert {key: counts.tolist() for key, counts in made.symbols.items()} == {"a": [2, 1, 0], "b": [0, 1, 2]}


def test_ranks_of_the_reference_are_even(reference: Reference) -> None:
    ranks = reference.ranks(vectors_of(2_000, 1))
    assert ranks.mean() == pytest.approx(0.5, abs=0.01)
    assert reference.ranks(vectors_of(100, 9, 5.0)).mean() > 0.95


def test_a_mean_without_distances_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Reference.from_arrays({"mean": np.zeros(4)})


def test_another_encoder_or_another_task_is_refused(reference: Reference) -> None:
    monitor = DriftMonitor(reference)
    with pytest.raises(ValueError, match="two encoders"):
        monitor.update(np.zeros((2, D + 1), np.float32), votes_of(2, 1), KEYS)
    with pytest.raises(ValueError, match="does not know"):
        monitor.update(None, np.full((2, 3), 2), KEYS)


def test_agreement_speaks_only_where_both_sides_do() -> None:
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [np.nan, np.nan]])
    matrix = np.array([[0, 0, 1], [1, 1, -1], [0, 1, -1], [-1, -1, -1], [0, 0, 0]])
    agreement = classifier_agreement(proba, matrix)
    assert agreement[:2].tolist() == [1.0, 0.0]
    assert np.isnan(agreement[2:]).all()
    assert np.isnan(classifier_agreement(proba, matrix[:, :0])).all()
