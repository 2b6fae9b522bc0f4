"""Settings of an endpoint check themselves, and give the key to nobody but who asks for it."""

import pytest

from labeling_functions.llm.endpoint import EndpointSettings, KeyMissing

URL = "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("api.example.com/v1", "is no address"),
        ("ftp://api.example.com/v1", "is no address"),
        ("https:///v1", "is no address"),
        ("https://me:secret@api.example.com/v1", "key_env"),
        ("https://api.example.com/v1?key=secret", "leave out everything from"),
        ("https://api.example.com/v1#part", "leave out everything from"),
    ],
)
def test_an_address_that_cannot_work_is_refused_without_showing_secrets(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^base_url: ") as caught:
        EndpointSettings(base_url=url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_key_in_place_of_its_variable_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match=r"^key_env: ") as caught:
        EndpointSettings(base_url=URL, key_env="sk-very-secret")
    assert "very" not in str(caught.value)


def test_the_key_comes_from_the_environment() -> None:
    endpoint = EndpointSettings(base_url=URL, key_env="EXAMPLE_KEY")
    assert endpoint.key({"EXAMPLE_KEY": " sk-1\n"}) == "sk-1"
    assert "sk-1" not in repr(endpoint)


@pytest.mark.parametrize("environment", [{}, {"EXAMPLE_KEY": ""}, {"EXAMPLE_KEY": "  "}])
def test_a_missing_key_is_said_with_the_name_of_its_variable(environment: dict[str, str]) -> None:
    endpoint = EndpointSettings(base_url=URL, key_env="EXAMPLE_KEY")
    with pytest.raises(KeyMissing, match=f"{URL} is missing: set the environment variable EXAMPLE_KEY"):
        endpoint.key(environment)


def test_an_endpoint_may_want_no_key() -> None:
    assert EndpointSettings(base_url="http://127.0.0.1:8080/v1").key({}) is None
