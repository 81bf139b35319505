"""Is what a commit changes of everything at once weighed too where it changes no App: an Environment, or a Season?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Told
from tests.e2e.daemon import environment_manifest
from tests.world import app_manifest, season_manifest

APPS = tuple(f"app-{number:02}" for number in range(12))
Files = dict[str, str | bytes | None]
MOVED = {"type": "directory", "path": "elsewhere"}


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Twelve apps in one environment."""
    made = Told(tmp_path)
    files: Files = {f"{name}/index.html": "one" for name in APPS}
    push(made, "Begin", {**environment(), **placed(APPS), **files})
    return made


def environment(**spec: Any) -> Files:
    return {"environments.yaml": environment_manifest("live", "latest", **spec)}


def placed(names: Sequence[str]) -> Files:
    return {f"{name}.yaml": app_manifest(name, environments=["live"]) for name in names}


def season(until: str = "2100-01-01", apps: Sequence[str] = APPS, banner: str = "sale") -> Files:
    """A season that has begun."""
    spec = {"apps": list(apps), "environments": ["live"], "config": {"banner": banner}}
    return {"sale.yaml": season_manifest("sale", "2000-01-01", until, **spec)}


def push(told: Told, message: str, files: Files) -> str:
    told.repo.now = told.now
    commit = told.commit(message, files)
    told.settle()
    return commit


def take_back(told: Told, commit: str) -> None:
    told.repo.now = told.now
    told.repo.revert(commit)
    told.repo.push()
    told.settle()


def logged(told: Told, event: str) -> list[dict[str, Any]]:
    """What a run that does all that can be done now logs under this name."""
    lines = [json.loads(line) for line in told.type("run", "--once").err.splitlines()]
    return [line for line in lines if line["event"] == event]


def refused(told: Told) -> set[str]:
    """The apps that wait for somebody to say that it is meant."""
    return {one["app"] for one in told.json("plan")["refused"] if one["rule"] == "mass-change"}


def settings(told: Told) -> set[str]:
    """What the apps have in the place of a banner."""
    return {row["desired"]["config"].get("banner", "none") for row in told.json("status") if row["in_sync"]}


def test_an_environment_moves_to_another_target_once_that_is_meant(told: Told) -> None:
    push(told, "Move", environment(target=MOVED))
    assert refused(told) == set(APPS)
    push(told, "It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    assert refused(told) == set()
    assert {path.name for path in (told.directory / "state" / "elsewhere").iterdir()} >= set(APPS)


def test_what_moves_and_is_moved_back_leaves_nothing_to_acknowledge(told: Told) -> None:
    move = push(told, "Move", environment(target=MOVED))
    assert refused(told) == set(APPS)
    take_back(told, move)
    push(told, "Small", {"app-03/index.html": "three"})
    assert refused(told) == set()
    assert told.runs("live", app="app-03") == "three"


def test_a_season_that_holds_already_is_laid_over_everything_once_that_is_meant(told: Told) -> None:
    begun = push(told, "Sale", season())
    assert refused(told) == set(APPS)
    assert settings(told) == set()
    why = told.type("why", "app-03", "live").out
    assert f"{begun[:10]} changes or removes 12 of 12 (100 %)" in why
    push(told, "It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    assert refused(told) == set()
    assert settings(told) == {"sale"}


def test_a_season_that_is_taken_back_leaves_nothing_to_acknowledge(told: Told) -> None:
    begun = push(told, "Sale", season())
    assert refused(told) == set(APPS)
    take_back(told, begun)
    push(told, "Small", {"app-03/index.html": "three"})
    assert refused(told) == set()
    assert told.runs("live", app="app-03") == "three"


@pytest.mark.parametrize("another", [season("2090-01-01"), season(apps=APPS[:11])], ids=["shorter", "one-app-less"])
def test_of_a_season_that_holds_only_what_changes_is_weighed(told: Told, another: Files) -> None:
    push(told, "Sale\n\nAllow-Mass-Change: 12", season())
    assert settings(told) == {"sale"}
    push(told, "Another", another)
    assert refused(told) == set()
    push(told, "Other words", season(banner="closing"))
    assert refused(told) >= set(APPS[:11])
    assert settings(told) <= {"sale", "none"}


@pytest.mark.parametrize("another", ["latest", "mid"])
def test_an_environment_takes_from_elsewhere_once_that_is_meant(told: Told, another: str) -> None:
    before = "\n---\n".join(environment_manifest(name, "latest") for name in ("live", "mid"))
    at_once: Files = {"environments.yaml": f"{before}\n---\n{environment_manifest('far', another)}"}
    after = environment_manifest("far", "live", gates={"soak": "30d"})
    files: Files = {f"{name}.yaml": app_manifest(name, environments=["live", "mid", "far"]) for name in APPS}
    push(told, "Further\n\nAllow-Mass-Change: 24", {**at_once, **files})
    assert {told.runs("far", app=name) for name in APPS} == {"one"}
    push(told, "The same runs in both, so nothing changes", {"environments.yaml": f"{before}\n---\n{after}"})
    assert refused(told) == set()
    for name in APPS[:11]:
        push(told, f"Two of {name}", {f"{name}/index.html": "two"})
    assert {told.runs("live", app=name) for name in APPS} == {"one", "two"}
    change = push(told, "Forget what far follows", at_once)
    assert {told.runs("far", app=name) for name in APPS} == {"one"}
    assert refused(told) == set(APPS[:11])
    push(told, "Three of one", {"app-03/index.html": "three"})
    assert (told.runs("live", app="app-03"), told.runs("far", app="app-03")) == ("three", "one")
    take_back(told, change)
    assert refused(told) == set()
    push(told, "Nothing in between\n\nAllow-Mass-Change: 24", at_once)
    assert {told.runs("far", app=name) for name in APPS} == {"one", "two", "three"}


def test_a_commit_that_waits_is_told_once_in_the_log(told: Told) -> None:
    told.repo.now = told.now
    commit = told.commit("Move", environment(target=MOVED))
    (line,) = logged(told, "commit.braked")
    assert (line["commit"], line["changed"], line["recorded"], line["level"]) == (commit, 12, 12, "warning")
    assert "`Allow-Mass-Change: 12`" in line["next"]
    assert logged(told, "commit.braked") == []


def test_what_had_left_git_is_retired_by_an_environment_that_prunes_since_once_that_is_meant(told: Told) -> None:
    for name in APPS[:10]:
        push(told, f"{name} leaves", {f"{name}.yaml": None})
    prune = push(told, "Prune", environment(prune=True))
    assert refused(told) == set(APPS[:10])
    assert "10 of 12 (83 %)" in told.type("plan").out
    assert {told.runs("live", app=name) for name in APPS} == {"one"}
    take_back(told, prune)
    assert refused(told) == set()
    push(told, "Back", placed(APPS[:1]))
    push(told, "Small", {"app-00/index.html": "two"})
    assert told.runs("live", app="app-00") == "two"
    push(told, "Prune\n\nAllow-Mass-Change: 9", environment(prune=True))
    assert {told.runs("live", app=name) for name in APPS[1:10]} == {None}
    assert {told.runs("live", app=name) for name in APPS[10:]} == {"one"}
