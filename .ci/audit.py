"""`make audit`, and the last step of `make check`: has any version of constraints.txt a known vulnerability?

pip-audit asks the advisory service OSV about each. Where that cannot be reached this is said, and nothing
fails. Those in `[tool.labelloop.audit.ignore]` of pyproject.toml are let pass: id = why they do no harm here.

Exit code 0 if there are none, or nobody could be asked; 1 if there are some, or the audit broke off.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

OSV = "https://api.osv.dev/v1/query"
CONNECT_SECONDS = 3.0
HARMLESS = {"package": {"name": "pip-audit", "ecosystem": "PyPI"}, "version": "2.10.1"}
"""What is asked first, to see whether somebody answers."""


def main() -> int:
    """Audit, print, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", default=OSV, help="address of the advisory service")
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    parser.add_argument("--pyproject", type=Path, default=Path("pyproject.toml"))
    given = parser.parse_args()
    if missing := unreachable(given.service):
        print(f"audit: skipped, {given.service} cannot be reached ({missing})")
        return 0
    report = audited(given.service, given.constraints, ignored(given.pyproject))
    if report is None:
        print("audit: broke off, see above; nothing is known about the versions")
        return 1
    found = vulnerable(report)
    print("\n".join(found) or f"audit: nothing known against the {len(report)} versions")
    return 1 if found else 0


def unreachable(service: str) -> str:
    """Why nobody can be asked; empty if somebody answers."""
    request = urllib.request.Request(
        service, json.dumps(HARMLESS).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as answered:
            json.load(answered)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def ignored(pyproject: Path) -> dict[str, str]:
    """Id of each advisory that is let pass -> why."""
    tools = tomllib.loads(pyproject.read_text())["tool"]
    found: dict[str, str] = tools.get("labelloop", {}).get("audit", {}).get("ignore", {})
    if bare := [name for name, why in found.items() if not why.strip()]:
        raise SystemExit(f"audit: {pyproject} ignores {', '.join(bare)} without saying why")
    return found


def audited(service: str, constraints: Path, ignoring: dict[str, str]) -> list[dict[str, Any]] | None:
    """What pip-audit reports of each version; None if it did not come to an end."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(constraints),
        "--no-deps",
        "--disable-pip",
    ]
    command += ["--vulnerability-service", "osv", "--osv-url", service, "--progress-spinner", "off"]
    command += ["--format", "json", "--desc", "off"]
    command += [word for name in ignoring for word in ("--ignore-vuln", name)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return None
    return found


def vulnerable(report: list[dict[str, Any]]) -> list[str]:
    """A line for each advisory, and what to do about it."""
    lines = []
    for one in report:
        for known in one.get("vulns", ()):
            names = ", ".join([known["id"], *known["aliases"]])
            mended = " or ".join(known["fix_versions"])
            what = f"take {mended}" if mended else "no version mends it"
            lines.append(f"audit: {one['name']} {one['version']} is vulnerable: {names}; {what}")
    if lines:
        lines.append(
            "audit: or say in [tool.labelloop.audit.ignore] of pyproject.toml why one does no harm here"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
