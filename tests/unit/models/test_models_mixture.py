"""The mixture: one pass over stacked tables says what the formula says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import softmax
from models.label_model.mixture import CHUNK, Mixture, mixture_posterior
from models.label_model.protocol import Member
from models.votes import Votes, log_scores


def members(random: np.random.Generator, votes: Votes, n_classes: int, number: int) -> tuple[Member, ...]:
    weights = random.dirichlet(np.ones(number))
    return tuple(
        Member(
            name=f"m{index}",
            prior=random.normal(size=n_classes),
            tables={
                key: random.normal(0, 3, (size, n_classes))
                for key, size in zip(votes.annotators, votes.n_symbols, strict=True)
            },
            temperature=float(random.uniform(0.1, 3)),
            weight=float(weights[index]),
        )
        for index in range(number)
    )


def dense_votes(random: np.random.Generator, n: int, m: int, n_classes: int) -> tuple[np.ndarray, Votes]:
    matrix = random.integers(-1, n_classes, (n, m))
    return matrix, Votes.from_dense(matrix, [f"function:f{j}" for j in range(m)], n_classes)


def crowd(random: np.random.Generator, n: int, n_classes: int) -> Votes:
    """About two answers an item, some items with several of one person, some with none."""
    size = 2 * n
    return Votes(
        n,
        ("tier:crowd@a", "tier:crowd@b"),
        (n_classes, n_classes),
        random.integers(0, max(n, 1), size),
        random.integers(0, 2, size),
        random.integers(0, n_classes, size),
    )


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(0, 12), number=st.integers(1, 4), n_classes=st.integers(2, 4)
)
def test_it_is_the_weighted_mean_of_tempered_softmaxes(
    seed: int, n: int, number: int, n_classes: int
) -> None:
    random = np.random.default_rng(seed)
    votes = Votes.concat_annotators(dense_votes(random, n, 3, n_classes)[1], crowd(random, n, n_classes))
    joined = members(random, votes, n_classes, number)
    scores = [m.temperature * log_scores(votes, m.prior, m.tables) for m in joined]
    expected = sum(
        (m.weight * softmax(score) for m, score in zip(joined, scores, strict=True)),
        np.zeros((n, n_classes)),
    )
    np.testing.assert_allclose(mixture_posterior(joined, votes), expected, atol=1e-12)
    np.testing.assert_allclose(
        Mixture(joined).log_scores(votes), np.stack(scores, axis=1).reshape(n, number, n_classes), atol=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 12), m=st.integers(0, 4), more=st.booleans())
def test_dense_votes_give_what_sparse_ones_give(seed: int, n: int, m: int, more: bool) -> None:
    random = np.random.default_rng(seed)
    matrix, votes = dense_votes(random, n, m, 3)
    extra = crowd(random, n, 3) if more else None
    everything = votes if extra is None else Votes.concat_annotators(votes, extra)
    mixture = Mixture(members(random, everything, 3, 3))
    dense = mixture.posterior_dense(matrix, votes.annotators, extra)
    np.testing.assert_allclose(dense, mixture.posterior(everything), atol=1e-12)


def test_dense_votes_beyond_one_chunk_come_out_in_order() -> None:
    random = np.random.default_rng(0)
    matrix, votes = dense_votes(random, CHUNK + 5, 2, 2)
    mixture = Mixture(members(random, votes, 2, 2))
    dense = mixture.posterior_dense(matrix, votes.annotators)
    np.testing.assert_allclose(dense, mixture.posterior(votes), atol=1e-12)


def test_batches_do_not_remember_each_other() -> None:
    """Tables are kept between calls; annotators in another order must not meet the wrong ones."""
    random = np.random.default_rng(1)
    _, votes = dense_votes(random, 6, 3, 2)
    joined = members(random, votes, 2, 2)
    mixture = Mixture(joined)
    mixture.posterior(votes)
    turned = Votes(6, votes.annotators[::-1], votes.n_symbols, votes.row, 2 - votes.annotator, votes.symbol)
    np.testing.assert_allclose(mixture.posterior(turned), mixture_posterior(joined, votes))


def test_an_annotator_without_a_table_is_named_or_falls_back() -> None:
    known = Member("m", np.zeros(2), {"tier:a": np.array([[1.0, 0.0], [0.0, 1.0]])})
    votes = Votes.of_one("tier:new", np.array([1]), 2)
    with pytest.raises(ValueError, match="m has no table of 'tier:new'"):
        mixture_posterior([known], votes)
    fallen = mixture_posterior([known], votes, lambda member, key: member.tables["tier:a"])
    np.testing.assert_allclose(fallen, softmax(np.array([[0.0, 1.0]])))


@pytest.mark.parametrize(
    ("joined", "message"),
    [
        ([], "it needs members, all with the same classes"),
        (
            [Member("a", np.zeros(2), {}, weight=0.5), Member("b", np.zeros(3), {}, weight=0.5)],
            "all with the same classes",
        ),
        ([Member("a", np.zeros(2), {}, weight=0.7)], "weights sum to 0.700000"),
    ],
)
def test_members_that_do_not_fit_are_refused(joined: list[Member], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mixture(joined)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((4, 2)), "table of function:f: 4 symbols, the votes have 3"),
        (np.zeros((3, 3)), r"table of function:f: shapes \(3, 3\) for 2 classes"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table: np.ndarray, message: str) -> None:
    votes = Votes.of_one("function:f", np.array([0]), 3)
    with pytest.raises(ValueError, match=message):
        mixture_posterior([Member("m", np.zeros(2), {"function:f": table})], votes)


@pytest.mark.parametrize(
    ("matrix", "keys", "extra", "message"),
    [
        (np.zeros((2, 2), int), ["function:f"], None, "does not fit 1 annotators"),
        (np.array([[2]]), ["function:f"], None, r"a vote outside -1\.\.1"),
        (np.array([[-2]]), ["function:f"], None, r"a vote outside -1\.\.1"),
        (np.array([[0]]), ["tier:crowd"], None, "tier:crowd cannot abstain"),
        (np.array([[0]]), ["function:f"], Votes.of_one("tier:crowd", np.zeros(3, int), 2), "3 items"),
    ],
)
def test_dense_votes_that_do_not_fit_are_refused(
    matrix: np.ndarray, keys: list[str], extra: Votes | None, message: str
) -> None:
    mixture = Mixture([Member("m", np.zeros(2), {"function:f": np.zeros((3, 2))})])
    with pytest.raises(ValueError, match=message):
        mixture.posterior_dense(matrix, keys, extra)
