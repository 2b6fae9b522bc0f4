"""All that a worker needs to decide, as one immutable value that fits into a database column."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.archive import Arrays, DamagedBundle, pack, unpack
from models.arrays import F4, F8, I8
from models.calibration import Calibration
from models.classifier import EDGES, LinearHead, classify_by_fold, symbols
from models.drift.reference import Reference
from models.folds import FOLDS, fold_of
from models.gold import Gold
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import Member
from models.label_model.untested import UNTRAINED_TEMPERATURE, as_untested
from models.votes import CLASSIFIER, FUNCTION, LLM, TIER, Votes, family, kind, tier_of

FORMAT = 2
"""Format 1 had one set of tables, one head, neither reference nor gold; it is still read."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Tables that turn votes into probabilities, the classifier, and the acceptance score's curve.

    The posterior is the members' mixture (`Member`); answers of final tiers are no votes and stand outside
    it. An item is judged by the classifier's head that never saw its group, so that a served posterior is of
    the same kind as those that it was calibrated on, whether the item was trained on or not.

    Attributes:
        classes: K names in order.
        members: of the mixture; their weights sum to 1.
        fallbacks: (S, K) tables of annotators that a member has none of, by the key up to `@` or the part
            before `:`.
        heads: one a fold of groups, trained on the other folds; empty without a classifier.
        head: trained on everything, for texts elsewhere; None without a classifier.
        encoder: name of the encoder that heads read.
        edges: (B - 1,) rising confidences that part the classifier's bins.
        calibration: from the largest posterior probability to the probability that the label is right.
        reference: what the items looked like that it was trained on.
        gold: how much it rests on.
        label_model: registry name of the model that made the tables. trained_at: ISO 8601, or empty.
        people: key of a person, or of those of a tier who are not told apart -> (K, K) how often they are
            expected to have said each class on items of each class.
    """

    classes: tuple[str, ...]
    members: tuple[Member, ...]
    fallbacks: Mapping[str, F8]
    heads: tuple[LinearHead, ...]
    head: LinearHead | None
    encoder: str | None
    edges: tuple[float, ...]
    calibration: Calibration
    reference: Reference
    gold: Gold
    label_model: str
    trained_at: str
    people: Mapping[str, F8] = field(default_factory=dict)
    _mixture: Mixture = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.heads) not in (0, FOLDS):
            raise ValueError(f"bundle: {len(self.heads)} heads; there is one for each of {FOLDS} folds")
        object.__setattr__(self, "_mixture", Mixture(self.members, partial(_table, self.fallbacks)))

    @classmethod
    def from_priors(cls, classes: Sequence[str], tiers: Mapping[str, float]) -> "Bundle":
        """What is believed before anything is learned: an accuracy-weighted majority vote.

        Args:
            classes: K names in order.
            tiers: tier name -> how often its answers are right, in (0.5, 1).
        """
        n_classes = len(classes)
        even = np.full(n_classes, -np.log(n_classes))
        return cls(
            classes=tuple(classes),
            members=(Member("majority", even, {}, UNTRAINED_TEMPERATURE),),
            fallbacks=fallback_tables(n_classes, tiers),
            heads=(),
            head=None,
            encoder=None,
            edges=EDGES,
            calibration=Calibration.identity(),
            reference=Reference.from_arrays({}),
            gold=Gold.none(n_classes),
            label_model="majority",
            trained_at="",
        )

    @property
    def parts(self) -> "tuple[Bundle, ...]":
        """One bundle a facet; that of a task with one class an item is its own only part."""
        return (self,)

    @property
    def has_classifier(self) -> bool:
        """Whether there is a head."""
        return self.head is not None

    @property
    def annotators(self) -> tuple[str, ...]:
        """Keys of all that it has learned something of."""
        return tuple(dict.fromkeys(key for member in self.members for key in member.tables))

    def table_of(self, member: Member, key: str) -> F8:
        """(S, K) a member's table of an annotator, or of its family, or what is believed of its kind.

        Raises ValueError if there is nothing.
        """
        return _table(self.fallbacks, member, key)

    def posterior(self, votes: Votes) -> F8:
        """(n, K) probabilities; rows sum to 1."""
        return self._mixture.posterior(votes)

    def posterior_dense(
        self, matrix: NDArray[np.integer[Any]], keys: Sequence[str], extra: Votes | None = None
    ) -> F8:
        """As `posterior`, for a dense (n, m) matrix of function votes; `extra` votes on the same items."""
        return self._mixture.posterior_dense(matrix, keys, extra)

    def classify(self, vectors: F4, groups: I8) -> F8:
        """(n, K) the classifier's probabilities of (n, d) vectors, each by a head that never saw its group.

        Rows of NaN where there is no vector.

        Raises ValueError without a classifier.
        """
        if self.head is None:
            raise ValueError("bundle: it has no classifier")
        if not self.heads:
            return self.head.predict_proba(vectors)
        return classify_by_fold(self.heads, vectors, fold_of(groups))

    def classifier_votes(self, proba: F8) -> Votes:
        """The classifier's votes, label and confidence bin, from its (n, K) probabilities; none of NaN."""
        return Votes.of_one(CLASSIFIER, symbols(proba, self.edges), len(self.classes) * (len(self.edges) + 1))

    def scores(self, posterior: NDArray[np.floating[Any]]) -> F8:
        """(n,) calibrated probability that the most probable label is right."""
        return self.calibration.apply(posterior.max(axis=1)) if len(posterior) else np.empty(0)

    def to_bytes(self) -> bytes:
        """An npz file of plain arrays and one JSON text; equal bundles give equal bytes."""
        return pack(self.arrays())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The bundle as named plain arrays, one of them a JSON text; `from_arrays` reads them."""
        reference = self.reference.arrays()
        about = {
            "format": FORMAT,
            "classes": self.classes,
            "members": [_about(member) for member in self.members],
            "fallbacks": list(self.fallbacks),
            "encoder": self.encoder,
            "reference": list(reference),
            "gold": [self.gold.answers, self.gold.effective, self.gold.by_class],
            "label_model": self.label_model,
            "trained_at": self.trained_at,
            "people": list(self.people),
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "priors": np.array([member.prior for member in self.members], np.float64),
            "edges": np.array(self.edges, np.float64),
            "calibration": np.stack([self.calibration.x, self.calibration.y]),
        }
        for place, member in enumerate(self.members):
            arrays[f"tables_{place}"] = _stacked(member.tables, len(self.classes))
        arrays |= {f"fallback_{i}": np.asarray(t, np.float64) for i, t in enumerate(self.fallbacks.values())}
        if self.people:
            arrays["people"] = np.stack([np.asarray(table, np.float64) for table in self.people.values()])
        arrays |= {f"reference_{i}": array for i, array in enumerate(reference.values())}
        if self.head is not None:
            heads = (self.head, *self.heads)
            arrays["head_weights"] = np.stack([head.weights for head in heads])
            arrays["head_bias"] = np.stack([head.bias for head in heads])
        return arrays

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Read what `to_bytes` wrote, now or in format 1. Raises DamagedBundle; never unpickles anything."""
        return cls.from_arrays(unpack(data))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Bundle":
        """Read what `arrays` gave, now or in format 1. Raises DamagedBundle."""
        about = about_of(arrays)
        if about["format"] not in (1, FORMAT):
            raise DamagedBundle(f"bundle: format {about['format']}, this version reads 1 and {FORMAT}")
        read = _parts_1 if about["format"] == 1 else _parts
        members, heads, reference, gold = read(about, arrays)
        return cls(
            classes=tuple(about["classes"]),
            members=members,
            # a bundle of a version that had no language models learns of them in its next training
            fallbacks=fallback_tables(len(about["classes"]), {})
            | {key: arrays[f"fallback_{i}"] for i, key in enumerate(about["fallbacks"])},
            heads=heads[1:],
            head=heads[0] if heads else None,
            encoder=about["encoder"],
            edges=tuple(arrays["edges"].tolist()),
            calibration=Calibration(*arrays["calibration"]),
            reference=reference,
            gold=gold,
            label_model=about["label_model"],
            trained_at=about["trained_at"],
            people=dict(zip(about.get("people", ()), arrays.get("people", ()), strict=True)),
        )


