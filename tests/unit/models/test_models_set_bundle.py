"""Bundles of sets: scores of whole sets, round trip, damage, and which kind bytes are."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.archive import DamagedBundle, pack
from models.bundle import Bundle
from models.bundles import bundle_from_priors, read_bundle
from models.calibration import Calibration, fit_calibration
from models.classifier import LinearHead
from models.drift.reference import Reference
from models.gold import Gold
from models.label_model.protocol import Member
from models.set_bundle import (
    APPLIES,
    SetBundle,
    class_accuracy,
    facet_key,
    joint_confidence,
    set_gold,
)

CLASSES = ("billing", "praise", "outage")
KEYS = ("function:a@1", "function:b@1")


def trained(seed: int = 0) -> SetBundle:
    """A bundle with every part filled by random numbers."""
    random = np.random.default_rng(seed)
    return SetBundle(
        classes=CLASSES,
        parts=tuple(part(random) for _ in CLASSES),
        calibration=fit_calibration(random.random(50), random.random(50) < 0.7),
        reference=Reference(
            random.normal(size=5).astype(np.float32),
            np.sort(random.random(9)).astype(np.float32),
            {facet_key(key, name): random.integers(1, 9, 3) for key in KEYS for name in CLASSES},
        ),
        gold=Gold(50, 41.5, (20.25, 15.5, 1.0)),
        trained_at="2024-06-01T00:00:00Z",
    )


def part(random: np.random.Generator) -> Bundle:
    tables = {key: random.normal(size=(3, 2)) for key in KEYS}
    heads = [LinearHead(random.normal(size=(2, 5)).astype(np.float32), np.zeros(2, np.float32))] * 6
    return replace(
        Bundle.from_priors(APPLIES, {"crowd": 0.9}),
        members=(Member("hbcc", np.log(random.dirichlet(np.ones(2))), tables, 0.7, 1.0),),
        heads=tuple(heads[1:]),
        head=heads[0],
        encoder="all-MiniLM-L6-v2",
        label_model="pool",
    )


DATA = trained().to_bytes()


def test_a_round_trip_keeps_every_decision_and_every_byte() -> None:
    bundle = trained()
    again = read_bundle(DATA)
    assert isinstance(again, SetBundle)
    assert again.to_bytes() == DATA
    for name in ("classes", "encoder", "gold", "label_model", "trained_at", "annotators", "has_classifier"):
        assert getattr(again, name) == getattr(bundle, name)
    posterior = np.random.default_rng(1).random((20, 6))
    assert (again.scores(posterior) == bundle.scores(posterior)).all()
    matrix = np.random.default_rng(2).integers(-1, 2, (20, 2)).astype(np.int8)
    for one, other in zip(again.parts, bundle.parts, strict=True):
        assert (one.posterior_dense(matrix, KEYS) == other.posterior_dense(matrix, KEYS)).all()
    assert again.reference.symbols.keys() == bundle.reference.symbols.keys()


def test_bundles_of_one_class_are_still_read() -> None:
    single = Bundle.from_priors(("ham", "spam"), {"crowd": 0.8})
    again = read_bundle(single.to_bytes())
    assert isinstance(again, Bundle)
    assert again.to_bytes() == single.to_bytes()


def test_neither_kind_is_read_as_the_other() -> None:
    with pytest.raises(DamagedBundle, match="format sets 1, this version reads"):
        Bundle.from_bytes(DATA)
    with pytest.raises(DamagedBundle, match="format 2, a bundle of sets has"):
        SetBundle.from_bytes(Bundle.from_priors(APPLIES, {}).to_bytes())


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_no_flipped_byte_changes_a_decision_unnoticed(place: float, flip: int) -> None:
    data = bytearray(DATA)
    data[int(place * len(data))] ^= flip
    try:
        again = read_bundle(bytes(data))
    except DamagedBundle:
        return
    assert again.to_bytes() == DATA, "a byte that zip does not use may differ, the contents may not"


@pytest.mark.parametrize("data", [b"", DATA[:-100], b"\x80\x04N.", pack({"weights": np.zeros(3)})])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedBundle, match="bundle"):
        read_bundle(data)


def test_a_set_is_as_sure_as_all_its_classes_together() -> None:
    posterior = np.array([[0.1, 0.9, 0.8, 0.2], [0.5, 0.5, 0.0, 1.0]], np.float32)
    np.testing.assert_allclose(joint_confidence(posterior), [0.72, 0.5], rtol=1e-6)
    bundle = replace(trained(), calibration=Calibration.identity())
    np.testing.assert_allclose(bundle.scores(posterior), [0.72, 0.5], rtol=1e-6)
    assert bundle.scores(np.empty((0, 6))).shape == (0,)


def test_priors_are_those_of_each_class_alone() -> None:
    bundle = bundle_from_priors(CLASSES, True, {"crowd": 0.729})
    assert isinstance(bundle, SetBundle)
    alone = Bundle.from_priors(APPLIES, {"crowd": 0.9})
    assert len(bundle.parts) == 3
    for one in bundle.parts:
        np.testing.assert_allclose(one.fallbacks["tier:crowd"], alone.fallbacks["tier:crowd"])
    assert not bundle.has_classifier
    assert bundle.encoder is None
    assert bundle.gold == Gold.none(3)
    assert read_bundle(bundle.to_bytes()).to_bytes() == bundle.to_bytes()
    assert isinstance(bundle_from_priors(("a", "b"), False, {}), Bundle)


def test_a_tier_right_about_whole_sets_is_right_more_often_about_each_class() -> None:
    assert class_accuracy({"crowd": 0.81}, 2) == {"crowd": pytest.approx(0.9)}


def test_gold_is_counted_by_the_classes_that_answers_name() -> None:
    gold = set_gold(np.array([0b11, 0b01, 0b00, 0b01]), np.array([1, 2, 3, 2]), np.ones(4), 3)
    assert gold == Gold(4, 3.0, (2.0, 1.0, 0.0))


def test_parts_that_do_not_fit_are_refused() -> None:
    bundle = trained()
    with pytest.raises(ValueError, match="2 parts for 3 classes"):
        replace(bundle, parts=bundle.parts[:2])
    with pytest.raises(ValueError, match="tells ham, spam apart"):
        replace(bundle, parts=(Bundle.from_priors(("ham", "spam"), {}), *bundle.parts[1:]))
    with pytest.raises(ValueError, match="do not read the same encoder"):
        replace(bundle, parts=(Bundle.from_priors(APPLIES, {}), *bundle.parts[1:]))


def test_a_format_of_a_later_version_is_refused() -> None:
    about = np.frombuffer(json.dumps({"format": "sets 9"}).encode(), np.uint8)
    with pytest.raises(DamagedBundle, match="format sets 9"):
        read_bundle(pack({"about": about}))
