"""What the API's description says about who may make which call."""

from typing import Any

from fastapi import FastAPI

from daemon.core.account_rules import BY_SCOPE, Right
from daemon.review.access import SESSION_COOKIE
from daemon.review.access_table import right_for

SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A personal API token, made at /account or by `labelloop users token`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "Set by POST /api/login. Calls that change something must name their page, as "
        "browsers do (Origin or Sec-Fetch-Site).",
    },
}
INVALID = "422"
NUL = "The address holds the character 0."
PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFUSALS = {
    "401": "Nobody is signed in, or the token does not count. Never while there are no accounts.",
    "403": "Not for this role, token or reviewer; or the call comes from a page of another site.",
}


def install(app: FastAPI) -> None:
    """Have the document say which calls need what."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            spec = plain()
            spec["components"]["securitySchemes"] = SCHEMES
            for unused in ("HTTPValidationError", "ValidationError"):
                spec["components"]["schemas"].pop(unused, None)
            for path, methods in spec["paths"].items():
                for method, operation in methods.items():
                    _describe(operation, right_for(method.upper(), path))
        return app.openapi_schema or plain()

    app.openapi = described  # type: ignore[method-assign]


def _describe(operation: dict[str, Any], right: Right | None) -> None:
    operation["responses"].setdefault("400", {"description": NUL, "content": PROBLEM})
    if INVALID in operation["responses"]:
        # FastAPI would describe its own form, which `problems` replaces.
        text = operation["responses"][INVALID]["description"]
        operation["responses"][INVALID] = {"description": text, "content": PROBLEM}
    if right is None or right is Right.PUBLIC:
        operation["security"] = []
        return
    operation["security"] = [{"session": []}] if right is Right.OWN else [{"token": []}, {"session": []}]
    operation["description"] = f"{operation.get('description', '')}\n\n{_needs(right)}".strip()
    for status, text in REFUSALS.items():
        operation["responses"].setdefault(status, {"description": text, "content": PROBLEM})


def _needs(right: Right) -> str:
    scopes = " or ".join(f"`{scope.value}`" for scope, reached in BY_SCOPE.items() if right in reached)
    if right is Right.OWN:
        return "Needs a session; tokens do not reach it."
    return "Needs an account, or a token of any scope." if not scopes else f"A token needs scope {scopes}."
