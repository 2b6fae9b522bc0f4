"""The certificate on recorded labels of an LLM: GPT-4o's stance of headlines, `llm_stance.csv`.

A part of the file with known labels teaches how much a label is to be trusted; the rest is one window,
whose coins are tossed again and again.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.guarantee_rules import best_possible, saved
from models.arrays import F8, I8, Mask
from models.guarantee.design import design
from models.guarantee.pac import whole_set_verdict
from models.guarantee.published import published_verdict
from models.guarantee.window import coin_shares, thresholds, tie_coin, toss

TAUGHT = 600
"""Rows whose human label is used to learn the score."""

SPLITS = 5

TARGETS = ((0.10, 0.15), (0.05, 0.30))
"""alpha, share of audits."""

DELTA = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Stance:
    """n rows: texts, human labels, the LLM's labels (class indices) and its confidence."""

    texts: list[str]
    human: I8
    said: I8
    confidence: F8


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A window, (n,) scores and errors; and the same of (TAUGHT,) rows, scored without themselves."""

    scores: F8
    wrong: Mask
    known_scores: F8
    known_wrong: Mask


def report(draws: int, seed: int) -> bool:
    """Print both targets with both scores; whether violations stay within delta."""
    folder = os.environ.get("LABELLOOP_DATA")
    if not folder or not (path := Path(folder) / "llm_stance.csv").exists():
        print("llm_stance.csv: skipped, LABELLOOP_DATA does not hold it")
        return True
    stance = read(path)
    print(
        f"llm_stance.csv: GPT-4o wrong on {np.mean(stance.human != stance.said):.1%}; {draws} draws of coins"
    )
    print(f"over {SPLITS} splits into {TAUGHT} rows with known labels and a window of the others")
    columns = (
        f"{'violations':>11}{'published':>11}{'certified':>10}{'oracle':>8}{'saves':>8}{'pac saves':>10}"
    )
    print(f"{'score':12}{'alpha':>6}{'audited':>9}{columns}")
    held = True
    for name, with_text in (("confidence", False), ("with text", True)):
        features = features_of(stance, with_text)
        parts = [split(stance, features, seed + number) for number in range(SPLITS)]
        for alpha, share in TARGETS:
            rows = [draw_coins(part, alpha, share, draws // SPLITS, seed) for part in parts]
            violations, published, *_ = np.mean(rows, axis=0)
            print(
                f"{name:12}{alpha:6.2f}{share:9.2f}"
                + "".join(f"{value:11.3f}" for value in np.mean(rows, axis=0)[:6])
            )
            held &= bool(max(violations, published) <= DELTA + 3.09 * np.sqrt(DELTA * (1 - DELTA) / draws))
    return held


def read(path: Path) -> Stance:
    """The file's rows."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["human"] for row in rows})
    return Stance(
        [row["text"] for row in rows],
        np.array([classes.index(row["human"]) for row in rows]),
        np.array([classes.index(row["gpt4o"]) for row in rows]),
        np.array([float(row["confidence"]) for row in rows]),
    )


def split(stance: Stance, features: Any, seed: int) -> Part:
    """Learn how likely the LLM's label is right from TAUGHT rows; score the others.

    Logistic regression from the features to the human label; the score is the probability of what the LLM
    said. Equal scores are told apart by chance.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    random = np.random.Generator(np.random.PCG64(seed))
    order = random.permutation(len(stance.human))
    taught, rest = order[:TAUGHT], order[TAUGHT:]
    model = LogisticRegression(max_iter=2000)
    known = cross_val_predict(model, features[taught], stance.human[taught], cv=3, method="predict_proba")
    probable = model.fit(features[taught], stance.human[taught]).predict_proba(features[rest])
    wrong = stance.said != stance.human
    return Part(
        probable[np.arange(len(rest)), stance.said[rest]] + 1e-9 * random.random(len(rest)),
        wrong[rest],
        known[np.arange(TAUGHT), stance.said[taught]],
        wrong[taught],
    )


def draw_coins(part: Part, alpha: float, share: float, draws: int, seed: int) -> tuple[float, ...]:
    """Means: violations, those of what is published, certified share, oracle's, spared share, PAC's, and
    the share that is wrong and spared.
    """
    scores, wrong = part.scores, part.wrong
    plan = design(scores, part.known_scores, part.known_wrong, share, alpha, DELTA)
    coins = coin_shares(scores, plan.lambdas, plan.p, plan.rest)
    every, oracle = thresholds(scores), best_possible(scores, wrong, alpha)
    rows = []
    for draw in range(draws):
        tie = tie_coin(seed + draw, len(scores))
        picked = toss(seed + draw, len(scores), coins)
        audited = np.flatnonzero(picked)
        tau = published_verdict(
            scores,
            plan.lambdas,
            plan.limits,
            plan.start,
            audited,
            wrong[audited],
            plan.p,
            alpha,
            DELTA,
            tie,
            ~picked,
            picked & wrong,
        ).tau
        released = scores >= tau if tau is not None else np.zeros(len(scores), np.bool_)
        left = released & ~picked
        evenly = np.flatnonzero(toss(seed + draw, len(scores), share))
        whole = whole_set_verdict(scores, every, evenly, wrong[evenly], share, alpha, DELTA, tie)
        rows.append(
            (
                (released & wrong).sum() > alpha * released.sum(),
                (left & wrong).sum() > alpha * left.sum(),
                released.mean(),
                oracle,
                left.mean(),
                saved(scores, whole.tau, evenly),
                (left & wrong).mean(),
            )
        )
    return tuple(np.mean(rows, axis=0).tolist())


def features_of(stance: Stance, with_text: bool) -> Any:
    """(n, features) sparse: the LLM's label, alone and times its confidence's logit; weighted words."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    said = 2 * np.eye(int(stance.said.max()) + 1)[stance.said]
    inside = np.clip(stance.confidence, 0.05, 0.99)
    told = csr_matrix(np.hstack([said, said * np.log(inside / (1 - inside))[:, None]]))
    if not with_text:
        return told
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return hstack([told, 3 * words.fit_transform(stance.texts)]).tocsr()
