"""Where MLflow shows a training run."""

import re

import httpx

from daemon.adapters import mlflow_http, mlflow_settings
from daemon.core.errors import RegistryUnavailable

REQUEST_SECONDS = 5.0

ID = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z_-]{0,255}")


class MlflowRunPages:
    """`daemon.core.run_pages.RunPages` on an MLflow server."""

    def __init__(self, uri: str) -> None:
        """`uri`: address of the tracking server; people's browsers must reach it, too."""
        self._uri = uri

    def address(self, run: str) -> str | None:
        """Address of a run's page; None if there is no such run. Raises RegistryUnavailable."""
        if not ID.fullmatch(run):
            return None
        shown = mlflow_settings.shown(self._uri)
        try:
            with mlflow_http.client(self._uri, REQUEST_SECONDS) as http:
                experiment = mlflow_http.run_experiment(http, run)
        except httpx.HTTPError as error:
            raise RegistryUnavailable(f"MLflow at {shown}: {mlflow_http.brief(error)}") from None
        return experiment and f"{shown}/#/experiments/{experiment}/runs/{run}"
