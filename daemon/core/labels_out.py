"""How many labels of each status go out, counted once the transaction that decided them is done."""

from collections import Counter
from itertools import compress

from daemon.core.metrics import LABELS, Meter
from daemon.core.rows import Decision
from daemon.core.window_rows import Closing, Judge, OpenWindow


def meter_labels(meter: Meter, decision: Decision) -> None:
    """Count the label revisions that a saved decision publishes."""
    # In C, since it is asked for each batch.
    for status, count in Counter(compress(decision.status, decision.publish.tolist())).items():
        meter.add(LABELS, count, status)


class UnsavedLabels:
    """Decisions that are taken inside a transaction, until it is known that it was saved. For one thread."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._decisions: list[Decision] = []

    def begin(self) -> None:
        """Another transaction; what the one before left was rolled back."""
        self._decisions.clear()

    def decided(self, decision: Decision) -> None:
        """Keep it in mind."""
        self._decisions.append(decision)

    def judging(self, judge: Judge) -> Judge:
        """The judge, whose decisions are kept in mind."""

        def judged(window: OpenWindow) -> Closing | None:
            closing = judge(window)
            if closing is not None:
                self.decided(closing.decision)
            return closing

        return judged

    def saved(self) -> None:
        """The transaction is done."""
        for decision in self._decisions:
            meter_labels(self._meter, decision)
        self._decisions.clear()
