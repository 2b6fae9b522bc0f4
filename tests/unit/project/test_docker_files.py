"""The container files agree with each other and with the program, as far as can be told without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.wiring.config import KEYS, load
from daemon.wiring.config_env import overlay

TOP = Path(__file__).parents[3]
DOCKER = TOP / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
WATCHING = ("prometheus", "grafana")
OURS = ("mlflow", "worker", "learner", "review")


def example_environment() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_part_of_the_house_is_a_service() -> None:
    assert set(SERVICES) == {"kafka", "postgres", *OURS, *WATCHING}
    assert [SERVICES[name]["command"][0] for name in OURS] == ["server", "run", "learn", "review"]


def test_who_does_not_ask_for_it_is_not_watched() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == set(WATCHING)
    assert all(SERVICES[name]["profiles"] == ["watching"] for name in WATCHING)


def test_commands_are_commands_of_the_program() -> None:
    from daemon.cli import main

    for name in ("worker", "learner", "review"):
        command = SERVICES[name]["command"]
        options = {option for given in main.commands[command[0]].params for option in given.opts}
        assert {word for word in command if word.startswith("-")} <= options


@pytest.mark.parametrize("name", SERVICES)
def test_images_have_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert image
    assert re.search(r"\d+\.\d+", tag), f"{name}: {SERVICES[name]['image']} has no version"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_healthy_ones(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert wait == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other] or SERVICES[other]["image"].startswith("labelloop:")


@pytest.mark.parametrize("name", SERVICES)
def test_mounts_are_files_that_exist_or_named_volumes(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DOCKER / source).is_file(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_the_image_is_built_from_files_that_exist(name: str) -> None:
    build = SERVICES[name]["build"]
    context = (DOCKER / build["context"]).resolve()
    assert context == TOP
    assert (context / build["dockerfile"]).is_file()


def test_variables_of_the_compose_file_are_in_the_example() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used == set(example_environment())


@pytest.mark.parametrize("name", OURS)
def test_the_program_knows_every_variable_it_is_given(name: str) -> None:
    given = {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}
    _, problems = overlay({}, KEYS, given)
    assert not problems


def test_the_configuration_loads_and_names_the_services(tmp_path: Path) -> None:
    (tmp_path / "labelloop.yaml").write_text((DOCKER / "labelloop.yaml").read_text())
    config = load(tmp_path / "labelloop.yaml", {"POSTGRES_PASSWORD": "s3cret"})
    assert config.database_url == "postgresql+psycopg://labelloop:s3cret@postgres:5432/labelloop"
    assert config.kafka.bootstrap == "kafka:9092"
    assert config.mlflow.uri == "http://mlflow:5000"
    assert f":{config.review.port}" in SERVICES["review"]["ports"][0]
    mounted = {volume.split(":")[1] for volume in SERVICES["worker"]["volumes"]}
    for module in config.functions.modules:
        assert f"/etc/labelloop/{module}" in mounted


def test_what_the_image_is_made_of_is_there_and_reaches_the_builder() -> None:
    sent = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (TOP / source).exists(), source
            assert source in sent, f"{source} is in .dockerignore"


def test_the_image_is_pinned_unprivileged_and_watched() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1] not in ("root", "0", "0:0")
    assert DOCKERFILE.count("-c constraints.txt") == DOCKERFILE.count("pip install")
    assert "\nHEALTHCHECK " in DOCKERFILE


def test_the_mlflow_service_takes_the_name_it_is_called_by() -> None:
    allowed = next(word for word in SERVICES["mlflow"]["command"] if word.startswith("--allowed-hosts="))
    assert "mlflow:5000" in allowed.partition("=")[2].split(",")


@pytest.mark.parametrize("name", [*OURS, *WATCHING])
def test_a_container_writes_to_its_volumes_and_to_memory_alone_and_has_no_capability(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "user", "devices"} & set(service)


@pytest.mark.parametrize("name", OURS)
def test_the_folders_in_memory_belong_to_the_user_of_the_image(name: str) -> None:
    user, _, group = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1].partition(":")
    assert f"--uid {user} " in DOCKERFILE
    folders = dict(entry.partition(":")[::2] for entry in SERVICES[name]["tmpfs"])
    assert set(folders) == {"/tmp", "/home/labelloop", "/var/lib/labelloop"}
    assert all(
        options == f"uid={user},gid={group},mode=0700" for path, options in folders.items() if path != "/tmp"
    )
    assert yaml.safe_load((DOCKER / "labelloop.yaml").read_text())["state"] in folders
