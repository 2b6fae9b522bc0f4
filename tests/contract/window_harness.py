"""Windows of four items with coins that fall as a test wants, driven through the store step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from decisions_for_tests import decision, silent
from numpy.typing import NDArray
from rows_for_tests import add_items, all_rows

from daemon.adapters.store.engine import Database
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import questions, windows
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.rows import Compose, ComposeAudits, Duty
from daemon.core.states import AuditProtocol, ItemState, LabelStatus
from daemon.core.window_rows import Closing, Frozen, LedgerRecord, OpenWindow, WindowPlan

TERMS = WindowPlan(
    p=0.5,
    alpha=0.05,
    delta=0.1,
    lambdas=np.array([0.8, 0.55]),
    start=1,
    tier="expert",
    price=10,
    priority=20.0,
    deadline_seconds=600,
    outgoing_p=0.25,
)
DOUBLE = replace(TERMS, protocol=AuditProtocol.DOUBLE)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Coins:
    """Every coin of `picks` falls on 'audit'; remembers what it was asked; may crash the process."""

    picks: tuple[int, ...] = ()
    crash: bool = False
    tossed: list[tuple[int, list[float]]] = field(default_factory=list)

    def __call__(self, seed: int, n: int, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        self.tossed.append((seed, p.tolist()))
        if self.crash:
            raise Crash
        return np.isin(np.arange(n), self.picks)


def closing(window: OpenWindow, back: Sequence[str] = (), compose: Compose = silent) -> Closing:
    """Everything is released with label 1 but the items in `back`, and what must not be."""
    withheld = window.id <= window.ledger.after_window
    gone = np.array([withheld or item.id in back for item in window.items])
    n = len(window.items)
    made = decision(n, window=window.id, label=1)
    return Closing(
        accepted=np.array([1, n]),
        errors=np.array([0, 0]),
        tau=None if gone.all() else 0.55,
        decision=replace(
            made,
            classifier=None,
            scores=window.scores,
            states=[ItemState.ASKING if away else ItemState.CERTIFIED for away in gone],
            publish=~gone,
            status=[LabelStatus.CERTIFIED] * n,
        ),
        sent_back=gone,
        compose=compose,
    )


@dataclass
class House:
    """A database with a worker's window room, its duty, and reviewers."""

    database: Database
    cap: int | None = None

    def __post_init__(self) -> None:
        self.coins = Coins()
        self.room = WindowRoom(self.database, {"expert": self.cap}, self.coins)
        self.stream = StreamRoom(self.database, {"expert": self.cap})
        self.questions = QuestionRoom(self.database)
        self.duty = self.take("me")

    def take(self, holder: str, seconds: float = 1e6) -> Duty:
        """The duty `windows` for this holder."""
        duty = self.stream.take_duty("windows", holder, seconds)
        assert duty is not None
        return duty

    def items(self, *ids: str) -> None:
        """Items that are ready, labeled 1."""
        add_items(self.database, ids, state="ready", ready_since=1_000, score=0.9)

    def freeze(self, *picks: int, terms: WindowPlan = TERMS) -> int:
        """A window over everything ready whose coins pick these for its audit."""
        self.coins.picks = picks

        def plan(frozen: Frozen) -> WindowPlan:
            return terms

        window = self.room.freeze(self.duty, 99, plan, silent)
        assert window is not None
        return window

    def close(
        self, window: int, *picks: int, back: Sequence[str] = (), compose: ComposeAudits = silent
    ) -> bool:
        """Close a window; coins pick these of the released labels for the ledger."""
        self.coins.picks = picks
        return self.room.close(self.duty, window, lambda found: closing(found, back), compose)

    def release(self, ids: Sequence[str], *picks: int, terms: WindowPlan = TERMS) -> int:
        """A closed window that released these items, of which coins picked some for the ledger."""
        self.items(*ids)
        window = self.freeze(terms=terms)
        assert self.close(window, *picks)
        return window

    def answer(self, name: str, *said: int) -> list[int]:
        """One person answers what they are given first, once for each of `said`; questions in this order."""
        person = self.questions.enroll(name, "expert").id
        done = []
        for label in said:
            (lease,) = self.questions.lease(person, "expert", 1, 60)
            self.questions.answer(lease.question, person, label, 1.0)
            done.append(lease.question)
        return done

    def settle(self) -> LedgerRecord:
        """Bring the ledger up to date; what it says."""
        self.room.settle_ledger(self.duty, silent)
        return self.room.ledger()

    def window(self, id_: int) -> Any:
        """Its row."""
        (row,) = all_rows(self.database, windows, windows.c.id == id_)
        return row

    def asked(self, purpose: str = "outgoing") -> list[Any]:
        """Questions of this purpose, oldest first."""
        return all_rows(self.database, questions, questions.c.purpose == purpose)
