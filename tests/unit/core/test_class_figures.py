"""How well automatic labels serve each class."""

import pytest

from daemon.core.class_figures import ClassFigures, class_figures
from daemon.core.report_rows import AuditedPair
from labeling_functions.label_space import LabelSpace

SPACE = LabelSpace(("ham", "spam"))
TOPICS = LabelSpace(("billing", "delivery"), sets=True)


def test_recall_and_f1_by_audits() -> None:
    pairs = [
        AuditedPair(0, 0, 80, 800.0),
        AuditedPair(0, 1, 4, 40.0),
        AuditedPair(1, 1, 12, 120.0),
        AuditedPair(1, 0, 4, 40.0),
    ]
    ham, spam = class_figures(pairs, SPACE)
    assert (ham.audits, spam.audits) == (84, 16)
    assert spam.recall == pytest.approx(0.75)
    assert spam.f1 == pytest.approx(2 * 12 / (16 + 16))


def test_audits_count_by_what_they_stand_for() -> None:
    rare_coins = [AuditedPair(0, 0, 10, 1_000.0), AuditedPair(0, 1, 10, 10.0)]
    assert class_figures(rare_coins, SPACE)[0].recall == pytest.approx(1_000 / 1_010)


def test_few_audits_say_nothing() -> None:
    assert class_figures([AuditedPair(1, 1, 9, 90.0)], SPACE) == [
        ClassFigures(0, 0, None, None),
        ClassFigures(1, 9, None, None),
    ]


def test_a_set_counts_for_each_class_that_it_names() -> None:
    neither, billing, delivery, both = range(4)
    pairs = [
        AuditedPair(both, billing, 6, 60.0),
        AuditedPair(both, both, 4, 40.0),
        AuditedPair(delivery, delivery, 20, 200.0),
        AuditedPair(neither, billing, 30, 300.0),
    ]
    of_billing, of_delivery = class_figures(pairs, TOPICS)
    assert (of_billing.audits, of_delivery.audits) == (10, 30)
    assert of_billing.recall == pytest.approx(1.0)
    assert of_billing.f1 == pytest.approx(2 * 100 / (100 + 400))
    assert of_delivery.recall == pytest.approx(240 / 300)
    assert of_delivery.f1 == pytest.approx(2 * 240 / (300 + 240))
