"""Ways of asking language models that are declared in Python."""

import re
from pathlib import Path

import pytest
from config_files import load_text, only_problem

from daemon.wiring.ways import way_of
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.loading import LoadError, load

MODULE = """
from labeling_functions.llm import EndpointSettings, ExemplarSettings, llm_labeling_function

HERE = EndpointSettings(base_url="http://127.0.0.1:9/v1", price_in=0.5)
plain = llm_labeling_function("plain", endpoint="here", at=HERE, model="small")
shown = llm_labeling_function("shown", endpoint="here", model="small", exemplars=ExemplarSettings(count=4))
"""
FILE = """
task: {name: tickets, classes: [urgent, routine]}
functions: {llm_modules: [asks.py]}
tiers: {models: {backend: llm, variants: [plain, shown]}, expert: {final: true}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asks.py").write_text(MODULE)
    return tmp_path


def test_they_count_as_if_they_stood_in_the_file(folder: Path) -> None:
    config = load_text(folder, FILE)
    assert config.endpoints["here"].price_in == 0.5
    assert config.llm["plain"] == LLMSettings(endpoint="here", model="small")
    assert config.llm["shown"].exemplars.count == 4
    assert way_of(config, "models", "shown").name == "models/shown"


def test_the_file_may_say_where_the_endpoint_is(folder: Path) -> None:
    (folder / "asks.py").write_text(MODULE.replace("at=HERE, ", ""))
    text = FILE + 'endpoints: {here: {base_url: "http://127.0.0.1:8/v1"}}\n'
    assert load_text(folder, text).endpoints["here"].base_url == "http://127.0.0.1:8/v1"


def test_what_is_declared_twice_otherwise_is_refused(folder: Path) -> None:
    text = FILE + "llm: {plain: {endpoint: here, model: large}}\n"
    assert "llm.plain is declared otherwise" in only_problem(folder, text)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("x = 1", "asks.py: no function there asks a language model"),
        (MODULE + "other = llm_labeling_function('plain', endpoint='here', model='m')", "named 'plain'"),
        (MODULE.replace("0.5", "oh"), "NameError"),
        (MODULE.replace('model="small")', 'model="small", samples=3)'), "temperature"),
    ],
)
def test_modules_that_cannot_be_used_are_told_with_the_reason(folder: Path, module: str, said: str) -> None:
    (folder / "asks.py").write_text(module)
    with pytest.raises(Exception, match=re.escape(said)):
        load_text(folder, FILE)


def test_the_stream_refuses_one_and_says_where_it_belongs(folder: Path) -> None:
    with pytest.raises(LoadError, match=r"plain asks a language model.*functions\.llm_modules.*variants"):
        load(["asks.py"], folder)
