"""What goes over the API about accounts."""

from typing import Annotated

from pydantic import BaseModel, Field

from daemon.core.account_rows import Account, AccountState, Invitation, Role, Scope
from daemon.core.account_rules import PASSWORD_LENGTH
from daemon.review.bodies import Body, Id, Name

Password = Annotated[str, Field(max_length=PASSWORD_LENGTH.stop - 1, repr=False)]
Secret = Annotated[str, Field(min_length=1, max_length=200, repr=False)]
Tiers = Annotated[list[Name], Field(max_length=100)]
NEW_PASSWORD = f"At least {PASSWORD_LENGTH.start} characters."


class Login(Body):
    """Name and password."""

    name: Name = Field(description="Name of the account.")
    password: Password = Field(description="Its password.")


class Acceptance(Body):
    """An invitation is accepted."""

    invitation: Secret = Field(description="What stands behind # in the link.")
    name: Name | None = Field(None, description="A name of your choice, where the invitation gives none.")
    password: Password = Field(description=NEW_PASSWORD)


class InvitationSecret(Body):
    """Which invitation."""

    invitation: Secret = Field(description="What stands behind # in the link.")


class NewPassword(Body):
    """Another password."""

    old: Password = Field(description="The password so far.")
    new: Password = Field(description=NEW_PASSWORD)


class NewToken(Body):
    """A token for a program."""

    name: Name = Field(description="What it is for.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), description="What it may be used for.")


class Which(Body):
    """One thing of the caller's, or one invitation."""

    id: Id = Field(description="Its id.")


class Wish(Body):
    """Nothing needs to be said."""


class Change(Body):
    """Another role and other tiers for somebody."""

    account: Id = Field(description="Whose.")
    role: Role = Field(description="The role from now on.")
    tiers: Tiers = Field(description="All tiers that they may answer in from now on.")


class StateChange(Body):
    """Lock somebody out, or let them in again."""

    account: Id = Field(description="Whom.")
    state: AccountState = Field(description="Whether they may sign in.")


class NewInvitation(Body):
    """A link for one new account."""

    role: Role = Field(description="Role of the account.")
    tiers: Tiers = Field(description="Tiers that it may answer in.")
    name: Name | None = Field(None, description="Its name; null lets whoever has the link choose.")


class SignedIn(BaseModel):
    """Where to go on."""

    to: str = Field(description="Path of the page that comes first.")


class AccountOut(BaseModel):
    """An account."""

    id: int
    name: str
    role: Role
    tiers: list[str]
    state: AccountState
    created: int = Field(description="Milliseconds since 1970, UTC.")


class StandingOut(AccountOut):
    """An account, and when it was last used."""

    seen: int | None = Field(description="When it last called, to the minute; null: never.")


class MeOut(BaseModel):
    """Who makes this call; null while there are no accounts."""

    account: AccountOut | None


class InvitationOut(BaseModel):
    """An invitation that can be accepted."""

    id: int
    name: str | None
    role: Role
    tiers: list[str]
    invited_by: str
    created: int
    expires: int


class LinkOut(BaseModel):
    """A new invitation. Its secret is shown this once."""

    invitation: InvitationOut
    path: str = Field(description="Path of the link; it works once.")


class TokenOut(BaseModel):
    """A new token. It is shown this once."""

    id: int
    token: str


class PeopleOut(BaseModel):
    """Everybody with an account, and who was invited."""

    accounts: list[StandingOut]
    invitations: list[InvitationOut]


class LineOut(BaseModel):
    """A line of the audit log."""

    at: int
    actor: str
    action: str
    subject: str
    detail: str
    address: str


class LogOut(BaseModel):
    """The audit log, newest line first."""

    lines: list[LineOut]


def account_out(account: Account) -> AccountOut:
    """An account as the API tells it."""
    return AccountOut(
        id=account.id,
        name=account.name,
        role=account.role,
        tiers=list(account.tiers),
        state=account.state,
        created=account.created,
    )


def invitation_out(invitation: Invitation) -> InvitationOut:
    """An invitation as the API tells it."""
    return InvitationOut(
        id=invitation.id,
        name=invitation.grant.name,
        role=invitation.grant.role,
        tiers=list(invitation.grant.tiers),
        invited_by=invitation.invited_by,
        created=invitation.created,
        expires=invitation.expires,
    )
