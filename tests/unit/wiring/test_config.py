"""Reading labelloop.yaml: what is taken, and what is refused with which words."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from config_files import MINIMAL, load_text, only_problem, problems

from daemon.core.settings import GuaranteeSettings
from daemon.wiring.config import load
from daemon.wiring.config_errors import ConfigError


def test_a_minimal_file_gives_the_defaults(tmp_path: Path) -> None:
    config = load_text(tmp_path, MINIMAL)
    assert config.task.classes == ("urgent", "routine")
    assert config.guarantee == GuaranteeSettings()
    assert config.encoder == "all-MiniLM-L6-v2"
    assert config.kafka.bootstrap is None and config.mlflow.uri is None
    assert config.functions.modules == ()


def test_a_full_file_is_taken_key_by_key(tmp_path: Path) -> None:
    config = load_text(
        tmp_path,
        MINIMAL
        + """
functions: {modules: [a.py, package.b]}
encoder: null
guarantee: {target_error: 0.02, window_items: 500, provisional: hold}
learning: {label_models: [majority], max_seconds: 60}
kafka: {bootstrap: "a:9092,b:9092", topics: {items: tickets}}
""",
    )
    assert config.functions.modules == ("a.py", "package.b")
    assert config.encoder is None
    assert (config.guarantee.target_error, config.guarantee.window_items) == (0.02, 500)
    assert config.learning.max_seconds == 60.0
    assert config.kafka.topics.items == "tickets" and config.kafka.topics.labels == "labels"


def test_the_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load_text(tmp_path, MINIMAL)
    with pytest.raises(FrozenInstanceError):
        config.currency = "EUR"  # type: ignore[misc]


def test_classes_may_be_described(tmp_path: Path) -> None:
    config = load_text(
        tmp_path,
        "task: {name: t, classes: {no: Nothing., yes: , maybe: Perhaps.}}\ntiers: {expert: {final: true}}",
    )
    assert config.task.classes == ("no", "yes", "maybe")  # as they are written, in their order
    assert config.task.descriptions == {"no": "Nothing.", "maybe": "Perhaps."}


def test_the_state_folder_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project" / "c.yaml").write_text(MINIMAL + "state: kept/here\n")
    config = load(Path("project/c.yaml"), {})
    assert config.folder == tmp_path / "project"
    assert config.state == tmp_path / "project" / "kept" / "here"
    assert config.database_url == f"sqlite:///{config.state}/labelloop.db"


def test_an_absolute_state_folder_stays(tmp_path: Path) -> None:
    assert load_text(tmp_path, MINIMAL + f"state: {tmp_path}/other\n").state == tmp_path / "other"


def test_a_relative_sqlite_file_lies_beside_the_file(tmp_path: Path) -> None:
    assert (
        load_text(tmp_path, MINIMAL + "database: {url: 'sqlite:///x.db'}\n").database_url
        == f"sqlite:///{tmp_path}/x.db"
    )
    absolute = load_text(tmp_path, MINIMAL + "database: {url: 'sqlite:////a/x.db'}\n")
    assert absolute.database_url == "sqlite:////a/x.db"


def test_audits_go_to_the_cheapest_final_tier(tmp_path: Path) -> None:
    tiers = "{crowd: {price: 0.01}, chief: {price: 3, final: true}, nurse: {price: 1, final: true}}"
    text = f"task: {{name: t, classes: [a, b]}}\ntiers: {tiers}"
    assert load_text(tmp_path, text).audit_tier == "nurse"


def test_a_section_whose_keys_are_commented_out_is_empty(tmp_path: Path) -> None:
    config = load_text(tmp_path, MINIMAL + "guarantee:\n  #target_error: 0.1\nkafka:\n  topics:\n")
    assert config.guarantee == GuaranteeSettings()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("guarantee: {target_error: 0.5}", "guarantee.target_error: 0.5 is not below 0.5;"),
        ("guarantee: {target_error: 0}", "guarantee.target_error: 0 is not above 0;"),
        ("guarantee: {window_items: 20}", "guarantee.window_items: 20 is below 50;"),
        ("guarantee: {provisional: later}", "guarantee.provisional: 'later' is none of publish,"),
        ("guarantee: {audit_protocol: triple}", "guarantee.audit_protocol: 'triple' is neither 'single' nor"),
        ("stream: {batch_items: 2.5}", "stream.batch_items: 2.5 is not a whole number;"),
        ("stream: {batch_items: many}", "stream.batch_items: 'many' is not a whole number;"),
        ("stream: {batch_items: true}", "stream.batch_items: True is not a whole number;"),
        ("stream: {function_seconds: .nan}", "stream.function_seconds: nan is not a number;"),
        ("stream: {function_seconds: .inf}", "stream.function_seconds: inf is not a number;"),
        ("stream: [1]", "stream: a list is not a mapping of keys;"),
        ("stream: {batch_items: null}", "stream.batch_items: nothing is not a whole number;"),
        ("learning: {label_models: []}", "learning.label_models: 0 given, at least 1 needed;"),
        ("learning: {label_models: majority}", "learning.label_models: 'majority' is not a list of texts;"),
        ("learning: {label_models: [1]}", "learning.label_models.0: 1 is not text (put it in quotes);"),
        (
            "learning: {label_models: [majorty]}",
            "learning.label_models: 'majorty' is unknown; did you mean 'ma",
        ),
        ("learning: {label_models: [zzz]}", "learning.label_models: 'zzz' is unknown; there are "),
        (
            "learning: {query_strategy: margn}",
            "learning.query_strategy: 'margn' is unknown; did you mean 'margin'",
        ),
        ("learning: {share: 0.6}", "learning.share: 0.6 is above 0.5;"),
        ("kafka: {create_topics: 1}", "kafka.create_topics: 1 is not true or false;"),
        ("kafka: {topics: {items: labels}}", "kafka.topics: two of labels"),
        ("currency: 1", "currency: 1 is not text (put it in quotes);"),
        ("folder: /tmp", "folder: unknown key;"),
    ],
)
def test_a_bad_value_is_refused_by_its_path(tmp_path: Path, line: str, expected: str) -> None:
    problem = only_problem(tmp_path, f"{MINIMAL}{line}\n")
    assert problem.startswith(expected)
    assert problem.endswith("(line 4)")


def test_a_refusal_says_what_the_key_means_and_what_is_allowed(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, MINIMAL + "guarantee: {window_items: 20}")
    assert "a window freezes when this many items are ready" in problem
    assert "allowed: 50 to 100,000" in problem


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("guarante: {}", "did you mean 'guarantee'?"),
        ("guarantee: {target_eror: 0.1}", "did you mean 'target_error'?"),
        ("target_error: 0.1", "did you mean 'guarantee.target_error'?"),
        ("kafka: {topics: {dead-letters: x}}", "did you mean 'dead_letters'?"),
        ("mlflow: {zzz: x}", "known here: uri, experiment, model_name"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(tmp_path: Path, line: str, suggestion: str) -> None:
    problem = only_problem(tmp_path, f"{MINIMAL}{line}\n")
    assert "unknown key" in problem and suggestion in problem


def test_an_unknown_key_of_a_named_tier_is_refused(tmp_path: Path) -> None:
    text = "task: {name: t, classes: [a, b]}\ntiers: {expert: {final: true, prize: 1}}"
    assert only_problem(tmp_path, text).startswith("tiers.expert.prize: unknown key; did you mean 'price'?")


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = """
task: {name: t}
tiers:
  expert: {price: -1, final: true}
