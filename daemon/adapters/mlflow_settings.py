"""Settings of everything that speaks to MLflow."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from annotated_types import Ge, Le


@dataclass(frozen=True, slots=True)
class MlflowSettings:
    """Where runs and traces go.

    Attributes:
        uri: address of the tracking server, e.g. `http://127.0.0.1:5000`; None for a local one.
        experiment: None for the task's name.
        model_name: registered model; None for the task's name.
        traces: share of the questions to language models whose prompts and answers can be read there; 0 for
            none.
    """

    uri: str | None = None
    experiment: str | None = None
    model_name: str | None = None
    traces: Annotated[float, Ge(0), Le(1)] = 1.0


def shown(uri: str) -> str:
    """The address without user name and password, nor a slash at its end."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
