"""How Mechanical Turk is reached, and what its workers see of a tier and are paid."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen

SANDBOX = "https://mturk-requester-sandbox.us-east-1.amazonaws.com"
PRODUCTION = "https://mturk-requester.us-east-1.amazonaws.com"

CENT = 10_000
"""Millionths of a dollar."""

FEE, MASTERS_FEE = 0.20, 0.25
"""Share of the reward that Mechanical Turk takes besides, of HITs with fewer than ten assignments; with
Masters required (https://requester.mturk.com/pricing)."""

LEAST_FEE = CENT

MASTERS = ("2F1QJWKUDD8XADTFD2Q0G6UTO95ALH", "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6")
"""Ids of the Masters qualification, in production and in the sandbox."""

PRESENCE = ("Exists", "DoesNotExist")
MEMBERSHIP = ("In", "NotIn")
EQUALITY = ("EqualTo", "NotEqualTo")
ORDER = ("LessThan", "LessThanOrEqualTo", "GreaterThan", "GreaterThanOrEqualTo")
COMPARATORS = (*ORDER, *EQUALITY, *MEMBERSHIP, *PRESENCE)

MOST_QUALIFICATIONS = 9
"""A HIT takes ten, and one is ours: of people who are paused."""

_TYPE = re.compile(r"[A-Z0-9]{1,64}")
_LOCALE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What workers must have; who has not does not see the questions.

    Attributes:
        type: id of the qualification type, such as 000000000000000000L0 for the percentage of approved work.
        comparator: how the worker's value is compared: LessThan, LessThanOrEqualTo, GreaterThan,
            GreaterThanOrEqualTo, EqualTo, NotEqualTo, In, NotIn, Exists or DoesNotExist.
        values: whole numbers that it is compared with.
        locales: countries that it is compared with, such as US, or parts of them, such as US-NY.
    """

    type: Annotated[str, MinLen(1)]
    comparator: str
    values: tuple[int, ...] = ()
    locales: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _TYPE.fullmatch(self.type):
            raise ValueError(f"type: {self.type!r} is no id of a qualification type: capitals and digits")
        if self.comparator not in COMPARATORS:
            raise ValueError(f"comparator: {self.comparator!r} is none of {', '.join(COMPARATORS)}")
        if self.values and self.locales:
            raise ValueError(
                "locales: a qualification is compared with values or with locales, not with both"
            )
        if self.locales and self.comparator in ORDER:
            raise ValueError(f"comparator: {self.comparator!r} is for values; locales are equal or not")
        if wrong := [one for one in self.locales if not _LOCALE.fullmatch(one)]:
            raise ValueError(f"locales: {wrong[0]!r} is no country; write US, or US-NY for a part of it")
        self._check_number()

    def _check_number(self) -> None:
        given = len(self.values) + len(self.locales)
        if self.comparator in PRESENCE:
            if given:
                raise ValueError(f"values: {self.comparator} compares with nothing; leave them out")
        elif self.comparator in MEMBERSHIP:
            most = 30 if self.locales else 15
            if not 1 <= given <= most:
                raise ValueError(f"values: {given} given; {self.comparator} takes 1 to {most}")
        elif given != 1:
            raise ValueError(f"values: {given} given; {self.comparator} compares with one")

    def requirement(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"QualificationTypeId": self.type, "Comparator": self.comparator}
        if self.values:
            told["IntegerValues"] = list(self.values)
        if self.locales:
            told["LocaleValues"] = [_locale(one) for one in self.locales]
        return told | {"ActionsGuarded": "DiscoverPreviewAndAccept"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HitSettings:
    """What workers see of a tier's questions in the list of work, and what they are paid.

    Attributes:
        reward: US dollars that a worker gets for an answer, in whole cents. The tier's price pays for it and
            for Mechanical Turk's fee.
        title: of the work, where workers look for some.
        description: the work in a sentence or two.
        keywords: by which workers find it.
        assignment_seconds: time that a worker has for one answer once it is accepted.
        qualifications: what workers must have, by a name of your choice; none for everybody.
    """

    reward: Annotated[float, Ge(0.01), Le(1_000)]
    title: Annotated[str, MinLen(1)]
    description: Annotated[str, MinLen(1)]
    keywords: tuple[str, ...] = ()
    assignment_seconds: Annotated[int, Ge(30), Le(31_536_000)] = 600
    qualifications: Mapping[str, Qualification] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if abs(self.reward * 100 - round(self.reward * 100)) > 1e-6:
            raise ValueError(f"reward: {self.reward} is not in whole cents, which Mechanical Turk pays")
        for name, text, most in (("title", self.title, 128), ("description", self.description, 2_000)):
            if len(text) > most:
                raise ValueError(f"{name}: {len(text)} characters; Mechanical Turk takes {most}")
        if len(self.qualifications) > MOST_QUALIFICATIONS:
            raise ValueError(
                f"qualifications: {len(self.qualifications)} given; a HIT takes {MOST_QUALIFICATIONS}"
            )

    @property
    def reward_micros(self) -> int:
        """The reward in millionths."""
        return round(self.reward * 100) * CENT

    @property
    def fee_micros(self) -> int:
        """What Mechanical Turk takes besides, in millionths; more where a premium qualification is asked."""
        masters = any(one.type in MASTERS for one in self.qualifications.values())
        return max(LEAST_FEE, round(self.reward_micros * (MASTERS_FEE if masters else FEE)))

    @property
    def cost_micros(self) -> int:
        """What an answer costs, in millionths."""
        return self.reward_micros + self.fee_micros


@dataclass(frozen=True, slots=True)
class MturkSettings:
    """The Mechanical Turk of all tiers with `backend: mturk`. Keys are found as boto3 finds them.

    Attributes:
        sandbox: the place for trials, where nobody is paid; false for the real one, which costs money.
        endpoint: address of the API, if it is neither of the two.
        poll_seconds: between looks for answers.
        timeout_seconds: patience with one call.
        tiers: what workers see of each tier, by its name.
    """

    sandbox: bool = True
    endpoint: Annotated[str, MinLen(1)] | None = None
    poll_seconds: Annotated[float, Ge(0.1), Le(3_600)] = 20.0
    timeout_seconds: Annotated[float, Ge(1), Le(600)] = 30.0
    tiers: Mapping[str, HitSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.endpoint is not None and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(
                f"endpoint: {self.endpoint!r} is no address that starts with http:// or https://"
            )

    @property
    def url(self) -> str:
        """Address of the API."""
        return self.endpoint or (SANDBOX if self.sandbox else PRODUCTION)

    @property
    def submit_url(self) -> str:
        """Where a HIT's form is sent if its page is not told otherwise."""
        host = "workersandbox.mturk.com" if self.sandbox else "www.mturk.com"
        return f"https://{host}/mturk/externalSubmit"


def _locale(text: str) -> dict[str, str]:
    country, _, part = text.partition("-")
    return {"Country": country} | ({"Subdivision": part} if part else {})
