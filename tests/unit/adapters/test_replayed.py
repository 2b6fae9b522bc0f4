"""Items labeled anew as files: chunks that are joined are what one writing would have given."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from daemon.adapters.replayed import FORMS
from daemon.core.replaying import Relabeled
from labeling_functions.label_space import LabelSpace

TWO = LabelSpace(("ham", "spam"))
SETS = LabelSpace(("bill", "parcel"), sets=True)


def found(n: int) -> Relabeled:
    spam = np.linspace(0.1, 0.9, n, dtype=np.float32)
    return Relabeled(
        ids=[f"i{place}" for place in range(n)],
        digests=[b""] * n,
        labels=(spam > 0.5).astype(np.int64),
        posterior=np.stack([1 - spam, spam], axis=1),
        scores=np.maximum(spam, 1 - spam),
        votes=np.arange(n) % 3,
        inline=np.empty((n, 0), np.int8),
        rejected=(),
    )


def part(whole: Relabeled, start: int, end: int) -> Relabeled:
    return replace(
        whole,
        ids=whole.ids[start:end],
        labels=whole.labels[start:end],
        posterior=whole.posterior[start:end],
        scores=whole.scores[start:end],
        votes=whole.votes[start:end],
    )


@pytest.mark.parametrize("ending", sorted(FORMS))
def test_joined_chunks_hold_every_row_once_in_order(ending: str, tmp_path: Path) -> None:
    form, whole = FORMS[ending], found(10)
    files = []
    for number, (start, end) in enumerate([(0, 4), (4, 4), (4, 10)]):
        files.append(tmp_path / f"{number}")
        files[-1].write_bytes(form.chunk(part(whole, start, end), TWO))
    joined, once = tmp_path / f"joined{ending}", tmp_path / f"once{ending}"
    form.join(files, joined)
    once.write_bytes(form.chunk(whole, TWO))
    if ending == ".parquet":
        assert pq.read_table(joined).equals(pq.read_table(once))
    else:
        assert joined.read_bytes() == once.read_bytes()


def test_a_row_tells_label_probabilities_confidence_and_votes(tmp_path: Path) -> None:
    lines = FORMS[".jsonl"].chunk(found(2), TWO).splitlines()
    assert json.loads(lines[1]) == {
        "item": "i1",
        "label": "spam",
        "probabilities": {"ham": 0.1, "spam": 0.9},
        "confidence": 0.9,
        "votes": 1,
    }
    (tmp_path / "two.parquet").write_bytes(FORMS[".parquet"].chunk(found(2), TWO))
    assert pq.read_table(tmp_path / "two.parquet").to_pylist()[1] == {
        "item": "i1",
        "label": "spam",
        "p_ham": 0.1,
        "p_spam": 0.9,
        "confidence": 0.9,
        "votes": 1,
    }


def test_of_sets_the_label_is_a_list(tmp_path: Path) -> None:
    sets = replace(
        found(1),
        labels=np.array([0b10]),
        posterior=np.array([[0.75, 0.25, 0.125, 0.875]], np.float32),
        scores=np.array([0.5], np.float32),
    )
    row = json.loads(FORMS[".jsonl"].chunk(sets, SETS))
    assert row["label"] == ["parcel"] and row["probabilities"] == {"bill": 0.25, "parcel": 0.875}
    (tmp_path / "sets.parquet").write_bytes(FORMS[".parquet"].chunk(sets, SETS))
    (row,) = pq.read_table(tmp_path / "sets.parquet").to_pylist()
    assert row["label"] == ["parcel"] and (row["p_bill"], row["p_parcel"]) == (0.25, 0.875)
