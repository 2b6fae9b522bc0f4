"""Placeholder, to be removed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """K.

    Attributes:
        host: address to listen on.
        port: where.
    """

    host: str = "127.0.0.1"
    port: int = 8020
