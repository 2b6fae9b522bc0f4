"""Training runs and served models in MLflow. mlflow is imported when it is first needed (3-4 s, 130 MB)."""

import logging
import os
import posixpath
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import Any, TypeVar

from daemon.adapters.mlflow_model import CLASSIFIER, SERVED, bundle_file, log_head
from daemon.adapters.mlflow_settings import MlflowSettings, shown
from daemon.adapters.plots import class_plot, confusion_plot, reliability_plot, risk_coverage_plot
from daemon.adapters.run_summary import run_summary
from daemon.core.errors import PartAway, RegistryUnavailable, SetupProblem
from daemon.core.runs import Logged, Report, Table, TrainingRun
from labeling_functions.task import Task

CHAMPION = "champion"
"""Alias of the version that workers follow."""

TRAINING_PAGES = "?workflowType=machine_learning"
"""Without it MLflow's pages open on traces of language models."""

NOTE_LENGTH = 7_900
"""MLflow refuses tags of more than 8,000 characters."""

BOUNDS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
}
"""An outage costs 3 tries of 10 s at most, not MLflow's own 7 of 120 s. The environment may say otherwise."""

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


Value = TypeVar("Value")


class MlflowRegistry:
    """`Registry` on an MLflow tracking server. One process at a time logs; not thread-safe."""

    def __init__(self, settings: MlflowSettings, task: Task) -> None:
        if settings.uri is None:
            raise SetupProblem("mlflow.uri is not set; give the address of an MLflow tracking server")
        self.uri = settings.uri
        self.experiment = settings.experiment or task.name
        self.model_name = re.sub(r"[/:'\"]", "-", settings.model_name or task.name)
        self._served = SERVED.get(task.kind, CLASSIFIER)
        if find_spec("mlflow") is None:
            raise SetupProblem(
                "mlflow is not installed, and training runs are kept there: `pip install mlflow`"
            )

    def load(self) -> None:
        """Import mlflow now, where there is time for it; otherwise the first call does."""
        _ = self._client

    @cached_property
    def _mlflow(self) -> Any:
        return _import_mlflow()

    @cached_property
    def _client(self) -> Any:
        return self._mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def ping(self) -> None:
        """Raises PartAway, saying what to do, if the server does not answer."""
        try:
            with self._talking("list experiments"):
                self._client.search_experiments(max_results=1)
        except RegistryUnavailable as problem:
            raise PartAway(f"{problem}. Is the server running, and is mlflow.uri its address?") from None

    def log_training(self, run: TrainingRun) -> Logged:
        """Keep the run; its model becomes a version if it has a head. Raises RegistryUnavailable."""
        with self._talking(f"log the training run {run.name!r}"), self._started(run.name) as active:
            self._log_numbers(run)
            self._log_artifacts(run)
            run_id = str(active.info.run_id)
            return Logged(run_id, self._version(run, run_id), self._address(active))

    def log_report(self, report: Report, pictures: Mapping[str, Any]) -> str:
        """Keep a report and its pictures, by name, as a run; its address. Raises RegistryUnavailable."""
        with self._talking(f"log the report {report.name!r}"), self._started(report.name) as active:
            self._mlflow.log_params(_keys(report.parameters))
            self._mlflow.log_metrics(_keys(report.metrics))
            self._log_tables(report.tables)
            for name, figure in pictures.items():
                self._mlflow.log_figure(figure, f"plots/{name}.png")
            return self._address(active)

    def set_champion(self, version: str) -> None:
        """Point the alias `champion` at this version. Raises RegistryUnavailable."""
        with self._talking(f"make version {version} of {self.model_name!r} the champion"):
            self._client.set_registered_model_alias(self.model_name, CHAMPION, version)

    def champion(self) -> str | None:
        """Version that has the alias `champion`, or None. Raises RegistryUnavailable."""
        with self._talking(f"find the champion of {self.model_name!r}"):
            model = self._registered()
            return str(model.aliases[CHAMPION]) if model and CHAMPION in model.aliases else None

    def _log_numbers(self, run: TrainingRun) -> None:
        """Parameters, metrics, tags, description, data set."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        self._mlflow.log_params(_keys(run.parameters))
        self._mlflow.log_metrics({**_keys(run.metrics), "promoted": float(run.promoted)})
        self._mlflow.set_tags(
            {
                "mlflow.note.content": _note(run),
                "labelloop.promoted": str(run.promoted).lower(),
                "labelloop.reason": run.reason[:NOTE_LENGTH],
                "labelloop.learning": run.learning[:NOTE_LENGTH],
            }
        )
        source = CodeDatasetSource({"description": run.dataset.source, "rows": str(run.dataset.rows)})
        data = MetaDataset(source, name=f"{self.model_name}-items", digest=run.dataset.digest[:32])
        self._mlflow.log_input(data, context="training", tags={"rows": str(run.dataset.rows)})

    def _log_artifacts(self, run: TrainingRun) -> None:
        """Tables, plots and the bundle."""
        tables = {
            "functions": run.function_table,
            "members": run.member_table,
            "classes": run.class_table,
            "annotators": run.annotator_table,
            "people": run.people_table,
            "judges": run.judge_table,
            "changes": run.change_table,
        }
        self._log_tables(tables)
        self._mlflow.log_text(run_summary(run), "summary.md")
        if run.confusion.ndim == 2:
            self._mlflow.log_figure(confusion_plot(run.confusion, run.classes), "plots/confusion.png")
        else:
            self._mlflow.log_figure(class_plot(run.confusion, run.classes), "plots/classes.png")
        self._mlflow.log_figure(reliability_plot(run.reliability), "plots/reliability.png")
        target = run.parameters.get("target_error")
        figure = risk_coverage_plot(run.risk_coverage, float(target) if target is not None else None)
        self._mlflow.log_figure(figure, "plots/risk_coverage.png")
        with bundle_file(run.bundle) as path:
            self._mlflow.log_artifact(path, "bundle")

    def _log_tables(self, tables: Mapping[str, Table]) -> None:
        from pandas import DataFrame

        for name, table in tables.items():
            if table:
                self._mlflow.log_table(DataFrame(list(table), dtype=object), f"{name}.json")

    @contextmanager
    def _started(self, name: str) -> Iterator[Any]:
        """A run of this name in the experiment, while it lasts."""
        self._mlflow.set_tracking_uri(self.uri)
        self._mlflow.set_registry_uri(self.uri)
        experiment = self._mlflow.set_experiment(self.experiment).experiment_id
        with self._mlflow.start_run(run_name=name, experiment_id=experiment) as active:
            yield active

    def _address(self, run: Any) -> str:
        about = run.info
        return f"{shown(self.uri)}/#/experiments/{about.experiment_id}/runs/{about.run_id}{TRAINING_PAGES}"

    def _version(self, run: TrainingRun, run_id: str) -> str | None:
        """The run's model as a new version of the registered model; None without a head."""
        if run.encoder is None:
            return None
        model_id, address = log_head(run.bundle, self._served)
        if not self._registered():
            self._client.create_registered_model(self.model_name, description=self._served.how_to_ask)
        made = self._client.create_model_version(
            self.model_name, address, run_id, description=run.reason, model_id=model_id, await_creation_for=60
        )
        return str(made.version)

    def _registered(self) -> Any | None:
        found = self._client.search_registered_models(f"name = '{self.model_name}'")
        return found[0] if found else None

    @contextmanager
    def _talking(self, what: str) -> Iterator[None]:
        """Turn whatever MLflow and its transport raise into RegistryUnavailable."""
        import requests

        try:
            yield
        except (self._mlflow.exceptions.MlflowException, requests.RequestException) as problem:
            where = f"MLflow at {shown(self.uri)}"
            raise RegistryUnavailable(f"{where} could not {what}: {_brief(problem)}") from problem


