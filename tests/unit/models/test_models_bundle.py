"""The bundle: posterior, fast path, round trip, damage, and what loading it takes."""

import json
import pickle
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.archive import DamagedBundle, pack
from models.arrays import softmax
from models.bundle import Bundle
from models.calibration import fit_calibration
from models.classifier import LinearHead
from models.drift.reference import Reference
from models.gold import Gold
from models.label_model.protocol import Member
from models.votes import Votes, log_scores

CLASSES = ("ham", "spam", "other")
KEYS = ("function:a@1", "function:b@1", "function:c@1")


def trained(seed: int = 0) -> Bundle:
    """A bundle with every part filled by random numbers."""
    random = np.random.default_rng(seed)
    return replace(
        Bundle.from_priors(CLASSES, {"crowd": 0.8, "expert": 0.98}),
        members=(member(random, "hbcc", 0.7, 0.25), member(random, "weighted_vote", 1.3, 0.75)),
        heads=tuple(head(random) for _ in range(5)),
        head=head(random),
        encoder="all-MiniLM-L6-v2",
        calibration=fit_calibration(random.random(50), random.random(50) < 0.7),
        reference=Reference.of(
            random.normal(size=(9, 5)).astype(np.float32), random.integers(-1, 3, (9, 3)), KEYS, 3
        ),
        gold=Gold(50, 41.5, (20.25, 15.5, 5.75)),
        label_model="pool",
        trained_at="2024-06-01T00:00:00Z",
    )


def member(random: np.random.Generator, name: str, temperature: float, weight: float) -> Member:
    sizes = {**dict.fromkeys(KEYS, 4), "classifier": 12, "tier:crowd": 3}
    tables = {key: random.normal(size=(size, 3)) for key, size in sizes.items()}
    return Member(name, np.log(random.dirichlet(np.ones(3))), tables, temperature, weight)


def head(random: np.random.Generator) -> LinearHead:
    return LinearHead(random.normal(size=(3, 5)).astype(np.float32), random.normal(size=3).astype(np.float32))


def extra_votes(n: int, random: np.random.Generator) -> Votes:
    """Classifier votes on every item and crowd votes on some, several on one."""
    classifier = Votes.of_one("classifier", random.integers(0, 12, n), 12)
    asked = random.integers(0, n, n)
    crowd = Votes(n, ("tier:crowd",), (3,), asked, np.zeros(n, int), random.integers(0, 3, n))
    return Votes.concat_annotators(classifier, crowd)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_the_fast_path_equals_the_sparse_one_and_the_formula(seed: int) -> None:
    random = np.random.default_rng(seed)
    bundle, matrix, extra = trained(seed), random.integers(-1, 3, (20, 3)).astype(np.int8), None
    extra = extra_votes(20, random)
    votes = Votes.concat_annotators(Votes.from_dense(matrix, KEYS, 3), extra)
    fast = bundle.posterior_dense(matrix, KEYS, extra)
    np.testing.assert_allclose(fast.sum(axis=1), 1)
    np.testing.assert_allclose(fast, bundle.posterior(votes))
    mixed = [m.weight * softmax(m.temperature * log_scores(votes, m.prior, m.tables)) for m in bundle.members]
    np.testing.assert_allclose(fast, sum(mixed))


def test_order_of_functions_does_not_matter() -> None:
    matrix = np.random.default_rng(0).integers(-1, 3, (50, 3)).astype(np.int8)
    bundle = trained()
    turned = bundle.posterior_dense(matrix[:, ::-1], KEYS[::-1])
    np.testing.assert_allclose(turned, bundle.posterior_dense(matrix, KEYS))


