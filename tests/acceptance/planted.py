"""Secrets that can be told apart from everything else, and the forms in which they may turn up."""

import base64
from collections.abc import Mapping
from pathlib import Path

KINDS = (
    "kafka",
    "database",
    "mlflow",
    "model",
    "webhook-address",
    "webhook-secret",
    "label-studio",
    "predictions",
    "turk",
    "person",
)

PLANTED: Mapping[str, str] = {kind: f"Pl4nted-{kind}-{place}Zq8" for place, kind in enumerate(KINDS)}
"""What it lets in to -> the secret."""


def forms(secret: str) -> set[bytes]:
    """A secret as it is, as digits, and inside of anything that is written in base 64."""
    raw = secret.encode()
    shifted = {base64.b64encode(bytes(lead) + raw)[lead * 2 :].rstrip(b"=")[:-2] for lead in range(3)}
    return {raw, raw.hex().encode(), *shifted}


def leaks(places: Mapping[str, bytes], secrets: Mapping[str, str]) -> list[str]:
    """Which secret stands where."""
    return [
        f"{kind} in {place}: ...{data[max(0, data.find(form) - 80) : data.find(form) + 80]!r}"
        for kind, secret in secrets.items()
        for form in forms(secret)
        for place, data in places.items()
        if form in data
    ]


def files_below(*folders: Path) -> dict[str, bytes]:
    """Content of every file."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
