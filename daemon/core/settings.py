"""Settings of the loop's own parts: frozen, self-checking; ranges are read by the configuration loader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen

from daemon.core.control_settings import ControlSettings
from daemon.core.states import AuditProtocol

PROVISIONAL = ("publish", "accepted", "hold")

PACES = ("day", "none")

WEB, LLM, KAFKA, LABEL_STUDIO, MTURK = "web", "llm", "kafka", "label_studio", "mturk"
OUTSIDE = (KAFKA, LABEL_STUDIO, MTURK)
"""Backends of people who answer elsewhere; `labelloop annotate` holds questions for them."""

PAYS_ALL = (MTURK,)
"""Backends where who answers is paid whether the answer is taken or not."""

BACKENDS = (WEB, LLM, *OUTSIDE)

OCCASIONS = ("always", "uncertain", "never")

MICROS = 1_000_000
"""Money is kept in integer millionths of the ledger's currency."""


@dataclass(frozen=True, slots=True)
class TierSettings:
    """Annotators that are asked through a queue, at a price.

    Attributes:
        price: currency per answer.
        final: an answer of this tier is the truth for its item (experts); audits go to such a tier.
        overlap: answers asked at once when this tier is first asked about an item; then one at a time.
        overlap_share: of all items, on how many `overlap` answers are asked at once; on the others one. Which
            these are goes by their ids.
        escalate_below: share of a tier's answers on an item that say the same, two answers at least, below
            which the next tier of people is asked whatever an answer is worth; null: worth alone decides.
        capacity_per_day: answers that the tier takes of one person in a day (UTC); null for no limit.
        show_earlier: show reviewers what tiers below answered. They lean towards it; blind questions and
            control questions never show it.
        max_votes: answers that an item may get of this tier, at most; nobody answers an item twice, so set it
            no higher than the number of people there. A final tier is asked once.
        first: whether every item that is not certified is asked one cheap vote of this tier before anything
            else is weighed; the same as `when: always`.
        backend: `web` for people on the review pages and REST, `llm` for language models, which
            `labelloop annotate` asks and whose calls are paid one by one, `kafka` for whoever reads topic
            `questions` and answers on topic `votes`, `label_studio` for people in a Label Studio,
            `mturk` for workers of Mechanical Turk.
        when: `always` asks every item that is not certified one vote of this tier before anything else is
            weighed, `uncertain` where an answer is worth its price, `never` not at all.
        variants: names in section `llm`, each an annotator of its own; empty for the one of the tier's name.
        lease_seconds: how long a reviewer may hold an item, or a queue outside an item that nobody answers.
        outstanding: questions that a queue outside holds at once; their money is reserved.
        seconds_per_answer: what one answer takes a person; used for estimates only.
        budget_per_day: currency; None for no limit.
        budget_per_run: currency that a run of `labelloop annotate` may spend on calls; None for no limit.
        accuracy: how often an answer of this tier is expected to be right, before anything is known.
        suggest: show reviewers what the votes at hand say. People lean towards what they are shown, so that
            their answers say less; blind questions never show it.
        highlight: mark the words that keyword and regex heuristics found; blind questions never show them.
        controls: how it is seen whether its people answer well.
    """

    price: Annotated[float, Ge(0)] = 0.05
    final: bool = False
    overlap: Annotated[int, Ge(1), Le(9)] = 1
    overlap_share: Annotated[float, Ge(0), Le(1)] = 1.0
    escalate_below: Annotated[float, Gt(0.5), Le(1)] | None = None
    capacity_per_day: Annotated[int, Ge(1)] | None = None
    show_earlier: bool = False
    max_votes: Annotated[int, Ge(1), Le(25)] = 5
    first: bool = False
    backend: str = "web"
    when: str = "uncertain"
    variants: tuple[str, ...] = ()
    lease_seconds: Annotated[int, Ge(5), Le(2_592_000)] = 120
    outstanding: Annotated[int, Ge(1), Le(10_000)] = 200
    seconds_per_answer: Annotated[float, Gt(0)] = 15.0
    budget_per_day: Annotated[float, Ge(0)] | None = None
    budget_per_run: Annotated[float, Ge(0)] | None = None
    accuracy: Annotated[float, Gt(0.5), Lt(1)] = 0.8
    suggest: bool = False
    highlight: bool = False
    controls: ControlSettings = field(default_factory=ControlSettings)

    def __post_init__(self) -> None:
        if self.votes_first and self.final:
            name = "first" if self.first else "when"
            raise ValueError(f"{name}: a final tier settles an item, so that it cannot vote first on each")
        self._check_words()
        self._check_backend()
        self._check_outside()
        if self.overlap > self.max_votes:
            raise ValueError(
                f"overlap: {self.overlap} answers at once are more than max_votes {self.max_votes}"
            )

    def _check_words(self) -> None:
        for name, value, known in (("backend", self.backend, BACKENDS), ("when", self.when, OCCASIONS)):
            if value not in known:
                raise ValueError(f"{name}: {value!r} is none of {', '.join(known)}")
        if self.when == "never" and self.first:
            raise ValueError("when: `never` and `first: true` exclude each other")

    def _check_backend(self) -> None:
        if self.is_llm and self.final:
            raise ValueError(
                "backend: what a language model answers is never the truth; `final` is for people"
            )
        if self.when == "never" and self.final:
            raise ValueError("when: a final tier is asked in any case: its answers audit all others")
        if not self.is_llm:
            self._refuse("is for a tier of `backend: llm`", "variants", "budget_per_run")
            return
        self._refuse("is for people; a language model is asked by its prompt", "suggest", "highlight")
        self._refuse("is for people", "escalate_below", "capacity_per_day", "show_earlier")
        if self.controls != ControlSettings():
            raise ValueError("controls: are for people; `labelloop llm compare` measures language models")

    def _check_outside(self) -> None:
        if not self.is_outside:
            return
        elsewhere = "is for people who answer on the pages (`backend: web`)"
        self._refuse(elsewhere, "highlight", "show_earlier", "capacity_per_day")
        if self.controls.asked:
            raise ValueError("controls: control questions are asked on the pages alone (`backend: web`)")
        if self.backend == KAFKA and self.suggest:
            raise ValueError("suggest: topic `questions` holds items alone; leave it out")

    def _refuse(self, why: str, *names: str) -> None:
        """Raise for the first of these keys that says something."""
        for name in names:
            if getattr(self, name):
                raise ValueError(f"{name}: {why}")

    @property
    def is_llm(self) -> bool:
        """Whether language models answer, and not people."""
        return self.backend == LLM

    @property
    def is_web(self) -> bool:
        """Whether people answer on the review pages and over REST."""
        return self.backend == WEB

    @property
    def is_outside(self) -> bool:
        """Whether people answer in another program, which `labelloop annotate` serves."""
        return self.backend in OUTSIDE

    @property
    def votes_first(self) -> bool:
        """Whether each item that is not certified gets a vote of this tier before anything is weighed."""
        return self.first or self.when == "always"

    @property
    def most_votes(self) -> int:
        """Answers that an item may get of this tier: one of a final tier, which settles it; one a variant."""
        if self.is_llm:
            return min(self.max_votes, max(len(self.variants), 1))
        return 1 if self.final else self.max_votes

    @property
    def asked_at_once(self) -> int:
        """Answers asked for when the tier is first asked about an item."""
        return min(self.overlap, self.most_votes)

    @property
    def question_micros(self) -> int:
        """What a question takes from the budget, in millionths: nothing where each call is paid."""
        return 0 if self.is_llm else self.price_micros

    @property
    def price_micros(self) -> int:
        """Price of one answer in millionths."""
        return round(self.price * MICROS)

    @property
    def run_micros(self) -> int | None:
        """Cap of a run in millionths; None for no limit."""
        return None if self.budget_per_run is None else round(self.budget_per_run * MICROS)

    @property
    def budget_micros(self) -> int | None:
        """Daily cap in millionths; None for no limit."""
        return None if self.budget_per_day is None else round(self.budget_per_day * MICROS)


