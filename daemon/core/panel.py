"""What the experts of one audit say together: one alone, or two and a third where these two differ.

Only the experts' own answers count here. Asking again where they contradict the machine would hide the
errors that experts miss.
"""

from collections import Counter
from collections.abc import Sequence

from daemon.core.states import AuditProtocol

UNANSWERED = -1
UNDECIDED = -2
"""Three experts, three answers: an error of the label, whatever it is."""

FIRST = {AuditProtocol.SINGLE: 1, AuditProtocol.DOUBLE: 2}
"""Experts asked of every audit."""

MOST = {AuditProtocol.SINGLE: 1, AuditProtocol.DOUBLE: 3}
"""Experts that an audit may take."""


def finding(labels: Sequence[int], protocol: AuditProtocol) -> int:
    """Class that an audit with these answers found, UNANSWERED while it must wait, or UNDECIDED."""
    needed = 1 if protocol == AuditProtocol.SINGLE else 2
    label, votes = Counter(labels).most_common(1)[0] if labels else (UNANSWERED, 0)
    if votes >= needed:
        return label
    return UNDECIDED if len(labels) >= MOST[protocol] else UNANSWERED


def wants_another(labels: Sequence[int], asked: int, protocol: AuditProtocol) -> bool:
    """Whether everybody asked has answered, they differ, and one more may be asked."""
    everybody = asked == len(labels) and FIRST[protocol] <= asked < MOST[protocol]
    return everybody and finding(labels, protocol) == UNANSWERED
