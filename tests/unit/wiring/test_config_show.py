"""What is printed of a configuration, and what never is."""

from pathlib import Path

from config_files import MINIMAL, load_text, problems

from daemon.wiring.config_show import show


def test_what_is_shown_can_be_read_back(tmp_path: Path) -> None:
    first = load_text(tmp_path, MINIMAL + "kafka: {topics: {items: tickets}}\nencoder: null\n")
    assert load_text(tmp_path, show(first)) == first


def test_passwords_are_hidden(tmp_path: Path) -> None:
    url = "postgresql://me:s3cret@host/db?sslpassword=other-s3cret&application_name=x"
    shown = show(load_text(tmp_path, f"{MINIMAL}database: {{url: '{url}'}}\n"))
    assert "s3cret" not in shown
    assert "postgresql://me:***@host/db?sslpassword=***&application_name=x" in shown


def test_of_a_webhook_only_the_place_is_shown(tmp_path: Path) -> None:
    hooks = (
        "{a: {url: 'https://me:s3cret@h:8/x/s3cret', secret_env: S}, b: {url: 'https://h', secret_env: S}}"
    )
    shown = show(load_text(tmp_path, f"{MINIMAL}webhooks: {hooks}\n"))
    assert "s3cret" not in shown
    assert "url: https://me:***@h:8/***\n" in shown and "url: https://h/\n" in shown


def test_a_refused_address_does_not_show_a_password(tmp_path: Path) -> None:
    text = (
        MINIMAL + "database: {url: {'postgresql://me:s3cret@h/x': 1}}\nmlflow: {uri: [http://me:s3cret@h]}\n"
    )
    assert "s3cret" not in "\n".join(problems(tmp_path, text))
