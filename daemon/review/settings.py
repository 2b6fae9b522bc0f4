"""Where the pages are served."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from daemon.review.images import check_origins
from daemon.review.shortcuts import merged

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """The pages where people answer.

    Attributes:
        host: address to listen on. On loopback anybody on this machine can answer as anybody until there is
            an account; on any other address nothing is served before one was made (`labelloop users add`).
        port: where.
        prefetch: items held ready on a reviewer's page, the one shown included.
        names: further host names under which these pages may be asked for, behind a proxy for example.
        keys: action -> key on the review page, where the usual one does not fit; actions are answer_1 to
            answer_10, skip, undo, flag, guidelines and help. Everybody can choose others in the browser.
        proxies: addresses or networks of proxies that are believed about who calls and whether by https
            (X-Forwarded-For, X-Forwarded-Proto); cookies are then marked Secure. With any, nothing is served
            before there is an account, as from another address than loopback.
        image_origins: servers whose pictures the review page loads, as in https://images.example.org; they
            learn who looks at what. Pictures inside of messages are always shown.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(0), Le(65_535)] = 8400
    prefetch: Annotated[int, Ge(1), Le(20)] = 3
    names: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    proxies: tuple[str, ...] = ()
    image_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        merged(self.keys)
        check_origins(self.image_origins)

    @property
    def loopback_only(self) -> bool:
        """True if nobody from another machine can come in."""
        return self.host in LOOPBACK

    @property
    def may_be_open(self) -> bool:
        """True if pages may be served before there is an account: nobody comes from outside, by no proxy."""
        return self.loopback_only and not self.proxies
