"""`labelloop review`: the pages and the REST API."""

from collections.abc import Sequence
from functools import partial

from daemon.adapters.mlflow_run_pages import MlflowRunPages
from daemon.adapters.mlflow_settings import shown
from daemon.adapters.mlflow_trace_pages import MlflowTracePages
from daemon.adapters.store.engine import Database
from daemon.adapters.store.erring import ErringRoom
from daemon.adapters.store.given import AnswerRoom
from daemon.adapters.store.insights import InsightRoom
from daemon.adapters.store.lead import LeadRoom
from daemon.adapters.store.rehearsal import rehearse
from daemon.adapters.store.reviewers import ReviewerRoom
from daemon.adapters.store.truths import TruthRoom
from daemon.adapters.watching.prometheus import exposition
from daemon.core.readiness import Readiness
from daemon.review.app import ReviewServices, create_app, serve
from daemon.wiring import accounts, parts
from daemon.wiring.budget_planner import SAMPLE, BudgetPlanner
from daemon.wiring.config import Config
from daemon.wiring.situation import read_situation
from labeling_functions.function import Function
from labeling_functions.loading import load


def main(config: Config) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SetupProblem: others could reach the pages, and nobody could sign in.
    """
    database = parts.open_database(config)
    queue = Database(config.database_url, plans_once=True)
    try:
        desk, questions = accounts.desk(queue), parts.questions(config, queue)
        accounts.check_reachable(desk.accounts, config.review)
        policy, reports = parts.policy(config), parts.reports(config, database)
        read = partial(read_situation, database, reports, policy, None, SAMPLE)
        services = ReviewServices(
            questions=questions,
            reports=reports,
            insights=InsightRoom(database, policy.final_tiers, config.task.space.n_facets),
            leading=LeadRoom(database),
            planner=BudgetPlanner(read, policy),
            reviewers=ReviewerRoom(database),
            truths=TruthRoom(database, config.task.space.n_facets),
            given=AnswerRoom(database),
            erring=ErringRoom(database),
            desk=desk,
            expose=exposition,
            readiness=Readiness({"database": parts.answers(database)}),
            task=config.task,
            tiers=config.tiers,
            guarantee=config.guarantee,
            drift=config.drift,
            settings=config.review,
            mlflow_url=_runs_page(config),
            traces=MlflowTracePages(config.mlflow.uri) if config.mlflow.uri else None,
            currency=config.currency,
            runs=MlflowRunPages(config.mlflow.uri) if config.mlflow.uri else None,
            functions=_marking(config),
            run_name=config.task.name,
        )
        rehearse(queue)
        serve(create_app(services), config.review)
    finally:
        queue.close()
        database.close()


def _marking(config: Config) -> Sequence[Function]:
    """The labeling functions; they are loaded only where a tier shows what they found."""
    wanted = any(tier.highlight for tier in config.tiers.values())
    return load(config.functions.modules, config.folder) if wanted else ()


def _runs_page(config: Config) -> str | None:
    """MLflow's list of training runs; without the parameter it opens on its pages for language models."""
    return (
        f"{shown(config.mlflow.uri)}/#/experiments?workflowType=machine_learning"
        if config.mlflow.uri
        else None
    )
