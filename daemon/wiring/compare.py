"""`labelloop llm compare`: ways of asking beside each other, on items that experts answered."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from math import isnan

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from daemon.adapters.store.call_plans import CallPlanRoom
from daemon.adapters.store.calls import CallRoom, ReplyRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.core.call_plan import CONFIDENCE
from daemon.core.call_rows import ModelVote
from daemon.core.compare_variants import Compared, Said, compare
from daemon.core.decoding import decode_stored
from daemon.core.errors import CapReached, SetupProblem
from daemon.core.judge_rows import BothOrders
from daemon.core.paid_chat import About, Paid, PaidChat
from daemon.core.ports import ReplyCache
from daemon.core.settings import MICROS
from daemon.wiring import parts
from daemon.wiring.annotate import caps, check_tier, models_of
from daemon.wiring.config import Config
from daemon.wiring.ways import Asker, asker_of, way_of
from labeling_functions.items import Item
from labeling_functions.label_space import LabelSpace
from labeling_functions.llm.chat_model import ChatFailure, ChatModel, ChatRequest
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import price
from labeling_functions.task import ABSTAIN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Items to ask about, rounds, and what all calls together may cost, in currency."""

    items: int
    rounds: int
    budget: float


@dataclass(frozen=True, slots=True)
class _Known:
    """n answered items: the items, and (n,) labels."""

    items: Sequence[Item]
    truth: Sequence[int]


def main(config: Config, tier: str | None, wanted: Wanted, as_json: bool) -> None:
    """Ask, and print. Nothing is stored as an answer; calls are in the ledger, under the tier's caps too.

    Raises:
        SetupProblem: there is no such tier, no expert has answered, the budget does not reach, or an
            endpoint gave no answer at all.
    """
    if tier is not None:
        check_tier(config, tier)
    tiers = (tier,) if tier is not None else config.llm_tiers
    if not tiers:
        raise SetupProblem("llm compare: no tier is answered by language models; give one `backend: llm`")
    stop = threading.Event()
    database = parts.open_database(config)
    try:
        known = _known(config, database, wanted.items)
        models = models_of(config, [name for tier in tiers for name in config.variants(tier)], stop)
        found = _Comparison(config, database, wanted, known, models).of(tiers)
    finally:
        stop.set()
        database.close()
    if as_json:
        print(json.dumps({name: _plain(one) for name, one in found.items()}, indent=2))
    else:
        Console().print(_table(found, config.currency))


def _known(config: Config, database: Database, count: int) -> _Known:
    rows = CallPlanRoom(database, parts.policy(config).final_tiers).answered(count)
    if not rows:
        raise SetupProblem(
            "llm compare: no expert has answered a question that chance picked (gold or audit); "
            "answer some first, `labelloop status` shows the queues"
        )
    return _Known([decode_stored(payload) for payload, _ in rows], [label for _, label in rows])


@dataclass
class _Comparison:
    """All ways of asking, one after the other, under one budget."""

    config: Config
    database: Database
    wanted: Wanted
    known: _Known
    models: Mapping[str, ChatModel]
    run: str = field(default_factory=lambda: f"{parts.holder('compare')}-{time.time():.0f}")

    def of(self, tiers: Sequence[str]) -> dict[str, Compared]:
        """Figures by the name of the way of asking."""
        ways = [(tier, name) for tier in tiers for name in self.config.variants(tier)]
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("asking", total=len(ways) * self.wanted.rounds * len(self.known.items))
            return {
                f"{tier}/{name}": self._one(tier, name, lambda count: progress.advance(task, count))
                for tier, name in ways
            }

    def _one(self, tier: str, name: str, told: Callable[[int], None]) -> Compared:
        config = self.config
        way, book = way_of(config, tier, name), _Book()
        endpoint = config.endpoints[way.settings.endpoint]
        make = asker_of(config, self.database, way, book)
        about = About(ModelQueueRoom(self.database).enroll(way.name, way.version, tier).id)
        caches: list[ReplyCache] = [ReplyRoom(self.database)]
        caches += [_Forgetful() for _ in range(1, self.wanted.rounds)]
        bills = [_Bill(self._chat(tier, way.settings.endpoint, cache), endpoint) for cache in caches]
        rounds = []
        for bill in bills:
            hands = _Hands(make(bill), about, way.settings.batch, endpoint.concurrency)
            votes = _in_parallel(hands, self.known.items, told)
            if not any(votes):
                raise SetupProblem(f"llm compare: {way.name} gave no answer at all; try `labelloop check`")
            rounds.append(votes)
        said = _said(rounds, self.known.truth, config.task.space, bills[0])
        return compare(said, list(book.noted.values()))

    def _chat(self, tier: str, name: str, cache: ReplyCache) -> PaidChat:
        limits = replace(caps(self.config, tier), run=round(self.wanted.budget * MICROS))
        ledger = CallRoom(self.database, limits)
        return PaidChat(self.models[name], ledger, cache, name, self.config.endpoints[name], tier, self.run)


