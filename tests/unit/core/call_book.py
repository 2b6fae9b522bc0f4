"""Ledger and cache in memory, for tests of what stands around a call."""

from dataclasses import dataclass, field

from daemon.core.call_rows import Call, CallBill
from daemon.core.errors import PartAway
from labeling_functions.llm.endpoint import EndpointSettings

ENDPOINT = EndpointSettings(base_url="http://127.0.0.1/v1", price_in=1.0, price_out=2.0)


@dataclass
class Book:
    """What was done to each line, in order; `full`: no cap reaches for one more call.

    Attributes:
        away: how often the database is away when a call's outcome is to be written.
        noted: what was written, and whether that was the reply or the line.
    """

    full: bool = False
    away: int = 0
    noted: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    done: list[tuple[str, CallBill | None]] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)

    def reserve(self, call: Call) -> int | None:
        if self.full:
            return None
        self.calls.append(call)
        return len(self.calls)

    def settle(self, call: int, bill: CallBill) -> None:
        self._reach("line")
        self.done.append(("settled", bill))

    def release(self, call: int) -> None:
        self._reach("line")
        self.done.append(("released", None))

    def lost(self, call: int) -> None:
        self._reach("line")
        self.done.append(("lost", None))

    def hit(self, call: Call, bill: CallBill) -> int:
        self.calls.append(call)
        self.done.append(("hit", bill))
        return len(self.calls)

    def expire(self) -> int:
        return 0

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: str, reply: bytes) -> None:
        self._reach("reply")
        self.kept[key] = reply

    def _reach(self, what: str) -> None:
        if self.away:
            self.away -= 1
            raise PartAway("no PostgreSQL server listens there")
        self.noted.append(what)