def _import_mlflow() -> Any:
    """mlflow, with bounded waiting and without chatter; what the environment says goes first."""
    for key, value in {**BOUNDS, **QUIET}.items():
        os.environ.setdefault(key, value)
    with warnings.catch_warnings():  # about its own types, while they are made
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return mlflow


def _keys(values: Mapping[str, Value]) -> dict[str, Value]:
    """The same values under names that MLflow takes: letters, digits, `_ - . : /` and blanks."""
    taken: dict[str, Value] = {}
    for name, value in values.items():
        key = re.sub(r"[^\w\-. :/]", "_", name)
        if posixpath.normpath(key) != key or key.startswith(("/", ".")):
            key = re.sub(r"[/.]", "_", key)
        while key in taken:
            key += "_"
        taken[key] = value
    return taken


def _note(run: TrainingRun) -> str:
    """The summary as far as MLflow takes it; summary.md has the whole."""
    text = run_summary(run)
    if len(text) <= NOTE_LENGTH:
        return text
    return text[:NOTE_LENGTH].rpartition("\n")[0] + "\n\n(cut; the whole is in summary.md)"


def _brief(problem: BaseException) -> str:
    """What happened, in one line. Transport errors are told in our words: theirs hold the whole address."""
    import requests

    link: BaseException | None = problem
    while link is not None:
        if isinstance(link, requests.Timeout) or "Read timed out" in str(link):
            return f"no answer in {os.environ['MLFLOW_HTTP_REQUEST_TIMEOUT']} s, tried several times"
        if isinstance(link, requests.ConnectionError):
            return "nothing listens there, or it hung up"
        link = link.__cause__ or link.__context__
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:300]
