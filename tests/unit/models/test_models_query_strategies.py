"""What strategies choose, and that they choose it from large and odd pools."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.query_strategy import herding as herding_module
from models.query_strategy.active_lab import active_lab, active_lab_scores
from models.query_strategy.auto import auto, cold_start
from models.query_strategy.entropy import entropies, entropy
from models.query_strategy.herding import herding
from models.query_strategy.margin import margin, margins
from models.query_strategy.margin_clusters import margin_clusters
from models.query_strategy.pool import Pool
from models.query_strategy.registry import QUERY_STRATEGIES
from models.query_strategy.uncertainty_herding import uncertainty_herding


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def make_pool(n: int, n_classes: int = 3, labeled: float = 0.1, d: int | None = 8, seed: int = 0) -> Pool:
    random = np.random.default_rng(seed)
    vectors = None if d is None else unit(random.normal(size=(n, d)))
    posterior = random.dirichlet(np.ones(n_classes), n)
    return Pool(posterior, random.random(n) < labeled, vectors)


def without_some(pool: Pool, share: float) -> Pool:
    """The pool, of which so many items have a vector."""
    embedded = np.random.default_rng(1).random(len(pool.labeled)) < share
    vectors = None if pool.vectors is None else pool.vectors * embedded[:, None]
    return replace(pool, vectors=vectors, embedded=embedded)


def clusters(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Tight groups of vectors, far apart, and the group of each."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    return unit(np.eye(len(sizes) + 1)[group] + random.normal(0, 0.02, (len(group), len(sizes) + 1))), group


BY_VECTORS = ["auto", "herding", "uncertainty_herding", "margin_clusters"]


@pytest.mark.parametrize("name", QUERY_STRATEGIES)
@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(0, 40),
    n_classes=st.integers(1, 4),
    labeled=st.sampled_from([0.0, 0.3, 1.0]),
    d=st.sampled_from([None, 1, 5]),
    embedded=st.sampled_from([0.0, 0.5, 1.0]),
    count=st.integers(0, 50),
)
def test_choices_are_free_different_and_repeatable(
    name: str, n: int, n_classes: int, labeled: float, d: int | None, embedded: float, count: int
) -> None:
    pool = without_some(make_pool(n, n_classes, labeled, d), embedded)
    chosen = QUERY_STRATEGIES[name](pool, count, 7)
    assert len(chosen) == min(count, len(pool.free))
    assert len(set(chosen.tolist())) == len(chosen)
    assert not pool.labeled[chosen].any()
    assert chosen.tolist() == QUERY_STRATEGIES[name](pool, count, 7).tolist()


@pytest.mark.parametrize("name", QUERY_STRATEGIES)
def test_copies_of_one_item_are_no_obstacle(name: str) -> None:
    pool = Pool(np.full((30, 2), 0.5), np.zeros(30, bool), unit(np.ones((30, 4))))
    assert len(set(QUERY_STRATEGIES[name](pool, 12, 0).tolist())) == 12


@pytest.mark.parametrize("name", QUERY_STRATEGIES)
def test_equal_items_are_drawn_by_the_seed_and_not_by_their_place(name: str) -> None:
    pool = Pool(np.full((500, 2), 0.5), np.zeros(500, bool))
    strategy = QUERY_STRATEGIES[name]
    assert strategy(pool, 10, 1).tolist() != strategy(pool, 10, 2).tolist()
    assert strategy(pool, 10, 1).max() > 100


@pytest.mark.parametrize("name", QUERY_STRATEGIES)
def test_fifty_thousand_items_can_be_chosen_from(name: str) -> None:
    pool = make_pool(50_000, d=64)
    assert len(set(QUERY_STRATEGIES[name](pool, 50, 0).tolist())) == 50


def test_margin_and_entropy_rank_differently_with_three_classes() -> None:
    posterior = np.array([[0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])
    pool = Pool(posterior, np.zeros(3, bool))
    assert margin(pool, 3, 0).tolist() == [0, 1, 2]
    assert entropy(pool, 3, 0).tolist() == [1, 0, 2]
    assert margins(posterior) == pytest.approx([0.0, 0.1, 0.85])
    assert entropies(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx([np.log(2), 0])


def test_active_lab_prefers_items_that_fewer_people_answered() -> None:
    posterior = np.array([[0.7, 0.3], [0.7, 0.3], [0.99, 0.01]])
    pool = Pool(posterior, np.zeros(3, bool), votes=np.array([2, 0, 0]))
    assert active_lab(pool, 2, 0).tolist() == [1, 0]
    assert active_lab_scores(posterior, np.array([2, 0, 0])) == pytest.approx([0.65, 0.6, 0.745])


def test_active_lab_without_counts_is_least_confidence() -> None:
    pool = make_pool(100)
    assert (
        active_lab(pool, 5, 0).tolist()
        == [row for row in np.argsort(pool.posterior.max(axis=1)).tolist() if not pool.labeled[row]][:5]
    )


def test_herding_visits_every_cluster_largest_first() -> None:
    vectors, group = clusters([60, 40, 25, 15])
    pool = Pool(np.full((140, 2), 0.5), np.zeros(140, bool), vectors)
    assert group[herding(pool, 4, 0)].tolist() == [0, 1, 2, 3]


def test_herding_leaves_out_what_labeled_items_cover() -> None:
    vectors, group = clusters([10] * 12)
    labeled = np.zeros(120, bool)
    labeled[5:60:10] = True
    pool = Pool(np.full((120, 2), 0.5), labeled, vectors)
    assert sorted(group[herding(pool, 6, 0)].tolist()) == [6, 7, 8, 9, 10, 11]


def test_herding_samples_large_pools_but_never_below_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(herding_module, "SAMPLE", 50)
    pool = make_pool(1_000, labeled=0.0)
    assert len(herding(pool, 20, 0)) == 20
    assert len(set(herding(pool, 120, 0).tolist())) == 120


def test_herding_covers_better_than_chance() -> None:
    pool = make_pool(800, labeled=0.0, d=4)
    assert pool.vectors is not None

    def coverage(rows: np.ndarray) -> float:
        return float((pool.vectors @ pool.vectors[rows].T).max(axis=1).mean())

    chance = [coverage(QUERY_STRATEGIES["random"](pool, 15, seed)) for seed in range(20)]
    assert coverage(herding(pool, 15, 0)) > max(chance)


def test_margin_clusters_chooses_doubtful_items_that_differ() -> None:
    vectors, group = clusters([40, 40, 40, 200])
    posterior = np.where((group < 3)[:, None], [0.5, 0.5], [0.99, 0.01])
    pool = Pool(posterior, np.zeros(320, bool), vectors)
    assert sorted(group[margin_clusters(pool, 3, 0)].tolist()) == [0, 1, 2]


def test_margin_clusters_lean_to_doubt() -> None:
    """The center of a cluster is drawn to where the doubt is."""
    angles = np.linspace(0, 1, 5)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    posterior = np.array([[0.5, 0.5], *[[0.98, 0.02]] * 4])
    pool = Pool(posterior, np.zeros(5, bool), vectors)
    assert margin_clusters(pool, 1, 0).tolist() == [0]


@pytest.mark.parametrize("strategy", [herding, uncertainty_herding, margin_clusters, auto])
def test_without_vectors_the_margin_decides(strategy: object) -> None:
    pool = make_pool(60, d=None)
    assert strategy(pool, 7, 3).tolist() == margin(pool, 7, 3).tolist()  # type: ignore[operator]


@pytest.mark.parametrize("name", BY_VECTORS)
def test_items_without_a_vector_have_their_share_and_not_a_place_in_space(name: str) -> None:
    """As one point they would be chosen once, or the point next to all labeled ones never."""
    pool = without_some(make_pool(2_000, labeled=0.1), 0.5)
    assert pool.embedded is not None
    bare = int((~pool.embedded[QUERY_STRATEGIES[name](pool, 100, 3)]).sum())
    assert 35 <= bare <= 51


@pytest.mark.parametrize("name", BY_VECTORS)
def test_items_without_a_vector_that_nobody_doubts_are_left_alone(name: str) -> None:
    pool = without_some(make_pool(500), 0.5)
    assert pool.embedded is not None
    sure = np.where(pool.embedded[:, None], pool.posterior, [0.998, 0.001, 0.001])
    assert pool.embedded[QUERY_STRATEGIES[name](replace(pool, posterior=sure), 40, 3)].all()


@pytest.mark.parametrize("name", BY_VECTORS)
def test_doubt_alone_does_not_take_every_choice_from_items_with_a_vector(name: str) -> None:
    pool = without_some(make_pool(500), 0.5)
    assert pool.embedded is not None
    torn = np.where(pool.embedded[:, None], pool.posterior, 1 / 3)
    chosen = QUERY_STRATEGIES[name](replace(pool, posterior=torn), 40, 3)
    assert 18 <= (~pool.embedded[chosen]).sum() <= 22
    assert 8 <= (~pool.embedded[chosen[:20]]).sum() <= 12, "by turns, so that the first few are of both kinds"


def test_the_only_choice_goes_now_to_one_kind_and_now_to_the_other() -> None:
    pool = without_some(make_pool(500), 0.5)
    assert pool.embedded is not None
    torn = replace(pool, posterior=np.where(pool.embedded[:, None], pool.posterior, 1 / 3))
    kinds = [bool(torn.embedded[herding(torn, 1, seed)].all()) for seed in range(60)]  # type: ignore[index]
    assert 15 <= sum(kinds) <= 45


@pytest.mark.parametrize(
    ("n_classes", "labeled", "expected"),
    [
        (2, 19, herding),
        (2, 20, margin_clusters),
    ],
)
def test_auto_changes_when_enough_is_labeled(n_classes: int, labeled: int, expected: object) -> None:
    pool = make_pool(200, n_classes, labeled=0.0)
    pool.labeled[:labeled] = True
    assert auto(pool, 5, 0).tolist() == expected(pool, 5, 0).tolist()  # type: ignore[operator]


def test_many_classes_make_the_cold_start_longer() -> None:
    assert [cold_start(n) for n in (2, 5, 6, 20)] == [20, 20, 24, 80]


@pytest.mark.parametrize(
    "column",
    [
        {"labeled": np.zeros(3, bool)},
        {"vectors": np.zeros((3, 2))},
        {"embedded": np.ones(3, bool)},
        {"votes": np.zeros(3, int)},
    ],
)
def test_columns_of_another_length_are_refused(column: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="for 3 items, posterior for 4"):
        Pool(**{"posterior": np.full((4, 2), 0.5), "labeled": np.zeros(4, bool), **column})


def test_a_flat_posterior_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted"):
        Pool(np.zeros(4), np.zeros(4, bool))


def test_uncertainty_herding_goes_where_the_doubt_is() -> None:
    vectors, group = clusters([60, 40, 25])
    posterior = np.where((group == 0)[:, None], [0.99, 0.01], [0.6, 0.4])
    pool = Pool(posterior, np.zeros(125, bool), vectors)
    assert group[herding(pool, 2, 0)].tolist() == [0, 1]
    assert group[uncertainty_herding(pool, 2, 0)].tolist() == [1, 2]


def test_herding_goes_by_distance_for_vectors_of_any_length() -> None:
    """Of pairs whose responses differ little the vectors are short: a short one is near another short one."""
    vectors, group = clusters([40, 30])
    short = vectors * np.array([[1.0], [0.1]], np.float32)[group]
    labeled = group == 0
    pool = Pool(np.full((70, 2), 0.5), np.where(np.arange(70) == 40, True, labeled), short)
    assert herding_module._squared_distances(short, short).diagonal().max() < 1e-6
    assert herding_module._covered(short, short[pool.labeled], 0.1).min() > 0.9
