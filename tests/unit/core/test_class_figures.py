"""How well automatic labels serve each class."""

import pytest

from daemon.core.class_figures import ClassFigures, class_figures
from daemon.core.report_rows import AuditedPair


def test_recall_and_f1_by_audits() -> None:
    pairs = [
        AuditedPair(0, 0, 80, 800.0),
        AuditedPair(0, 1, 4, 40.0),
        AuditedPair(1, 1, 12, 120.0),
        AuditedPair(1, 0, 4, 40.0),
    ]
    ham, spam = class_figures(pairs, 2)
    assert (ham.audits, spam.audits) == (84, 16)
    assert spam.recall == pytest.approx(0.75)
    assert spam.f1 == pytest.approx(2 * 12 / (16 + 16))


def test_audits_count_by_what_they_stand_for() -> None:
    rare_coins = [AuditedPair(0, 0, 10, 1_000.0), AuditedPair(0, 1, 10, 10.0)]
    assert class_figures(rare_coins, 2)[0].recall == pytest.approx(1_000 / 1_010)


def test_few_audits_say_nothing() -> None:
    assert class_figures([AuditedPair(1, 1, 9, 90.0)], 2) == [
        ClassFigures(0, 0, None, None),
        ClassFigures(1, 9, None, None),
    ]
