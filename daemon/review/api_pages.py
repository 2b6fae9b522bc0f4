"""The API's own description as a page that needs nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a body, or one parameter of the address."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API, as the page shows it."""

    method: str
    path: str
    text: str
    takes: Sequence[Parameter]
    gives: Sequence[Parameter]
    statuses: Sequence[tuple[str, str]]


def calls_by_group(spec: Spec) -> dict[str, list[Call]]:
    """Tag -> calls, from an OpenAPI document."""
    groups: dict[str, list[Call]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            for tag in operation.get("tags", ["other"]):
                groups.setdefault(tag, []).append(_call(spec, path, method, operation))
    return groups


def _call(spec: Spec, path: str, method: str, operation: Spec) -> Call:
    parameters = [
        Parameter(one["name"], _kind(one["schema"]), one.get("required", False), one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {})
    good = operation["responses"].get("200", {})
    return Call(
        method=method.upper(),
        path=path,
        text=operation.get("description", ""),
        takes=[*parameters, *_fields(spec, body)],
        gives=_fields(spec, good),
        statuses=[
            (status, answer["description"])
            for status, answer in sorted(operation["responses"].items())
            if status != "200"
        ],
    )


def _fields(spec: Spec, holder: Spec) -> list[Parameter]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    model = _resolve(spec, schema)
    required = model.get("required", ())
    return [
        Parameter(name, _kind(one), name in required, one.get("description", ""))
        for name, one in model.get("properties", {}).items()
    ]


def _resolve(spec: Spec, schema: Spec) -> Spec:
    if "$ref" not in schema:
        return schema
    found: Spec = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def _kind(schema: Spec) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if "additionalProperties" in schema and schema.get("type") == "object":
        return f"text to {_kind(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))
