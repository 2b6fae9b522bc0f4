"""The configuration: one file, the environment on top, every problem reported at once."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Gt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.mlflow_settings import MlflowSettings
from daemon.adapters.outside.label_studio.settings import LabelStudioSettings
from daemon.adapters.outside.mturk.settings import MturkSettings
from daemon.adapters.watching.settings import MetricsSettings
from daemon.core.encoding_settings import EncodingSettings
from daemon.core.retention import Kept
from daemon.core.settings import (
    LABEL_STUDIO,
    DriftSettings,
    GuaranteeSettings,
    LearningSettings,
    RoutingSettings,
    StreamSettings,
    TierSettings,
)
from daemon.core.webhooks import WebhookSettings
from daemon.review.settings import ReviewSettings
from daemon.wiring import config_keys
from daemon.wiring.config_declared import declare
from daemon.wiring.config_env import expand, overlay
from daemon.wiring.config_errors import ConfigError, Problem, all_from_pydantic, suggest
from daemon.wiring.config_file import Document, read_yaml
from daemon.wiring.config_mturk import check_mturk
from daemon.wiring.config_texts import odd_texts
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.local_server import MODEL
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.llm.variant import no_confidence
from labeling_functions.task import MOST_CLASSES, PREFERENCE, PREFERENCE_CLASSES, RATING, Task
from models.label_model.registry import LABEL_MODELS
from models.query_strategy.registry import QUERY_STRATEGIES

DEFAULT_FILE = "labelloop.yaml"
SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Labelling functions to run on every item.

    Attributes:
        modules: Python modules, found beside the configuration file or installed; all their functions run.
        llm_modules: Python modules that declare ways of asking language models (`llm_labeling_function`), as
            if they stood under `llm`; they answer in the tiers that name them, never in the stream.
    """

    modules: tuple[str, ...] = ()
    llm_modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where everything is kept.

    Attributes:
        url: address such as postgresql://labelloop:${DB_PASSWORD}@host/labelloop;
            null for SQLite in the state folder.
        keep_days: days after which a certified item that nobody was ever asked about is removed, with its
            labels; null keeps all. An id that comes again after that is a new item.
        keep_open_days: the same for items that are not certified and that nobody was ever asked about: the
            labels that they were last given on topic `labels` stay provisional. Null keeps them.
    """

    url: str | None = None
    keep_days: Annotated[float, Gt(0)] | None = None
    keep_open_days: Annotated[float, Gt(0)] | None = None

    @property
    def kept(self) -> Kept:
        """How long items are kept that nothing rests on."""
        return Kept(self.keep_days, self.keep_open_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a process is told when it starts.

    Attributes:
        task: what is asked about each item, and which answers there are.
        functions: labelling functions, asked about every item at once and for nothing.
        tiers: who may be asked at a price, by a name of your choice; audits go to the cheapest final tier.
        endpoints: where language models are reached, by a name of your choice.
        llm: ways of asking them, by a name of your choice; each is an annotator of the tier that names it.
        guarantee: the promise on automatic labels, and what is spent on proving it.
        routing: when a person is asked.
        encoder: sentence-transformers model whose vectors the classifier learns from; null for no classifier.
        encoding: how the encoder works; vectors mean the same whatever stands here.
        stream: limits of the stream worker.
        learning: when and on how much the models are retrained.
        drift: alarms when the stream is no longer what the models learned from, and what they change.
        kafka: where items come from and labels go to.
        database: where everything is kept.
        mlflow: where training runs, models, and prompts and answers of language models are recorded.
        label_studio: where the people of tiers with `backend: label_studio` answer.
        mturk: where the people of tiers with `backend: mturk` answer.
        webhooks: programs that are told what happened, by a name of your choice.
        review: the pages where people answer.
        metrics: metrics and health of the processes that serve no pages.
        currency: what prices and budgets are counted in; shown beside amounts.
        state: folder of the parts that run embedded; relative to the configuration file.
        folder: where the configuration file lies; not a key.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    task: Task
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    tiers: Mapping[str, TierSettings]
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    llm: Mapping[str, LLMSettings] = field(default_factory=dict)
    guarantee: GuaranteeSettings = field(default_factory=GuaranteeSettings)
    routing: RoutingSettings = field(default_factory=RoutingSettings)
    encoder: str | None = "all-MiniLM-L6-v2"
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    mlflow: MlflowSettings = field(default_factory=MlflowSettings)
    label_studio: LabelStudioSettings = field(default_factory=LabelStudioSettings)
    mturk: MturkSettings = field(default_factory=MturkSettings)
    webhooks: Mapping[str, WebhookSettings] = field(default_factory=dict)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    currency: str = "USD"
    state: Path = Path("state")
    folder: Path = Path()

    def __post_init__(self) -> None:
        for name in self.tiers:
            if not name.replace("-", "_").isidentifier():
                raise ValueError(f"tiers: {name!r} is no name; use letters, digits, _ and -, a letter first")
        if not any(tier.final for tier in self.tiers.values()):
            raise ValueError(
                "tiers: none is final; give `final: true` to one whose answers count as the truth: "
                "the guarantee is audited there"
            )
        self._check_llm()
        self._check_outside()
        for name in self.learning.label_models:
            if name not in LABEL_MODELS:
                hint = suggest(name, LABEL_MODELS) or f"; there are {', '.join(LABEL_MODELS)}"
                raise ValueError(f"learning: label_models: {name!r} is unknown{hint}")
        if (strategy := self.learning.query_strategy) not in QUERY_STRATEGIES:
            hint = suggest(strategy, QUERY_STRATEGIES) or f"; there are {', '.join(QUERY_STRATEGIES)}"
            raise ValueError(f"learning: query_strategy: {strategy!r} is unknown{hint}")
        self._check_costs()

    def _check_llm(self) -> None:
        for section, names in (("endpoints", self.endpoints), ("llm", self.llm), ("webhooks", self.webhooks)):
            for name in names:
                if not name.replace("-", "_").isidentifier():
                    raise ValueError(f"{section}: {name!r} is no name; use letters, digits, _ and -")
        for name, settings in self.llm.items():
            if settings.endpoint not in self.endpoints:
                raise ValueError(f"llm: {name}: endpoint: {_unknown(settings.endpoint, self.endpoints)}")
            endpoint = self.endpoints[settings.endpoint]
            if problem := _not_for(self.task, settings) or _not_at(endpoint, settings):
                raise ValueError(f"llm: {name}: {problem}")
        for tier in self.llm_tiers:
            if unknown := [variant for variant in self.variants(tier) if variant not in self.llm]:
                raise ValueError(f"tiers: {tier}: variants: {_unknown(unknown[0], self.llm)}")

    def _check_outside(self) -> None:
        for name, tier in self.tiers.items():
            if tier.backend == LABEL_STUDIO and self.label_studio.url is None:
                raise ValueError(f"label_studio: url: is not set, and people of tier {name!r} answer there")
        check_mturk(self.mturk, self.tiers, self.currency)

    def _check_costs(self) -> None:
        classes = self.task.classes
        if self.routing.costs and self.task.space.sets:
            raise ValueError(
                "routing: costs: are for tasks with one class an item; of multilabel ones a label is "
                "right or wrong as a whole"
            )
        for true, given in self.routing.costs.items():
            for name in (true, *given):
                if name not in classes:
                    hint = suggest(name, classes) or f"; there are {', '.join(classes)}"
                    raise ValueError(f"routing: costs: {name!r} is no class of the task{hint}")
            for label, cost in given.items():
                if label == true and cost:
                    raise ValueError(f"routing: costs: {true}: {label}: the right label costs nothing")
                if cost < 0:
                    raise ValueError(f"routing: costs: {true}: {label}: {cost} is below 0")

    @property
    def llm_tiers(self) -> tuple[str, ...]:
        """Names of the tiers that language models answer."""
        return tuple(name for name, tier in self.tiers.items() if tier.is_llm)

    @property
    def outside_tiers(self) -> tuple[str, ...]:
        """Names of the tiers that people answer in another program."""
        return tuple(name for name, tier in self.tiers.items() if tier.is_outside)

    @property
    def local_endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints in use that are the local language model."""
        used = {self.llm[way].endpoint for tier in self.llm_tiers for way in self.variants(tier)}
        return tuple(sorted(name for name in used if self.endpoints[name].base_url is None))

    def variants(self, tier: str) -> tuple[str, ...]:
        """Names in `llm` of a tier's ways of asking."""
        return self.tiers[tier].variants or (tier,)

    @property
    def audit_tier(self) -> str:
        """Name of the cheapest final tier, which answers audits."""
        final = [(tier.price, name) for name, tier in self.tiers.items() if tier.final]
        return min(final)[1]

    @property
    def database_url(self) -> str:
        """Address of the database; SQLite in the state folder if none is configured. Files by full path."""
        url = self.database.url
        if url is None:
            return f"{SQLITE}{self.state / 'labelloop.db'}"
        # A path that is absolute stays as it is.
        return f"{SQLITE}{self.folder / url.removeprefix(SQLITE)}" if url.startswith(SQLITE) else url


