"""Settings of Mechanical Turk: what an answer costs, and which qualifications there can be."""

from typing import Any

import pytest

from daemon.adapters.outside.mturk.settings import MASTERS, HitSettings, MturkSettings, Qualification

LOCALE, APPROVED = "00000000000000000071", "000000000000000000L0"


def hit(reward: float = 0.05, **more: Any) -> HitSettings:
    return HitSettings(reward=reward, title="t", description="d", **more)


@pytest.mark.parametrize(
    ("reward", "cost"), [(0.01, 20_000), (0.05, 60_000), (0.12, 144_000), (1.0, 1_200_000)]
)
def test_an_answer_costs_the_reward_and_a_fifth_a_cent_at_least(reward: float, cost: int) -> None:
    assert hit(reward).cost_micros == cost


def test_masters_cost_more() -> None:
    wanted = {"masters": Qualification(type=MASTERS[0], comparator="Exists")}
    assert hit(1.0, qualifications=wanted).cost_micros == 1_250_000


def test_rewards_are_whole_cents() -> None:
    with pytest.raises(ValueError, match=r"reward: 0\.055 is not in whole cents"):
        hit(0.055)


def test_qualifications_are_told_as_the_api_takes_them() -> None:
    guarded = {"ActionsGuarded": "DiscoverPreviewAndAccept"}
    approved = Qualification(type=APPROVED, comparator="GreaterThanOrEqualTo", values=(95,))
    assert approved.requirement() == {
        "QualificationTypeId": APPROVED,
        "Comparator": "GreaterThanOrEqualTo",
        "IntegerValues": [95],
        **guarded,
    }
    places = Qualification(type=LOCALE, comparator="In", locales=("US-NY", "DE"))
    assert places.requirement() == {
        "QualificationTypeId": LOCALE,
        "Comparator": "In",
        "LocaleValues": [{"Country": "US", "Subdivision": "NY"}, {"Country": "DE"}],
        **guarded,
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"type": "low"}, "no id of a qualification type"),
        ({"comparator": "Above"}, "comparator: 'Above' is none of"),
        ({"comparator": "Exists", "values": (1,)}, "compares with nothing"),
        ({"comparator": "EqualTo"}, "0 given; EqualTo compares with one"),
        ({"comparator": "EqualTo", "values": (1, 2)}, "2 given; EqualTo compares with one"),
        ({"comparator": "In"}, "0 given; In takes 1 to 15"),
        ({"comparator": "In", "locales": ("US",) * 31}, "31 given; In takes 1 to 30"),
        ({"comparator": "LessThan", "locales": ("US",)}, "is for values"),
        ({"comparator": "EqualTo", "locales": ("us",)}, "'us' is no country"),
        ({"comparator": "EqualTo", "locales": ("US",), "values": (1,)}, "not with both"),
    ],
)
def test_what_the_api_would_refuse_is_said_when_it_is_read(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Qualification(**({"type": APPROVED, "comparator": "Exists"} | given))


def test_a_hit_takes_nine_qualifications_beside_ours() -> None:
    ten = {f"q{n}": Qualification(type=APPROVED, comparator="Exists") for n in range(10)}
    with pytest.raises(ValueError, match="10 given; a HIT takes 9"):
        hit(qualifications=ten)


def test_titles_and_addresses_are_looked_at() -> None:
    with pytest.raises(ValueError, match="title: 129 characters"):
        HitSettings(reward=0.05, title="t" * 129, description="d")
    with pytest.raises(ValueError, match="endpoint: 'turk' is no address"):
        MturkSettings(endpoint="turk")
    assert MturkSettings().submit_url.startswith("https://workersandbox.mturk.com/")
    assert MturkSettings(sandbox=False).submit_url.startswith("https://www.mturk.com/")
