"""Multilabel tasks: one posterior a class, one label of all classes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from daemon.core.answer_votes import about_facet
from daemon.core.assembling import assemble
from daemon.core.bundles import Current
from daemon.core.decide import decide, label_scores
from daemon.core.drift import DriftWatch
from daemon.core.evidence import of_arrivals, of_stored
from daemon.core.learning_rows import TrainingRows
from daemon.core.market import MarketWatch
from daemon.core.policy import Outputs, Policy
from daemon.core.rows import Answer, OpenItem
from daemon.core.settings import DriftSettings, GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.states import AnnotatorKind, ItemState, Purpose
from daemon.core.window_rows import OpenWindow, WindowPlan
from daemon.core.windows import WindowJudge
from labeling_functions.label_space import set_of
from labeling_functions.task import MULTILABEL
from models.bundles import bundle_from_priors
from models.drift.reference import Reference
from models.set_bundle import facet_key

CLASSES = ("billing", "delivery", "praise")
BILLING, DELIVERY, PRAISE = range(3)
POLICY = Policy(
    classes=CLASSES,
    tiers={
        "crowd": TierSettings(price=0.05, overlap=1, accuracy=0.9),
        "expert": TierSettings(price=0.6, final=True, accuracy=0.97),
    },
    guarantee=GuaranteeSettings(cold_start_gold=0),
    routing=RoutingSettings(ask_below=0.7),
    kind=MULTILABEL,
)
BUNDLE = bundle_from_priors(CLASSES, True, POLICY.accuracies)
KEYS = ("function:f@1", "function:g@1")
NOBODY = np.full((2, 6), -1, np.int8)


def market(bundle=BUNDLE):
    return MarketWatch(POLICY, lambda _: frozenset()).under(bundle)


def said(label: int, tier: str = "crowd", at: int = 1, purpose: Purpose = Purpose.SETTLE) -> Answer:
    return Answer(at, f"{tier} {at}", AnnotatorKind.PERSON, tier, purpose, label, at)


def item(inline: Sequence[int], answers: Sequence[Answer] = (), label: int = 0) -> OpenItem:
    return OpenItem(
        id="a",
        state=ItemState.ASKING,
        functions=1,
        inline=np.array(inline, np.int8),
        posterior=np.full(6, 0.5, np.float32),
        labels=POLICY.space.spread(np.array([label]))[0],
        score=0.1,
        revision=0,
        sent_back=0,
        window=None,
        bundle=None,
        cost=0,
        payload=json.dumps({"id": "a", "text": "where is my parcel"}).encode(),
        answers=answers,
    )


def stored(*items: OpenItem):
    groups = np.zeros(len(items), np.int64)
    return of_stored(items, groups, lambda _: KEYS, BUNDLE, POLICY.ladder, POLICY.final_tiers)


def applies(posterior: np.ndarray) -> np.ndarray:
    """(n, 3) how likely each class applies."""
    return posterior.reshape(len(posterior), 3, 2)[:, :, 1]


def test_what_a_function_says_of_a_class_moves_that_class_alone() -> None:
    inline = NOBODY.copy()
    inline[0, [DELIVERY, 3 + DELIVERY]] = 1  # both functions: delivery applies
    inline[1, 3 + PRAISE] = 0  # the second: praise does not
    evidence = of_arrivals(inline, KEYS, None, np.zeros(2, np.int64), BUNDLE, 2)
    likely = applies(evidence.posterior)
    assert likely[0, DELIVERY] > 0.5 == likely[0, BILLING] == likely[0, PRAISE]
    assert likely[1, PRAISE] < 0.5 == likely[1, BILLING] == likely[1, DELIVERY]
    decision = decide(evidence, POLICY, None, market())
    assert decision.labels.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert evidence.scores[0] == pytest.approx(likely[0, DELIVERY] * 0.25)


def test_an_answer_tells_about_every_class() -> None:
    likely = applies(stored(item([-1] * 6, [said(set_of([DELIVERY]))])).posterior)[0]
    assert likely[DELIVERY] > 0.5
    assert likely[BILLING] == likely[PRAISE] < 0.5


def test_what_a_final_tier_says_is_the_label_and_as_sure_as_it_is_right() -> None:
    evidence = stored(item([1, -1, -1, -1, -1, -1], [said(set_of([DELIVERY, PRAISE]), "expert")]))
    decision = decide(evidence, POLICY, 1, market())
    assert decision.states == [ItemState.HUMAN]
    assert decision.labels.tolist() == [[0, 1, 1]]
    assert decision.scores.tolist() == pytest.approx([0.97])
    sure = np.where([[0, 1, 1]], applies(decision.posterior), 1 - applies(decision.posterior))
    assert sure.prod() == pytest.approx(0.97)


def test_none_of_the_classes_is_an_answer_too() -> None:
    evidence = stored(item([1, -1, -1, -1, -1, -1], [said(0, "expert")]))
    assert evidence.final.tolist() == [0]
    assert decide(evidence, POLICY, 1, market()).labels.tolist() == [[0, 0, 0]]


def test_a_doubtful_set_is_asked_about_and_a_sure_one_is_ready() -> None:
    doubtful, sure = NOBODY.copy(), NOBODY.copy()
    sure[:, :] = 0
    for inline, state in ((doubtful, ItemState.ASKING), (sure, ItemState.READY)):
        evidence = of_arrivals(inline, KEYS, None, np.zeros(2, np.int64), BUNDLE, 2)
        scored = replace(evidence, scores=np.full(2, 0.3 if state == ItemState.ASKING else 0.9, np.float32))
        decision = decide(scored, POLICY, 1, market())
        assert decision.states == [state] * 2
        assert bool(decision.asks) == (state == ItemState.ASKING)


def test_a_label_that_is_not_the_likeliest_set_is_no_surer_than_its_classes_together() -> None:
    cost = np.array([[0.0, 10.0], [1.0, 0.0]])  # missing a class is ten times as bad
    posterior = np.array([[0.8, 0.2, 0.99, 0.01]])
    labels, scores = label_scores(posterior, np.array([0.9]), cost, 2)
    assert labels.tolist() == [1]
    assert scores.tolist() == pytest.approx([0.2 * 0.99])


def test_how_sure_a_model_is_of_each_class_goes_with_its_vote_on_it() -> None:
    answer = replace(said(set_of([DELIVERY])), confidence=0.6, by_class=(0.1, 0.9, 0.4))
    assert [(one.label, one.confidence) for f in range(3) for one in about_facet([answer], f, 3)] == [
        (0, pytest.approx(0.9)),
        (1, 0.9),
        (0, pytest.approx(0.6)),
    ]
    assert about_facet([answer], 0, 1) == [answer]


def rows(*answers: tuple[int, Answer]) -> TrainingRows:
    n = 3
    return TrainingRows(
        ids=[f"i{row}" for row in range(n)],
        payloads=[b'{"id": "i", "text": "text %d"}' % row for row in range(n)],
        subjects=[None] * n,
        arrived=np.arange(n),
        functions=np.full(n, 1),
        inline=[np.array([1, -1, 0, -1, -1, 1], np.int8)] * n,
        sets={1: (7, 8)},
        names={7: ("f", "v1"), 8: ("g", "v1")},
        vectors=np.zeros((n, 0), np.float16),
        has_vector=np.zeros(n, bool),
        encoder=None,
        answers=answers,
    )


def test_training_data_has_one_set_of_columns_a_class() -> None:
    audit = said(set_of([BILLING, PRAISE]), "expert", 20, Purpose.AUDIT)
    data = assemble(rows((0, audit), (1, said(0, "expert")), (2, said(set_of([DELIVERY])))), POLICY, None)
    assert data.classes == CLASSES
    assert [facet.expert.tolist() for facet in data.facets] == [[1, 0, -1], [0, 0, -1], [1, 0, -1]]
    symbols = [facet.votes.take([2]).symbol.tolist() for facet in data.facets]
    assert symbols == [[1, 2, 0], [2, 2, 1], [0, 1, 0]]  # of f, g and the crowd; 2: abstains
    assert all(facet.audited.tolist() == [True, False, False] for facet in data.facets)
    assert data.facets[0].tier_accuracy["crowd"] == pytest.approx(0.9 ** (1 / 3))


def test_an_audit_that_differs_in_one_class_is_an_error_of_the_whole_label() -> None:
    labels = [set_of([DELIVERY])] * 3
    items = [replace(item([-1] * 6, label=label), id=str(place)) for place, label in enumerate(labels)]
    terms = WindowPlan(
        p=1.0,
        alpha=0.5,
        delta=0.5,
        lambdas=np.array([0.9, 0.5]),
        start=0,
        tier="expert",
        price=1,
        priority=1.0,
        deadline_seconds=60.0,
    )
    judge = WindowJudge(
        POLICY, Outputs("labels", "questions", "dead", lambda _, keys: [0] * len(keys)), lambda _: KEYS
    )

    def errors(*audits: int) -> int:
        window = OpenWindow(
            id=1,
            plan=terms,
            items=items,
            scores=np.full(3, 0.95, np.float32),
            labels=POLICY.space.spread(np.array(labels)),
            audited=np.arange(3),
            audits=np.array(audits),
            overdue=False,
        )
        closing = judge(window)
        assert closing is not None
        assert closing.decision.labels.tolist() == POLICY.space.spread(np.array(audits)).tolist()
        return int(closing.errors.max())

    assert errors(*labels) == 0
    assert errors(labels[0], set_of([DELIVERY, PRAISE]), 0) == 2


def test_an_alarm_names_the_function_and_the_class() -> None:
    symbols = {facet_key("function:f@1", name): np.array([900, 20, 80]) for name in CLASSES}
    bundle = replace(BUNDLE, reference=replace(Reference.from_arrays({}), symbols=symbols))
    raised: list[str] = []
    watch = DriftWatch(_Alarms(raised), _NoWindows(), DriftSettings(), "run", ["function:f@1"])
    inline = np.tile(np.array([0, 1, 0], np.int8), (600, 1))
    arrivals = SimpleNamespace(vectors=None, encoder=None, inline=inline)
    watch.saved(
        SimpleNamespace(arrivals=arrivals, decision=SimpleNamespace(classifier=None)), Current(1, bundle)
    )
    assert any("f (delivery) voted yes on" in told for told in raised), raised


class _Alarms:
    def __init__(self, raised: list[str]) -> None:
        self._raised = raised

    def raise_alarms(self, process, bundle, raised):
        self._raised += [alarm.detail for alarm in raised]
        return list(raised)


class _NoWindows:
    def closed_windows(self, count):
        return []

    def open_windows(self):
        return []
