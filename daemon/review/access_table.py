"""Which right every route needs: the one table. A test fails for a route that is not in it.

What is not in the table is served to nobody once there are accounts.
"""

from starlette.routing import compile_path

from daemon.core.account_rules import Right

PUBLIC, KNOWN, OWN = Right.PUBLIC, Right.KNOWN, Right.OWN
ANSWER, WATCH, LEAD = Right.ANSWER, Right.WATCH, Right.LEAD
PEOPLE, MANAGE = Right.PEOPLE, Right.MANAGE

TABLE: tuple[tuple[str, str, Right], ...] = (
    ("GET", "/healthz", PUBLIC),
    ("GET", "/readyz", PUBLIC),
    ("GET", "/static/{path:path}", PUBLIC),
    ("GET", "/login", PUBLIC),
    ("POST", "/api/login", PUBLIC),
    ("GET", "/invitation", PUBLIC),
    ("POST", "/api/invitation", PUBLIC),
    ("POST", "/api/invitation/accept", PUBLIC),
    ("GET", "/", KNOWN),
    ("GET", "/openapi.json", KNOWN),
    ("GET", "/api/docs", KNOWN),
    ("GET", "/api/task", KNOWN),
    ("GET", "/api/account", KNOWN),
    ("POST", "/api/logout", OWN),
    ("GET", "/account", OWN),
    ("POST", "/api/account/password", OWN),
    ("POST", "/api/account/tokens", OWN),
    ("POST", "/api/account/tokens/revoke", OWN),
    ("POST", "/api/account/sessions/end", OWN),
    ("GET", "/people", PEOPLE),
    ("GET", "/api/people", PEOPLE),
    ("GET", "/api/people/log", MANAGE),
    ("POST", "/api/people/invite", MANAGE),
    ("POST", "/api/people/invitations/withdraw", MANAGE),
    ("POST", "/api/people/change", MANAGE),
    ("POST", "/api/people/state", MANAGE),
    ("POST", "/enter", ANSWER),
    ("GET", "/review", ANSWER),
    ("POST", "/api/reviewers", ANSWER),
    ("GET", "/api/reviewers", WATCH),
    ("POST", "/api/reviewers/state", LEAD),
    ("GET", "/api/truths", LEAD),
    ("POST", "/api/truths", LEAD),
    ("POST", "/api/truths/forget", LEAD),
    ("POST", "/api/leases", ANSWER),
    ("POST", "/api/answers", ANSWER),
    ("POST", "/api/skips", ANSWER),
    ("POST", "/api/flags", ANSWER),
    ("POST", "/api/undo", ANSWER),
    ("GET", "/api/queues", KNOWN),
    ("GET", "/metrics", WATCH),
    ("GET", "/dashboard", WATCH),
    ("GET", "/insights", WATCH),
    ("GET", "/lead", WATCH),
    ("GET", "/items/{id:path}", WATCH),
    ("GET", "/traces/{id}", WATCH),
    ("GET", "/runs/{id}", WATCH),
    ("GET", "/api/overview", WATCH),
    ("GET", "/api/items/{id:path}", WATCH),
    ("GET", "/api/insights", WATCH),
    ("GET", "/api/lead", WATCH),
    ("GET", "/api/agreement", WATCH),
    ("GET", "/api/confusions", WATCH),
    ("POST", "/api/what-if", WATCH),
    ("GET", "/api/labels", WATCH),
)
"""Method, path as the route has it, right. The first row that fits a call counts."""

_COMPILED = tuple((method, compile_path(path)[0], right) for method, path, right in TABLE)


def right_for(method: str, path: str) -> Right | None:
    """What a call needs; None for what is in no row. HEAD is GET without a body."""
    wanted = "GET" if method == "HEAD" else method
    for known, pattern, right in _COMPILED:
        if known == wanted and pattern.match(path):
            return right
    return None
