"""Where a consumer stands in each partition; shared by the real source and the in-memory one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.core.errors import PositionOutsideLog
from daemon.core.wire import Batch, LogStart, Record, Span


@dataclass(frozen=True, slots=True)
class Place:
    """A partition and the position that the store has for it."""

    topic_id: str
    topic: str
    partition: int
    position: int


def placed(
    starts: Sequence[LogStart], positions: Sequence[int], ends: Mapping[int, int] | None
) -> list[Place]:
    """Join partitions with their stored positions.

    Args:
        starts: the partitions, with the first offset that each log holds.
        positions: stored next offset of each.
        ends: partition -> offset after the last message; None where the broker cannot say.

    Raises:
        PositionOutsideLog: a position is not in its log.
    """
    for start, position in zip(starts, positions, strict=True):
        end = ends[start.partition] if ends is not None else None
        if position < start.beginning or (end is not None and position > end):
            raise outside_log(start.topic, start.partition, position, start.beginning, end)
    return [
        Place(start.topic_id, start.topic, start.partition, position)
        for start, position in zip(starts, positions, strict=True)
    ]


def outside_log(
    topic: str, partition: int, position: int, beginning: int | None, end: int | None
) -> PositionOutsideLog:
    """The error for a position that the log does not hold, with what can be done about it."""
    bounds = f"{'?' if beginning is None else beginning} to {'?' if end is None else end}"
    if beginning is not None and position < beginning:
        why = (
            f"{beginning - position} messages were deleted before they were labelled (retention too short, or"
            " the workers stood still too long)"
        )
    else:
        why = "the log lost messages that were labelled already (restored from an older copy?)"
    target = "the offset wanted" if beginning is None else beginning
    return PositionOutsideLog(
        f"topic {topic!r}, partition {partition}: the stored position {position} is outside the log, which"
        f" holds offsets {bounds}; {why}. Nothing was skipped. To go on with what is there, set next_offset"
        f" of this topic and partition in table positions to {target}"
    )


def batch_of(records: Mapping[int, Sequence[Record]], places: dict[int, Place]) -> Batch:
    """The batch of these records (partition -> its records, in order); moves `places` past them.

    Offsets may have gaps (transactions, compaction): a span runs from the believed position to the last
    record's offset + 1.
    """
    spans = []
    for partition, of_partition in records.items():
        place = places[partition]
        after = of_partition[-1].offset + 1
        spans.append(Span(place.topic_id, place.topic, partition, place.position, after))
        places[partition] = Place(place.topic_id, place.topic, partition, after)
    return Batch([record for of_partition in records.values() for record in of_partition], spans)
