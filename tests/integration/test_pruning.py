"""Is what left git retired where its environment prunes, also where that is said only later, and is it told before?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Told
from tests.world import ENVIRONMENTS, app_manifest

Files = dict[str, str | bytes | None]
PLACED = ("sandbox", "live")
BEGUN = ENVIRONMENTS.replace("track: pre-release", "track: sandbox")
PRUNING: Files = {"environments.yaml": BEGUN.replace("{track: latest,", "{track: latest, prune: true,")}
LEAVING: Files = {"shop.yaml": None, "till.yaml": app_manifest("till", environments=["live"])}


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The apps `shop` and `till`, of which one leaves git and the other only its first environment."""
    made = Told(tmp_path)
    files: Files = {f"{name}.yaml": app_manifest(name, environments=list(PLACED)) for name in ("shop", "till")}
    files |= {"shop/index.html": "one", "till/index.html": "one"}
    push(made, "Begin", {"environments.yaml": BEGUN, **files})
    return made


def push(told: Told, message: str, files: Files) -> None:
    """A commit of this very moment, taken in at once: so a rebuild lives through the same."""
    write(told, message, files)
    told.settle()


def write(told: Told, message: str, files: Files) -> None:
    told.repo.now = told.now
    told.commit(message, files)


def runs(told: Told) -> dict[str, list[str | None]]:
    return {app: [told.runs(environment, app=app) for environment in PLACED] for app in ("shop", "till")}


def test_what_left_git_is_retired_once_its_environment_prunes(told: Told) -> None:
    push(told, "Leave", LEAVING)
    assert runs(told) == {"shop": ["one", "one"], "till": ["one", "one"]}
    write(told, "Prune", PRUNING)
    planned = [(one["action"], one["app"], one["environment"]) for one in told.json("plan")["actions"]]
    assert planned == [("retire", "shop", "sandbox"), ("retire", "till", "sandbox")]
    told.settle()
    assert runs(told) == {"shop": [None, "one"], "till": [None, "one"]}
    assert told.json("plan")["actions"] == []
    assert {(row["app"], row["environment"]) for row in told.json("status")} == {("shop", "live"), ("till", "live")}


def test_a_rebuild_retires_the_same(told: Told) -> None:
    push(told, "Leave", LEAVING)
    push(told, "Prune", PRUNING)
    assert runs(told) == {"shop": [None, "one"], "till": [None, "one"]}
    compared = told.json("rebuild", "--check")
    assert compared["differences"] == {"versions": [], "current": []}
    assert compared["same"] == {"versions": 2, "current": 4}


@pytest.mark.parametrize("app", ["shop", "till"])
def test_a_retirement_that_is_due_is_told_as_one(told: Told, app: str) -> None:
    push(told, "Prune", PRUNING)
    assert told.type("pause", app, "sandbox", "--until", "1d", "--reason", "Look first").status == 0
    push(told, "Leave", LEAVING)
    assert runs(told)[app] == ["one", "one"]
    assert "waits for pause" in told.type("status", app).out
    assert "left git: to be retired" in told.type("status", app, "--at", "2d").out
    why = told.type("why", app, "sandbox").out
    assert "the Environment sandbox prunes, so it is to be retired there; to keep it, " in why
    assert "or set prune: true" not in why
    assert "or set prune: true on the Environment live" in told.type("why", "shop", "live").out
