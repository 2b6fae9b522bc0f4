"""Tests that run beside others are given more time, and no more than is sensible."""

import patience
import pytest


@pytest.mark.parametrize(("asked", "given"), [(100, 300), (300, 600), (900, 900)])
def test_the_time_of_a_test_grows_as_its_deadlines_do(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, asked: float, given: float
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 3.0)
    request.node.add_marker(pytest.mark.timeout(asked), append=False)
    patience.give_time(request.node)
    marker = request.node.get_closest_marker("timeout")
    assert marker is not None
    assert marker.args == (given,)


def test_one_without_a_mark_is_given_more_than_the_default(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = request.node.own_markers
    monkeypatch.setattr(request.node, "own_markers", [one for one in marks if one.name != "timeout"])
    monkeypatch.setattr(patience, "PATIENCE", 3.0)
    patience.give_time(request.node)
    marker = request.node.get_closest_marker("timeout")
    assert marker is not None
    assert marker.args == (3.0 * float(request.config.getini("timeout")),)
