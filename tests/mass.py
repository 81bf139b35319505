"""Twelve apps in one environment, of which a commit changes all at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commands import Told
from tests.e2e.daemon import environment_manifest
from tests.world import app_manifest, season_manifest

APPS = tuple(f"app-{number:02}" for number in range(12))
Files = dict[str, str | bytes | None]
MOVED = {"type": "directory", "path": "elsewhere"}


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


def begun(directory: Path) -> Told:
    """All of them run."""
    made = Told(directory)
    push(made, "Begin", {**environment(), **placed(APPS), **texts("one")})
    return made


def texts(text: str, names: Sequence[str] = APPS) -> Files:
    return {f"{name}/index.html": text for name in names}


def runs(told: Told) -> set[str | None]:
    """What they run, whichever."""
    return {told.runs("live", app=name) for name in APPS}


def is_free(told: Told, app: str) -> None:
    """A small change of an app is released: nothing that was changed before is left to acknowledge."""
    push(told, "Small", {f"{app}/index.html": "small"})
    assert refused(told) == set()
    assert told.runs("live", app=app) == "small"
