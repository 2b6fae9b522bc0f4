"""What the loops need from the outside. Adapters implement these; every store method is one transaction.

Times are the database's clock, UTC. Store methods raise what `daemon.core.errors` names and let driver
errors through: an error that is not named there ends the process, uncommitted.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from daemon.core.alarm_rows import DriftStanding
from daemon.core.call_rows import Call, CallBill, ModelVote
from daemon.core.learning_rows import News, Prospects, Standing, StoredBundle, TrainingRows
from daemon.core.report_rows import Overview, RecentLabel
from daemon.core.rows import (
    Arrivals,
    Compose,
    ComposeAudits,
    Decide,
    Decision,
    Duty,
    FunctionSet,
    FunctionVersion,
    Lease,
    Person,
)
from daemon.core.runs import Logged, TrainingRun
from daemon.core.states import AnnotatorKind
from daemon.core.story_rows import ItemStory
from daemon.core.window_rows import Frozen, Judge, LedgerRecord, Ready, WindowPlan, WindowRecord
from daemon.core.wire import Batch, LogStart, OutboxRow, OutMessage, ReaderStanding, Span
from models.drift.alarm import Alarm

Locate = Callable[[Sequence[LogStart]], Sequence[int]]
"""Gives the stored next offset of each partition, making absent rows at the log's beginning."""


class Source(Protocol):
    """The consuming side of Kafka. Not thread-safe: one thread uses it.

    Whenever partitions are assigned (at the start and on every rebalance) the source asks `Locate` and
    seeks there; a stored position outside the log raises PositionOutsideLog.
    """

    def poll(self) -> Batch:
        """Next records of the assigned partitions, or an empty batch after a short wait."""

    def at_most(self, items: int) -> None:
        """No batch that is read from now on has more records; one that was read ahead may have."""

    def keep_alive(self) -> None:
        """Called again and again while work takes long: stays in the group, delivers and loses nothing."""

    def rewind(self) -> None:
        """Seek every assigned partition to its stored position again (another worker has been here)."""

    def saved(self, spans: Sequence[Span]) -> None:
        """Tell the broker what is done, for lag displays only; a refused commit is not an error."""

    def lag(self) -> int | None:
        """Messages not yet read in the assigned partitions; None where the broker cannot say."""

    def standing(self) -> ReaderStanding:
        """How it stands; any thread may ask."""

    def close(self) -> None:
        """Leave the group at once."""


class Publisher(Protocol):
    """The producing side of Kafka."""

    def partitions(self, topic: str, keys: Sequence[bytes]) -> list[int]:
        """Partition of each key, as Kafka's own clients choose it (murmur2)."""

    def send(self, messages: Sequence[OutMessage]) -> None:
        """Publish in order within topic and partition; returns when all are acknowledged.

        Raises PublishFailed.
        """

    def close(self) -> None:
        """Flush and disconnect."""