@dataclass(frozen=True, slots=True)
class GuaranteeSettings:
    """The promise on automatic labels, and what is spent on proving it.

    Attributes:
        target_error: alpha; the share of wrong labels among the certified ones of a window.
        confidence: 1 - delta; how often, at least, the promise holds for a window.
        window_items: a window freezes when this many items are ready,
        window_seconds: or when the oldest has been ready this long.
        audit_share: share of the frozen items that is asked blind of the auditing tier, on average; most
            of these audits fall on items that could be released.
        audit_deadline_seconds: an audit still open then counts as an error.
        audit_protocol: `single` asks one expert of each audit; `double` asks two, and a third where they
            differ: the truth is what two of them say, and none of it depends on what the machine said.
        outgoing_share: probability that a released label is audited afresh, for the ledger of everything
            that was ever released; when too much of it proves wrong, nothing is released any more.
        cold_start_gold: random blind answers wanted before the first window; so many more after each training
            that was not better than the built-in priors, until the first one is.
        cold_start_share: share of each early batch that is drawn for them.
        provisional: `publish` labels at once, only those that the last closed window would have `accepted`,
            or `hold` all of them until they are certified or human.
    """

    target_error: Annotated[float, Gt(0), Lt(0.5)] = 0.05
    confidence: Annotated[float, Ge(0.5), Lt(1)] = 0.9
    window_items: Annotated[int, Ge(50), Le(100_000)] = 5_000
    window_seconds: Annotated[float, Gt(0)] = 3_600.0
    audit_share: Annotated[float, Gt(0), Le(1)] = 0.06
    audit_deadline_seconds: Annotated[float, Gt(0)] = 86_400.0
    audit_protocol: str = AuditProtocol.SINGLE.value
    outgoing_share: Annotated[float, Gt(0), Le(1)] = 0.01
    cold_start_gold: Annotated[int, Ge(0)] = 60
    cold_start_share: Annotated[float, Gt(0), Le(1)] = 0.1
    provisional: str = "publish"

    def __post_init__(self) -> None:
        if self.provisional not in PROVISIONAL:
            raise ValueError(f"provisional: {self.provisional!r} is none of {', '.join(PROVISIONAL)}")
        if self.audit_protocol not in list(AuditProtocol):
            raise ValueError(f"audit_protocol: {self.audit_protocol!r} is neither 'single' nor 'double'")


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """When a person is asked.

    Attributes:
        ask_below: items whose score (calibrated probability that the label is right) is lower are asked.
        max_windows: times an item may be sent back by a window before people are asked in any case.
        costs: what a wrong label costs, as true class -> label given -> cost; 1 where nothing is said.
            Without any, errors of a rating cost the steps that they are away.
        corrections_per_minute: certified labels that new bundles may take back in a minute; the others wait.
        pace: `day` lets go of a tier's budget in step with the day's items, once a whole day is known;
            `none` spends it as fast as people answer.
    """

    ask_below: Annotated[float, Gt(0), Lt(1)] = 0.9
    max_windows: Annotated[int, Ge(1)] = 2
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    corrections_per_minute: Annotated[int, Ge(0)] = 600
    pace: str = "day"

    def __post_init__(self) -> None:
        if self.pace not in PACES:
            raise ValueError(f"pace: {self.pace!r} is none of {', '.join(PACES)}")


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits of the stream worker.

    Attributes:
        batch_items: messages labelled together at most. A batch has 256 of them first, and more while
            labelling one takes less than a quarter of a second, or, where many wait, less than a tenth of
            what they have yet to wait, and than three seconds.
        max_message_bytes: larger messages are dead letters.
        function_seconds: a labelling function slower than this on a batch is reported.
        dead_letter_limit: share of dead letters among the last 1,000 messages that stops the worker.
        desk_milliseconds: pause between looks at answers, windows and the outbox when there is no work.
    """

    batch_items: Annotated[int, Ge(1), Le(10_000)] = 4_096
    max_message_bytes: Annotated[int, Ge(1_024)] = 1_000_000
    function_seconds: Annotated[float, Gt(0)] = 30.0
    dead_letter_limit: Annotated[float, Gt(0), Le(1)] = 0.5
    desk_milliseconds: Annotated[int, Ge(1), Le(10_000)] = 100


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """When and on how much the models are retrained.

    Attributes:
        min_answers: new answers that start a training run.
        max_seconds: a run starts after this long if there is any new answer at all.
        max_items: items that a run looks at besides those that a final tier answered, which are always among
            them: the newest, and the newest that others answered for at most half of it.
        label_models: registry names that compete; `pool` joins those that the votes allow, weighed by gold.
        poll_seconds: pause between looks for news.
        second_look_items: certified labels, newest first, that a new bundle looks at once more.
        query_strategy: registry name of what chooses the items that people are asked about only so that
            the models learn.
        share: of people's answers that go to such items; 0 for none.
    """

    min_answers: Annotated[int, Ge(1)] = 50
    max_seconds: Annotated[float, Gt(0)] = 3_600.0
    max_items: Annotated[int, Ge(100)] = 50_000
    label_models: Annotated[tuple[str, ...], MinLen(1)] = ("pool",)
    poll_seconds: Annotated[float, Gt(0)] = 1.0
    second_look_items: Annotated[int, Ge(0)] = 20_000
    query_strategy: str = "auto"
    share: Annotated[float, Ge(0), Le(0.5)] = 0.1


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """Alarms when the stream is no longer what the models learned from, and what an open alarm changes.

    Attributes:
        enabled: whether the stream is watched.
        delta: bounds the chance of a false alarm at each look at a mean (distance, agreement, audits).
        alpha: bounds the chance that annotators' symbols ever give a false alarm while one bundle is in use.
        audit_factor: `guarantee.audit_share` is multiplied by this for windows that freeze meanwhile.
        gold: random blind answers of arriving items that are asked for, and that the next training waits for.
    """

    enabled: bool = True
    delta: Annotated[float, Gt(0), Lt(1)] = 0.005
    alpha: Annotated[float, Gt(0), Lt(1)] = 0.01
    audit_factor: Annotated[float, Ge(1)] = 2.0
    gold: Annotated[int, Ge(10)] = 40
