"""`labelloop annotate TIER`: language models answer the questions of a tier."""

import signal
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from daemon.adapters.llm_server import LlmServer
from daemon.adapters.mlflow_traces import MlflowTraces
from daemon.adapters.store.calls import CallRoom, ReplyRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.judgments import JudgmentRoom
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.core.annotate import Annotator, AskItems, Member
from daemon.core.call_rows import CallCaps
from daemon.core.errors import SetupProblem
from daemon.core.paid_chat import PaidChat, Unsaved
from daemon.core.ports import CallLedger
from daemon.core.settings import MICROS
from daemon.core.traced_asker import MakeAsker, TracedAsker
from daemon.core.traces import TracedWay, TraceLog
from daemon.wiring import endpoints, parts, watching
from daemon.wiring.config import Config
from daemon.wiring.ways import Way, asker_of, way_of
from labeling_functions.llm.calls import endpoint_model
from labeling_functions.llm.chat_model import ChatModel
from labeling_functions.llm.endpoint import EndpointSettings, KeyMissing

FLUSH_SECONDS = 5.0
"""Traces that wait are sent for so long when the process is to end."""


def main(config: Config, tier: str, run: str | None = None) -> None:
    """Answer until SIGTERM or SIGINT. `run`: name under which the cap of a run is counted."""
    check_tier(config, tier)
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    database = parts.open_database(config)
    traces = traces_of(config)
    try:
        annotator = make(config, database, tier, run, stop, traces)
        try:
            watching.run_watched(annotator, config, database, tier)
        finally:
            if traces is not None:
                traces.close(FLUSH_SECONDS)
        annotator.tell()
    finally:
        database.close()


def check_tier(config: Config, tier: str) -> None:
    """Raises SetupProblem unless language models answer there."""
    if tier not in config.llm_tiers:
        known = ", ".join(config.llm_tiers) or "none; give one `backend: llm`"
        raise SetupProblem(f"{tier!r} is no tier that language models answer; there are {known}")


def check_ready(config: Config, tier: str) -> None:
    """Raises SetupProblem unless keys, templates and the local model of a tier are there; calls nothing."""
    for name in config.variants(tier):
        way_of(config, tier, name)
        endpoint = config.endpoints[config.llm[name].endpoint]
        if endpoint.base_url is None:
            LlmServer(0).prepare()
        try:
            endpoint.key()
        except KeyMissing as missing:
            raise SetupProblem(f"endpoints.{config.llm[name].endpoint}: {missing}") from None


def traces_of(config: Config) -> TraceLog | None:
    """Where prompts and answers are kept; None if nowhere."""
    settings = config.mlflow
    if settings.uri is None or settings.traces == 0:
        return None
    experiment = settings.experiment or config.task.name
    return MlflowTraces(settings.uri, experiment, settings.traces, currency=config.currency)


def make(
    config: Config,
    database: Database,
    tier: str,
    run: str | None,
    stop: threading.Event,
    traces: TraceLog | None = None,
) -> Annotator:
    """The loop with its parts.

    Raises:
        SetupProblem: a key or a template is not there, or a template cannot be used.
    """
    name = parts.holder(f"annotate-{tier}")
    queue, ledger = (
        ModelQueueRoom(database, config.task.space.n_facets),
        CallRoom(database, caps(config, tier)),
    )
    stream = StreamRoom(database, parts.caps(config))
    models = models_of(config, config.variants(tier), stop)
    crew = _Crew(config, database, queue, ledger, models, tier, run or name, traces)
    return Annotator(
        queue=queue,
        ledger=ledger,
        tier=tier,
        crew=[crew.member(variant) for variant in config.variants(tier)],
        concurrency=sum(config.endpoints[endpoint].concurrency for endpoint in models),
        lease_seconds=config.tiers[tier].lease_seconds,
        stop=stop,
        unsaved=crew.unsaved.questions,
        report=lambda report: stream.report(name, "annotate", {**report, **_dropped(traces)}),
    )


def caps(config: Config, tier: str) -> CallCaps:
    """What calls of a run for this tier may cost."""
    endpoints = {
        name: None if endpoint.budget_per_day is None else round(endpoint.budget_per_day * MICROS)
        for name, endpoint in config.endpoints.items()
    }
    return CallCaps(parts.caps(config), endpoints, config.tiers[tier].run_micros)


def models_of(config: Config, variants: Iterable[str], stop: threading.Event) -> dict[str, ChatModel]:
    """The way to each endpoint of these variants, shared by them: limits are those of the endpoint.

    Raises:
        SetupProblem: a key is missing, or the local model does not run.
    """
    names = sorted({config.llm[variant].endpoint for variant in variants})
    try:
        return {name: endpoint_model(name, located(config, name), stop) for name in names}
    except KeyMissing as missing:
        raise SetupProblem(str(missing)) from None


def located(config: Config, name: str) -> EndpointSettings:
    """An endpoint with its address. Raises SetupProblem if it is the local model's, which does not run."""
    endpoint = config.endpoints[name]
    if endpoint.base_url is not None:
        return endpoint
    if (address := endpoints.read(config.state, endpoints.LANGUAGE_MODEL)) is None:
        raise SetupProblem(
            f"endpoints.{name}: the local language model does not run; `labelloop up` starts it, or set "
            "base_url to another one"
        )
    return replace(endpoint, base_url=address)


@dataclass(frozen=True, slots=True)
class _Crew:
    """What the annotators of a tier are made from."""

    config: Config
    database: Database
    queue: ModelQueueRoom
    ledger: CallLedger
    models: Mapping[str, ChatModel]
    tier: str
    run: str
    traces: TraceLog | None
    unsaved: Unsaved = field(default_factory=Unsaved)

    def member(self, name: str) -> Member:
        """The annotator of one way of asking."""
        way = way_of(self.config, self.tier, name)
        annotator = self.queue.enroll(way.name, way.version, self.tier).id
        make = asker_of(self.config, self.database, way, JudgmentRoom(self.database))
        return Member(annotator, way.name, self._asker(way, make), way.settings.batch)

    def _asker(self, asked: Way, make: MakeAsker) -> AskItems:
        endpoint = asked.settings.endpoint
        chat = self._chat(endpoint)
        if self.traces is None:
            return make(chat)
        way = TracedWay(asked.name, asked.version, self.tier, endpoint)
        return TracedAsker(make, chat, self.traces, way, self.config.task.space)

    def _chat(self, endpoint: str) -> PaidChat:
        return PaidChat(
            model=self.models[endpoint],
            ledger=self.ledger,
            cache=ReplyRoom(self.database),
            name=endpoint,
            endpoint=self.config.endpoints[endpoint],
            tier=self.tier,
            run=self.run,
            wait=time.sleep,  # in threads that end with the process
            unsaved=self.unsaved,
        )


def _dropped(traces: TraceLog | None) -> dict[str, int]:
    """For the process report; nothing where all is well."""
    return {"traces_dropped": traces.dropped} if traces is not None and traces.dropped else {}
