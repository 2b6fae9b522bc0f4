"""What the pages are built from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.agreement_rows import AnswerStore
from daemon.core.erring import ErringStore
from daemon.core.insight_ports import InsightStore
from daemon.core.lead_ports import LeadStore, Planner
from daemon.core.metrics import Sample
from daemon.core.ports import ReportStore
from daemon.core.question_ports import QuestionStore
from daemon.core.readiness import Readiness
from daemon.core.reviewer_rows import ReviewerStore
from daemon.core.run_pages import RunPages
from daemon.core.settings import DriftSettings, GuaranteeSettings, TierSettings
from daemon.core.signing_in import Desk
from daemon.core.traces import TracePages
from daemon.core.truth_ports import TruthStore
from daemon.review.settings import ReviewSettings
from labeling_functions.function import Function
from labeling_functions.task import Task

Expose = Callable[[Sequence[Sample], str], tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class ReviewServices:
    """Stores, and the part of the configuration that people see.

    Attributes:
        questions, reports, insights, leading, reviewers, truths, given, erring: the stores.
        planner: tells what budgets would do.
        desk: accounts, sessions and passwords.
        expose: metrics and the caller's Accept header -> text and its type. readiness: of this server.
        task: what is asked. tiers: who is asked, by name.
        guarantee: the promise that the dashboard tells. drift: what an open alarm waits for.
        settings: of these pages.
        mlflow_url: page of the training runs, None if there is none to link to.
        runs: where training runs are read, None if nowhere.
        functions: whose finds are marked on the review page, where a tier wants that.
        traces: where calls of language models are read, None if nowhere.
        currency: what prices are counted in. run_name: shown at the top of each page.
    """

    questions: QuestionStore
    reports: ReportStore
    insights: InsightStore
    leading: LeadStore
    planner: Planner
    reviewers: ReviewerStore
    truths: TruthStore
    given: AnswerStore
    erring: ErringStore
    desk: Desk
    expose: Expose
    readiness: Readiness
    task: Task
    tiers: Mapping[str, TierSettings]
    guarantee: GuaranteeSettings
    drift: DriftSettings = field(default_factory=DriftSettings)
    settings: ReviewSettings = field(default_factory=ReviewSettings)
    mlflow_url: str | None = None
    traces: TracePages | None = None
    runs: RunPages | None = None
    functions: Sequence[Function] = ()
    currency: str = "USD"
    run_name: str = "labelloop"

    @property
    def reviewed(self) -> dict[str, TierSettings]:
        """The tiers whose questions people answer here."""
        return {name: tier for name, tier in self.tiers.items() if tier.is_web}

    @property
    def final_tiers(self) -> frozenset[str]:
        """The tiers whose answers are the truth."""
        return frozenset(name for name, tier in self.tiers.items() if tier.final)
