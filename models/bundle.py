"""All that a worker needs to decide, as one immutable value that fits into a database column."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F4, F8, I8, softmax
from models.calibration import Calibration
from models.classifier import EDGES, LinearHead, symbols
from models.label_model.priors import Priors
from models.votes import ABSTAIN, CLASSIFIER, FUNCTION, Votes, family, kind, log_scores

FORMAT = 1
UNTRAINED_TEMPERATURE = 0.5
"""Votes count half before any gold is known: annotators never err independently (METHODS section 1)."""


class DamagedBundle(ValueError):
    """Bytes that are not a bundle, or no longer the one that was written."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Tables that turn votes into probabilities, the classifier's head, and the acceptance score's curve.

    The posterior is softmax(temperature * (prior + table rows of the votes)); answers of final tiers are
    no votes and stand outside it.

    Attributes:
        classes: K names in order.
        prior: (K,) log-probabilities.
        tables: annotator key -> (S, K) log-likelihoods of its symbols, up to a constant a row.
        fallbacks: the same for annotators without a table, by the key up to `@` or the part before `:`.
        temperature: above 0.
        head: the classifier, if there is one. encoder: name of the encoder that it reads.
        edges: (B - 1,) rising confidences that part the classifier's bins.
        calibration: from the largest posterior probability to the probability that the label is right.
        label_model: registry name of the model that made the tables. trained_at: ISO 8601, or empty.
    """

    classes: tuple[str, ...]
    prior: F8
    tables: Mapping[str, F8]
    fallbacks: Mapping[str, F8]
    temperature: float
    head: LinearHead | None
    encoder: str | None
    edges: tuple[float, ...]
    calibration: Calibration
    label_model: str
    trained_at: str

    @classmethod
    def from_priors(cls, classes: Sequence[str], tiers: Mapping[str, float]) -> "Bundle":
        """What is believed before anything is learned: an accuracy-weighted majority vote.

        Args:
            classes: K names in order.
            tiers: tier name -> how often its answers are right, in (0.5, 1).
        """
        n_classes = len(classes)
        return cls(
            classes=tuple(classes),
            prior=np.full(n_classes, -np.log(n_classes)),
            tables={},
            fallbacks=fallback_tables(n_classes, tiers),
            temperature=UNTRAINED_TEMPERATURE,
            head=None,
            encoder=None,
            edges=EDGES,
            calibration=Calibration.identity(),
            label_model="majority",
            trained_at="",
        )

    def table(self, key: str) -> F8:
        """(S, K) table of an annotator, or the one of its kind. Raises ValueError if there is neither."""
        for known, name in ((self.tables, key), (self.fallbacks, family(key)), (self.fallbacks, kind(key))):
            if name in known:
                return known[name]
        raise ValueError(f"bundle: no table for annotator {key!r}, nor for {family(key)!r} or {kind(key)!r}")

    def posterior(self, votes: Votes) -> F8:
        """(n, K) probabilities; rows sum to 1."""
        tables = {key: self.table(key) for key in votes.annotators}
        return softmax(self.temperature * log_scores(votes, self.prior, tables))

    def posterior_dense(
        self, matrix: NDArray[np.integer[Any]], keys: Sequence[str], extra: Votes | None = None
    ) -> F8:
        """As `posterior`, for a dense (n, m) matrix of function votes; `extra` votes on the same items."""
        scores = np.tile(self.prior, (len(matrix), 1))
        if matrix.shape[1] != len(keys):
            raise ValueError(f"bundle: label matrix of shape {matrix.shape} with {len(keys)} annotators")
        n_classes = len(self.classes)
        if matrix.size and not ABSTAIN <= matrix.min() <= matrix.max() < n_classes:
            raise ValueError(f"bundle: a vote outside {ABSTAIN}..{n_classes - 1} in the label matrix")
        for column, key in enumerate(keys):
            scores += self.table(key)[matrix[:, column]]  # the last row is that of abstention, index -1
        if extra is not None:
            tables = {key: self.table(key) for key in extra.annotators}
            scores += log_scores(extra, np.zeros(n_classes), tables)
        return softmax(self.temperature * scores)

    def classifier_symbols(self, vectors: F4) -> I8:
        """(n,) the classifier's votes on (n, d) vectors. Raises ValueError without a classifier."""
        if self.head is None:
            raise ValueError("bundle: it has no classifier")
        return symbols(self.head.predict_proba(vectors), self.edges)

    def scores(self, posterior: NDArray[np.floating[Any]]) -> F8:
        """(n,) calibrated probability that the most probable label is right."""
        return self.calibration.apply(posterior.max(axis=1)) if len(posterior) else np.empty(0)

    def to_bytes(self) -> bytes:
        """An npz file of plain arrays and one JSON text; equal bundles give equal bytes."""
        arrays = self._arrays()
        arrays["digest"] = _digest(arrays)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        about = {
            "format": FORMAT,
            "classes": self.classes,
            "tables": list(self.tables),
            "fallbacks": list(self.fallbacks),
            "temperature": self.temperature,
            "encoder": self.encoder,
            "label_model": self.label_model,
            "trained_at": self.trained_at,
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "prior": np.asarray(self.prior, np.float64),
            "edges": np.array(self.edges, np.float64),
            "calibration": np.stack([self.calibration.x, self.calibration.y]),
        }
        arrays |= {f"table_{i}": np.asarray(t, np.float64) for i, t in enumerate(self.tables.values())}
        arrays |= {f"fallback_{i}": np.asarray(t, np.float64) for i, t in enumerate(self.fallbacks.values())}
        if self.head is not None:
            arrays |= {"head_weights": self.head.weights, "head_bias": self.head.bias}
        return arrays

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Read what `to_bytes` wrote. Raises DamagedBundle; never unpickles anything."""
        arrays = _read(data)
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT:
            raise DamagedBundle(f"bundle: format {about['format']}, this version reads {FORMAT}")
        head = None
        if "head_weights" in arrays:
            head = LinearHead(arrays["head_weights"], arrays["head_bias"])
        return cls(
            classes=tuple(about["classes"]),
            prior=arrays["prior"],
            tables={key: arrays[f"table_{i}"] for i, key in enumerate(about["tables"])},
            fallbacks={key: arrays[f"fallback_{i}"] for i, key in enumerate(about["fallbacks"])},
            temperature=about["temperature"],
            head=head,
            encoder=about["encoder"],
            edges=tuple(arrays["edges"].tolist()),
            calibration=Calibration(*arrays["calibration"]),
            label_model=about["label_model"],
            trained_at=about["trained_at"],
        )


def fallback_tables(n_classes: int, tiers: Mapping[str, float]) -> dict[str, F8]:
    """Tables of annotators that nothing is known of yet, by kind: log-odds of their expected accuracy."""
    priors = Priors(tiers)
    sizes = {
        FUNCTION: n_classes + 1,
        CLASSIFIER: n_classes * (len(EDGES) + 1),
        "tier": n_classes,
        **{f"tier:{name}": n_classes for name in tiers},
    }
    return {key: priors.vote_odds(key, size, n_classes) for key, size in sizes.items()}


def _digest(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """SHA-256 over names, types, shapes and contents."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        whole.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        whole.update(array.tobytes())
    return np.frombuffer(whole.digest(), np.uint8)


def _read(data: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DamagedBundle(f"bundle: {len(data)} bytes that are no bundle ({error})") from error
    stored = arrays.pop("digest", None)
    if stored is None or not np.array_equal(stored, _digest(arrays)):
        raise DamagedBundle("bundle: its contents do not match its digest; it was damaged or changed")
    return arrays
