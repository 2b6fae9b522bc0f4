"""LABELLOOP_ variables and ${NAME} references."""

from pathlib import Path

import pytest
from config_files import MINIMAL, load_text, only_problem, problems

from daemon.wiring.config import KEYS
from daemon.wiring.config_env import variables


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    text = MINIMAL + "stream: {batch_items: 10, desk_milliseconds: 7}\n"
    config = load_text(tmp_path, text, {"LABELLOOP_STREAM__BATCH_ITEMS": "20"})
    assert (config.stream.batch_items, config.stream.desk_milliseconds) == (20, 7)


@pytest.mark.parametrize(
    ("name", "value", "path", "expected"),
    [
        ("CURRENCY", "EUR", "currency", "EUR"),
        ("ENCODER", "null", "encoder", None),
        ("ENCODER", "", "encoder", None),
        ("KAFKA__BOOTSTRAP", "a:1,b:2", "kafka.bootstrap", "a:1,b:2"),
        ("KAFKA__TOPICS__DEAD_LETTERS", "bin", "kafka.topics.dead_letters", "bin"),
        ("KAFKA__CREATE_TOPICS", "false", "kafka.create_topics", False),
        ("GUARANTEE__TARGET_ERROR", "2e-2", "guarantee.target_error", 0.02),
        ("FUNCTIONS__MODULES", "[a, b]", "functions.modules", ("a", "b")),
        ("MLFLOW__EXPERIMENT", "12", "mlflow.experiment", "12"),  # text needs no quotes here
        ("MLFLOW__EXPERIMENT", "a: #b", "mlflow.experiment", "a: #b"),
    ],
)
def test_values_are_read_as_their_key_wants_them(
    tmp_path: Path, name: str, value: str, path: str, expected: object
) -> None:
    found: object = load_text(tmp_path, MINIMAL, {f"LABELLOOP_{name}": value})
    for part in path.split("."):
        found = getattr(found, part)
    assert found == expected


def test_tiers_are_reached_by_their_names(tmp_path: Path) -> None:
    text = "task: {name: t, classes: [a, b]}\ntiers: {Senior-Staff: {final: true}}"
    config = load_text(tmp_path, text, {"LABELLOOP_TIERS__SENIOR_STAFF__PRICE": "2"})
    assert config.tiers["Senior-Staff"].price == 2


def test_a_variable_does_not_make_a_tier(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, MINIMAL, {"LABELLOOP_TIERS__CROWD__PRICE": "2"})
    assert problem.startswith("LABELLOOP_TIERS__CROWD__PRICE: unknown variable")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("LABELLOOP_DATABSE__URL", "LABELLOOP_DATABASE__URL"),
        ("LABELLOOP_DATABASE_URL", "LABELLOOP_DATABASE__URL"),
        ("LABELLOOP_LOG_LEVL", "LABELLOOP_LOG_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_refused_with_a_suggestion(tmp_path: Path, name: str, suggestion: str) -> None:
    assert f"did you mean '{suggestion}'?" in only_problem(tmp_path, MINIMAL, {name: "x"})


@pytest.mark.parametrize(
    "name", ["LABELLOOP_DATABASE", "LABELLOOP_", "LABELLOOP_FOLDER", "LABELLOOP_TASK__X"]
)
def test_a_variable_that_names_no_key_is_refused(tmp_path: Path, name: str) -> None:
    assert only_problem(tmp_path, MINIMAL, {name: "x"}).startswith(f"{name}: unknown variable")


@pytest.mark.parametrize(
    "name",
    [
        "LABELLOOP_DATA",
        "LABELLOOP_KAFKA_HOME",
        "LABELLOOP_LOG_LEVEL",
        "LABELLOOP_TEST_X",
        "LABELLOOP_REQUIRE_X",
    ],
)
def test_variables_of_other_purposes_are_left_alone(tmp_path: Path, name: str) -> None:
    assert load_text(tmp_path, MINIMAL, {name: "x", "PATH": "y"}).currency == "USD"


def test_a_bad_value_names_its_variable(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, MINIMAL, {"LABELLOOP_STREAM__BATCH_ITEMS": "0"})
    assert problem.startswith("stream.batch_items: 0 is below 1;")
    assert problem.endswith("(from LABELLOOP_STREAM__BATCH_ITEMS)")


def test_a_value_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, MINIMAL, {"LABELLOOP_FUNCTIONS__MODULES": "[a"})
    assert problem == "LABELLOOP_FUNCTIONS__MODULES: its value is not a list of texts, as YAML writes it"


def test_a_section_that_is_no_mapping_cannot_be_added_to(tmp_path: Path) -> None:
    found = problems(tmp_path, MINIMAL + "stream: 3\n", {"LABELLOOP_STREAM__BATCH_ITEMS": "5"})
    assert any("the file has no mapping at stream" in line for line in found)


def test_every_key_has_a_variable_of_its_own() -> None:
    names = variables(KEYS)
    assert len(set(names)) == len(names)


def test_references_are_replaced_where_secrets_stand(tmp_path: Path) -> None:
    text = MINIMAL + "database: {url: 'postgresql://u:${SECRET}@h/${NAME}'}\n"
    config = load_text(tmp_path, text, {"SECRET": "s3", "NAME": "loop"})
    assert config.database_url == "postgresql://u:s3@h/loop"


def test_a_value_from_the_environment_may_refer_to_another(tmp_path: Path) -> None:
    environ = {"LABELLOOP_DATABASE__URL": "postgresql://u:${SECRET}@h/x", "SECRET": "s3"}
    assert load_text(tmp_path, MINIMAL, environ).database_url == "postgresql://u:s3@h/x"


def test_references_elsewhere_are_text(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: tickets", "name: t, guidelines: 'cost ${X}'")
    assert load_text(tmp_path, text).task.guidelines == "cost ${X}"


def test_a_reference_may_be_to_a_file(tmp_path: Path) -> None:
    text = MINIMAL + "database: {url: 'postgresql://u:${SECRET}@h/x'}\n"
    environ = {"SECRET_FILE": str(tmp_path / "secret")}
    (problem,) = problems(tmp_path, text, environ)
    assert problem.startswith(f"database.url: SECRET_FILE names {tmp_path}/secret, which cannot be read")
    (tmp_path / "secret").write_text("s3\n")
    assert load_text(tmp_path, text, environ).database_url == "postgresql://u:s3@h/x"


def test_a_reference_to_an_absent_variable_is_refused(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, MINIMAL + "database: {url: 'postgresql://u:${SECRET}@h/x'}\n")
    assert problem.startswith("database.url: refers to ${SECRET}, but the environment has no variable SECRET")
