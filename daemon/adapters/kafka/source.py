"""Reading a topic in a consumer group, from positions that the database keeps."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    RebalanceInProgressError,
)

from daemon.adapters.kafka.connection import open_admin, open_client
from daemon.adapters.kafka.fetching import Fetcher, LogShortened, PositionRefused
from daemon.adapters.kafka.positions import Place, batch_of, outside_log, placed
from daemon.adapters.kafka.refusals import explained
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.topics import TopicState, describe_with
from daemon.core.errors import SetupProblem
from daemon.core.ports import Locate
from daemon.core.wire import Batch, LogStart, ReaderStanding, Record, Span

log = logging.getLogger(__name__)

EMPTY = Batch((), ())
COMMIT_REFUSED = (CommitFailedError, RebalanceInProgressError, KafkaConnectionError, KafkaTimeoutError)
"""What a commit meets in normal life: a rebalance going on, a broker that restarts."""
COMMIT_SECONDS = 1.0
CLOSE_MS = 5_000
ASK_MS = 2_000
"""Patience with a broker that is asked for offsets."""
JOIN_SECONDS = 1.0
JOIN_POLL_MS = 100
PROBE_SECONDS = 5.0
"""The broker is asked this often for a sign of life, and whether the topic is still the same."""

Heard = Callable[[Iterable[TopicPartition]], None]


class KafkaSource:
    """Port Source: kafka-python is in the group, a `Fetcher` reads what the group gives. One thread uses it.

    kafka-python calls the rebalance listener on its own I/O thread, and reads nothing itself: all that is
    assigned to it stays paused. The listener only notes what was assigned; the next `poll` asks the store
    for the positions, on the caller's thread, when the batch at hand has been saved, and reads from there.

    Args:
        settings: connection, group and topic names.
        locate: gives the stored position of each partition.
        end_offsets_exact: False for brokers whose end offsets are wrong (the embedded one): then there is no
            lag, and a position beyond the log's end goes unnoticed.
        batch_items: most records in a batch, until `at_most` says otherwise.
        poll_seconds: longest wait for records.

    Raises:
        SetupProblem: no broker, a refused login, or a topic that does not exist.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        locate: Locate,
        *,
        end_offsets_exact: bool = True,
        batch_items: int = 256,
        poll_seconds: float = 0.1,
    ) -> None:
        self._locate = locate
        self._exact = end_offsets_exact
        self._topic = settings.topics.items
        self._poll_seconds = poll_seconds
        self._most = batch_items
        self._places: dict[int, Place] = {}
        self._unplaced: set[int] = set()
        self._ahead: dict[int, list[Record]] = {}
        self._done: dict[TopicPartition, OffsetAndMetadata] = {}
        self._committed = float("-inf")
        self._probed = time.monotonic()
        self._unreachable = False
        self._joined = False
        self._admin = open_admin(settings)
        try:
            self._refuse_missing_topic(settings)
            self._consumer = _open_consumer(settings)
        except BaseException:
            self._admin.close()
            raise
        self._fetcher = Fetcher(settings)
        self._consumer.subscribe([self._topic], listener=_Listener(self._assigned, self._revoked))
        # A group leader that joins before it knows the partitions assigns none of them, and all join again.
        self._consumer.partitions_for_topic(self._topic)

    def poll(self) -> Batch:
        """Next records of the assigned partitions, or an empty batch after a short wait.

        Raises PositionOutsideLog.
        """
        self._commit()
        # before placing: what was placed anew is read anew
        records, self._ahead = self._of_placed(self._ahead), {}
        self._place()
        if not records:
            records = self._read(self._most, self._poll_seconds)
        return batch_of(records, self._places) if records else EMPTY

    def at_most(self, items: int) -> None:
        """No batch that is read from now on has more records; one that was read ahead may have."""
        self._most = items

    def keep_alive(self) -> None:
        """Stay in the group while work takes long, and read what the next `poll` gives; returns at once."""
        ahead = sum(map(len, self._ahead.values()))
        for partition, records in self._read(self._most - ahead, 0).items():
            self._ahead.setdefault(partition, []).extend(records)

    def rewind(self) -> None:
        """Let the next `poll` seek every assigned partition to its stored position."""
        self._assigned(self._consumer.assignment())

    def saved(self, spans: Sequence[Span]) -> None:
        """Commit what is done, for lag displays: once a second, which is as often as they look."""
        for span in spans:
            if span.partition in self._places:
                at = TopicPartition(span.topic, span.partition)
                self._done[at] = OffsetAndMetadata(span.next, "", -1)
        self._commit()

    def lag(self) -> int | None:
        """Messages after the last one delivered, in the placed partitions; None if unknown."""
        if not self._exact:
            return None
        if not self._places:
            return 0
        try:
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(
                self._placed_partitions(), timeout_ms=1_000
            )
        except KafkaError as error:
            if not error.retriable:
                raise
            return None
        return sum(max(0, end - self._places[p.partition].position) for p, end in ends.items())

    def standing(self) -> ReaderStanding:
        """How it stands; any thread may ask."""
        return ReaderStanding(not self._unreachable, self._joined, len(self._places), len(self._unplaced))

    def close(self) -> None:
        """Leave the group at once and disconnect."""
        try:
            self._commit(wait=False)
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
            self._fetcher.close()
        finally:
            self._admin.close()

    def _refuse_missing_topic(self, settings: KafkaSettings) -> None:
        try:
            state = self._topic_now()
        except KafkaError as error:  # the broker was reached at one address, and tells of another
            raise explained(settings, error, (), settings.connect_seconds) from error
        if state.problem:
            raise SetupProblem(f"kafka.topics.items: {state.problem}")

    def _topic_now(self) -> TopicState:
        """The topic as the broker describes it. Raises KafkaError when it does not answer."""
        return describe_with(self._admin, [self._topic])[0]

    def _commit(self, wait: bool = True) -> None:
        now = time.monotonic()
        if not self._done or (wait and now - self._committed < COMMIT_SECONDS):
            return
        self._committed = now
        done, self._done = self._done, {}
        try:
            self._consumer.commit(done, timeout_ms=1_000)
        except COMMIT_REFUSED as error:
            log.debug("commit refused: %s", error, extra={"action": "kafka_commit_refused"})

    def _read(self, most: int, seconds: float) -> dict[int, list[Record]]:
        """Up to so many records that are there; waits so long for the first, and longer in a rebalance."""
        self._stay_in_group()
        self._fetcher.keep_only(self._places.keys())
        if most < 1:
            return {}
        try:
            records = self._fetcher.read(most, seconds)
        except PositionRefused as error:
            # Retention overtook us, or the topic was made anew: placing again finds out which.
            log.warning("placing again: %s", error, extra={"action": "kafka_position_refused"})
            self.rewind()
            return {}
        except LogShortened as error:
            self._refuse_shorter_log(error)
            self.rewind()
            return {}
        if records:
            self._note_life()
        if time.monotonic() - self._probed > PROBE_SECONDS:
            self._probe(heard=bool(records))
        return self._of_placed(records)

    def _of_placed(self, records: dict[int, list[Record]]) -> dict[int, list[Record]]:
        """What is still ours, and was read from where the store says; the rest, if ours, is read again."""
        return {
            partition: of_partition
            for partition, of_partition in records.items()
            if of_partition and partition in self._places and partition not in self._unplaced
        }

    def _assigned(self, partitions: Iterable[TopicPartition]) -> None:
        self._joined = True
        for partition in partitions:
            self._consumer.pause(partition)  # it is not to read
            self._consumer.seek(partition, 0)  # any position: without one, kafka-python looks for a commit
            self._unplaced.add(partition.partition)

    def _revoked(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._places.pop(partition.partition, None)
            self._unplaced.discard(partition.partition)
            self._done.pop(partition, None)

    def _place(self) -> None:
        """Seek the partitions that wait for it; on a silent broker they go on waiting."""
        waiting = [TopicPartition(self._topic, number) for number in sorted(self._unplaced)]
        if not waiting:
            return
        try:
            starts, ends = self._bounds(waiting)
        except KafkaError as error:
            if not error.retriable:
                raise
            self._note_silence(error)
            return
        places = placed(starts, self._locate(starts), ends)
        self._fetcher.read_from(places)
        self._places.update((place.partition, place) for place in places)
        self._unplaced.clear()
        log.info(
            "reading partitions %s of %s",
            ", ".join(f"{p.partition} from {self._places[p.partition].position}" for p in waiting),
            self._topic,
            extra={"action": "kafka_partitions_placed"},
        )

    def _bounds(self, partitions: list[TopicPartition]) -> tuple[list[LogStart], dict[int, int] | None]:
        state = self._topic_now()
        if state.problem:
            raise KafkaTimeoutError(state.problem)  # deleted just now: wait for it, as for a silent broker
        beginnings = self._consumer.beginning_offsets(partitions, timeout_ms=ASK_MS)
        starts = [LogStart(state.id, self._topic, p.partition, beginnings[p]) for p in partitions]
        if not self._exact:
            return starts, None
        ends = self._consumer.end_offsets(partitions, timeout_ms=ASK_MS)
        return starts, {partition.partition: end for partition, end in ends.items()}

    def _refuse_shorter_log(self, error: LogShortened) -> None:
        """Raise PositionOutsideLog if the log lost what we read, unless it is the log of a new topic."""
        topic_id = self._topic_now().id
        place = self._places.get(error.partition)
        if place is not None and place.topic_id == topic_id:
            raise outside_log(place.topic, place.partition, place.position, None, None) from error

    def _stay_in_group(self) -> None:
        """Let kafka-python take up what happens in the group; in a rebalance go on for a while.

        kafka-python 3.0.12 takes up the end of a rebalance only inside a poll. One that ends between two
        polls is begun again; and a leader that rejoined because the topic's partitions changed forgets even
        that: its heartbeats stay off, and the broker drops a member that believes to be in the group.
        """
        coordinator = self._consumer._coordinator
        until, timeout_ms = time.monotonic() + JOIN_SECONDS, 0
        while True:
            if coordinator.rejoining and not coordinator.need_rejoin():
                coordinator.request_rejoin()
            try:
                self._consumer.poll(timeout_ms)
            except NoOffsetForPartitionError:
                return  # assigned a moment ago, its listener has not run yet
            except KafkaError as error:
                if not error.retriable:
                    raise
                self._note_silence(error)
                return
            if not coordinator.rejoining or time.monotonic() > until:
                return
            timeout_ms = JOIN_POLL_MS

    def _placed_partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in sorted(self._places)]

    def _probe(self, heard: bool) -> None:
        """Find out whether nothing comes because nobody is there: both clients try again in silence.

        And whether the topic was made anew: neither notices that what lies at our positions is another log.
        What was read of it meanwhile is read again from its beginning, and known by the items' ids.
        """
        partitions = self._placed_partitions()[:1]
        self._probed = time.monotonic()
        try:
            if not partitions:
                return
            self._consumer.beginning_offsets(partitions, timeout_ms=ASK_MS)
            state = self._topic_now()
        except KafkaError as error:
            if not heard:
                self._note_silence(error)
            return
        self._note_life()
        if not state.problem and any(place.topic_id != state.id for place in self._places.values()):
            log.warning(
                "topic %s was made anew: placing again", self._topic, extra={"action": "kafka_topic_anew"}
            )
            self.rewind()

    def _note_silence(self, error: KafkaError) -> None:
        if not self._unreachable:
            log.warning(
                "Kafka does not answer (%s); waiting for it, nothing is lost",
                error,
                extra={"action": "kafka_unreachable"},
            )
        self._unreachable = True

    def _note_life(self) -> None:
        if self._unreachable:
            log.warning("Kafka answers again", extra={"action": "kafka_back"})
        self._unreachable = False


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    def __init__(self, assigned: Heard, revoked: Heard) -> None:
        self._assigned = assigned
        self._revoked = revoked

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._assigned(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._revoked(revoked)


def _open_consumer(settings: KafkaSettings) -> Any:
    session_ms = round(settings.session_seconds * 1000)
    return open_client(
        KafkaConsumer,
        settings,
        group_id=settings.group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        # All partitions are placed anew on a rebalance, so there is nothing to gain from sticky ones, and the
        # one round of an eager rebalance is quicker than the two of a cooperative one.
        partition_assignment_strategy=[RangePartitionAssignor],
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=min(3_000, session_ms // 6),
        max_poll_interval_ms=round(settings.max_poll_seconds * 1000),
        request_timeout_ms=round(max(30.0, settings.session_seconds + 1) * 1000),
    )
