"""Human, AI and hybrid feedback: who is heard in each, and that what judges never taught."""

from dataclasses import replace

import numpy as np
import pytest

from models.arrays import UNKNOWN
from models.feedback import AI, HUMAN, HYBRID, PairData, compare_feedback, soft_labels
from models.votes import Votes

A, B, TIE = 0, 1, 2
N = 240


def votes(*columns: tuple[str, np.ndarray]) -> Votes:
    rows = [np.flatnonzero(said != UNKNOWN) for _, said in columns]
    return Votes(
        n_items=len(columns[0][1]),
        annotators=tuple(key for key, _ in columns),
        n_symbols=tuple(3 for _ in columns),
        row=np.concatenate(rows),
        annotator=np.repeat(np.arange(len(columns)), [len(one) for one in rows]),
        symbol=np.concatenate([said[there] for (_, said), there in zip(columns, rows, strict=True)]),
    )


def world(judge: float, answered: int = 60, seed: int = 0) -> PairData:
    """Pairs whose first feature decides, a judge of this accuracy on all, experts on some."""
    random = np.random.default_rng(seed)
    differences = random.normal(size=(N, 6)).astype(np.float32)
    truth = np.where(differences[:, 0] > 0, A, B)
    said = np.where(random.random(N) < judge, truth, 1 - truth)
    answers = np.where(np.arange(N) < answered, truth, UNKNOWN)
    return PairData(
        differences=differences,
        kinds=np.zeros(6, np.int64),
        votes=votes(("llm:ai/one@1", said)),
        answers=answers,
        groups=np.arange(N) // 2,
        accuracy=0.9,
    )


def test_ai_feedback_hears_no_person_and_human_feedback_no_model() -> None:
    said = votes(("llm:ai/one@1", np.array([A, B, UNKNOWN])), ("tier:crowd", np.array([UNKNOWN, A, UNKNOWN])))
    answers = np.array([UNKNOWN, UNKNOWN, B])
    ai, human, hybrid = (soft_labels(name, said, answers, 0.9, 0) for name in (AI, HUMAN, HYBRID))
    assert ai.taught.tolist() == [1, 1, 0]
    assert human.taught.tolist() == [0, 1, 1]
    assert hybrid.taught.tolist() == [1, 1, 1]
    assert ai.posterior[1].argmax() == B
    assert human.posterior[1].argmax() == A
    turned = soft_labels(AI, said, np.array([B, A, A]), 0.9, 0)
    np.testing.assert_array_equal(turned.posterior, ai.posterior)


def test_functions_are_no_feedback() -> None:
    said = votes(("function:longer@1", np.array([A, B])), ("llm:ai/one@1", np.array([UNKNOWN, B])))
    found = soft_labels(HYBRID, said, np.full(2, UNKNOWN), 0.9, 0)
    assert found.taught.tolist() == [0, 1]


def test_rewards_are_judged_on_what_experts_said_clearly() -> None:
    data = world(judge=0.9)
    answers = data.answers.copy()
    answers[:4] = TIE
    found = compare_feedback(replace(data, answers=answers), splits=1)
    for figures in found.values():
        judged = ~np.isnan(figures.right)
        np.testing.assert_array_equal(np.flatnonzero(judged), np.arange(4, 60))
        np.testing.assert_array_equal(judged, ~np.isnan(figures.log_loss))
        assert np.nanmean(figures.right) > 0.85


def test_a_judge_who_is_always_wrong_is_found_out_by_people() -> None:
    found = compare_feedback(world(judge=0.1), splits=2)
    right = {name: np.nanmean(figures.right) for name, figures in found.items()}
    assert right[AI] < 0.3
    assert right[HUMAN] > 0.8
    assert right[HYBRID] > 0.8


def test_people_teach_the_pairs_that_they_answered_and_models_theirs() -> None:
    found = compare_feedback(world(judge=0.9), splits=1)
    assert found[HUMAN].taught == pytest.approx(60 * 4 / 5)
    assert found[AI].taught == found[HYBRID].taught == pytest.approx(N * 4 / 5)


def test_an_answer_does_not_shine_through_its_own_judgment() -> None:
    """Features and judge without meaning: whoever is better than a guess has seen the answers."""
    random = np.random.default_rng(5)
    data = world(judge=0.5, answered=N)
    noise = replace(data, answers=random.integers(0, 2, N), groups=np.arange(N) // 8)
    for figures in compare_feedback(noise, splits=2).values():
        assert np.nanmean(figures.right) == pytest.approx(0.5, abs=0.1)


def test_too_few_prompts_and_missing_feedback_are_refused() -> None:
    data = world(judge=0.9)
    with pytest.raises(ValueError, match="fewer than 5 prompts"):
        compare_feedback(replace(data, groups=np.arange(N) % 3), splits=1)
    with pytest.raises(ValueError, match="no human feedback"):
        compare_feedback(replace(data, answers=np.full(N, UNKNOWN)), splits=1)
