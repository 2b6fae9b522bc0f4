"""Ways of asking language models, as the configuration describes them: variants, or judges of pairs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from daemon.adapters.store.engine import Database
from daemon.adapters.store.exemplars import ExemplarRoom
from daemon.core.ask_judge import JudgeAsker, JudgmentBook
from daemon.core.ask_variant import Chat, Exemplars, VariantAsker
from daemon.core.call_rows import ModelVote
from daemon.core.errors import SetupProblem
from daemon.core.paid_chat import About
from daemon.core.rows import Lease
from daemon.wiring import parts
from daemon.wiring.config import Config
from labeling_functions.items import Item
from labeling_functions.llm.chat_model import ChatRequest
from labeling_functions.llm.judges import Judge, judge_of
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.llm.templates import PromptError
from labeling_functions.llm.variant import Variant
from labeling_functions.pairs import pair_of
from labeling_functions.task import PREFERENCE

Way = Variant | Judge


class Asker(Protocol):
    """Asks in one way, about leased items or any others."""

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        """As `daemon.core.annotate.AskItems`."""

    def ask(self, items: Sequence[Item], about: About) -> list[ModelVote]:
        """What the model says about each item, in order. Raises as `AskItems` does."""


def way_of(config: Config, tier: str, name: str) -> Way:
    """One way of asking. Raises SetupProblem if its template is not there, or cannot be used."""
    task, settings = config.task, _with_template(config, name)
    try:
        if task.kind == PREFERENCE:
            return judge_of(f"{tier}/{name}", task.guidelines, settings)
        return Variant(f"{tier}/{name}", task, settings)
    except PromptError as error:
        raise SetupProblem(f"llm.{name}: {error}") from error


def asker_of(config: Config, database: Database, way: Way, book: JudgmentBook) -> Callable[[Chat], Asker]:
    """What asks in this way over a chat; judges note in the book what they say in both orders."""
    if isinstance(way, Variant):
        exemplars = _exemplars(config, database, way)
        return lambda chat: VariantAsker(way, chat, exemplars)
    return lambda chat: JudgeAsker(way, chat, book)


def requests_of(config: Config, database: Database, way: Way, items: Sequence[Item]) -> list[ChatRequest]:
    """Everything that it would ask about these items."""
    if isinstance(way, Variant):
        return way.requests(items, _exemplars(config, database, way).of(items))
    return [request for item in items for request in way.requests(pair_of(item))]


def _exemplars(config: Config, database: Database, variant: Variant) -> Exemplars:
    """What the prompts of a way of asking show of experts' answers."""
    return Exemplars(ExemplarRoom(database, parts.policy(config).final_tiers), variant.settings.exemplars)


def _with_template(config: Config, name: str) -> LLMSettings:
    """The settings with the text of their template file, which lies beside the configuration."""
    settings = config.llm[name]
    if not settings.template_file:
        return settings
    path = config.folder / settings.template_file
    try:
        return replace(settings, template=path.read_text(encoding="utf-8"), template_file="")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupProblem(f"llm.{name}.template_file: {path} cannot be read: {error}") from error
