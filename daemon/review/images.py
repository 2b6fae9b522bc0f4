"""Which pictures of items the pages load.

An item names its pictures by address. A page that loads a foreign address tells that server who is looking at
what, so that only pictures inside of the message (data URLs) are shown unasked, and those of origins that the
settings name. Others are told as addresses to open by hand.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_INSIDE = re.compile(r"data:image/(png|jpeg|gif|webp|avif);base64,", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


def is_shown(address: str, origins: Collection[str]) -> bool:
    """Whether the page loads this picture."""
    if _INSIDE.match(address):
        return True
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}" in origins


def check_origins(origins: Collection[str]) -> None:
    """Raises ValueError for what is no origin; what passes can stand in a Content-Security-Policy."""
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"image_origins: {origin!r} is no origin; write scheme and host in small letters, with a "
                "port if it is not the usual one, as in https://images.example.org"
            )
