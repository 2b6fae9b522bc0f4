"""The figures of the dashboard, worked out from the overview."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from daemon.core.claims import asked_first, claims, models_rejected
from daemon.core.class_figures import class_figures
from daemon.core.decide import first_gold
from daemon.core.ledger import in_words, is_suspended
from daemon.core.loop_metrics import STALE_SECONDS, lag
from daemon.core.report_rows import NO_CLASS, AnnotatorRecord, Overview, ProcessReport
from daemon.core.settings import MICROS, TierSettings
from daemon.core.states import ItemState
from daemon.core.window_rows import WindowRecord
from daemon.review.bodies import QueueOut
from daemon.review.drift_view import DriftOut, drift_out
from daemon.review.services import ReviewServices
from labeling_functions.label_space import NONE, LabelSpace


class WindowOut(BaseModel):
    """A closed window and what was certified in it."""

    id: int
    items: int
    audits: int = Field(description="Items that chance picked to be asked blind.")
    wrong: int = Field(description="Audited labels that were wrong; unanswered audits count as wrong.")
    target_error: float
    confidence: float
    threshold: float | None = Field(description="Labels with this score and above were released; null: none.")
    certified: int
    chance: float | None = Field(description="Of releasing anything, by what was known before its audits.")
    frozen_at: int
    closed_at: int


class Promise(BaseModel):
    """What is promised on certified labels, in numbers and in words."""

    target_error: float
    confidence: float
    sentence: str
    standing: str = Field(description="How far it is fulfilled now, in words.")
    ledger: str = Field(description="What audits of all released labels say, in words.")
    suspended: bool = Field(description="Nothing is released: too much of what was released is wrong.")
    open_windows: int
    windows: list[WindowOut] = Field(description="Closed ones, newest first.")


class ClaimOut(BaseModel):
    """Something that can be said, or not yet."""

    topic: str
    said: str = Field(description="What holds, or what is not known.")
    needs: str = Field(description="What it still takes; empty where it holds.")
    have: float = Field(description="How far it is, of `want`.")
    want: float


class TierCost(BaseModel):
    """Money and time of one tier."""

    tier: str
    price: float
    answers: int
    spent: float
    hours: float
    today_spent: float
    today_reserved: float
    today_cap: float | None
    calls: int = Field(description="Calls to language models that were paid.")
    lost_calls: int = Field(description="Those of them whose outcome nobody knows.")
    reached: bool = Field(description="A cap is reached: nobody of this tier is asked.")


class Cost(BaseModel):
    """What was spent, and what asking people about everything would have cost."""

    currency: str
    spent: float
    hours: float
    tiers: list[TierCost]
    everything: float = Field(description="One answer of the cheapest final tier for every item.")
    everything_hours: float
    everything_tier: str


class AnnotatorOut(BaseModel):
    """A person or a way of asking a language model."""

    name: str
    version: str = Field(description="Of how a language model is asked; empty for people.")
    tier: str | None
    answers: int
    checked: int = Field(description="Items that an expert answered later.")
    right: float | None = Field(description="Share of the checked answers that the expert gave too.")
    low: float | None = Field(description="95 % interval of that share.")
    high: float | None


class ProcessOut(BaseModel):
    """What a process said of itself, and when."""

    name: str
    kind: str
    age: float
    stale: bool
    said: dict[str, str]


class MemberOut(BaseModel):
    """A part of the label model's mixture."""

    name: str
    weight: float


class ClassOut(BaseModel):
    """How well automatic labels serve a class, by the audits of closed windows."""

    name: str
    audits: int = Field(description="Audits that found this class.")
    recall: float | None = Field(description="Share of it that was frozen as such; null with few audits.")
    f1: float | None


class BundleOut(BaseModel):
    """The models in use."""

    id: int
    mlflow_version: str | None
    trained_at: int
    label_model: str
    members: list[MemberOut] = Field(description="Of the label model, heaviest first.")
    gold: int = Field(description="Random blind answers that it rests on.")
    effective_gold: float = Field(description="What they are worth on distinct, evenly drawn items.")


