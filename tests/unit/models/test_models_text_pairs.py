"""Two texts beside each other as features."""

from collections.abc import Sequence

import numpy as np

from models.text_pairs import TwoTextEncoder


class Letters:
    """Counts of letters, of length 1."""

    name = "letters"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([[text.count(one) for one in "abcd"] for text in texts], np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_features_do_not_depend_on_which_text_comes_first() -> None:
    encoder = TwoTextEncoder(Letters())
    left, right = ["aab", "cd"], ["abb", "cd"]
    features = encoder.encode(left, right)
    assert features.shape == (2, 4)
    np.testing.assert_array_equal(features, encoder.encode(right, left))
    np.testing.assert_allclose(features[0], [1 / np.sqrt(5), 1 / np.sqrt(5), 0, 0], rtol=1e-6)
    assert not features[1].any(), "equal texts"
    assert encoder.name == "two:letters"