def test_a_round_trip_keeps_every_decision_and_every_byte() -> None:
    bundle = trained()
    data = bundle.to_bytes()
    again = Bundle.from_bytes(data)
    assert again.to_bytes() == data
    for name in ("classes", "encoder", "edges", "gold", "label_model", "trained_at"):
        assert getattr(again, name) == getattr(bundle, name)
    random = np.random.default_rng(1)
    matrix, vectors = random.integers(-1, 3, (30, 3)), random.normal(size=(30, 5)).astype(np.float32)
    posterior = bundle.posterior_dense(matrix, KEYS)
    assert (again.posterior_dense(matrix, KEYS) == posterior).all()
    groups = np.arange(30)
    assert (again.classify(vectors, groups) == bundle.classify(vectors, groups)).all()
    assert (again.head.predict_proba(vectors) == bundle.head.predict_proba(vectors)).all()
    assert (again.reference.ranks(vectors) == bundle.reference.ranks(vectors)).all()
    assert again.reference.symbols.keys() == bundle.reference.symbols.keys()
    assert (again.scores(posterior) == bundle.scores(posterior)).all()


def test_priors_survive_the_round_trip_without_head_and_encoder() -> None:
    again = Bundle.from_bytes(Bundle.from_priors(("a", "b"), {"crowd": 0.8}).to_bytes())
    assert again.head is None
    assert again.encoder is None
    assert again.gold == Gold(0, 0.0, (0.0, 0.0))
    assert not len(again.reference.distances)
    with pytest.raises(ValueError, match="no classifier"):
        again.classify(np.zeros((1, 4), np.float32), np.zeros(1, int))


def test_an_item_is_judged_by_the_head_of_its_fold() -> None:
    bundle = trained()
    vectors = np.random.default_rng(2).normal(size=(20, 5)).astype(np.float32)
    groups = np.random.default_rng(3).integers(0, 2**56, 20)
    proba = bundle.classify(vectors, groups)
    for row, group in enumerate(groups):
        alone = bundle.heads[group % 5].predict_proba(vectors[row : row + 1])[0]
        np.testing.assert_allclose(proba[row], alone, rtol=1e-5)


def test_a_bundle_of_the_version_before_is_read() -> None:
    random = np.random.default_rng(4)
    one, sizes = member(random, "dawid_skene", 0.7, 1.0), {"function:f": 4}
    classifier = head(random)
    about = {
        "format": 1,
        "classes": CLASSES,
        "tables": list(one.tables),
        "fallbacks": list(sizes),
        "temperature": 0.7,
        "encoder": "tiny",
        "label_model": "dawid_skene",
        "trained_at": "",
    }
    arrays = {
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        "prior": one.prior,
        "edges": np.array([0.7]),
        "calibration": np.array([[0.0, 1.0], [0.0, 1.0]]),
        "fallback_0": np.zeros((4, 3)),
        "head_weights": classifier.weights,
        "head_bias": classifier.bias,
    } | {f"table_{place}": table for place, table in enumerate(one.tables.values())}
    bundle = Bundle.from_bytes(pack(arrays))
    matrix, vectors = random.integers(-1, 3, (9, 3)), random.normal(size=(9, 5)).astype(np.float32)
    votes = Votes.from_dense(matrix, KEYS, 3)
    expected = softmax(0.7 * log_scores(votes, one.prior, one.tables))
    np.testing.assert_allclose(bundle.posterior_dense(matrix, KEYS), expected)
    proba = bundle.classify(vectors, np.arange(9))
    np.testing.assert_array_equal(proba, classifier.predict_proba(vectors))
    assert bundle.gold.answers == 0
    told = bundle.posterior(Votes.of_one("llm:cheap/plain@9", np.array([7]), 12))
    assert told.argmax() == 1, "language models were no annotators of their own then"


def test_it_can_be_sent_to_another_process() -> None:
    bundle = trained()
    assert pickle.loads(pickle.dumps(bundle)).to_bytes() == bundle.to_bytes()


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_no_flipped_byte_changes_a_decision_unnoticed(place: float, flip: int) -> None:
    data = bytearray(DATA)
    data[int(place * len(data))] ^= flip
    try:
        again = Bundle.from_bytes(bytes(data))
    except DamagedBundle:
        return
    assert again.to_bytes() == DATA, "a byte that zip does not use may differ, the contents may not"


DATA = trained().to_bytes()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", DATA[:-100], DATA[100:], b"\x80\x04N."])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedBundle, match="bundle"):
        Bundle.from_bytes(data)