class OverviewOut(BaseModel):
    """Everything that the dashboard shows."""

    run: str
    items: int
    states: dict[str, int] = Field(description="Item state -> items; every state is named.")
    statuses: dict[str, int] = Field(description="Status of the current label -> items.")
    classes: dict[str, int] = Field(
        description="Class -> items whose current label names it; of multilabel tasks also `none`."
    )
    automated: int = Field(description="Items that are labeled, wait for nobody and were asked of nobody.")
    automated_share: float
    certified_share: float
    items_per_minute: float
    arrivals: list[int] = Field(description="Items of each of the last 60 minutes, oldest first.")
    lag: int | None = Field(description="Messages not yet read; null if no worker can say.")
    queues: list[QueueOut]
    promise: Promise
    drift: DriftOut
    audited: list[ClassOut] = Field(description="Class by class, by audits.")
    claims: list[ClaimOut] = Field(description="Those that cannot be made yet first.")
    asked_first: str = Field(
        description="Which questions go before the others, in words; empty if none waits."
    )
    cost: Cost
    annotators: list[AnnotatorOut]
    answers: int
    dead_letters: dict[str, int]
    function_failures: dict[str, int]
    undelivered: dict[str, int] = Field(description="Webhook -> events that were given up.")
    processes: list[ProcessOut]
    bundle: BundleOut | None
    outbox: int
    rechecks: int


def summarize(overview: Overview, services: ReviewServices) -> OverviewOut:
    """The dashboard's figures."""
    total = sum(overview.states.values())
    classes = services.task.classes
    return OverviewOut(
        run=services.run_name,
        items=total,
        states={state.value: overview.states.get(state.value, 0) for state in ItemState},
        statuses=dict(overview.statuses),
        classes=_counts(overview.classes, services.task.space),
        automated=overview.automated,
        automated_share=_share(overview.automated, total),
        certified_share=_share(overview.states.get(ItemState.CERTIFIED.value, 0), total),
        items_per_minute=overview.items_per_minute,
        arrivals=[count for _, count in overview.arrivals],
        lag=lag(overview.processes),
        queues=queues(overview),
        promise=_promise(overview, services),
        drift=drift_out(overview, services.drift),
        audited=[
            ClassOut(name=classes[one.label], audits=one.audits, recall=one.recall, f1=one.f1)
            for one in class_figures(overview.audited, services.task.space)
        ],
        claims=[
            ClaimOut(topic=one.topic, said=one.said, needs=one.needs, have=one.have, want=one.want)
            for one in claims(overview, services.guarantee, services.tiers, classes)
        ],
        asked_first=asked_first(overview.queues),
        cost=_cost(overview, services, total),
        annotators=[_annotator(one) for one in overview.annotators],
        answers=overview.answers,
        dead_letters=dict(overview.dead_letters),
        function_failures=dict(overview.function_failures),
        undelivered={name: states["dead"] for name, states in overview.webhooks.items() if "dead" in states},
        processes=[_process(process) for process in overview.processes],
        bundle=_bundle(overview),
        outbox=overview.outbox,
        rechecks=overview.rechecks,
    )


def _counts(by_class: Mapping[int, int], space: LabelSpace) -> dict[str, int]:
    counts = {name: by_class.get(place, 0) for place, name in enumerate(space.classes)}
    return {**counts, NONE: by_class.get(NO_CLASS, 0)} if space.sets else counts


def _annotator(record: AnnotatorRecord) -> AnnotatorOut:
    right = record.accuracy
    return AnnotatorOut(
        name=record.name,
        version=record.version,
        tier=record.tier,
        answers=record.answers,
        checked=0 if right is None else right.answered,
        right=None if right is None else right.share,
        low=None if right is None else right.low,
        high=None if right is None else right.high,
    )


def queues(overview: Overview) -> list[QueueOut]:
    """Every queue as the API tells it."""
    return [
        QueueOut(
            tier=queue.tier,
            purpose=queue.purpose.value,
            open=queue.open,
            leased=queue.leased,
            answered=queue.answered,
            oldest_seconds=queue.oldest_age,
        )
        for queue in overview.queues
    ]


def without_purposes(found: Sequence[QueueOut]) -> list[QueueOut]:
    """One queue a tier, purpose `all`: for people who must not know why a question is asked."""
    together: dict[str, QueueOut] = {}
    for queue in found:
        so_far = together.get(queue.tier)
        together[queue.tier] = QueueOut(
            tier=queue.tier,
            purpose="all",
            open=queue.open + (so_far.open if so_far else 0),
            leased=queue.leased + (so_far.leased if so_far else 0),
            answered=queue.answered + (so_far.answered if so_far else 0),
            oldest_seconds=max(queue.oldest_seconds, so_far.oldest_seconds if so_far else 0.0),
        )
    return list(together.values())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _process(process: ProcessReport) -> ProcessOut:
    said = {
        key: f"{value:,}" if isinstance(value, int) else str(value)
        for key, value in process.report.items()
        if value is not None and not isinstance(value, dict | list)
    }
    return ProcessOut(
        name=process.name,
        kind=process.kind,
        age=process.age,
        stale=process.age > STALE_SECONDS,
        said=said,
    )


