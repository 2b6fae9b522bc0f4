"""Templates: which are refused, and with what words."""

import pytest

from labeling_functions.llm.templates import DEFAULT, PromptError, PromptTemplate


def template(source: str) -> PromptTemplate:
    return PromptTemplate("mine", source, ("item", "fields"))


def block(name: str, text: str) -> str:
    return f"{{% block {name} %}}{text}{{% endblock %}}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (block("item", "{{ itme }}"), r"mine: block item: variable 'itme' is unknown; did you mean 'item'"),
        (block("ending", "{{ item }}"), r"mine: block ending: variable 'item' is unknown; known are task"),
        (block("item", "{{ opening }}"), r"mine: block item: variable 'opening' is unknown"),
        (block("itm", "x"), r"mine: block 'itm' is unknown; did you mean 'item'"),
        ("Is it spam? " + block("item", "{{ item }}"), r"mine: text stands outside the blocks"),
        ("{{ item }}", r"mine: text stands outside the blocks"),
        ("{% set a = 1 %}" + block("item", "{{ item }}"), r"mine: text stands outside the blocks"),
        (block("item", "\n{{ item"), r"mine: line 2: "),
        (block("item", "{{ item|nosuch }}"), r"mine: line 1: No filter named 'nosuch'"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(source: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        template(source)


@pytest.mark.parametrize(
    "text",
    [
        "{{ fields.title }}",
        "{{ item.nothing }}",
        "{{ item.__class__.__mro__ }}",
        "{{ fields.update({}) }}",
        "{{ item + 1 }}",
        "{{ item.format_map(fields) }}",
    ],
)
def test_what_fails_while_it_is_rendered_says_where(text: str) -> None:
    one = template(block("item", text))
    with pytest.raises(PromptError, match="template mine: block item: "):
        one.render("item", {"item": "x{0.__class__}", "fields": {"text": "x"}})


def test_a_missing_field_is_named() -> None:
    one = template(block("item", "{{ fields.title }}"))
    with pytest.raises(PromptError, match="no attribute 'title'"):
        one.render("item", {"fields": {"text": "x"}})


def test_blocks_that_are_left_out_are_the_built_in_ones() -> None:
    own = template("\n{# mine #}\n" + block("item", "Comment: {{ item }}"))
    built_in = template("")
    assert own.render("item", {"item": "x"}) == "Comment: x"
    assert built_in.render("item", {"item": "x"}) == "x"
    assert own.render("ending", {"instruction": "say", "form_is_shown": False}) == built_in.render(
        "ending", {"instruction": "say", "form_is_shown": False}
    )


def test_loops_and_own_variables_inside_a_block_work() -> None:
    one = template(block("item", "{% set n = item %}{% for name in classes %}{{ name }}{{ n }} {% endfor %}"))
    assert one.render("item", {"item": "!", "classes": ["a", "b"]}) == "a! b!"


def test_values_are_never_rendered_and_never_escaped() -> None:
    text = "{{ 7 * 7 }} {% for %} <b> & {# gone? #}"
    assert template("").render("item", {"item": text}) == text


def test_the_built_in_template_shows_every_part() -> None:
    values = {"task": "T", "guidelines": "G", "data_note": "N", "form_is_shown": False}
    classes = [{"name": "ham", "description": "good"}, {"name": "spam", "description": ""}]
    text = PromptTemplate("x", DEFAULT, ("item",)).render("preamble", {**values, "classes": classes})
    assert 'The task is called "T".\n\nGuidelines:\nG\n\nLabels:\n- ham: good\n- spam\n\nN' in text
