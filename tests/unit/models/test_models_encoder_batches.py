"""Batches by tokens, the cache of vectors, and the choice of a precision."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import encoder
from models.arrays import F4
from models.embedding_cache import ENTRY_BYTES, CachedEncoder, EmbeddingCache
from models.encoder_precision import Measured, measure
from models.token_batches import computed_in_batches, even_batches, token_batches


class Letters:
    """(number of letters, 1) of each text; remembers what it was asked."""

    name = "letters"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> F4:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32).reshape(-1, 2)


def test_each_text_is_in_one_batch_and_no_batch_is_over_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(1, 300, 500)
    batches = token_batches(lengths, 1_000)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert max(len(rows) * int(lengths[rows].max()) for rows in batches) <= 1_000
    padding = sum(len(rows) * int(lengths[rows].max()) for rows in batches) / lengths.sum()
    assert padding < 1.05  # texts of like length are together


def test_a_text_over_the_budget_goes_alone() -> None:
    assert [rows.tolist() for rows in token_batches(np.array([5, 2_000, 7]), 1_000)] == [[1], [2, 0]]
    assert token_batches(np.empty(0, np.int64), 10) == []


def test_vectors_stand_in_the_order_of_the_texts() -> None:
    texts, letters = ["four", "a", "seven..", "bb"], Letters()
    batches = token_batches(np.array([4, 1, 7, 2]), 7)
    vectors = computed_in_batches(texts, batches, 2, letters.encode)
    assert vectors[:, 0].tolist() == [4, 1, 7, 2]


def test_no_text_is_computed_twice() -> None:
    letters = Letters()
    cached = CachedEncoder(letters, 10_000)
    assert cached.encode(["a", "bb", "a"])[:, 0].tolist() == [1, 2, 1]
    assert cached.last.by_source == {"computed": 2, "cache": 0, "copy": 1}
    assert cached.encode(["bb", "ccc"])[:, 0].tolist() == [2, 3]
    assert cached.last.by_source == {"computed": 1, "cache": 1, "copy": 0}
    assert letters.asked == ["a", "bb", "ccc"]
    assert cached.encode([]).shape == (0, 2)


def test_without_a_cache_copies_alone_are_spared() -> None:
    letters = Letters()
    cached = CachedEncoder(letters, 0)
    for _ in range(2):
        cached.encode(["a", "a"])
    assert letters.asked == ["a", "a"]


def test_the_cache_keeps_its_bound_and_forgets_the_longest_unused() -> None:
    vector = np.zeros(2, np.float32)
    cache = EmbeddingCache(2 * (vector.nbytes + ENTRY_BYTES))
    for key in (b"a", b"b"):
        cache.put(key, vector)
    cache.get(b"a")
    cache.put(b"c", vector)
    assert cache.get(b"b") is None and cache.get(b"a") is not None
    assert len(cache) == 2 and cache.size == 2 * (vector.nbytes + ENTRY_BYTES)


@pytest.mark.parametrize(("turned", "slower", "better"), [(0.0, 3, True), (0.1, 3, False), (0.0, 1, False)])
def test_bfloat16_is_taken_if_it_is_faster_and_the_same(turned: float, slower: int, better: bool) -> None:
    now = [0.0]

    def way(angle: float, seconds: float) -> F4:
        now[0] += seconds
        return np.array([[np.cos(angle), np.sin(angle)]], np.float32)

    found = measure(lambda _: way(0.0, slower), lambda _: way(turned, 1), clock=lambda: now[0])
    assert found.better is better
    assert found.gain == pytest.approx(slower)
    assert found.cosine == pytest.approx(np.cos(turned), abs=1e-6)


def test_precisions_are_measured_by_the_time_of_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    seen = []

    def measured(exact: object, fast: object, clock: object) -> Measured:
        seen.append((torch.get_num_threads(), clock))
        return Measured(cosine=1.0, gain=2.0)

    monkeypatch.setattr(encoder, "measure", measured)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert encoder._measured(None, None).better
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [(1, time.thread_time)]


@given(st.lists(st.integers(1, 300), max_size=300), st.integers(64, 2_000), st.integers(1, 8))
def test_shares_for_several_hold_every_text_once_and_are_within_the_budget(
    lengths: list[int], most: int, computers: int
) -> None:
    given_lengths = np.array(lengths, np.int64)
    shares, full = even_batches(given_lengths, most, computers), token_batches(given_lengths, most)
    assert sorted(row for rows in shares for row in rows.tolist()) == list(range(len(lengths)))
    assert all(len(rows) == 1 or len(rows) * int(given_lengths[rows].max()) <= most for rows in shares)
    assert len(shares) <= -(-len(full) // computers) * computers


def test_two_that_compute_get_the_same_work() -> None:
    lengths = np.random.default_rng(0).integers(8, 30, 200)
    assert len(token_batches(lengths, 1_000)) == 5
    sizes = [int(lengths[rows].sum()) for rows in even_batches(lengths, 1_000, 2)]
    assert len(sizes) == 6
    assert abs(sum(sizes[::2]) - sum(sizes[1::2])) < 0.08 * sum(sizes)
