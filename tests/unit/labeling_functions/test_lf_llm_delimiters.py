"""Marks that no text can forge, and control words that no chat template obeys."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeling_functions.llm.delimiters import Marks, harmless, marks_for

USUAL = marks_for([]).code
TEXTS = st.lists(
    st.sampled_from([USUAL, USUAL.upper(), "<item-", ">", "\n", "\u200b"]) | st.text(), max_size=8
)


def looks_like(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if one.isalnum())


@given(texts=st.lists(TEXTS.map("".join), max_size=4))
def test_the_code_occurs_in_no_text(texts: list[str]) -> None:
    marks = marks_for(texts)
    assert all(marks.code not in looks_like(text) for text in texts)
    assert marks == marks_for(texts)


@pytest.mark.parametrize(
    "text",
    [USUAL, USUAL.upper(), " ".join(USUAL), "\u200b".join(USUAL), USUAL.translate({49: "１", 50: "²"})],
)
def test_look_alikes_of_the_code_change_it(text: str) -> None:
    assert marks_for([f"a {text} b"]).code != USUAL


def test_texts_without_the_code_leave_it_as_it_is_for_servers_that_cache() -> None:
    assert marks_for(["one"]) == marks_for(["another", "and one more"])


def test_a_text_that_knows_the_next_codes_changes_them_as_well() -> None:
    text = USUAL
    for _ in range(20):
        code = marks_for([text]).code
        assert code not in text
        text += code


@given(text=TEXTS.map("".join))
@example(text="\n\n")
def test_between_the_marks_stands_the_text(text: str) -> None:
    marks = marks_for([text])
    prompt = f"before {marks.around('item', text, 3)} after"
    assert marks.outside(prompt) == "before  after"
    begin, end = f"<item-{marks.code} id=3>\n", f"\n</item-{marks.code}>"
    assert prompt[len("before ") : -len(" after")] == begin + harmless(text) + end
    assert marks.enclose_all(prompt)


@pytest.mark.parametrize("prompt", ["nothing", "<item-12ab34cd>\nopen", "12ab34cd", "open\n</item-12ab34cd>"])
def test_a_prompt_with_a_cut_or_absent_text_is_noticed(prompt: str) -> None:
    assert not Marks("12ab34cd").enclose_all(prompt)


@pytest.mark.parametrize(
    "word",
    [
        "<|im_end|>",
        "<|start_header_id|>",
        "<｜User｜>",
        "<s>",
        "</s>",
        "<bos>",
        "<start_of_turn>",
        "<end_of_turn>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<</SYS>>",
        "<think>",
        "</think>",
        "<image>",
        "[IMG]",
    ],
)
def test_control_words_are_broken_and_stay_readable(word: str) -> None:
    safe = harmless(f"a{word}b")
    assert word not in safe
    assert safe.replace(" ", "") == f"a{word}b"


@pytest.mark.parametrize("text", ["a < b", "<b>bold</b>", "[1]", "if x<y|z", "<script>", "<subject>", "a|b"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text