class StreamStore(Protocol):
    """Arrivals and what is decided about them."""

    def locate(self, starts: Sequence[LogStart]) -> list[int]:
        """Stored next offset of each partition; absent rows are made at `beginning`."""

    def register_functions(self, functions: Sequence[FunctionVersion]) -> FunctionSet:
        """Annotators for these versions, and the set that decodes their columns; one set for one list."""

    def register_annotator(self, kind: AnnotatorKind, name: str, version: str, tier: str | None) -> int:
        """Id of an annotator, made if absent."""

    def function_keys(self, functions: int) -> list[FunctionVersion]:
        """The functions of a set in the order of its columns, for items that an earlier version labeled."""

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Content digests of those ids that are stored."""

    def save_batch(
        self,
        spans: Sequence[Span],
        arrivals: Arrivals | None,
        decision: Decision | None,
        compose: Compose,
        counts: Mapping[str, int],
    ) -> None:
        """All of a batch or nothing: positions, items, vectors, questions, labels, outbox, counters.

        Raises FenceLost if a position is not what a span says, ItemsRaced if an id was stored meanwhile.
        Items that already have answers (an outside vote came first) get a recheck.
        """

    def spent_tiers(self, prices: Mapping[str, int]) -> frozenset[str]:
        """Those of these tiers whose budget of today cannot pay another answer at this price (millionths)."""

    def look_elsewhere(self, tier: str) -> None:
        """Have all items routed anew that wait for this tier; not those that somebody is answering."""

    def work_rechecks(self, limit: int, decide: Decide, answers_alone: bool = False) -> int:
        """Take up to `limit` due rechecks (others' are skipped), lock their items, decide, save. Items done.

        Frozen items are left alone (their window decides) and their recheck is dropped.
        """

    def take_duty(self, name: str, holder: str, seconds: float) -> Duty | None:
        """Hold or renew a duty for `seconds`; None while somebody else holds it."""

    def drop_duty(self, duty: Duty) -> None:
        """Give a duty back early."""

    def outbox(self, limit: int) -> list[OutboxRow]:
        """Oldest rows first."""

    def published(self, duty: Duty, seqs: Sequence[int]) -> None:
        """Delete rows that were acknowledged; raises DutyLost."""

    def report(self, name: str, kind: str, report: Mapping[str, object]) -> None:
        """Say how a process is doing."""


class WindowStore(Protocol):
    """Freezing, auditing and closing windows."""

    def ready(self) -> Ready:
        """How many items wait for a window, and since when."""

    def top_up_gold(self, duty: Duty, wanted: int) -> int:
        """Have up to `wanted` stored items, drawn evenly among open ones, asked blindly; how many.

        Only where no items come any more and all draws so far are answered. Before anything is learned, when
        nothing but draws is asked, open items are an even sample of what nobody answered. Raises DutyLost.
        """

    def gold_drawn(self, since: int | None = None) -> int:
        """Gold questions made, ever or since then (ms), that were not withdrawn: answered, open or leased."""

    def freeze(
        self, duty: Duty, limit: int, plan: Callable[[Frozen], WindowPlan], compose: ComposeAudits
    ) -> int | None:
        """Freeze up to `limit` ready items, longest ready first: plan, seed, coins, questions, in this order.

        One transaction. Returns the window's id, or None when nothing was ready or the budget of the
        auditing tier cannot pay for all audits that the coins may ask for, here and when the labels are
        released (then nothing happens).
        """

    def open_windows(self) -> list[int]:
        """Ids, oldest first."""

    def close(self, duty: Duty, window: int, judge: Judge, compose: ComposeAudits) -> bool:
        """Load, judge and, if the judge says so, close: states, labels, outbox, rechecks. True if closed.

        Where two experts differ and the protocol wants a third, that one is asked. Open audit questions of
        a closed window expire. In the same transaction, after the verdict, a fresh seed picks those of the
        released labels that are audited for the ledger.

        Raises DutyLost; Unaffordable if the budget cannot pay for all that these coins may pick. Then the
        window stays as it is, its verdict with it, and closes when there is money. Asked for what the coins
        did pick, the budget would let pass those draws that pick few.
        """

    def closed_windows(self, limit: int) -> list[WindowRecord]:
        """Newest first."""

    def last_threshold(self, since: int | None = None) -> float | None:
        """What the window that closed last released from; None if it released nothing, or there is none.

        With `since` (ms), windows that froze before are as good as none.
        """

    def settle_ledger(self, duty: Duty, compose: ComposeAudits) -> int:
        """Write down what audits of released labels found, window by window; number of windows settled.

        Third experts are asked where the protocol wants them. Audits still open at their deadline expire
        and count as errors. Once all of a window's audits are settled, its entry never changes, and the
        answers that it rests on stand. Raises DutyLost.
        """

    def ledger(self) -> LedgerRecord:
        """Everything released since the ledger was started."""


class ModelQueue(Protocol):
    """Questions of a tier that language models answer.

    A model is an annotator of its own for each version of how it is asked. Several processes may be the same
    annotator: none is given what another one holds.
    """

    def enroll(self, name: str, version: str, tier: str) -> Person:
        """Register a model, or find it."""

    def lease(
        self, annotator: int, tier: str, count: int, seconds: float, last: Sequence[int] = ()
    ) -> list[Lease]:
        """Up to `count` questions that this annotator neither answered nor passed on, best first.

        Those of `last` come after all others. They take no money: calls do. Raises UnknownReviewer.
        """

    def extend(self, held: Sequence[Lease], seconds: float) -> None:
        """Hold what is still held under these leases, and no later ones, for so long from now."""

    def give_back(self, held: Sequence[Lease]) -> None:
        """Put what is still held under these leases, and no later ones, back into the queue."""

    def answer(self, question: int, annotator: int, vote: ModelVote) -> int:
        """Record and ask for a recheck; id of the answer. The first answer stands.

        Raises LeaseLost if the question is not there for this annotator any more.
        """

    def pass_on(self, question: int, annotator: int) -> None:
        """The annotator abstains: the question ends without an answer, and the item is routed anew.

        Raises LeaseLost as `answer` does.
        """


class CallLedger(Protocol):
    """Money of calls to language models: no cap is ever passed, whoever reserves at the same time."""

    def reserve(self, call: Call) -> int | None:
        """Id of a ledger line that holds the call's longest price; None: a cap does not reach so far.

        Raises LeaseLost if a question is not held any more under the lease that the call is made under.
        """

    def settle(self, call: int, bill: CallBill) -> None:
        """The answer is there: what it did not use is given back. Also for one that was lost meanwhile."""

    def release(self, call: int) -> None:
        """The call was certainly not made: all of it is given back."""

    def lost(self, call: int) -> None:
        """Nobody knows whether the call was made: it counts as spent."""

    def hit(self, call: Call, bill: CallBill) -> int:
        """A line of price 0 for an answer that the cache had; its id."""

    def expire(self) -> int:
        """Calls still reserved past their deadline are lost; how many."""


class ReplyCache(Protocol):
    """Answers that were paid for already. Failures are never put here."""

    def get(self, key: str) -> bytes | None:
        """What is kept under this key."""

    def put(self, key: str, reply: bytes) -> None:
        """Keep it, instead of what is there."""


class LearningStore(Protocol):
    """What the learner reads and promotes."""

    def news(self) -> News:
        """What is new since the last trained bundle."""

    def training_rows(self, limit: int, always: Collection[str] | None = None) -> TrainingRows:
        """Newest items and every one that a person answered, at most `limit` if there are fewer of these.

        With `always` only those that these tiers answered are among them in any case; of the others that
        people answered the newest, for at most half of the limit, and at least as many that nobody did.
        """

    def save_bundle(self, digest: str, data: bytes, run_id: str | None, mlflow_version: str | None) -> int:
        """Keep a trained bundle, not yet current."""

    def promote(self, duty: Duty, bundle: int, ends_alarms: bool = False) -> None:
        """Make it the one that workers follow, and end every open drift alarm if told so. Raises DutyLost."""

    def end_alarms(self, duty: Duty) -> None:
        """End every open drift alarm: the current bundle stands after it. Raises DutyLost."""

    def current_bundle(self, known: int | None) -> StoredBundle | None:
        """The promoted bundle, or None when it is `known` (or none was ever promoted)."""

    def rejected(self) -> int:
        """Bundles that were trained and not promoted before the first one was; 0 from then on."""

    def last_bundles(self, count: int) -> list[StoredBundle]:
        """The bundles trained last, promoted or not, oldest first."""

    def look_again(self, reason: str, released: int = 0) -> int:
        """Add a recheck for every item that asks or is ready, and for the newest `released` certified ones.

        Answers that come meanwhile are taken first. Returns the number of items.
        """

    def prospects(self) -> Prospects:
        """What says how many items to pick, counted from the last trained bundle."""

    def standings(self, ids: Sequence[str]) -> Mapping[str, Standing]:
        """How each of these items stands to learning; items that no person is to answer are left out."""

    def leave_picks(self, duty: Duty, ids: Sequence[str]) -> None:
        """Have `run` ask about these items so that the models learn. Raises DutyLost."""

    def withdraw_picks(self, duty: Duty) -> int:
        """Ask no longer about what was picked and nobody has begun to answer; how many questions.

        Raises DutyLost.
        """


class AlarmStore(Protocol):
    """Drift alarms; the learner ends them."""

    def raise_alarms(self, process: str, bundle: int, raised: Sequence[Alarm]) -> list[Alarm]:
        """Open an alarm for each signal that has none, count the others as raised again; those opened.

        Nothing is stored once another bundle is current: the alarms compare with the wrong reference.
        """

    def standing(self) -> DriftStanding:
        """Whether alarms are open, and since when the stream is another one."""


class ReportStore(Protocol):
    """What pages and `labelloop status` show."""

    def overview(self) -> Overview:
        """The whole picture, read at once."""

    def item(self, id_: str) -> ItemStory | None:
        """Everything about one item; None if there is none of this id."""

    def recent_labels(self, limit: int) -> list[RecentLabel]:
        """Current labels of items that came or were answered lately, newest label first."""


class Registry(Protocol):
    """Where training runs are kept for people to look at, and models to serve (MLflow).

    The database decides which bundle is followed; this mirrors it. An outage is RegistryUnavailable after
    a bounded wait (under two minutes, whatever the server does), never a lost bundle.
    """

    def ping(self) -> None:
        """Raises SetupProblem, saying what to do, if the server does not answer."""

    def log_training(self, run: TrainingRun) -> Logged:
        """Keep a run with everything in it, and its model as a new version if it has a head.

        Raises RegistryUnavailable.
        """

    def set_champion(self, version: str) -> None:
        """Make this version the one that others serve. Raises RegistryUnavailable (no such version, too)."""

    def champion(self) -> str | None:
        """Version of the champion; None before the first. Raises RegistryUnavailable."""