def _not_for(task: Task, settings: LLMSettings) -> str:
    """What of these settings this task has no use for."""
    if task.kind != PREFERENCE:
        if settings.judge:
            return f"judge: a task of kind {task.kind} has no pairs to judge; leave it out"
        return no_confidence(task, settings)
    if settings.exemplars.count:
        return "exemplars: judges of pairs are shown none; leave them out"
    return "batch: judges of pairs are asked about one at a time; leave it out" if settings.batch > 1 else ""


def _unknown(name: str, known: Mapping[str, object]) -> str:
    hint = suggest(name, known) or f"; there are {', '.join(known) or 'none'}"
    return f"{name!r} is unknown{hint}"


def _not_at(endpoint: EndpointSettings, settings: LLMSettings) -> str:
    """What keeps an endpoint from serving the model; empty if nothing does that can be known."""
    if endpoint.base_url is not None or settings.model == MODEL:
        return ""
    return (
        f"model: {settings.model!r} is unknown; endpoint {settings.endpoint!r} has no base_url, so that it "
        f"is the local language model, {MODEL}"
    )


KEYS = config_keys.key_tree(Config, skip=frozenset({"folder"}))
"""Every key that a configuration may hold."""

_ADAPTER = TypeAdapter(Config)


def load(file: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration file and the LABELLOOP_ variables on top of it.

    Raises:
        ConfigError: with every problem found.
    """
    document = _read(file)
    data = document.data
    problems = list(document.problems)
    origins, wrong = overlay(data, KEYS, environ)
    problems += wrong + expand(data, environ)
    if odd := list(odd_texts(data)):
        raise ConfigError(str(file), [_line(problem, document, origins) for problem in (*problems, *odd)])
    problems += _spread_classes(data)
    folder = file.resolve().parent
    problems += declare(data, folder)
    _fill_classes(data)
    config = _validated(data, problems)
    state = None if config is None else _state_folder(folder, config.state, problems)
    if problems or config is None or state is None:
        raise ConfigError(str(file), [_line(problem, document, origins) for problem in problems])
    kafka = replace(config.kafka, security=config.kafka.security.beside(folder))
    return replace(config, folder=folder, kafka=kafka, state=state)


def _state_folder(folder: Path, state: Path, problems: list[Problem]) -> Path | None:
    try:
        return (folder / state.expanduser()).resolve()
    except (RuntimeError, OSError) as error:  # no such user, no home, a link to itself
        problems.append(Problem(("state",), f"{state} leads nowhere: {error}"))
        return None


def _read(file: Path) -> Document:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ConfigError(
            str(file), ["there is no such file; `labelloop init` writes one, `-c FILE` names another"]
        ) from None
    except OSError as error:
        raise ConfigError(str(file), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), [f"not UTF-8 at byte {error.start}; save it as UTF-8"]) from None
    document = read_yaml(text, str(file))
    document.data = {} if document.data is None else document.data
    if not isinstance(document.data, dict):
        raise ConfigError(str(file), ["holds no mapping of keys; `labelloop init` writes an example"])
    return document


def _spread_classes(data: dict[str, Any]) -> list[Problem]:
    """`classes` may map names to descriptions; Task keeps the two apart."""
    task = data.get("task")
    if not isinstance(task, dict) or not isinstance(task.get("classes"), dict):
        return []
    described = task["classes"]
    task["classes"] = list(described)
    if "descriptions" in task:
        return [
            Problem(("task", "descriptions"), "`classes` describes the classes already; keep one of the two")
        ]
    task["descriptions"] = {name: text for name, text in described.items() if isinstance(text, str)}
    return [
        Problem(("task", "classes", name), f"{text!r} is not text; one sentence on what belongs there")
        for name, text in described.items()
        if not isinstance(text, str | None)
    ]


def _fill_classes(data: dict[str, Any]) -> None:
    """The classes of a preference task need not be said; those of a rating may be numbers."""
    task = data.get("task")
    if not isinstance(task, dict):
        return
    if task.get("kind") == PREFERENCE:
        task.setdefault("classes", list(PREFERENCE_CLASSES))
    if task.get("kind") == RATING:
        _name_steps(task)


def _name_steps(task: dict[str, Any]) -> None:
    steps = task.get("classes")
    if type(steps) is int and steps <= MOST_CLASSES:
        steps = list(range(1, steps + 1))
    if isinstance(steps, list):
        task["classes"] = [_name(step) for step in steps]
    if isinstance(described := task.get("descriptions"), dict):
        task["descriptions"] = {_name(step): text for step, text in described.items()}


def _name(step: object) -> object:
    return str(step) if type(step) is int else step


def _validated(data: dict[str, Any], problems: list[Problem]) -> Config | None:
    given = {name: _filled(value, (name,)) for name, value in data.items()}
    if "folder" in given:
        problems.append(Problem(("folder",), "unknown key; the folder is where the file lies"))
        del given["folder"]
    try:
        # As JSON, because strict checks then still take lists for tuples and mappings for settings.
        return _ADAPTER.validate_json(json.dumps(given, default=str), strict=True)
    except ValidationError as error:
        problems.extend(all_from_pydantic(error.errors(include_url=False), KEYS))
        return None


def _filled(value: Any, path: config_keys.Path) -> Any:
    """Empty mappings for sections whose keys are all commented out, which YAML reads as null."""
    if value is None and path != ("tiers",) and KEYS.is_section(path):
        return {}
    if isinstance(value, dict):
        return {name: _filled(below, (*path, name)) for name, below in value.items()}
    return value


def _line(problem: Problem, document: Document, origins: Mapping[config_keys.Path, str]) -> str:
    name = config_keys.dotted(problem.path)
    text = f"{name}: {problem.text}" if name else problem.text
    if problem.path in origins:
        return f"{text} (from {origins[problem.path]})"
    for end in range(len(problem.path), 0, -1):
        if (line := document.lines.get(problem.path[:end])) is not None:
            return f"{text} (line {line})"
    return text
