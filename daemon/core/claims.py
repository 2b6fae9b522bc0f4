"""What can be claimed and what cannot be known yet: nobody should have to guess which figures to trust."""

import math
from collections.abc import Mapping, Sequence

from daemon.core.decide import first_gold
from daemon.core.proofs import certificate_claim, ledger_claim
from daemon.core.report_rows import Claim, Overview, PersonRecord, QueueDepth
from daemon.core.settings import GuaranteeSettings, TierSettings
from daemon.core.states import RANDOM_PURPOSES, AuditProtocol
from models.label_model.untested import FEWEST_JUDGED

ENOUGH_GOLD = 50
"""Random blind answers before which no figure deserves much trust."""

ENOUGH_OF_A_KIND = 10
"""Answers before which a class's figures, or a person's, are anybody's guess."""

NORMAL_90 = 1.645
MOST_NAMES = 6


def claims(
    overview: Overview,
    promise: GuaranteeSettings,
    tiers: Mapping[str, TierSettings],
    classes: Sequence[str],
) -> list[Claim]:
    """Every claim, in the order in which they become possible."""
    by_class = [overview.gold_classes.get(index, 0) for index in range(len(classes))]
    model, first = overview.model, first_gold(promise.cold_start_gold, overview.rejected)
    again = first if overview.rejected else 0
    found = [
        _label_model(0 if model is None else model.gold, overview.gold, again),
        _scores(
            0 if model is None else model.gold,
            0.0 if model is None else model.effective_gold,
            overview.gold,
            again,
        ),
        class_claim(overview.gold, by_class, classes),
        *_first_window(overview, first),
        certificate_claim(overview.windows, promise),
        ledger_claim(overview.ledger, overview.windows, promise),
        *_people(overview, tiers),
        *_experts(overview, promise, tiers),
    ]
    return sorted(found, key=lambda claim: claim.holds)


def asked_first(queues: Sequence[QueueDepth]) -> str:
    """Which questions go before the others, in a sentence; empty while nothing waits."""
    first = sum(queue.open + queue.leased for queue in queues if queue.purpose in RANDOM_PURPOSES)
    others = sum(queue.open + queue.leased for queue in queues) - first
    if not first:
        return ""
    wait = f"{first:,} audit{_s(first)} and random draw{_s(first)} wait" if first > 1 else "1 audit waits"
    after = f", before {others:,} other question{_s(others)}" if others else ""
    return f"What makes these known is asked first: {wait}{after}."


def models_rejected(overview: Overview) -> str:
    """Why more random answers are wanted than the settings say, after another sentence; else empty."""
    if not overview.rejected:
        return ""
    return " Models trained on fewer were no better than the built-in priors."


def _label_model(learned: int, gold: int, again: int) -> Claim:
    """From `learned` of `gold` answers; after a rejected bundle the next training waits for `again`."""
    topic, want = "Label model", FEWEST_JUDGED
    if learned >= want:
        said = f"The label model is chosen and tempered by {learned:,} random blind answers."
        return Claim(topic, said, "", learned, want)
    said = "Which label model is best, and how far to trust it: a majority vote at half weight stands in."
    return Claim(topic, said, _answers_or_training(max(want, again), gold), min(gold, want), want)


def _scores(learned: int, effective: float, gold: int, again: int) -> Claim:
    topic, want = "Scores", ENOUGH_GOLD
    if learned < FEWEST_JUDGED:
        said = "How often a label with a given score is right: scores are not calibrated."
        return Claim(topic, said, _answers_or_training(max(want, again), gold), min(gold, want), want)
    points = 100 * NORMAL_90 * math.sqrt(0.9 * 0.1 / effective)
    worth = f", worth {effective:,.0f} evenly drawn ones" if effective < 0.95 * learned else ""
    said = f"Scores are calibrated on {learned:,} random blind answers{worth}: "
    said += f"a score of 90% may be off by {points:.0f} points."
    needs = _answers_or_training(want + learned - math.floor(effective), gold) if effective < want else ""
    return Claim(topic, said, needs, effective, want)


def _answers_or_training(want: int, gold: int) -> str:
    missing = want - gold
    return f"{missing:,} more random blind answer{_s(missing)}." if missing > 0 else "the next training run."


