"""Which pictures of items the pages load, and what that makes of their policy."""

import pytest

from daemon.review.guard import policy
from daemon.review.images import is_shown
from daemon.review.settings import ReviewSettings

INSIDE = "data:image/png;base64,iVBORw0KGgo="
ALLOWED = ("https://images.example.org", "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (INSIDE, True),
        ("data:image/svg+xml;base64,PHN2Zz4=", False),
        ("data:text/html;base64,PGI+", False),
        ("https://images.example.org/a.png?x=1", True),
        ("HTTPS://IMAGES.example.org/a.png", True),
        ("http://127.0.0.1:9000/a.png", True),
        ("http://images.example.org/a.png", False),
        ("https://images.example.org:8443/a.png", False),
        ("https://images.example.org.evil.example/a.png", False),
        ("https://images.example.org@evil.example/a.png", False),
        ("javascript:alert(1)", False),
        ("s3://bucket/a.png", False),
        ("//images.example.org/a.png", False),
        ("https://[broken", False),
        ("", False),
    ],
)
def test_pictures_inside_and_of_allowed_origins_are_shown(address: str, shown: bool) -> None:
    assert is_shown(address, ALLOWED) is shown


def test_the_policy_names_allowed_origins_and_no_others() -> None:
    assert "img-src 'self' data:;" in policy(ReviewSettings())
    assert f"img-src 'self' data: {' '.join(ALLOWED)};" in policy(ReviewSettings(image_origins=ALLOWED))


@pytest.mark.parametrize(
    "origin",
    [
        "images.example.org",
        "https://images.example.org/",
        "https://images.example.org; script-src *",
        "https://*",
        "ftp://images.example.org",
        "https://Images.example.org",
        "",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin; write scheme and host"):
        ReviewSettings(image_origins=(origin,))
