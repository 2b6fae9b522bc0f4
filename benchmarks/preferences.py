"""Preferences on recorded pairs: judges beside people, position handling, and human, AI and hybrid feedback.

Reads pandalm_pairs.csv in the folder that LABELLOOP_DATA names. A budget is a number of pairs, drawn from the
training prompts, on which one person was asked; the judges have spoken on all pairs. Prompts are held out
whole, a fifth at a time. Intervals are 95 % bootstrap intervals over prompts; each pair's figure is its mean
over the seeds. There is no second file of this kind: the features were chosen on this one.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import preferences_position
from benchmarks.preferences_data import JUDGES, Pairs, agreed, features, heuristic_votes, judge_votes, read
from models.agreement import cohen_kappa
from models.arrays import F8, I8, UNKNOWN, Mask
from models.bootstrap import drawn_groups, interval
from models.feedback import Feedback, balance
from models.folds import grouped_folds
from models.pair_classifier import choose_pair_strength, fit_pairs
from models.reward_model import RewardModel, soft_log_loss
from models.soft_preferences import (
    N_CLASSES,
    clear_preferences,
    preference_posterior,
    soft_preferences,
    with_answers,
)

BUDGETS = (50, 100, 200)
FOLDS = 5
PERSON_ACCURACY = 0.9
"""Stated beforehand, as a tier's `accuracy` is."""

REPORTED = ("accuracy", "reward", "head accuracy", "head", "labels")
"""Accuracy and log-loss of the reward model on prompts held out, by people's majority where it is A or B; the
same of the head with ties that votes in the loop, given that there is none; log-loss of the soft labels that
both learn from, against the mean of the two people who were not asked."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if hybrid feedback is worse than either alone by more than noise, or no data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args(argv)
    preferences_position.report()
    path = Path(os.environ.get("LABELLOOP_DATA", "")) / "pandalm_pairs.csv"
    if not path.is_file():
        print(f"{path} is missing: set LABELLOOP_DATA to the folder with the data sets", file=sys.stderr)
        return 1
    pairs = read(path)
    resampled = drawn_groups(pairs.groups)
    agreement(pairs, resampled)
    figures = measure(pairs, features(pairs), options.seeds)
    table(figures, resampled)
    return 0 if compare(figures, resampled) else 1


def agreement(pairs: Pairs, resampled: I8) -> None:
    """Print how far judges and heuristics agree with people's majority, each person with the other two."""
    print(f"\n{len(pairs.groups)} pairs, {int(pairs.groups.max()) + 1} prompts; agreement with most people")
    print(f"{'who':24}{'pairs':>6}{'percent':>24}{'kappa':>24}")
    said = {name: (pairs.judges[:, j], pairs.majority) for j, name in enumerate(JUDGES)}
    said |= {name: (votes, pairs.majority) for name, votes in heuristic_votes(pairs).items()}
    for person in range(3):
        others = np.delete(pairs.people, person, axis=1)
        said[f"person {person + 1} (other two)"] = (pairs.people[:, person], agreed(others))
    for name, (one, other) in said.items():
        both = (one != UNKNOWN) & (other != UNKNOWN)
        rows = [_agreement(one[both], other[both], np.ones(both.sum()))]
        rows += [
            _agreement(one[both], other[both], counts[both]) for counts in resampled if counts[both].any()
        ]
        low, high = np.quantile(rows[1:], (0.025, 0.975), axis=0)
        cells = "".join(
            f"{v:10.3f} [{a:.3f}, {b:.3f}]".rjust(24) for v, a, b in zip(rows[0], low, high, strict=True)
        )
        print(f"{name:24}{both.sum():6d}{cells}")


def _agreement(one: I8, other: I8, counts: F8 | I8) -> tuple[float, float]:
    """Share of agreement, and Cohen's kappa, pairs counted so often."""
    repeat = counts.astype(np.int64)
    one, other = np.repeat(one, repeat), np.repeat(other, repeat)
    return float((one == other).mean()), cohen_kappa(one, other)


def measure(pairs: Pairs, known: tuple[F8, F8, I8], seeds: int) -> dict[str, dict[str, F8]]:
    """Arm -> figure of REPORTED -> (n,) of each pair, mean over seeds; NaN where there is none."""
    rows: dict[str, list[dict[str, F8]]] = {}
    for seed in range(seeds):
        folds = grouped_folds(pairs.groups, FOLDS, seed)
        asked = np.random.default_rng(seed).integers(0, 3, len(folds))
        whole: dict[str, dict[str, F8]] = {}
        for fold in range(FOLDS):
            _one_fold(pairs, known, folds != fold, asked, seed, whole)
        for arm, figures in whole.items():
            rows.setdefault(arm, []).append(figures)
    return {
        arm: {name: np.mean([run[name] for run in runs], axis=0) for name in REPORTED}
        for arm, runs in rows.items()
    }