def test_a_bundle_of_a_later_version_is_refused() -> None:
    import models.bundle as module

    before = module.FORMAT
    try:
        module.FORMAT = 99
        data = trained().to_bytes()
    finally:
        module.FORMAT = before
    with pytest.raises(DamagedBundle, match="format 99, this version reads 1 and"):
        Bundle.from_bytes(data)


def test_unknown_annotators_fall_back_to_their_kind() -> None:
    bundle = Bundle.from_priors(("a", "b"), {"crowd": 0.9})
    three, nine = 0.5 * np.log(3), 0.5 * np.log(9)
    votes = Votes.of_one("function:new@7", np.array([0, 1, 2]), 3)
    np.testing.assert_allclose(
        bundle.posterior(votes)[:, 1], [1 / (1 + np.exp(three)), 1 / (1 + np.exp(-three)), 0.5]
    )
    for key, odds in (("tier:crowd@w3", nine), ("tier:crowd", nine), ("tier:unheard-of", three)):
        posterior = bundle.posterior(Votes.of_one(key, np.array([1]), 2))
        np.testing.assert_allclose(posterior[0, 1], 1 / (1 + np.exp(-odds)))
    sure = bundle.posterior(Votes.of_one("llm:crowd/plain@9", np.array([4, 7, 3]), 8))[:, 1]
    assert 0.5 < sure[0] < sure[1]
    assert sure[2] == pytest.approx(1 - sure[1])
    elsewhere = bundle.posterior(Votes.of_one("llm:unheard-of/plain@9", np.array([7]), 8))[0, 1]
    assert 0.5 < elsewhere < sure[1]
    with pytest.raises(ValueError, match="no table for annotator 'oracle:x'"):
        bundle.table_of(bundle.members[0], "oracle:x")


def test_a_table_of_its_own_goes_before_the_fallback() -> None:
    bundle = Bundle.from_priors(("a", "b"), {})
    (only,) = bundle.members
    bundle = replace(bundle, members=(replace(only, tables={"function:a@1": np.zeros((3, 2))}),))
    assert bundle.posterior_dense(np.array([[1]]), ("function:a@1",)).tolist() == [[0.5, 0.5]]
    assert bundle.posterior_dense(np.array([[1]]), ("function:a@2",))[0, 1] > 0.5


@pytest.mark.parametrize(("matrix", "message"), [([[3, 0, 0]], "outside -1..2"), ([[0, 0]], "3 annotators")])
def test_a_label_matrix_that_does_not_fit_is_refused(matrix: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trained().posterior_dense(np.array(matrix), KEYS)


def test_an_empty_batch_is_no_special_case() -> None:
    posterior = trained().posterior_dense(np.empty((0, 3), np.int8), KEYS)
    assert posterior.shape == (0, 3)
    assert trained().scores(posterior).shape == (0,)


def test_loading_needs_neither_snorkel_nor_scikit_learn_nor_torch() -> None:
    script = (
        "import sys; from models.bundle import Bundle; "
        "b = Bundle.from_bytes(Bundle.from_priors(('a', 'b'), {'crowd': .8}).to_bytes()); "
        "import numpy; b.scores(b.posterior_dense(numpy.zeros((2, 1), int), ['function:f'])); "
        "print([m for m in ('snorkel', 'sklearn', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_micro_batch_of_fifty_annotators_takes_milliseconds() -> None:
    random = np.random.default_rng(0)
    keys = [f"function:f{j}@0" for j in range(49)]
    sizes = {**dict.fromkeys(keys, 3), "classifier": 8}
    tables = {key: random.normal(size=(size, 2)) for key, size in sizes.items()}
    members = tuple(Member(f"m{m}", np.zeros(2), tables, 0.5, 0.1) for m in range(10))
    bundle = replace(Bundle.from_priors(("a", "b"), {}), members=members)
    matrix = random.integers(-1, 2, (512, 49)).astype(np.int8)
    classifier = Votes.of_one("classifier", random.integers(0, 8, 512), 8)
    took = []
    for _ in range(20):
        begun = time.thread_time()  # the machine's other work does not count
        bundle.posterior_dense(matrix, keys, classifier)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.005
