"""Stored rows become arrays: whose votes count, and when."""

from dataclasses import replace

import numpy as np

from daemon.core.assembling import assemble
from daemon.core.learning_rows import StoredBundle, TrainingRows
from daemon.core.policy import Policy
from daemon.core.rows import Answer
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.sparing import sampled
from daemon.core.states import AnnotatorKind, Purpose

POLICY = Policy(
    classes=("ham", "spam"),
    tiers={"crowd": TierSettings(accuracy=0.8), "expert": TierSettings(final=True, accuracy=0.98)},
    guarantee=GuaranteeSettings(),
    routing=RoutingSettings(),
)


def rows(*answers: tuple[int, Answer], n: int = 3) -> TrainingRows:
    return TrainingRows(
        ids=[f"i{row}" for row in range(n)],
        payloads=[b'{"id": "i", "text": "text %d"}' % row for row in range(n)],
        subjects=[None] * n,
        arrived=np.arange(n),
        functions=np.full(n, 1),
        inline=[np.array([1], np.int8)] * n,
        sets={1: (7,)},
        names={7: ("f", "v1")},
        vectors=np.zeros((n, 0), np.float16),
        has_vector=np.zeros(n, bool),
        encoder=None,
        answers=answers,
    )


def said(tier: str, label: int, at: int, purpose: Purpose = Purpose.SETTLE) -> Answer:
    return Answer(at, f"someone {at}", AnnotatorKind.PERSON, tier, purpose, label, at)


def test_each_way_of_asking_a_model_is_an_annotator_of_its_own() -> None:
    def told(version: str, label: int, confidence: float) -> Answer:
        kind = AnnotatorKind.LLM
        return Answer(9, "crowd/plain", kind, "crowd", Purpose.SETTLE, label, 1, version, confidence)

    votes = assemble(rows((0, told("v1", 1, 0.95)), (1, told("v2", 0, 0.3))), POLICY, None).votes
    assert votes.annotators == ("function:f@v1", "tier:crowd", "llm:crowd/plain@v1", "llm:crowd/plain@v2")
    models = votes.annotator >= 2
    assert votes.symbol[models].tolist() == [7, 0]


def test_what_was_said_after_an_audit_is_no_vote_on_the_audited_item() -> None:
    """The posterior is tempered on audited items: they must look as those look that nobody audited."""
    data = assemble(
        rows(
            (0, said("crowd", 1, 10)),
            (0, said("expert", 0, 20, Purpose.AUDIT)),
            (0, said("crowd", 0, 30)),
            (1, said("expert", 1, 20)),
            (1, said("crowd", 1, 30)),
        ),
        POLICY,
        None,
    )
    crowd = data.votes.annotators.index("tier:crowd")
    own = data.votes.annotator == crowd
    assert list(zip(data.votes.row[own], data.votes.symbol[own], strict=True)) == [(0, 1), (1, 1)]
    assert data.expert.tolist() == [0, 1, -1]
    assert data.audited.tolist() == [True, False, False]


def test_fresh_are_audits_that_the_champion_cannot_have_seen() -> None:
    champion = StoredBundle(1, "", b"", 25, None, None)
    answers = [(row, said("expert", 1, at, Purpose.GOLD)) for row, at in enumerate((20, 30))]
    assert assemble(rows(*answers), POLICY, champion).fresh.tolist() == [False, True, False]
    assert assemble(rows(*answers), POLICY, None).fresh.tolist() == [True, True, False]


def test_timely_are_audits_of_items_that_came_since_the_stream_changed() -> None:
    answers = [(row, said("expert", 1, 20 + row, Purpose.GOLD)) for row in range(2)]
    given = rows(*answers)
    assert assemble(given, POLICY, None).timely.tolist() == [True, True, False]
    later = replace(given, arrived=np.array([10, 20, 30]), since=15)
    assert assemble(later, POLICY, None).timely.tolist() == [False, True, False]


def test_an_audit_by_two_experts_is_not_fresh_once_the_first_was_seen() -> None:
    champion = StoredBundle(1, "", b"", 25, None, None)
    panel = [(0, said("expert", 1, at, Purpose.AUDIT)) for at in (20, 30)]
    assert not assemble(rows(*panel), POLICY, champion).fresh.any()


def test_where_votes_may_decide_what_is_encoded_the_sample_alone_is_typical() -> None:
    n = 300
    given = rows((0, said("expert", 1, 20, Purpose.GOLD)), n=n)
    has_vector = sampled(given.ids) | (np.arange(n) % 2 == 0)
    partly = replace(given, vectors=np.ones((n, 2), np.float16), has_vector=has_vector, encoder="small")
    data = assemble(partly, POLICY, None)
    assert data.encoded.tolist() == has_vector.tolist()
    assert data.typical is not None
    assert data.typical.tolist() == sampled(given.ids).tolist()
    assert assemble(replace(partly, has_vector=np.ones(n, bool)), POLICY, None).typical is None
    assert assemble(given, POLICY, None).vectors is None


def test_what_came_since_an_alarm_is_typical_if_all_of_it_is_encoded() -> None:
    n = 300
    has_vector = np.arange(n) >= 100
    since = replace(
        rows(n=n), vectors=np.ones((n, 2), np.float16), has_vector=has_vector, encoder="small", since=150
    )
    assert assemble(since, POLICY, None).typical is None
    assert assemble(replace(since, since=50), POLICY, None).typical is not None
