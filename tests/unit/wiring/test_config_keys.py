"""Reading keys, ranges and meanings from settings classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MinLen

from daemon.wiring.config_keys import REQUIRED, KeyTree, is_secret, key_tree, meanings


@dataclass(frozen=True)
class Inner:
    """Some inner part.

    It has a longer story: with a colon.

    Attributes:
        share: of the whole,
            which goes on here. None for all.
        count: how many.
    """

    share: Annotated[float, Gt(0), Lt(1)] | None = 0.5
    count: Annotated[int, Ge(1_000), Le(2_000)] = 1_000
    silent: int = 0


@dataclass(frozen=True)
class Outer:
    """All of it.

    Attributes:
        name: what it is called.
        named: by names of your choice.
    """

    name: str
    named: Mapping[str, Inner]
    inner: Inner = field(default_factory=Inner)
    words: Annotated[tuple[str, ...], MinLen(1)] = ("a",)
    choice: Literal["x", "y"] = "x"
    least: Annotated[float, Ge(0)] = 0.0
    hidden: int = 0


@pytest.fixture
def tree() -> KeyTree:
    return key_tree(Outer, skip=frozenset({"hidden"}))


def test_keys_come_in_order_with_sections_opened(tree: KeyTree) -> None:
    assert [".".join(key.path) for key in tree.keys] == [
        "name", "named.*.share", "named.*.count", "named.*.silent",
        "inner.share", "inner.count", "inner.silent", "words", "choice", "least",
    ]  # fmt: skip
    assert tree.sections == {("named",): "by names of your choice", ("inner",): "Some inner part"}


@pytest.mark.parametrize(
    ("path", "allowed", "words"),
    [
        ("inner.share", "above 0 and below 1", "a number"),
        ("inner.count", "1,000 to 2,000", "a whole number"),
        ("words", "not empty", "a list of texts"),
        ("choice", "x or y", "a value"),
        ("least", "at least 0", "a number"),
        ("name", "", "text"),
    ],
)
def test_ranges_and_types_are_said_in_words(tree: KeyTree, path: str, allowed: str, words: str) -> None:
    key = tree.find(tuple(path.split(".")))
    assert key is not None
    assert (key.allowed, key.words) == (allowed, words)


def test_meanings_are_those_of_the_docstring() -> None:
    assert meanings(Inner) == {
        "share": "of the whole, which goes on here. null for all",
        "count": "how many",
    }


def test_a_silent_key_has_its_class_to_speak_for_it(tree: KeyTree) -> None:
    key = tree.find(("inner", "silent"))
    assert key is not None and key.meaning == "Some inner part"


def test_defaults_and_null_are_known(tree: KeyTree) -> None:
    name, share = tree.find(("name",)), tree.find(("inner", "share"))
    assert name is not None and name.default is REQUIRED and not name.optional
    assert share is not None and share.default == 0.5 and share.optional


def test_a_place_below_a_key_belongs_to_it(tree: KeyTree) -> None:
    key = tree.find(("words", "3"))
    assert key is not None and key.path == ("words",) and key.item_words == "text"
    named = tree.find(("named", "of my choice", "count"))
    assert named is not None and named.path == ("named", "*", "count")
    assert tree.find(("nothing",)) is None and tree.find(("inner",)) is None


def test_children_and_sections_are_told_apart_from_keys(tree: KeyTree) -> None:
    assert tree.children(("inner",)) == ["share", "count", "silent"]
    assert tree.children(("named", "x")) == ["share", "count", "silent"]
    assert tree.children(("name",)) == []
    assert [tree.is_section(path) for path in [("inner",), ("named", "x"), ("name",)]] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("api_token", True),
        ("client_secret", True),
        ("password_env", False),
        ("max_tokens", False),
        ("tokens_per_minute", False),
        ("url", False),
    ],
)
def test_secrets_are_known_by_their_names(name: str, secret: bool) -> None:
    assert is_secret(name) is secret
