"""Whether tiers and section `mturk` fit each other: what workers are shown, their time, and the money."""

from collections.abc import Mapping

from daemon.adapters.outside.mturk.settings import HitSettings, MturkSettings
from daemon.core.settings import MICROS, MTURK, TierSettings

DOLLARS = "USD"


def check_mturk(mturk: MturkSettings, tiers: Mapping[str, TierSettings], currency: str) -> None:
    """Raises ValueError, naming the key, for what does not fit."""
    for name in mturk.tiers:
        if name not in tiers or tiers[name].backend != MTURK:
            raise ValueError(f"mturk: tiers: {name}: there is no tier of this name with `backend: mturk`")
    for name, tier in tiers.items():
        if tier.backend != MTURK:
            continue
        if name not in mturk.tiers:
            raise ValueError(
                f"mturk: tiers: {name}: is not there; it says what workers see of tier {name!r} and are paid"
            )
        if currency != DOLLARS:
            raise ValueError(
                f"currency: {currency!r} given; prices must be in {DOLLARS}, in which Mechanical Turk pays"
            )
        _check_tier(name, tier, mturk.tiers[name])


def _check_tier(name: str, tier: TierSettings, hit: HitSettings) -> None:
    if tier.price_micros < hit.cost_micros:
        raise ValueError(
            f"tiers: {name}: price: {tier.price} does not pay for an answer at Mechanical Turk: the reward "
            f"is {hit.reward_micros / MICROS:g} and the fee {hit.fee_micros / MICROS:g}; set it to "
            f"{hit.cost_micros / MICROS:g} at least"
        )
    if tier.lease_seconds < hit.assignment_seconds:
        raise ValueError(
            f"tiers: {name}: lease_seconds: {tier.lease_seconds} is shorter than "
            f"mturk.tiers.{name}.assignment_seconds, {hit.assignment_seconds}: a question would be back in "
            "the queue while a worker answers it; give it hours"
        )
