"""What the experts of one audit say together."""

import pytest

from daemon.core.panel import UNANSWERED, UNDECIDED, finding, wants_another
from daemon.core.states import AuditProtocol

SINGLE, DOUBLE = AuditProtocol.SINGLE, AuditProtocol.DOUBLE


@pytest.mark.parametrize(
    ("said", "protocol", "found"),
    [
        ([], SINGLE, UNANSWERED),
        ([2], SINGLE, 2),
        ([], DOUBLE, UNANSWERED),
        ([1], DOUBLE, UNANSWERED),
        ([1, 1], DOUBLE, 1),
        ([0, 1], DOUBLE, UNANSWERED),
        ([0, 1, 1], DOUBLE, 1),
        ([1, 0, 1], DOUBLE, 1),
        ([0, 1, 2], DOUBLE, UNDECIDED),
    ],
)
def test_findings(said: list[int], protocol: AuditProtocol, found: int) -> None:
    assert finding(said, protocol) == found


@pytest.mark.parametrize(
    ("said", "asked", "protocol", "wanted"),
    [
        ([0], 1, SINGLE, False),
        ([], 2, DOUBLE, False),
        ([1], 2, DOUBLE, False),
        ([1, 1], 2, DOUBLE, False),
        ([0, 1], 2, DOUBLE, True),
        ([0, 1], 3, DOUBLE, False),
        ([0, 1, 2], 3, DOUBLE, False),
    ],
)
def test_one_more_expert_only_where_everybody_asked_differs(
    said: list[int], asked: int, protocol: AuditProtocol, wanted: bool
) -> None:
    assert wants_another(said, asked, protocol) is wanted
