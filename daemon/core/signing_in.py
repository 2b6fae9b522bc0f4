"""Signing in by name and password: throttled, and as slow for unknown names as for known ones."""

from dataclasses import dataclass

from daemon.core.account_ports import AccountStore, LoginGate, Passwords, SessionStore
from daemon.core.account_rows import Account, AccountState, Actor
from daemon.core.account_secrets import digest, new_secret
from daemon.core.errors import LoginRefused, LoginWait

NOBODY, UNKNOWN = "somebody", "an unknown name"
WRONG = "name or password is wrong"


@dataclass(frozen=True, slots=True)
class Desk:
    """Accounts with what proves who somebody is."""

    accounts: AccountStore
    sessions: SessionStore
    gate: LoginGate
    passwords: Passwords

    def sign_in(self, name: str, password: str, address: str, agent: str) -> tuple[Account, str]:
        """The account, and the secret of a new session.

        Raises:
            LoginWait: there were too many failures.
            LoginRefused: nobody has this name and password, or the account is disabled.
        """
        account = self.check(name, password, address)
        return account, self.open(account, address, agent)

    def check(self, name: str, password: str, address: str) -> Account:
        """The active account of this name and password; raises as `sign_in` does."""
        wait = self.gate.attempt(name, address)
        if wait:
            raise LoginWait(wait)
        known = self.accounts.find(name)
        is_right = self.passwords.matches(known.password_hash if known else None, password)
        if known is None or not is_right:
            # What was typed as a name may be a password in the wrong place: it is written nowhere. Something
            # is, for unknown names too, so that both take as long.
            about = known.account.name if known else UNKNOWN
            self.accounts.note(Actor(NOBODY, address), "wrong password", about)
            raise LoginRefused(WRONG)
        if known.account.state is not AccountState.ACTIVE:
            raise LoginRefused("this account is disabled")
        self.gate.passed(name, address)
        return known.account

    def open(self, account: Account, address: str, agent: str) -> str:
        """Sign somebody in who is known already; the secret of the session."""
        secret = new_secret()
        self.sessions.open(account.id, digest(secret), address, agent)
        return secret
