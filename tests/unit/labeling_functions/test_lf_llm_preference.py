"""Judges of pairs: both orders, ties, flips, scores, and the bias that flips show."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from labeling_functions import ABSTAIN
from labeling_functions.llm.chat_model import ChatReply, ChatRequest, Token
from labeling_functions.llm.delimiters import marks_for
from labeling_functions.llm.pairwise import PairwiseJudge
from labeling_functions.llm.position_bias import PositionBias, position_bias
from labeling_functions.llm.preference import PairVote
from labeling_functions.llm.response_scores import ScoreJudge
from labeling_functions.llm.settings import ExemplarSettings, LLMSettings
from labeling_functions.llm.templates import PromptError
from labeling_functions.pairs import TIE, A, B, Pair

PAIR = Pair("Name a color.", "Red.", "A chair.")
MARKS = marks_for([])


def settings(**given: object) -> LLMSettings:
    return LLMSettings(**{"endpoint": "e", "model": "m", "confidence": "none", **given})


def judge(soft: bool = False, **given: object) -> PairwiseJudge:
    return PairwiseJudge("llm/judge", "Be strict.", settings(**given), soft)


def scorer(**given: object) -> ScoreJudge:
    return ScoreJudge("llm/scores", "Be strict.", settings(**given))


def said(*texts: str) -> ChatReply:
    return ChatReply(texts, (), 0, 0, 0.0)


def likely(text: str, **shares: float) -> ChatReply:
    logs = {name.removeprefix("n"): math.log(share) for name, share in shares.items()}
    return ChatReply((text,), ((Token(text, logs[text], logs),),), 0, 0, 0.0)


def test_a_pair_is_shown_in_both_orders() -> None:
    ab, ba = (request.messages[-1].text for request in judge().requests(PAIR))
    red, chair = MARKS.around("response_1", "Red."), MARKS.around("response_2", "A chair.")
    assert MARKS.around("prompt", "Name a color.") in ab
    assert ab.index(red) < ab.index(chair)
    assert ba == ab.replace("Red.", "?").replace("A chair.", "Red.").replace("?", "A chair.")


def test_the_guidelines_are_told() -> None:
    for one in (judge(), scorer()):
        assert "Be strict." in one.requests(PAIR)[0].messages[0].text


@pytest.mark.parametrize(
    ("ab", "ba", "label", "preference"),
    [
        ("1", "2", A, 1.0),
        ("2", "1", B, 0.0),
        ("tie", "tie", TIE, 0.5),
        ("1", "tie", A, 0.75),
        ("tie", "1", B, 0.25),
        ("1", "1", ABSTAIN, None),
        ("2", "2", ABSTAIN, None),
    ],
)
def test_the_orders_are_averaged_and_a_flip_abstains(
    ab: str, ba: str, label: int, preference: float | None
) -> None:
    vote = judge().vote((said(ab), said(ba)))
    assert (vote.label, vote.preference, vote.parsed, vote.texts) == (label, preference, True, (ab, ba))


def test_a_flip_is_half_where_soft_answers_are_wanted() -> None:
    vote = judge(soft=True).vote((said("1"), said("1")))
    assert (vote.label, vote.preference, vote.said) == (ABSTAIN, 0.5, (A, B))


def test_probabilities_are_averaged_and_a_tie_counts_half() -> None:
    replies = (likely("1", n1=0.8, n2=0.1, tie=0.1), likely("2", n1=0.3, n2=0.5, tie=0.2))
    vote = judge(confidence="logprobs").vote(replies)
    assert vote.label == A
    assert vote.preference == pytest.approx((0.85 + 0.6) / 2)


def test_a_told_confidence_is_a_probability_too() -> None:
    vote = judge(confidence="verbalized").vote(
        (said('{"label": "1", "confidence": 0.8}'), said('{"label": 2, "confidence": "60%"}'))
    )
    assert (vote.label, vote.preference) == (A, pytest.approx((0.85 + 0.7) / 2))


def test_samples_are_put_to_the_vote_in_each_order() -> None:
    one = judge(samples=4, temperature=0.5)
    vote = one.vote((said("1", "1", "2", "1"), said("2", "2", "2", "tie")))
    assert (vote.label, vote.preference) == (A, pytest.approx((0.75 + 0.875) / 2))
    even = one.vote((said("1", "2"), said("2", "2")))
    assert (even.label, even.preference, even.parsed) == (ABSTAIN, None, True)


def test_reasons_come_first_if_wanted() -> None:
    one = judge(chain_of_thought=True)
    assert "First reason" in one.requests(PAIR)[0].messages[-1].text
    vote = one.vote((said("A chair is no color.\nAnswer: 1"), said("A chair is no color.\nAnswer: 2")))
    assert vote.label == A


@pytest.mark.parametrize("one", [judge(), scorer()])
def test_what_does_not_parse_is_asked_to_be_repaired(one: PairwiseJudge | ScoreJudge) -> None:
    replies = (said("1"), said("the second one, clearly"))
    vote = one.vote(replies)
    assert (vote.label, vote.preference, vote.parsed) == (ABSTAIN, None, False)
    repairs = one.repairs(PAIR, replies)
    assert list(repairs) == [1]
    assert "the second one, clearly" in repairs[1].messages[-1].text
    assert one.repairs(PAIR, (said("1"), said("2"))) == {}
    assert one.vote((replies[0], said("2"))).parsed


@pytest.mark.parametrize(
    ("a", "b", "label", "preference"),
    [("5", "1", A, 1.0), ("2", "4", B, 0.25), ("3", "3", TIE, 0.5), ("4", "3", A, 0.625)],
)
def test_the_better_score_wins(a: str, b: str, label: int, preference: float) -> None:
    vote = scorer().vote((said(a), said(b)))
    assert (vote.label, vote.preference, vote.said) == (label, preference, (int(a), int(b)))


def test_scores_are_expected_under_their_probabilities() -> None:
    replies = (likely("4", n4=0.5, n5=0.5), likely("4", n4=0.5, n1=0.25, n3=0.25))
    vote = scorer(confidence="logprobs").vote(replies)
    assert (vote.label, vote.preference) == (TIE, pytest.approx(0.5 + (4.5 - 3.0) / 8))


def test_each_response_is_scored_alone() -> None:
    a, b = (request.messages[-1].text for request in scorer().requests(PAIR))
    assert MARKS.around("response", "Red.") in a
    assert "chair" not in a
    assert MARKS.around("response", "A chair.") in b


@pytest.mark.parametrize("make", [judge, scorer])
def test_judges_refuse_what_they_cannot_do(make: Callable[..., PairwiseJudge | ScoreJudge]) -> None:
    for given in ({"batch": 2}, {"exemplars": ExemplarSettings(count=1)}):
        with pytest.raises(ValueError, match="neither exemplars nor a batch"):
            make(**given)
    with pytest.raises(ValueError, match="was not read"):
        make(template_file="a.j2")
    with pytest.raises(PromptError, match="variable 'item' is unknown"):
        make(template="{% block item %}{{ item }}{% endblock %}")


def test_versions_tell_judges_apart() -> None:
    judges = [judge(), judge(soft=True), judge(temperature=1.0), judge(chain_of_thought=True), scorer()]
    judges.append(PairwiseJudge("llm/judge", "Be kind.", settings()))
    assert len({one.version for one in judges}) == len(judges)
    assert judge().version == judge(endpoint="other").version


def biased(request: ChatRequest, pull: int) -> ChatReply:
    """Prefers the longer response, the first one counting for `pull` words more than it has."""
    first, second = (part.count("word") for part in request.messages[-1].text.split("Second response:"))
    return said("1" if first + pull > second else "2")


def judged(lengths: np.ndarray, pull: int) -> list[PairVote]:
    one, votes = judge(), []
    for a, b in lengths.tolist():
        ab, ba = one.requests(Pair("p", "word " * a, "word " * b))
        votes.append(one.vote((biased(ab, pull), biased(ba, pull))))
    return votes


def test_the_bias_of_a_judge_of_known_bias_is_found() -> None:
    lengths = np.random.default_rng(0).integers(0, 20, (200, 2))
    near = int((abs(lengths[:, 0] - lengths[:, 1]) < 5).sum())
    votes = judged(lengths, 5)
    assert position_bias(votes) == PositionBias(pairs=200, flips=near, first=near)
    assert position_bias(judged(lengths, -5)).first_share == 0.0
    told = np.array([vote.label for vote in votes])
    right = np.where(lengths[:, 0] > lengths[:, 1], A, B)
    assert (told != ABSTAIN).sum() == 200 - near
    assert (told == right)[told != ABSTAIN].all()


def test_bias_is_counted_over_pairs_that_parsed() -> None:
    votes = [judge().vote((said(ab), said(ba))) for ab, ba in ("11", "11", "22", "12", "1?")]
    bias = position_bias(votes)
    assert bias == PositionBias(pairs=4, flips=3, first=2)
    assert (bias.flip_share, bias.first_share) == (pytest.approx(3 / 4), pytest.approx(2 / 3))
    assert (position_bias([]).flip_share, position_bias([]).first_share) == (None, None)
