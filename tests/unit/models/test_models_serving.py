"""What served models share: reading heads, and rows that are not what they should be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle
from models.classifier import LinearHead
from models.serving import ServedHeads, odd_row
from models.set_bundle import SetBundle


def head(bias: float) -> LinearHead:
    return LinearHead(np.zeros((2, 3), np.float32), np.array([0, bias], np.float32))


def test_a_bundle_without_a_classifier_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "bundle.npz"
    for bundle in (Bundle.from_priors(("a", "b"), {}), SetBundle.from_priors(("a", "b"), {})):
        path.write_bytes(bundle.to_bytes())
        with pytest.raises(ValueError, match="no classifier; it cannot be served"):
            ServedHeads.read(str(path))


def test_the_likeliest_class_is_the_label(tmp_path: Path) -> None:
    bundle = replace(Bundle.from_priors(("ham", "spam"), {}), head=head(np.log(3)), encoder="tiny")
    (tmp_path / "bundle.npz").write_bytes(bundle.to_bytes())
    (said,) = ServedHeads.read(str(tmp_path / "bundle.npz")).label(np.zeros((1, 3), np.float32))
    assert said == {"label": "spam", "probabilities": pytest.approx({"ham": 0.25, "spam": 0.75})}


def test_of_sets_every_class_that_is_likely_is_said() -> None:
    served = ServedHeads(("a", "b", "c"), (head(np.log(3)), head(0), head(np.log(9))), "tiny")
    (said,) = served.label_sets(np.zeros((1, 3), np.float32))
    assert said["label"] == ["a", "c"]
    assert said["probabilities"] == pytest.approx({"a": 0.75, "b": 0.5, "c": 0.9})


def test_an_odd_row_is_told() -> None:
    shapes = [("prompt", "response"), ("prompt", "response_a", "response_b")]
    good = {"prompt": "?", "response": "!"}
    assert odd_row([good, {"prompt": "", "response_a": "", "response_b": ""}], shapes) is None
    assert odd_row([good, {"text": ""}], shapes) == (
        "row 1 has text; a row has prompt and response, or prompt, response_a and response_b"
    )
    assert odd_row([{}], [("left", "right")]) == "row 0 has nothing; a row has left and right"
