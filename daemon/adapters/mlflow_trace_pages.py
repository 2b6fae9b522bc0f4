"""Where MLflow shows a trace."""

import re

import httpx

from daemon.adapters import mlflow_http, mlflow_settings
from daemon.core.errors import TracesUnavailable

REQUEST_SECONDS = 5.0

ID = re.compile(r"tr-[0-9a-f]{32}")


class MlflowTracePages:
    """`daemon.core.traces.TracePages` on an MLflow server."""

    def __init__(self, uri: str) -> None:
        """`uri`: address of the tracking server; people's browsers must reach it, too."""
        self._uri = uri

    def address(self, trace: str) -> str | None:
        """Address of its page; None if there is no such trace, or not yet. Raises TracesUnavailable."""
        if not ID.fullmatch(trace):
            return None
        shown = mlflow_settings.shown(self._uri)
        try:
            with mlflow_http.client(self._uri, REQUEST_SECONDS) as http:
                experiment = mlflow_http.trace_experiment(http, trace)
        except httpx.HTTPError as error:
            raise TracesUnavailable(f"MLflow at {shown}: {mlflow_http.brief(error)}") from None
        return experiment and f"{shown}/#/experiments/{experiment}/traces?selectedEvaluationId={trace}"
