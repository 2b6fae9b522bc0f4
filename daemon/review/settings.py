"""Where the pages are served."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """The pages where people answer. They ask for a name but no password yet: keep them on loopback.

    Attributes:
        host: address to listen on; anybody who reaches it can answer as anybody.
        port: where.
        prefetch: items held ready on a reviewer's page, the one shown included.
        names: further host names under which these pages may be asked for, behind a proxy for example.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(0), Le(65_535)] = 8400
    prefetch: Annotated[int, Ge(1), Le(20)] = 3
    names: tuple[str, ...] = ()

    @property
    def loopback_only(self) -> bool:
        """True if nobody from another machine can come in."""
        return self.host in LOOPBACK
