"""Is there a way over HTTP for every command and option, or does the page about HTTP name it and say why not?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from tests.docs.test_http_page import PATHS, SCHEMAS
from tools.commands_page import commands, options

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
ALONE = PAGE.partition("\n## What only the command line does\n")[2].partition("\n## ")[0]
HERE = "/apps/{app}/environments/{environment}"
PATHS_OF = {
    "plan": "GET /plan",
    "status": "GET /status",
    "versions list": "GET /versions",
    "versions show": "GET /apps/{app}/versions/{ref}",
    "versions compare": "GET /versions/compare",
    "deployments list": "GET /deployments",
    "deployments show": "GET /deployments/{id}",
    "metrics": "GET /figures",
    "why": f"GET {HERE}/why",
    "drift": "GET /drift",
    "calendar": "GET /calendar",
    "alerts show": "GET /alerts/log/{id}",
    "alerts list": "GET /alerts",
    "alerts log": "GET /alerts/log",
    "promote": f"POST {HERE}/promote",
    "rollback": f"POST {HERE}/rollback",
    "pin": f"POST {HERE}/pin",
    "pause": "POST /apps/{app}/pause",
    "resume": "POST /apps/{app}/resume",
    "approve": "POST /approvals",
    "release": f"POST {HERE}/release",
    "abort": "POST /deployments/{id}/abort",
    "retry": "POST /deployments/{id}/retry",
    "accept": "POST /commits/{sha}/accept",
    "audit verify": "GET /ledger/verification",
    "audit export": "GET /ledger",
}
PRINTED = {"output", "config"}
CALLED = {("promote", "to"): "environment"}
"""What a path calls otherwise than the command."""
VERBS = [(name, one) for name, one in commands() if not isinstance(one, click.Group)]


def taken(operation: str) -> set[str]:
    """What a path takes: in its address, in its query and in its body."""
    method, path = operation.split()
    found: dict[str, Any] = PATHS[path][method.lower()]
    names = {one["name"] for one in found.get("parameters", ())}
    if body := found.get("requestBody"):
        reference = body["content"]["application/json"]["schema"]["$ref"]
        names |= SCHEMAS[reference.rpartition("/")[2]]["properties"].keys()
    return names


@pytest.mark.parametrize(("name", "command"), VERBS)
def test_every_command_and_option_has_its_way_or_its_reason(name: str, command: click.Command) -> None:
    if name not in PATHS_OF:
        assert f"`reconciler {name}`" in ALONE, f"{name} has no path, and no reason for it"
        return
    there = taken(PATHS_OF[name])
    for one in options(command):
        option = one.opts[-1]
        word = option.lstrip("-").replace("-", "_")
        if word in PRINTED or CALLED.get((name, word), word) in there:
            continue
        assert f"`reconciler {name} {option}`" in ALONE or f"| `{option}` |" in ALONE, f"{name} {option}"


def test_nothing_is_named_there_that_a_path_does() -> None:
    for name, option in re.findall(r"`reconciler ([a-z ]+?)(?: (--[a-z-]+))?`", ALONE):
        if name == "drift":
            continue  # its path tells of the last look
        assert name in PATHS_OF if option else name not in PATHS_OF, name
        assert not option or option.lstrip("-") not in taken(PATHS_OF[name]), option
    for option in re.findall(r"^\| `(--[a-z-]+)` \|", ALONE, re.MULTILINE):
        word = option.lstrip("-").replace("-", "_")
        assert not any(word in taken(one) for one in PATHS_OF.values() if one.startswith("POST")), option