def _one_fold(
    pairs: Pairs,
    known: tuple[F8, F8, I8],
    train: Mask,
    asked: I8,
    seed: int,
    whole: dict[str, dict[str, F8]],
) -> None:
    """Add what one fold of prompts, held out, says of every arm; soft labels are judged in training."""
    a, b, kinds = known
    inside, outside = np.flatnonzero(train), np.flatnonzero(~train)
    rest = np.array([np.delete(row, who) for row, who in zip(pairs.people, asked, strict=True)])
    target, others = _halves(pairs.majority), _halves(rest).mean(axis=1)
    for arm, feedback in arms(pairs, inside, asked, seed).items():
        figures = whole.setdefault(arm, {name: np.zeros(len(train)) for name in REPORTED})
        labels = soft_preferences(feedback.posterior)
        model = RewardModel.fit(a[inside], b[inside], labels, pairs.groups[inside], feedback.taught, kinds)
        learned = (a - b)[inside], feedback.posterior, feedback.taught
        strength = choose_pair_strength(*learned, pairs.groups[inside], kinds)
        head = fit_pairs(*learned, kinds, strength)
        by_head = clear_preferences(head.predict_proba((a - b)[outside].astype(np.float32)))
        clear = np.where(target[outside] == 0.5, np.nan, target[outside])
        for name, said in (
            ("", model.predict_proba(a[outside], b[outside])),
            ("head", by_head),
        ):
            right = np.where(np.isnan(clear), np.nan, (said > 0.5) == (clear > 0.5))
            figures[f"{name} accuracy".strip()][outside] = right
            figures[name or "reward"][outside] = soft_log_loss(said, clear)
        figures["labels"][inside] += soft_log_loss(labels, others[inside]) / (FOLDS - 1)


def arms(pairs: Pairs, inside: I8, asked: I8, seed: int) -> dict[str, Feedback]:
    """Arm -> what it makes of the training pairs `inside` (indices)."""
    n = len(inside)
    votes, everyone = judge_votes(pairs.judges[inside]), np.ones(n)
    nothing = np.full(n, UNKNOWN)
    ai = preference_posterior(votes, nothing, seed=seed)
    people = pairs.people[inside]
    shares = (people[:, :, None] == np.arange(N_CLASSES)).mean(axis=1)
    found = {
        "AI": Feedback(ai, everyone),
        "three people on all": Feedback(shares, everyone),
    }
    order = np.random.default_rng(1_000 + seed).permutation(n)
    for budget in BUDGETS:
        answers = nothing.copy()
        mine = order[:budget]
        answers[mine] = people[mine, asked[inside[mine]]]
        judged = preference_posterior(votes, answers, seed=seed)
        human, hybrid = (
            with_answers(before, answers, PERSON_ACCURACY) for before in (balance(answers), judged)
        )
        found[f"human {budget}"] = Feedback(human, (answers != UNKNOWN).astype(np.float64))
        found[f"hybrid {budget}"] = Feedback(hybrid, everyone)
    return found


def table(figures: Mapping[str, Mapping[str, F8]], resampled: I8) -> None:
    """Print every arm's figures with their intervals."""
    titles = ("reward accuracy", "reward log-loss", "head accuracy", "head log-loss", "soft labels log-loss")
    print("\n" + "feedback".ljust(20) + "".join(title.rjust(24) for title in titles))
    for arm, row in figures.items():
        cells = "".join(
            "{:10.3f} [{:.3f}, {:.3f}]".format(*interval(row[name], resampled)).rjust(24) for name in REPORTED
        )
        print(f"{arm:20}{cells}")


def compare(figures: Mapping[str, Mapping[str, F8]], resampled: I8) -> bool:
    """Print hybrid minus either alone, gains above 0; whether it is never worse by more than noise."""
    print("\ngain of hybrid feedback over either alone, paired")
    held = True
    for budget in BUDGETS:
        for alone in (f"human {budget}", "AI"):
            cells, verdicts = "", []
            for name in REPORTED:
                sign = 1 if "accuracy" in name else -1
                gain = sign * (figures[f"hybrid {budget}"][name] - figures[alone][name])
                mean, low, high = interval(gain, resampled)
                cells += f"{mean:+10.3f} [{low:+.3f}, {high:+.3f}]".rjust(27)
                verdicts.append("better" if low > 0 else "worse" if high < 0 else "no worse")
            held &= "worse" not in verdicts
            print(f"hybrid {budget:3d} - {alone:10}{cells}  {', '.join(verdicts)}")
    print("hybrid is no worse than either alone" if held else "HYBRID IS WORSE SOMEWHERE")
    return held


def _halves(classes: I8) -> F8:
    """(...) 1 for A, 0 for B, .5 for a tie, NaN for unknown."""
    return np.array([1.0, 0.0, 0.5, np.nan])[classes]


if __name__ == "__main__":
    sys.exit(main())
