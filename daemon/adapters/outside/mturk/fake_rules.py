"""Rules and prices of the Mechanical Turk in memory."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

LARGEST_QUESTION = 65_535
LONGEST_ANNOTATION = 255
FEE = Decimal("0.2")
CENT = Decimal("0.01")

Asked = Mapping[str, Any]
"""What a call asks, by the names of the API."""


class Refused(Exception):
    """A RequestError. `code`: what comes behind AWS.MechanicalTurk."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = f"AWS.MechanicalTurk.{code}"


def cost(asked: Asked) -> Decimal:
    """Reward and fee of an answer, in dollars."""
    reward = Decimal(asked["Reward"])
    return reward + max(CENT, (reward * FEE).quantize(CENT))


def check(asked: Asked) -> None:
    """Raises Refused unless a HIT can be made of this."""
    root = ElementTree.fromstring(asked["Question"])
    problems = {
        "Question": not root.tag.endswith("}HTMLQuestion")
        or len(asked["Question"].encode()) > LARGEST_QUESTION,
        "LifetimeInSeconds": not 30 <= asked["LifetimeInSeconds"] <= 31_536_000,
        "AssignmentDurationInSeconds": not 30 <= asked["AssignmentDurationInSeconds"] <= 31_536_000,
        "RequesterAnnotation": len(asked["RequesterAnnotation"]) > LONGEST_ANNOTATION,
        "Title": not 1 <= len(asked["Title"]) <= 128,
        "QualificationRequirements": len(asked["QualificationRequirements"]) > 10,
    }
    if wrong := [name for name, is_wrong in problems.items() if is_wrong]:
        raise Refused("InvalidParameterValue", f"There is something wrong with {', '.join(wrong)}.")


def page_of(key: str, found: Sequence[Any], asked: Asked) -> dict[str, Any]:
    """A page of a list."""
    first, size = int(asked.get("NextToken", "0")), asked.get("MaxResults", 10)
    more = {"NextToken": str(first + size)} if first + size < len(found) else {}
    return {key: found[first : first + size], "NumResults": len(found[first : first + size]), **more}
