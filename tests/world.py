"""A whole reconciler in a test's directory: real git, real SQLite, real files, and a clock that the test turns.

The daemon's own code runs in this process, so that a test can stop it at any step. Tests of the process itself are in
`e2e`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from reconciler.config import SETTINGS
from reconciler.model.deployment import Deployment
from reconciler.model.version import Version
from reconciler.store import complaining, deployments, due, interventions, versions
from reconciler.wiring import Running, running
from tests.empty_store import lay_out
from tests.gitrepo import Repo
from tests.stores import store_url

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

ENVIRONMENTS = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, target: {type: directory, path: releases/sandbox}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: pre-release}
spec: {track: sandbox, target: {type: directory, path: releases/pre-release}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec: {track: pre-release, target: {type: directory, path: releases/live}}
"""
CHAIN = ("sandbox", "pre-release", "live")


def app_manifest(name: str = "shop", **spec: Any) -> str:
    """An App manifest; its bundle is the directory of its name beside it, unless `spec` says otherwise."""
    body = {"bundle": name, "environments": list(CHAIN), **spec}
    body = {key: value for key, value in body.items() if value is not None}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "App", "metadata": {"name": name}, "spec": body})


def season_manifest(name: str, start: str, until: str, **spec: Any) -> str:
    """A Season manifest; times are in UTC."""
    given = {"apps": ["shop"], "environments": ["live"], "from": start, "until": until, "timezone": "UTC", **spec}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "Season", "metadata": {"name": name}, "spec": given})


class World:
    """A desired repository, its bare home, a state directory, and the moment that it is."""

    laid_out = True
    """Whether an empty store is laid where its own will be; otherwise its first reconciler makes one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.repo = Repo.create(directory / "work")
        self.home = self.repo.bare(directory / "desired.git")
        self.now = NOON
        self.settings: dict[str, Any] = {
            "repository": {"url": str(self.home.path)},
            "state": {"url": store_url(directory), "lease": "3s"},
            "data": str(directory / "state"),
            # A face of its own is started by the tests that look at it.
            "api": {"listen": "off"},
        }

    def commit(self, message: str, files: Mapping[str, str | bytes | None], push: bool = True) -> str:
        """Commit files, and push them."""
        made = self.repo.write(files).commit(message)
        if push:
            self.repo.push()
        return made

    def start_repository(self, **apps: Any) -> str:
        """The first commit: three environments and the app `shop` with a page."""
        return self.commit(
            "Begin", {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(**apps), "shop/index.html": "one"}
        )

    def begun(self) -> Self:
        """This world, once its first commit runs everywhere."""
        self.start_repository()
        self.settle()
        return self

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def lay_out(self) -> None:
        """Save its first reconciler the migrations."""
        if self.laid_out:
            lay_out(self.settings["state"]["url"])

    @contextmanager
    def running(self) -> Iterator[Running]:
        """A reconciler on this world."""
        self.lay_out()
        with running(SETTINGS.validate_python(self.settings), lambda: self.now) as found:
            yield found

    def settle(self) -> None:
        """Start a reconciler, let it do all that can be done now, and end it."""
        with self.running() as found:
            found.daemon.settle()

    # What is recorded

    def history(self, app: str = "shop", environment: str | None = None) -> list[Deployment]:
        """Deployments, oldest first."""
        with self.running() as found, found.database.read() as connection:
            listed = deployments.listed(connection, deployments.Filter(app=app, environment=environment, limit=10_000))
        return listed[::-1]

    def story(self, environment: str, app: str = "shop") -> list[tuple[str, str, list[int]]]:
        """Cause, status and version numbers of each deployment in an environment, oldest first."""
        return [(d.cause, d.status, [p.number for p in d.traffic]) for d in self.history(app, environment)]

    def versions(self, app: str = "shop") -> list[Version]:
        """Versions, the lowest number first."""
        with self.running() as found, found.database.read() as connection:
            return versions.newest(connection, app, 10_000)[::-1]

    def complaints(self) -> list[str]:
        """Complaints as people read them."""
        with self.running() as found, found.database.read() as connection:
            rows = complaining.complaints(connection)
        return [f"{row['path']}:{row['line']}:{row['column']}: {row['message']}" for row in rows]

    def wish(self, kind: interventions.Kind, **what: Any) -> None:
        """Record what a person asks for."""
        with self.running() as found, found.database.write() as transaction:
            interventions.record(transaction, interventions.Wish(kind=kind, actor="ann@example.com", **what), self.now)
            if what.get("app"):
                due.mark(transaction, [what["app"]], self.now)

    # What runs

    def released(self, environment: str, app: str = "shop") -> Path:
        """Where the files are that run."""
        return self.directory / "state" / "releases" / environment / app / "current"

    def runs(self, environment: str, file: str = "index.html", app: str = "shop") -> str | None:
        """What a file says where the app runs; None when nothing runs."""
        place = self.released(environment, app) / file
        return place.read_text() if place.exists() else None

    def facts(self, environment: str, app: str = "shop") -> dict[str, Any]:
        """What the release says about itself."""
        read: dict[str, Any] = json.loads((self.released(environment, app) / ".reconciler.json").read_text())
        return read
