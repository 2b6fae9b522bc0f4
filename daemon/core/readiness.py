"""Whether a process can do its work now, and if not, what is missing."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Missing = Callable[[], str]
"""What is missing, in a sentence; empty if nothing is. Anybody may read it: no addresses, no secrets."""


class NotReady(Exception):
    """Something is there and cannot serve; says itself what is missing, as `Missing` does."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a process needs, by name; each is looked at when somebody asks."""

    needs: Mapping[str, Missing]

    def missing(self) -> dict[str, str]:
        """Name -> what is missing; empty if the process is ready."""
        found = {name: look() for name, look in self.needs.items()}
        return {name: said for name, said in found.items() if said}


class Answers:
    """Whether something answers in time. One that hangs is not asked again before it has come back."""

    def __init__(self, what: str, ask: Callable[[], object], seconds: float = 2.0) -> None:
        """`what`: its name in sentences. `ask`: raises if it is not there, NotReady if it cannot serve."""
        self._what = what
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._wrong = ""

    def __call__(self) -> str:
        """What is missing."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                # A daemon: what hangs must not keep the process from ending.
                self._asking = threading.Thread(target=self._look, name="readiness", daemon=True)
                self._asking.start()
            self._asking.join(self._seconds)
            if self._asking.is_alive():
                return f"{self._what} does not answer within {self._seconds:g} s"
            return self._wrong

    def _look(self) -> None:
        try:
            self._ask()
        except NotReady as lacking:
            self._wrong = str(lacking)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not there
            self._wrong = f"{self._what} does not answer ({type(error).__name__})"
        else:
            self._wrong = ""
