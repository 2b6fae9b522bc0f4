"""Addresses as they may be shown."""

import re

HIDDEN = "***"

_IN_ADDRESS = re.compile(r"(://[^:/?#\s]*:)\S*(?=@)")
_IN_QUERY = re.compile(r"([?&][^=&\s]*(?:password|passwd|secret|token)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """An address, or a text with addresses in it, with `***` for the passwords in them."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1{HIDDEN}", text))
