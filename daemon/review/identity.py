"""Binds reviewers to accounts: nobody acts as somebody else, or in a tier that they were not given."""

from daemon.core.account_rows import Account
from daemon.core.account_rules import may_answer_in
from daemon.core.errors import UnknownReviewer
from daemon.core.settings import TierSettings
from daemon.review import visits
from daemon.review.problems import Refused
from daemon.review.services import ReviewServices


def own_tiers(services: ReviewServices) -> dict[str, TierSettings]:
    """Tiers that the caller may answer in; all while there are no accounts."""
    account = visits.current().account
    if visits.current().is_open:
        return services.reviewed
    return {} if account is None else own_tiers_of(account, services)


def own_tiers_of(account: Account, services: ReviewServices) -> dict[str, TierSettings]:
    """Tiers that this account may answer in."""
    return {
        name: tier
        for name, tier in services.reviewed.items()
        if may_answer_in(account, name, services.final_tiers)
    }


def check_tier(name: str, services: ReviewServices) -> None:
    """Raises Refused, naming the tiers, where people do not answer in this one, or the caller may not."""
    if name not in services.reviewed:
        hint = f"the tiers: {', '.join(services.reviewed)}"
        raise Refused(422, f"tier: there is no tier {name!r} that people answer in", hint)
    if name not in own_tiers(services):
        yours = ", ".join(own_tiers(services)) or "none"
        raise Refused(403, f"tier {name!r} is not among yours", f"yours: {yours}; ask an admin for others")


def check_name(name: str) -> None:
    """Raises Refused where the caller has an account of another name."""
    account = visits.current().account
    if account is not None and account.name != name:
        raise Refused(403, f"you are {account.name!r}, not {name!r}", "answer under your own name")


def check_reviewer(id_: int, services: ReviewServices) -> None:
    """Raises Refused where this reviewer is not the caller, UnknownReviewer where there is none."""
    if visits.current().is_open:
        return
    person = services.desk.accounts.person(id_)
    if person is None:
        raise UnknownReviewer(f"nobody has reviewer id {id_}")
    account = visits.current().account
    if account is None or person.name != account.name:
        raise Refused(403, f"reviewer {id_} is somebody else", "POST /api/reviewers gives your own id")
    check_tier(person.tier, services)