def about_of(arrays: Arrays) -> Mapping[str, Any]:
    """The JSON text of a bundle's arrays. Raises DamagedBundle if there is none."""
    if "about" not in arrays:
        raise DamagedBundle(f"bundle: no bundle, it holds {', '.join(sorted(arrays))}")
    about: Mapping[str, Any] = json.loads(arrays["about"].tobytes())
    return about


_Parts = tuple[tuple[Member, ...], tuple[LinearHead, ...], Reference, Gold]


def fallback_tables(n_classes: int, tiers: Mapping[str, float]) -> dict[str, F8]:
    """Tables of annotators that nothing is known of yet, by kind: log-odds of their expected accuracy."""
    priors, n_binned = Priors(tiers), n_classes * (len(EDGES) + 1)
    sizes = {
        FUNCTION: n_classes + 1,
        CLASSIFIER: n_binned,
        TIER: n_classes,
        LLM: n_binned,
        **{f"{TIER}:{name}": n_classes for name in tiers},
        **{f"{LLM}:{name}": n_binned for name in tiers},
    }
    return {key: priors.vote_odds(key, size, n_classes) for key, size in sizes.items()}


def _table(fallbacks: Mapping[str, F8], member: Member, key: str) -> F8:
    for name in (key, family(key)):
        if name in member.tables:
            return member.tables[name]
    for name in (family(key), f"{kind(key)}:{tier_of(key)}", kind(key)):
        if name in fallbacks:
            return as_untested(member, key, fallbacks[name])
    raise ValueError(f"bundle: no table for annotator {key!r}, nor for {family(key)!r} or {kind(key)!r}")


