"""How a Label Studio is reached."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from daemon.core.needed_secrets import needed_secret


@dataclass(frozen=True, slots=True)
class LabelStudioSettings:
    """The Label Studio of all tiers with `backend: label_studio`.

    Attributes:
        url: address, such as http://label-studio:8080.
        token_env: name of the environment variable that holds an access token, personal or legacy, of a user
            who may make projects and delete tasks.
        poll_seconds: between looks for annotations.
        timeout_seconds: patience with one call.
        predictions_host, predictions_port: where `labelloop label-studio` listens.
        predictions_token_env: name of the environment variable that holds the token that it asks for.
    """

    url: Annotated[str, MinLen(1)] | None = None
    token_env: Annotated[str, MinLen(1)] = "LABEL_STUDIO_TOKEN"
    poll_seconds: Annotated[float, Ge(0.1), Le(3_600)] = 5.0
    timeout_seconds: Annotated[float, Ge(1), Le(600)] = 30.0
    predictions_host: Annotated[str, MinLen(1)] = "127.0.0.1"
    predictions_port: Annotated[int, Ge(1), Le(65_535)] = 9_090
    predictions_token_env: Annotated[str, MinLen(1)] = "LABELLOOP_PREDICTIONS_TOKEN"

    def __post_init__(self) -> None:
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} is no address that starts with http:// or https://")

    def token(self) -> str:
        """The token. Raises SetupProblem if it is not there."""
        meaning = "an access token of Label Studio (Account & Settings there)"
        return needed_secret("label_studio.token_env", self.token_env, meaning)
