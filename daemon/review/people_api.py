"""The API of everybody's accounts: leads read, admins change."""

from fastapi import APIRouter, Query

from daemon.core.account_rows import Grant
from daemon.core.account_rules import name_problem, tier_problem
from daemon.core.account_secrets import digest, new_secret
from daemon.review import visits
from daemon.review.account_api import CONFLICT, check
from daemon.review.account_bodies import (
    AccountOut,
    Change,
    LineOut,
    LinkOut,
    LogOut,
    NewInvitation,
    PeopleOut,
    StandingOut,
    StateChange,
    Which,
    account_out,
    invitation_out,
)
from daemon.review.api import INVALID, NOT_FOUND
from daemon.review.bodies import Done
from daemon.review.services import ReviewServices

INVITATION_PATH = "/invitation#"
"""What stands behind # is never sent to a server, and so stands in no log of one."""


def build(services: ReviewServices) -> APIRouter:
    """All calls under /api/people."""
    router = APIRouter(prefix="/api/people", tags=["people"], responses=INVALID)
    accounts = services.desk.accounts

    @router.get("")
    def get_people() -> PeopleOut:
        """Everybody with an account, and open invitations."""
        return people(services)

    @router.get("/log")
    def get_log(limit: int = Query(100, ge=1, le=1000, description="At most so many lines.")) -> LogOut:
        """The audit log: who did what, about whom, from where."""
        return log(services, limit)

    @router.post("/invite", responses=CONFLICT)
    def invite(body: NewInvitation) -> LinkOut:
        """A link that makes one account, once, within seven days."""
        if body.name is not None:
            check(name_problem(body.name), "name")
        check(tier_problem(body.role, body.tiers, services.reviewed, services.final_tiers), "tiers")
        secret = new_secret()
        grant = Grant(body.role, tuple(dict.fromkeys(body.tiers)), body.name)
        invitation = accounts.invite(grant, digest(secret), visits.current().actor)
        return LinkOut(invitation=invitation_out(invitation), path=INVITATION_PATH + secret)

    @router.post("/invitations/withdraw")
    def withdraw(body: Which) -> Done:
        """Nobody can accept the invitation any more."""
        accounts.withdraw_invitation(body.id, visits.current().actor)
        return Done()

    @router.post("/change", responses={**NOT_FOUND, **CONFLICT})
    def change(body: Change) -> AccountOut:
        """Another role and other tiers, from the next call on."""
        check(tier_problem(body.role, body.tiers, services.reviewed, services.final_tiers), "tiers")
        tiers = tuple(dict.fromkeys(body.tiers))
        return account_out(accounts.change(body.account, body.role, tiers, visits.current().actor))

    @router.post("/state", responses={**NOT_FOUND, **CONFLICT})
    def set_state(body: StateChange) -> AccountOut:
        """Disable an account, which ends its sessions and tokens, or enable it again."""
        return account_out(accounts.set_state(body.account, body.state, visits.current().actor))

    return router


def people(services: ReviewServices) -> PeopleOut:
    """Everybody with an account, and open invitations."""
    accounts = services.desk.accounts
    return PeopleOut(
        accounts=[
            StandingOut(**account_out(one.account).model_dump(), seen=one.seen) for one in accounts.all()
        ],
        invitations=[invitation_out(one) for one in accounts.invitations()],
    )


def log(services: ReviewServices, limit: int) -> LogOut:
    """The newest lines of the audit log."""
    lines = services.desk.accounts.log(limit)
    return LogOut(
        lines=[
            LineOut(
                at=line.at,
                actor=line.actor,
                action=line.action,
                subject=line.subject,
                detail=line.detail,
                address=line.address,
            )
            for line in lines
        ]
    )