def _about(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "tables": {key: len(table) for key, table in member.tables.items()},
        "temperature": member.temperature,
        "weight": member.weight,
    }


def _stacked(tables: Mapping[str, F8], n_classes: int) -> F8:
    """(C, K) all tables, one below the other."""
    return np.concatenate([np.empty((0, n_classes)), *tables.values()])


def _parts(about: Mapping[str, Any], arrays: Arrays) -> _Parts:
    members = []
    for place, (prior, told) in enumerate(zip(arrays["priors"], about["members"], strict=True)):
        ends = np.cumsum(list(told["tables"].values()), dtype=np.int64)
        tables = dict(zip(told["tables"], np.split(arrays[f"tables_{place}"], ends[:-1]), strict=False))
        members.append(Member(told["name"], prior, tables, told["temperature"], told["weight"]))
    heads: tuple[LinearHead, ...] = ()
    if "head_weights" in arrays:
        heads = tuple(map(LinearHead, arrays["head_weights"], arrays["head_bias"]))
    reference = Reference.from_arrays(
        {name: arrays[f"reference_{i}"] for i, name in enumerate(about["reference"])}
    )
    answers, effective, by_class = about["gold"]
    return tuple(members), heads, reference, Gold(answers, effective, tuple(by_class))


def _parts_1(about: Mapping[str, Any], arrays: Arrays) -> _Parts:
    tables = {key: arrays[f"table_{i}"] for i, key in enumerate(about["tables"])}
    member = Member(about["label_model"], arrays["prior"], tables, about["temperature"])
    heads: tuple[LinearHead, ...] = ()
    if "head_weights" in arrays:
        heads = (LinearHead(arrays["head_weights"], arrays["head_bias"]),)
    return (member,), heads, Reference.from_arrays({}), Gold.none(len(about["classes"]))
