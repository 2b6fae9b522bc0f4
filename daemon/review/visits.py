"""Who makes the call at hand, and what they may do: known to every page and call without being handed on."""

from contextvars import ContextVar
from dataclasses import dataclass

from daemon.core.account_rows import Account, Actor, Caller
from daemon.core.account_rules import Right, rights

OPEN_RIGHTS = frozenset({Right.PUBLIC, Right.KNOWN, Right.ANSWER, Right.WATCH, Right.LEAD})
"""What everybody on this computer may do while there is no account."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One call. `is_open`: there is no account yet, and everybody on this computer is let in by a name."""

    caller: Caller | None = None
    is_open: bool = False
    address: str = ""

    def may(self, right: str) -> bool:
        """Whether the caller has this right."""
        return Right(right) in (OPEN_RIGHTS if self.is_open else rights(self.caller))

    @property
    def account(self) -> Account | None:
        """Whose call it is; None for everybody else, and while there are no accounts."""
        return None if self.caller is None else self.caller.account

    @property
    def actor(self) -> Actor:
        """The caller, for the audit log."""
        return Actor("" if self.account is None else self.account.name, self.address)


_visit: ContextVar[Visit] = ContextVar("visit", default=Visit())  # noqa: B039 - a visit cannot be changed


def current() -> Visit:
    """The call at hand; nobody's, if nobody was let in."""
    return _visit.get()


def begin(visit: Visit) -> None:
    """All that follows in this call is this visit's."""
    _visit.set(visit)
