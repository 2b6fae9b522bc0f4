"""`labelloop llm compare`: ways of asking beside each other, on items that experts answered."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from rich.console import Console
from rich.progress import Progress

from daemon.adapters.store.call_plans import CallPlanRoom
from daemon.adapters.store.calls import CallRoom, ReplyRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.model_queue import ModelQueueRoom
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
from daemon.wiring.compare_table import plain, table_of
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

    def at(self, rows: Iterable[int]) -> "_Known":
        """These rows alone."""
        kept = list(rows)
        return _Known([self.items[row] for row in kept], [self.truth[row] for row in kept])


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
        comparison = _Comparison(config, database, wanted, known, models)
        found = comparison.of(tiers)
    finally:
        stop.set()
        database.close()
    if as_json:
        print(json.dumps({name: plain(one) for name, one in found.items()}, indent=2))
    elif found:
        Console().print(table_of(found, config.currency))
    if comparison.ended_by is not None:
        raise SetupProblem(_ended(comparison.ended_by, bool(found)))


def _ended(cap: CapReached, some: bool) -> str:
    what = "the figures are of what was asked before; " if some else ""
    return (
        f"llm compare: {cap}; {what}calls are reserved at the price of their longest answer: give a larger "
        "--budget, fewer --items, or see `labelloop plan --llm`"
    )


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
    """All ways of asking, one after the other, under one budget; `ended_by` is the cap that ended it."""

    config: Config
    database: Database
    wanted: Wanted
    known: _Known
    models: Mapping[str, ChatModel]
    run: str = field(default_factory=lambda: f"{parts.holder('compare')}-{time.time():.0f}")
    ended_by: CapReached | None = None

    def of(self, tiers: Sequence[str]) -> dict[str, Compared]:
        """Figures by the name of the way of asking; what was paid for is told even if a cap ends it."""
        found: dict[str, Compared] = {}
        ways = [(tier, name) for tier in tiers for name in self.config.variants(tier)]
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("asking", total=len(ways) * self.wanted.rounds * len(self.known.items))
            for tier, name in ways:
                one = self._one(tier, name, lambda count: progress.advance(task, count))
                if one is not None:
                    found[f"{tier}/{name}"] = one
                if self.ended_by is not None:
                    break
        return found

    def _one(self, tier: str, name: str, told: Callable[[int], None]) -> Compared | None:
        config = self.config
        way, book = way_of(config, tier, name), _Book()
        endpoint = config.endpoints[way.settings.endpoint]
        make = asker_of(config, self.database, way, book)
        about = About(ModelQueueRoom(self.database).enroll(way.name, way.version, tier).id)
        caches: list[ReplyCache] = [ReplyRoom(self.database)]
        caches += [_Forgetful() for _ in range(1, self.wanted.rounds)]
        bills = [_Bill(self._chat(tier, way.settings.endpoint, cache), endpoint) for cache in caches]
        known, rounds = self.known, list[list[ModelVote | None]]()
        for bill in bills:
            hands = _Hands(make(bill), about, way.settings.batch, endpoint.concurrency)
            votes, self.ended_by = _in_parallel(hands, known.items, told)
            if self.ended_by is None and not any(votes.values()):
                raise SetupProblem(f"llm compare: {way.name} gave no answer at all; try `labelloop check`")
            if not rounds:
                known = known.at(votes)
            if len(votes) == len(known.items):
                rounds.append(list(votes.values()))
            if self.ended_by is not None:
                break
        if not known.items:
            return None
        said = _said(rounds, known.truth, config.task.space, bills[0])
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


def _in_parallel(
    hands: _Hands, items: Sequence[Item], told: Callable[[int], None]
) -> tuple[dict[int, ModelVote | None], CapReached | None]:
    """Row -> vote, None where there was no answer; without the rows that a cap kept from being asked."""
    size, votes = hands.batch, dict[int, ModelVote | None]()
    capped: list[CapReached] = []

    def ask(first: int) -> None:
        batch = items[first : first + size]
        said: Sequence[ModelVote | None] = []
        try:
            said = [] if capped else hands.asker.ask(batch, hands.about)
        except ChatFailure:
            said = [None] * len(batch)
        except CapReached as error:
            capped.append(error)
        votes.update(enumerate(said, first))
        told(len(batch))

    with ThreadPoolExecutor(hands.concurrency) as pool:
        list(pool.map(ask, range(0, len(items), size)))
    return dict(sorted(votes.items())), capped[0] if capped else None


def _said(
    rounds: Sequence[Sequence[ModelVote | None]], truth: Sequence[int], space: LabelSpace, bill: _Bill
) -> Said:
    labels = [[ABSTAIN if vote is None else vote.label for vote in votes] for votes in rounds]
    posterior = np.full((len(truth), space.n_facets * len(space.options)), np.nan)
    for row, vote in enumerate(rounds[0]):
        if vote is not None and vote.probabilities is not None:
            posterior[row] = space.posterior(vote.probabilities)
    return Said(space, np.array(truth), np.array(labels), posterior, bill.micros / MICROS, bill.seconds)
