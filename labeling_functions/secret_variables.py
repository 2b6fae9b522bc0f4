"""Secrets come from the environment, or from files that it names: the configuration holds none."""

import os
from collections.abc import Mapping
from pathlib import Path

FILE = "_FILE"
"""With this after its name, a variable says which file holds the secret instead, as containers like it."""


class SecretUnreadable(Exception):
    """The file that should hold a secret cannot be read; the message names variable and file."""


def secret(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """What the variable `name` holds, else what stands in the file that `name`_FILE names, else "".

    White space at both ends is no part of it: files end with a line break.

    Raises:
        SecretUnreadable: there is no such file, it may not be read, or it is no text.
    """
    if given := environ.get(name, "").strip():
        return given
    if not (file := environ.get(name + FILE, "").strip()):
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise SecretUnreadable(f"{name}{FILE} names {file}, which cannot be read: {why}") from None