@dataclass
class _Book:
    """Keeps what a judge says in both orders while it is compared; the last round counts."""

    noted: dict[tuple[int, str], BothOrders] = field(default_factory=dict)

    def note(self, annotator: int, item: str, orders: BothOrders) -> None:
        """As `JudgmentBook.note`."""
        self.noted[annotator, item] = orders


class _Forgetful:
    """A cache that keeps nothing: a model is asked anew whether it says the same again."""

    def get(self, key: str) -> bytes | None:
        """Nothing."""

    def put(self, key: str, reply: bytes) -> None:
        """It is gone."""


@dataclass
class _Bill:
    """Passes calls on, and adds up what they cost and took, kept replies as if they were new."""

    chat: PaidChat
    endpoint: EndpointSettings
    micros: int = 0
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, request: ChatRequest, about: About) -> Paid:
        """As `PaidChat.ask`."""
        paid = self.chat.ask(request, about)
        with self._lock:
            self.micros += price(paid.reply.tokens_in, paid.reply.tokens_out, self.endpoint)
            self.seconds += paid.reply.seconds
        return paid


@dataclass(frozen=True, slots=True)
class _Hands:
    """An asker, what its calls are booked for, items a prompt, and calls at once."""

    asker: Asker
    about: About
    batch: int
    concurrency: int


def _in_parallel(hands: _Hands, items: Sequence[Item], told: Callable[[int], None]) -> list[ModelVote | None]:
    """Votes on the items, in order; None where there was no answer."""

    def ask(batch: Sequence[Item]) -> Sequence[ModelVote | None]:
        try:
            return hands.asker.ask(batch, hands.about)
        except ChatFailure:
            return [None] * len(batch)
        finally:
            told(len(batch))

    size = hands.batch
    batches = [items[first : first + size] for first in range(0, len(items), size)]
    with ThreadPoolExecutor(hands.concurrency) as pool:
        try:
            return [vote for votes in pool.map(ask, batches) for vote in votes]
        except CapReached as error:
            pool.shutdown(cancel_futures=True)
            raise SetupProblem(
                f"llm compare: {error}; calls are reserved at the price of their longest answer: give a "
                "larger --budget, fewer --items, or see `labelloop plan --llm`"
            ) from None


def _said(
    rounds: Sequence[Sequence[ModelVote | None]], truth: Sequence[int], space: LabelSpace, bill: _Bill
) -> Said:
    labels = [[ABSTAIN if vote is None else vote.label for vote in votes] for votes in rounds]
    posterior = np.full((len(truth), space.n_facets * len(space.options)), np.nan)
    for row, vote in enumerate(rounds[0]):
        if vote is not None and vote.probabilities is not None:
            posterior[row] = space.posterior(vote.probabilities)
    return Said(space, np.array(truth), np.array(labels), posterior, bill.micros / MICROS, bill.seconds)


def _plain(one: Compared) -> dict[str, object]:
    figures = {**asdict(one), "agreement": one.agreement, "interval": one.judged.interval}
    return {
        name: None if isinstance(value, float) and isnan(value) else value for name, value in figures.items()
    }


def _table(found: Mapping[str, Compared], currency: str) -> Table:
    """A column for each way of asking: names and figures stay whole on narrow terminals."""
    count = max(one.items for one in found.values())
    table = Table(title=f"Ways of asking, on {count} items that experts answered", title_justify="left")
    table.caption_justify = "left"
    table.caption = f"Intervals are at {CONFIDENCE:.0%} confidence; cost and seconds are of one round."
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    figures = _figures(currency)
    if any(not isnan(one.order_flips) for one in found.values()):
        figures |= JUDGED
    if any(not isnan(one.classes_right) for one in found.values()):
        figures["classes right"] = lambda one: _share(one.classes_right)
    for title, figure in figures.items():
        table.add_row(title, *(figure(one) for one in found.values()))
    return table


def _figures(currency: str) -> dict[str, Callable[[Compared], str]]:
    return {
        "answered": lambda one: f"{one.answered:.0%}",
        "agrees with experts": lambda one: _share(one.agreement),
        "  interval": _interval,
        "  Cohen's kappa": lambda one: _figure(one.kappa),
        "agrees with itself": lambda one: _share(one.itself),
        "calibration error": lambda one: _figure(one.calibration_error),
        "log-loss": lambda one: _figure(one.log_loss),
        f"{currency} per 1,000 items": lambda one: f"{1_000 * one.money:,.2f}",
        "seconds an item": lambda one: f"{one.seconds:.2f}",
    }


def _interval(one: Compared) -> str:
    if (interval := one.judged.interval) is None:
        return "-"
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


def _share(value: float) -> str:
    return "-" if isnan(value) else f"{value:.1%}"


def _figure(value: float) -> str:
    return "-" if isnan(value) else f"{value:.2f}"


JUDGED: Mapping[str, Callable[[Compared], str]] = {
    "contradicts itself turned": lambda one: _share(one.order_flips),
    "  leans to the first": lambda one: _figure(one.position_bias),
}
"""Of judges that were asked in both orders: shares of pairs, and log-odds."""
