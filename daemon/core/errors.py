"""What can go wrong and is expected to; anything else ends the process."""


class FenceLost(Exception):
    """A stored position is not where this worker believed: another worker has been here. Rewind."""


class ItemsRaced(Exception):
    """Another worker stored one of these ids meanwhile. Look at the batch again."""


class DutyLost(Exception):
    """The duty passed to somebody else; nothing was written."""


class Unaffordable(Exception):
    """The day's budget cannot pay for the audits that a step may need; nothing was written."""


class CapReached(Exception):
    """A cap does not reach for one more call; nothing was sent."""


class LeaseLost(Exception):
    """The question was answered, withdrawn or given to somebody else."""


class UnknownReviewer(Exception):
    """Nobody is enrolled under this id, or not in this tier."""


class ReviewerPaused(Exception):
    """This person is given no questions, and no answers are taken, until a lead lets them go on."""


class UnknownAccount(Exception):
    """Nobody has an account of this id or name."""


class AccountConflict(Exception):
    """An account or invitation cannot become what was asked: the name is taken, the last admin would go."""


class LoginRefused(Exception):
    """Name and password fit no account that may sign in."""


class LoginWait(Exception):
    """Too many wrong passwords; `seconds` from now the next may be tried."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong passwords; try again in {waiting(seconds)}")
        self.seconds = seconds


class PasswordsBusy(Exception):
    """More passwords are being looked at than this process has room for; nothing was decided."""


def waiting(seconds: int) -> str:
    """A wait in words."""
    if seconds >= 120:
        return f"{-(-seconds // 60)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


class PublishFailed(Exception):
    """The broker did not acknowledge; nothing is lost, the messages stay in the outbox."""


class PositionOutsideLog(Exception):
    """A stored position is not in the log any more (retention, or a log that lost data)."""


class SetupProblem(Exception):
    """Something outside is not as the configuration says; the message tells what to do."""

    exit_code = 2
    """Of a command that ends with it: starting again without a change is useless."""


class PartAway(SetupProblem):
    """A part that the program needs does not answer; it may come back by itself."""

    exit_code = 75
    """EX_TEMPFAIL of sysexits.h: start again later."""


class RegistryUnavailable(Exception):
    """The model registry did not take or give what was asked; the database's truth is untouched."""


class TracesUnavailable(Exception):
    """The server where traces are read did not answer, or would not say."""


class TrainingStopped(Exception):
    """The process was told to end while models were trained; the next start trains again."""


class TrainingFailed(Exception):
    """The training process died; nothing was promoted."""
