"""The tiers of a policy as the router sees them under a bundle."""

from daemon.core.evidence import tier_key
from daemon.core.policy import Policy
from daemon.core.settings import TierSettings
from models.bundle import Bundle
from models.value import Asker, of_accuracy, symbol_likelihood


def askers_of(bundle: Bundle, policy: Policy) -> tuple[Asker, ...]:
    """One asker a tier, in the order of the policy's ladder.

    What a vote is expected to do is what the bundle's tables will make of it. The answer of a final tier
    stands outside the posterior; it is as right as the settings say.
    """
    return tuple(_asker(name, policy.tiers[name], bundle) for name in policy.ladder)


def _asker(name: str, tier: TierSettings, bundle: Bundle) -> Asker:
    return Asker(
        name=name,
        price=tier.price,
        likelihood=of_accuracy(tier.accuracy, len(bundle.classes))
        if tier.final
        else symbol_likelihood(bundle.members, tier_key(name), bundle.table_of),
        max_votes=tier.most_votes,
        final=tier.final,
        first=tier.votes_first,
    )
