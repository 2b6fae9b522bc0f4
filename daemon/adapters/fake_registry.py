"""A registry in memory, for tests of what logs to one; it keeps the contract of the real one."""

from daemon.core.errors import RegistryUnavailable, SetupProblem
from daemon.core.runs import Logged, TrainingRun


class FakeRegistry:
    """Keeps runs in a list. Set `down` to make every call fail as an outage would.

    Attributes:
        runs: what was logged, in order.
        versions: registered version -> its run.
    """

    def __init__(self) -> None:
        self.down = False
        self.runs: list[TrainingRun] = []
        self.versions: dict[str, TrainingRun] = {}
        self._champion: str | None = None

    def ping(self) -> None:
        """Raises SetupProblem while `down`."""
        if self.down:
            raise SetupProblem("the registry is down")

    def log_training(self, run: TrainingRun) -> Logged:
        """Keep the run; a version if it has a head."""
        self._check()
        self.runs.append(run)
        run_id = f"run-{len(self.runs)}"
        version = None
        if run.encoder is not None:
            version = str(len(self.versions) + 1)
            self.versions[version] = run
        return Logged(run_id, version, f"memory:{run_id}")

    def set_champion(self, version: str) -> None:
        """Raises RegistryUnavailable for a version that was never made."""
        self._check()
        if version not in self.versions:
            raise RegistryUnavailable(f"there is no version {version}")
        self._champion = version

    def champion(self) -> str | None:
        """Version of the champion, or None."""
        self._check()
        return self._champion

    def _check(self) -> None:
        if self.down:
            raise RegistryUnavailable("the registry is down")
