"""Who may publish: a worker that slept at any moment publishes nothing after its successor."""

from collections.abc import Callable
from pathlib import Path

from loop_harness import Loop

from daemon.adapters.kafka.fake import FakeKafka, FakePublisher
from daemon.core.desk import DUTY_SECONDS
from daemon.core.errors import PublishFailed

ITEMS = [{"id": str(number), "text": "win a prize now"} for number in range(3)]


class Sleepy(FakePublisher):
    """Sleeps before its claim, or before it sends."""

    def __init__(
        self, kafka: FakeKafka, before_claim: Callable[[], None], before_send: Callable[[], None]
    ) -> None:
        super().__init__(kafka)
        self._before_claim, self._before_send = before_claim, before_send

    def claim(self, epoch: int) -> bool:
        self._before_claim()
        return super().claim(epoch)

    def send(self, messages: object) -> None:
        self._before_send()
        super().send(messages)  # type: ignore[arg-type]


def taken_over(loop: Loop) -> None:
    """Another worker takes the duty, publishes all there is, and something newer."""
    loop.clock.advance(DUTY_SECONDS + 1)
    duty = loop.store.take_duty("publishing", "another", DUTY_SECONDS)
    assert duty is not None
    another = FakePublisher(loop.kafka)
    another.claim(duty.epoch)
    rows = loop.store.outbox(10)
    another.send([message for row in rows for message in row.messages])
    loop.store.published(duty, [row.seq for row in rows])


def nothing() -> None:
    """No sleep here."""


def filled(folder: Path, before: str) -> Loop:
    """A loop whose outbox has labels, and whose publisher sleeps once at that moment."""
    loop = Loop(folder).start()
    slept: list[bool] = []

    def sleep() -> None:
        if not slept:
            slept.append(True)
            taken_over(loop)

    moments = {"claim": nothing, "send": nothing, before: sleep}
    loop.send(ITEMS)
    batch = loop.source.poll()
    loop.worker._label_and_save(batch)
    loop.desk.publisher = Sleepy(loop.kafka, moments["claim"], moments["send"])
    return loop


def test_a_worker_that_slept_before_its_claim_asks_whether_the_duty_is_still_its_own(tmp_path: Path) -> None:
    loop = filled(tmp_path, "claim")
    try:
        assert loop.desk.publish() == 0
        assert len(loop.messages("labels")) == len(ITEMS), "the other one's, and nothing after them"
    finally:
        loop.close()


def test_a_worker_that_slept_with_messages_in_its_hands_is_refused(tmp_path: Path) -> None:
    loop = filled(tmp_path, "send")
    try:
        assert loop.desk.publish() == 0
        assert len(loop.messages("labels")) == len(ITEMS)
        assert loop.store.outbox(10) == []
    finally:
        loop.close()


class Refused(FakePublisher):
    """The broker takes nothing of this process: its clock is wrong, or its network."""

    def send(self, messages: object) -> None:
        raise PublishFailed("InvalidTimestampError")


def test_a_worker_whose_messages_are_refused_lets_another_one_publish(tmp_path: Path) -> None:
    loop = Loop(tmp_path).start()
    try:
        loop.send(ITEMS)
        loop.worker._label_and_save(loop.source.poll())
        loop.desk.publisher = Refused(loop.kafka)
        assert loop.desk.publish() == 0
        assert loop.desk.publish() == 0, "it looks away, so that the other one is not the slower of the two"
        duty = loop.store.take_duty("publishing", "another", DUTY_SECONDS)
        assert duty is not None
        assert loop.store.outbox(10), "nothing was lost"
    finally:
        loop.close()
