"""What a worker handed in: QuestionFormAnswers, as XML, with the fields of the form on our page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from labeling_functions.task import Task

NAMES = (
    "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd}"
)

FIELD = "label"
"""Field of the form that holds the class; of multilabel tasks each class has one, `label.0` and so on, and
only those that apply are sent."""

FORM = "form"
"""A field that is always sent: Mechanical Turk takes no form without any, as an empty set would be."""

LONGEST_SECONDS = 86_400.0


def label_of(task: Task, answer: str) -> int:
    """The label that an answer says.

    Raises:
        ValueError: it says none of this task, or is not what our form sends.
    """
    given = _fields(answer)
    if FORM not in given:
        raise ValueError("it was not sent by our form")
    if not task.space.sets:
        return task.space.label_of(given.get(FIELD, ""))
    return task.space.label_of([text for name, text in given.items() if name.startswith(f"{FIELD}.")])


def seconds_of(assignment: Mapping[str, Any]) -> float:
    """Seconds from accepting to handing in."""
    accepted, submitted = assignment.get("AcceptTime"), assignment.get("SubmitTime")
    if not isinstance(accepted, datetime) or not isinstance(submitted, datetime):
        return 0.0
    return min(max((submitted - accepted).total_seconds(), 0.0), LONGEST_SECONDS)


def _fields(answer: str) -> dict[str, str]:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(answer, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"no XML that can be read: {error}") from None
    return {
        one.findtext(f"{NAMES}QuestionIdentifier", ""): one.findtext(f"{NAMES}FreeText", "")
        for one in root.iter(f"{NAMES}Answer")
    }
