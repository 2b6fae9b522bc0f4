"""Secrets of sessions, tokens and invitations: random, shown once, kept as digests."""

import hashlib
import secrets

TOKEN_PREFIX = "labelloop_"
"""Tells people, and programs that look for leaked secrets, what a token is."""


def new_secret() -> str:
    """256 random bits as text for links and cookies."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """The same as an API token."""
    return TOKEN_PREFIX + new_secret()


def digest(secret: str) -> bytes:
    """What is stored of a secret. One that is random and long needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
