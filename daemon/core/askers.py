"""The tiers of a policy as the router sees them under a bundle."""

from collections.abc import Sequence

import numpy as np

from daemon.core.answer_votes import tier_key
from daemon.core.policy import Policy
from daemon.core.settings import TierSettings
from models.arrays import F8
from models.bundle import Bundle
from models.value import Asker, of_accuracy, symbol_likelihood
from models.votes import LLM, family


def askers_of(bundle: Bundle, policy: Policy) -> tuple[Asker, ...]:
    """One asker a tier, in the order of the policy's ladder, as one part of a bundle values its answers.

    What a vote is expected to do is what the bundle's tables will make of it. The answer of a final tier
    stands outside the posterior; it is as right as the settings say.
    """
    return tuple(
        _asker(name, policy.tiers[name], policy.option_accuracy(name), bundle) for name in policy.ladder
    )


def _asker(name: str, tier: TierSettings, accuracy: float, bundle: Bundle) -> Asker:
    return Asker(
        name=name,
        price=tier.price,
        likelihood=of_accuracy(accuracy, len(bundle.classes))
        if tier.final
        else _likelihood(_voices(name, tier, bundle), bundle),
        max_votes=tier.most_votes,
        final=tier.final,
        first=tier.votes_first,
    )


def _voices(name: str, tier: TierSettings, bundle: Bundle) -> list[str]:
    """Whoever may answer: of a tier of language models, the newest version of each way of asking it."""
    if not tier.is_llm:
        return [tier_key(name)]
    newest = {family(key): key for key in bundle.annotators if key.startswith(f"{LLM}:{name}/")}
    return list(newest.values()) or [f"{LLM}:{name}/"]


def _likelihood(voices: Sequence[str], bundle: Bundle) -> F8:
    """(S, K) P(symbol | class) of an answer that any of these may give, each as likely as the next."""
    each = [symbol_likelihood(bundle.members, key, bundle.table_of) for key in voices]
    return np.concatenate(each) / len(each)