def class_claim(gold: int, by_class: Sequence[float], classes: Sequence[str]) -> Claim:
    """Which classes too few of `gold` random blind answers name; `by_class` (K,) how many do."""
    few = [index for index, count in enumerate(by_class) if count < ENOUGH_OF_A_KIND]
    known = len(classes) - len(few)
    if not few:
        said = f"Each class has at least {ENOUGH_OF_A_KIND} random blind answers."
        return Claim("Class by class", said, "", known, len(classes))
    named = [f"{classes[index]} ({by_class[index]:.0f} random answers)" for index in few[:MOST_NAMES]]
    if len(few) > MOST_NAMES:
        named.append(f"{len(few) - MOST_NAMES} other classes")
    rarest = min((by_class[index] for index in few), default=0.0)
    needs = f"{ENOUGH_OF_A_KIND} random blind answers of each class"
    if rarest:
        needs += f"; about {(ENOUGH_OF_A_KIND - rarest) * gold / rarest:,.0f} more draws at the present rate"
    return Claim("Class by class", f"Recall and F1 of {_listed(named)}.", f"{needs}.", known, len(classes))


def _first_window(overview: Overview, want: int) -> list[Claim]:
    if overview.gold >= want or overview.windows or overview.open_windows:
        return []
    said = "Whether any automatic label can be trusted: windows wait for the first random answers."
    said += models_rejected(overview)
    needs = _answers_or_training(want, overview.gold)
    return [Claim("First window", said, needs, overview.gold, want)]


def _people(overview: Overview, tiers: Mapping[str, TierSettings]) -> list[Claim]:
    """Who answers in two tiers is known in each by himself."""
    final = _final(tiers)
    others = [person for person in overview.people if person.tier not in final]
    unknown = [person for person in others if _beside(person, final) < ENOUGH_OF_A_KIND]
    known = len(others) - len(unknown)
    if not others:
        return []
    if not unknown:
        said = f"All {len(others):,} people below the final tier were seen beside an expert often enough."
        return [Claim("People", said, "", known, len(others))]
    names = sorted({person.name for person in unknown})
    said = f"How good {_first_of(names)} {'is' if len(names) == 1 else 'are'}; "
    said += "the accuracy in the settings stands in."
    needs = f"{ENOUGH_OF_A_KIND} answers of each on items that an expert answered as well."
    return [Claim("People", said, needs, known, len(others))]


def _final(tiers: Mapping[str, TierSettings]) -> frozenset[str]:
    return frozenset(name for name, tier in tiers.items() if tier.final)


def _beside(person: PersonRecord, tiers: frozenset[str]) -> int:
    """Items that somebody else of these tiers answered too."""
    return sum(person.beside.get(tier, 0) for tier in tiers)


def _experts(
    overview: Overview, promise: GuaranteeSettings, tiers: Mapping[str, TierSettings]
) -> list[Claim]:
    """Experts are the truth; how true that is shows only where two of them answer the same item."""
    final = _final(tiers)
    experts = [person for person in overview.people if person.tier in final]
    if not experts:
        return []
    twice = sum(_beside_peers(person) for person in experts) // 2
    if twice >= ENOUGH_OF_A_KIND:
        return [
            Claim("Experts", f"{twice:,} items were answered by two experts.", "", twice, ENOUGH_OF_A_KIND)
        ]
    said = "How often experts are wrong themselves: they are the truth here, and their slips count as errors."
    needs = f"{ENOUGH_OF_A_KIND} items answered by two of them"
    if promise.audit_protocol == AuditProtocol.SINGLE:
        needs += " (guarantee.audit_protocol: double)"
    return [Claim("Experts", said, f"{needs}.", twice, ENOUGH_OF_A_KIND)]


def _beside_peers(person: PersonRecord) -> int:
    return 0 if person.tier is None else person.beside.get(person.tier, 0)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _first_of(names: Sequence[str]) -> str:
    """The first few of them, and how many others there are."""
    more = len(names) - MOST_NAMES
    return _listed([*names[:MOST_NAMES], f"{more} others"] if more > 0 else names)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