def _promise(overview: Overview, services: ReviewServices) -> Promise:
    terms = services.guarantee
    sets = services.task.space.sets
    error, confidence = f"{terms.target_error:.1%}", f"{terms.confidence:.0%}"
    return Promise(
        target_error=terms.target_error,
        confidence=terms.confidence,
        sentence=(
            f"At most {error} of the labels certified in a window are wrong. This holds with at least "
            f"{confidence} confidence for each window, whatever the models do: it rests on blind answers "
            "about items that chance alone picked."
            + (" A label is right only if every class in it applies and no other." if sets else "")
        ),
        standing=_standing(overview, services),
        ledger=in_words(overview.ledger, terms),
        suspended=is_suspended(overview.ledger, terms),
        open_windows=overview.open_windows,
        windows=[_window(window, overview.chances.get(window.id)) for window in overview.windows],
    )


def _standing(overview: Overview, services: ReviewServices) -> str:
    wanted = first_gold(services.guarantee.cold_start_gold, overview.rejected)
    if not overview.windows and not overview.open_windows:
        if overview.gold < wanted:
            return (
                f"Nothing is certified yet: {overview.gold} of the first {wanted} random answers are in, "
                "and before them no label can be trusted." + models_rejected(overview)
            )
        return "Nothing is certified yet: no window has been frozen so far."
    passed = sum(window.tau is not None for window in overview.windows)
    audited = f"{overview.open_windows} being audited now" if overview.open_windows else "none open now"
    if len(overview.windows) == 1:
        return f"The only window so far {'passed' if passed else 'did not pass'} its audit; {audited}."
    return f"{passed} of the last {len(overview.windows)} windows passed their audit; {audited}."


def _window(window: WindowRecord, chance: float | None) -> WindowOut:
    return WindowOut(
        id=window.id,
        items=window.n,
        audits=len(window.wrong),
        wrong=int(window.wrong.sum()),
        target_error=window.alpha,
        confidence=1 - window.delta,
        threshold=window.tau,
        certified=window.certified,
        chance=chance,
        frozen_at=window.frozen_at,
        closed_at=window.closed_at,
    )


def _cost(overview: Overview, services: ReviewServices, total: int) -> Cost:
    final = {name: tier for name, tier in services.tiers.items() if tier.final} or dict(services.tiers)
    cheapest = min(final, key=lambda name: final[name].price)
    tiers = [
        TierCost(
            tier=one.tier,
            price=services.tiers.get(one.tier, TierSettings(price=0.0)).price,
            answers=one.answers,
            spent=one.spent / MICROS,
            hours=one.seconds / 3_600,
            today_spent=one.today_spent / MICROS,
            today_reserved=one.today_reserved / MICROS,
            today_cap=None if one.today_cap is None else one.today_cap / MICROS,
            calls=one.calls,
            lost_calls=one.lost_calls,
            reached=one.reached,
        )
        for one in overview.spending
    ]
    return Cost(
        currency=services.currency,
        spent=sum(tier.spent for tier in tiers),
        hours=sum(tier.hours for tier in tiers if not _is_llm(tier.tier, services)),
        tiers=tiers,
        everything=total * final[cheapest].price,
        everything_hours=total * final[cheapest].seconds_per_answer / 3_600,
        everything_tier=cheapest,
    )


def _is_llm(tier: str, services: ReviewServices) -> bool:
    """Whether its seconds are of machines; they are no hours of anybody's work."""
    return tier in services.tiers and services.tiers[tier].is_llm


def _bundle(overview: Overview) -> BundleOut | None:
    bundle, model = overview.bundle, overview.model
    if bundle is None or model is None:
        return None
    heaviest = sorted(model.members, key=lambda member: -member[1])
    return BundleOut(
        id=bundle.id,
        mlflow_version=bundle.mlflow_version,
        trained_at=bundle.trained_at,
        label_model=model.label_model,
        members=[MemberOut(name=name, weight=weight) for name, weight in heaviest],
        gold=model.gold,
        effective_gold=model.effective_gold,
    )
