"""What calls to language models are expected to cost and take."""

import pytest

from daemon.core.call_plan import LEAST_CALLS, Judged, Seen, plan_calls
from labeling_functions.llm.chat_model import ChatRequest, Message
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import longest

URL = "http://127.0.0.1:1/v1"
ENDPOINT = EndpointSettings(base_url=URL, price_in=0.1, price_out=0.4, concurrency=2)
REQUESTS = [
    ChatRequest(model="m", messages=(Message("user", "x" * length),), max_tokens=10) for length in (400, 800)
]
SEEN = Seen(
    calls=LEAST_CALLS, tokens_in=100 * LEAST_CALLS, tokens_out=5 * LEAST_CALLS, seconds=3.0 * LEAST_CALLS
)


def test_before_calls_were_made_tokens_are_a_guess_below_the_most() -> None:
    plan = plan_calls(REQUESTS, 2, ENDPOINT, Seen())
    assert not plan.measured
    assert plan.seconds is None, "nothing tells how long an answer takes"
    assert 150 < plan.tokens_in < 300, "600 letters, and what stands around them"
    assert 0 < plan.money < plan.most
    assert plan.most == pytest.approx(sum(longest(one, ENDPOINT) for one in REQUESTS) / 2 / 1e6)


def test_calls_made_replace_the_guess() -> None:
    plan = plan_calls(REQUESTS, 2, ENDPOINT, SEEN)
    assert plan.measured
    assert (plan.tokens_in, plan.tokens_out) == (100, 5)
    assert plan.money == pytest.approx((100 * 0.1 + 5 * 0.4) / 1_000)
    assert plan.seconds == pytest.approx(1.5), "two calls at a time"


def test_too_few_calls_are_not_believed() -> None:
    assert not plan_calls(REQUESTS, 2, ENDPOINT, Seen(LEAST_CALLS - 1, 1, 1, 1.0)).measured


def test_several_items_in_one_prompt_share_its_cost() -> None:
    alone, together = plan_calls(REQUESTS, 2, ENDPOINT, SEEN), plan_calls(REQUESTS, 10, ENDPOINT, SEEN)
    assert together.calls == 0.2
    assert together.money == pytest.approx(alone.money / 5)
    assert together.most == pytest.approx(alone.most / 5)


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({"requests_per_minute": 6}, 10.0),
        ({"tokens_per_minute": 315}, 20.0),
        ({"requests_per_minute": 600}, 1.5),
    ],
)
def test_the_slowest_limit_decides(limits: dict[str, int], seconds: float) -> None:
    endpoint = EndpointSettings(base_url=URL, concurrency=2, **limits)  # type: ignore[arg-type]
    assert plan_calls(REQUESTS, 2, endpoint, SEEN).seconds == pytest.approx(seconds)


def test_the_interval_of_agreement() -> None:
    assert Judged().interval is None
    low, high = Judged(100, 90).interval or (0.0, 0.0)
    assert low == pytest.approx(0.8394, abs=1e-3), "Wilson's, by hand"
    assert high == pytest.approx(0.9394, abs=2e-3)
    assert (Judged(3, 3).interval or (0, 0))[0] < 0.6
