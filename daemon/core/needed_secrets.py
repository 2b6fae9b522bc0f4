"""Secrets without which a process cannot work."""

from daemon.core.errors import SetupProblem
from labeling_functions.secret_variables import SecretUnreadable, secret


def needed_secret(key: str, name: str, meaning: str) -> str:
    """The secret in the variable `name`, or in the file that `name`_FILE names.

    Args:
        key: of the configuration, that names the variable.
        meaning: what it holds, for whoever has to set it: "the password of 'ann'".

    Raises:
        SetupProblem: it is nowhere, or the file cannot be read.
    """
    try:
        found = secret(name)
    except SecretUnreadable as problem:
        raise SetupProblem(f"{key}: {problem}") from None
    if found:
        return found
    raise SetupProblem(
        f"{key}: the environment variable {name} is not set; it holds {meaning} (or {name}_FILE names a "
        "file that does)"
    )
