"""What is shown of an address."""

import pytest

from daemon.core.addresses import without_passwords


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://a:b@h/x", "http://a:***@h/x"),
        ("http://a:b@c/d@h/x", "http://a:***@h/x"),
        ("http://:b@h", "http://:***@h"),
        ("http://a@h:80/x", "http://a@h:80/x"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("http://h/x?token=1&y=2", "http://h/x?token=***&y=2"),
    ],
)
def test_an_address_keeps_all_but_its_password(address: str, shown: str) -> None:
    assert without_passwords(address) == shown