rootin: {}
stream:
  batch_items: 0
"""
    found = problems(tmp_path, text, {"LABELLOOP_STREM__BATCH_ITEMS": "1"})
    assert [line.split(": ")[0] for line in sorted(found)] == [
        "LABELLOOP_STREM__BATCH_ITEMS",
        "rootin",
        "stream.batch_items",
        "task.classes",
        "tiers.expert.price",
    ]
    assert [line for line in found if line.endswith("(line 7)")] != []


@pytest.mark.parametrize(
    ("kind", "given", "hint"),
    [
        (
            "classification, classes: [a, b]",
            "judge: pairwise",
            "llm: j: judge: a task of kind classification has",
        ),
        ("preference", "exemplars: {count: 3}", "llm: j: exemplars: judges of pairs are shown none"),
        ("preference", "batch: 2", "llm: j: batch: judges of pairs are asked about one at a time"),
        ("preference", "judge: best", "llm.j.judge: 'best' is not one of"),
    ],
)
def test_judges_are_for_pairs_and_take_one_at_a_time(
    tmp_path: Path, kind: str, given: str, hint: str
) -> None:
    text = (
        f"task: {{name: t, kind: {kind}}}\ntiers: {{expert: {{final: true}}}}\n"
        f"endpoints: {{e: {{base_url: 'http://x'}}}}\nllm: {{j: {{endpoint: e, model: m, {given}}}}}"
    )
    assert only_problem(tmp_path, text).startswith(hint)


@pytest.mark.parametrize("classes", ["", ", classes: [A, B, tie]", ", classes: {A: x, B: y, tie: z}"])
def test_the_classes_of_a_preference_task_are_known(tmp_path: Path, classes: str) -> None:
    config = load_text(
        tmp_path, f"task: {{name: t, kind: preference{classes}}}\ntiers: {{expert: {{final: true}}}}"
    )
    assert config.task.classes == ("A", "B", "tie")


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ("3", ("1", "2", "3")),
        ("[0, 1, 2]", ("0", "1", "2")),
        ("[bad, fair, good]", ("bad", "fair", "good")),
        ("{1: bad, 2: good}", ("1", "2")),
    ],
)
def test_the_steps_of_a_rating_are_counted_or_named(
    tmp_path: Path, classes: str, names: tuple[str, ...]
) -> None:
    text = f"task: {{name: t, kind: rating, classes: {classes}}}\ntiers: {{expert: {{final: true}}}}"
    task = load_text(tmp_path, text).task
    assert task.classes == names
    assert task.is_ordered
    assert set(task.descriptions) <= set(names)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("{name: t, kind: rating, classes: 1}", "task.classes: 1 given; a task has 2 to 127 classes"),
        ("{name: t, classes: [a]}", "task.classes: 1 given; a task has 2 to 127 classes"),
        ("{name: t, classes: [a, a]}", "task.classes: a, a has a name twice; names must differ"),
        ("{name: t, classes: [yes, b]}", "task.classes.0: True is not text (YAML reads a bare yes"),
        ("{name: t, classes: [a, b], kind: regression}", "task.kind: 'regression' is not one of"),
        ("{name: t, kind: classification}", "task.classes: missing; class names in order"),
        (
            "{name: t, kind: preference, classes: [good, bad]}",
            "task.classes: good, bad given; a preference task always has A, B, tie, in this order: leave",
        ),
        ("{name: t, classes: [a, b], scale: true}", "task.scale: is for preference tasks"),
        ("{name: t, kind: preference, classes: [tie, B, A]}", "task.classes: tie, B, A given"),
        ("{name: t, classes: {a: 1, b: x}}", "task.classes.a: 1 is not text;"),
        ("{name: t, classes: {a: x, b: y}, descriptions: {a: z}}", "task.descriptions: `classes` describes"),
    ],
)
def test_a_bad_task_is_refused(tmp_path: Path, task: str, expected: str) -> None:
    assert only_problem(tmp_path, f"task: {task}\ntiers: {{e: {{final: true}}}}").startswith(expected)


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ("{}", "tiers: none is final; give `final: true`"),
        ("{crowd: {price: 0.1}}", "tiers: none is final; give `final: true`"),
        ("{'my tier': {final: true}}", "tiers: 'my tier' is no name;"),
        ("null", "tiers: nothing is not a mapping of keys; who may be asked at a price"),
    ],
)
def test_bad_tiers_are_refused(tmp_path: Path, tiers: str, expected: str) -> None:
    problem = only_problem(tmp_path, f"task: {{name: t, classes: [a, b]}}\ntiers: {tiers}")
    assert problem.startswith(expected)


def test_missing_sections_are_named_with_their_meaning(tmp_path: Path) -> None:
    found = problems(tmp_path, "")
    assert [line.partition(";")[0] for line in found] == ["task: missing", "tiers: missing"]
    assert "what is asked about each item" in found[0]


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="labelloop init"):
        load(tmp_path / "labelloop.yaml", {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"task: \xff", "not UTF-8 at byte 6"), (b"- a\n", "no mapping of keys"), (b"just words", "no mapping")],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "labelloop.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=expected):
        load(file, {})


def test_the_message_names_the_file_and_indents_the_problems(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(MINIMAL + "mlflw: {}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == (
        f"config error in {file}\n  mlflw: unknown key; did you mean 'mlflow'? (line 4)"
    )


def test_wrong_labels_may_cost_differently(tmp_path: Path) -> None:
    config = load_text(tmp_path, MINIMAL + "routing: {costs: {urgent: {routine: 10}}}\n")
    assert config.routing.costs == {"urgent": {"routine": 10.0}}


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ("{urgnt: {routine: 10}}", "'urgnt' is no class of the task; did you mean 'urgent'?"),
        ("{urgent: {rutine: 10}}", "'rutine' is no class of the task; did you mean 'routine'?"),
        ("{urgent: {urgent: 1}}", "the right label costs nothing"),
        ("{urgent: {routine: -1}}", "-1.0 is below 0"),
        ("{urgent: 3}", "routing.costs.urgent"),
    ],
)
def test_costs_that_make_no_sense_are_refused(tmp_path: Path, costs: str, words: str) -> None:
    assert words in only_problem(tmp_path, MINIMAL + f"routing: {{costs: {costs}}}\n")


def test_costs_are_for_tasks_with_one_class_an_item(tmp_path: Path) -> None:
    text = MINIMAL.replace("classes:", "kind: multilabel, classes:")
    assert load_text(tmp_path, text).task.space.sets
    problem = only_problem(tmp_path, text + "routing: {costs: {urgent: {routine: 10}}}\n")
    assert "right or wrong as a whole" in problem


SETS = """
task: {name: tickets, kind: multilabel, classes: {billing: About money., praise: Thanks.}}
tiers: {expert: {final: true}, fast: {backend: llm}}
endpoints: {hosted: {base_url: "https://api.example.com/v1"}}
llm: {fast: {endpoint: hosted, model: tiny, confidence: auto}}
"""


def test_any_number_of_classes_may_apply(tmp_path: Path) -> None:
    task = load_text(tmp_path, SETS).task
    assert task.space.sets and task.descriptions == {"billing": "About money.", "praise": "Thanks."}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("confidence: auto", "confidence: logprobs", "llm: fast: confidence: logprobs are of one label"),
        ("confidence: auto", "judge: pairwise", "a task of kind multilabel has no pairs to judge"),
        ("name: tickets,", "name: tickets, scale: true,", "scale: is for preference tasks"),
        (
            "{billing: About money., praise: Thanks.}",
            str([f"c{number}" for number in range(63)]),
            "a multilabel task has at most 62",
        ),
    ],
)
def test_what_a_multilabel_task_cannot_have_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert words in only_problem(tmp_path, SETS.replace(old, new))


LLM = """
task: {name: tickets, classes: [urgent, routine]}
tiers: {expert: {final: true}, judge: {backend: llm, variants: [short, long]}, fast: {backend: llm}}
endpoints: {hosted: {base_url: "https://api.example.com/v1"}}
llm:
  short: {endpoint: hosted, model: small}
  long: {endpoint: hosted, model: small, chain_of_thought: true}
  fast: {endpoint: hosted, model: tiny}
"""


def test_a_tier_of_language_models_names_its_ways_of_asking(tmp_path: Path) -> None:
    config = load_text(tmp_path, LLM)
    assert config.llm_tiers == ("judge", "fast")
    assert (config.variants("judge"), config.variants("fast")) == (("short", "long"), ("fast",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[short, long]", "[short, lang]", "tiers: judge: variants: 'lang' is unknown; did you mean 'long'?"),
        ("  fast: {endpoint", "  quick: {endpoint", "tiers: fast: variants: 'fast' is unknown"),
        ("endpoint: hosted, model: tiny", "endpoint: other, model: tiny", "llm: fast: endpoint: 'other'"),
        ("short: {", "sh:ort: {", "llm: 'sh:ort' is no name"),
    ],
)
def test_names_that_lead_nowhere_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in only_problem(tmp_path, LLM.replace(old, new))
