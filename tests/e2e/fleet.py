"""Several daemons on one PostgreSQL store: processes of their own, each with a data directory, one desired repository.

What they release lies in one place, as on a disk that all of them reach. Waiting is always for a condition.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import URL

from reconciler.errors import StoreError
from reconciler.model.deployment import Deployment
from reconciler.store import deployments, leases, ledger, tables, versions
from reconciler.store.database import Database
from tests.e2e.daemon import Forked, Nursery
from tests.world import CHAIN, World, app_manifest

LEASE = 2.0
PATIENCE = 60.0
TRACK = dict(zip(CHAIN, ("latest", *CHAIN), strict=False))


class Member:
    """One of the daemons."""

    def __init__(self, fleet: Fleet, number: int, settings: dict[str, Any]) -> None:
        self.number = number
        self.settings = settings
        self.config = fleet.directory / f"daemon-{number}.yaml"
        self.log_file = fleet.directory / f"daemon-{number}.log"
        self.config.write_text(json.dumps(settings))
        self._nursery = fleet.nursery
        self.process: Forked | None = None

    def start(self) -> Member:
        """Start it."""
        self.process = Forked(self._nursery, ["run", "--config", str(self.config)], self.log_file)
        return self

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it politely; it must end well."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        assert self.process.wait(timeout=PATIENCE) == 0, self.log

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def name(self) -> str:
        """How its id begins."""
        assert self.process is not None
        return f"{os.uname().nodename}-{self.process.pid}"[-20:]

    @property
    def log(self) -> str:
        """Everything that it said."""
        return self.log_file.read_text() if self.log_file.exists() else ""


class Fleet:
    """A desired repository, a store, and as many daemons as a test starts."""

    def __init__(self, directory: Path, nursery: Nursery, store: URL, workers: int = 4) -> None:
        self.directory = directory
        self.nursery = nursery
        self.world = World(directory)
        self.url = store.render_as_string(hide_password=False)
        self.workers = workers
        self.lease = LEASE
        self.interval = "1s"
        self.members: list[Member] = []
        self._store: Database | None = None
        self._sent = 0

    def member(self, url: str | None = None, branch: str = "main") -> Member:
        """One more daemon, started."""
        number = len(self.members) + 1
        settings = {
            "repository": {"url": str(self.world.home.path), "branch": branch, "interval": self.interval},
            "state": {"url": url or self.url, "lease": f"{self.lease:g}s"},
            "data": str(self.directory / f"data-{number}"),
            "workers": self.workers,
            "drain": "5s",
            "api": {"listen": "off"},
        }
        made = Member(self, number, settings).start()
        self.members.append(made)
        return made

    def close(self) -> None:
        """End what still runs, and look for traces of a fault in the logs."""
        for one in self.members:
            if one.runs:
                one.signal(signal.SIGCONT)
                one.kill()
        if self._store is not None:
            self._store.close()
        logs = "\n".join(one.log for one in self.members)
        assert not [sign for sign in ("Traceback", "turn.broke", "not foreseen") if sign in logs], logs

    # The desired side

    def begin(self, *apps: str, script: str | None = None) -> None:
        """The first commit: these apps in three environments; `script` is carried out in place of a directory."""
        self.world.commit("Begin", {"environments.yaml": self._environments(script), **self._files("one", *apps)})

    def change(self, text: str, *apps: str) -> str:
        """A commit that changes these apps."""
        return self.world.commit(f"Say {text}", self._files(text, *apps))

    def _files(self, text: str, *apps: str) -> dict[str, str | bytes | None]:
        files: dict[str, str | bytes | None] = {}
        for app in apps:
            files |= {f"{app}.yaml": app_manifest(app), f"{app}/index.html": text}
        return files

    def _environments(self, script: str | None) -> str:
        made = []
        for name, track in TRACK.items():
            target: dict[str, Any] = {"type": "directory", "path": str(self.directory / "releases" / name)}
            if script is not None:
                target = {"type": "exec", "command": ["/bin/sh", "-c", script]}
            spec = {"track": track, "target": target, "concurrency": 50}
            made.append(
                json.dumps(
                    {"apiVersion": "reconciler/v1", "kind": "Environment", "metadata": {"name": name}, "spec": spec}
                )
            )
        return "\n---\n".join(made)

    # What is recorded and what runs

    @property
    def store(self) -> Database:
        """The store, looked at from outside."""
        if self._store is None:
            self._store = Database(self.url)
        return self._store

    def history(self, app: str | None = None, environment: str | None = None) -> list[Deployment]:
        """Deployments, oldest first."""
        wanted = deployments.Filter(app=app, environment=environment, limit=100_000)
        with self.store.read() as connection:
            return deployments.listed(connection, wanted)[::-1]

    def versions(self, app: str) -> int:
        """How many versions of an app there are; their numbers have no gap."""
        with self.store.read() as connection:
            found = versions.newest(connection, app, 100_000)
        assert [one.number for one in found] == list(range(len(found), 0, -1))
        return len(found)

    def runs(self, environment: str, app: str) -> str | None:
        """What a file says where the app runs; None when nothing runs."""
        file = self.directory / "releases" / environment / app / "current" / "index.html"
        return file.read_text() if file.exists() else None

    def everywhere(self, text: str, *apps: str) -> bool:
        """Whether these apps say this in all environments, and it is recorded so."""
        if not all(self.runs(environment, app) == text for environment in CHAIN for app in apps):
            return False
        with self.store.read() as connection:
            return not deployments.active(connection)

    @property
    def leader(self) -> Member | None:
        """The daemon that leads, as the store says."""
        with self.store.read() as connection:
            holder = leases.seen(connection).holder or ""
        return next((one for one in self.members if one.process and holder.startswith(one.name)), None)

    def living(self) -> int:
        """How many daemons the store holds for living."""
        with self.store.read() as connection:
            return len(leases.at_work(connection))

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """What the ledger says of a kind."""
        with self.store.read() as connection:
            return [one for one in ledger.export(connection) if one["kind"] == kind]

    def who_carried_out(self) -> Counter[str]:
        """How many deployments each daemon began, by its number."""
        said = [fact["body"]["message"] for fact in self.facts("deployment.started")]
        return Counter(f"{one.number}" for text in said for one in self.members if one.name in text)

    def wait_for(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> float:
        """Wait until the condition holds; how many seconds that took."""
        begun = time.monotonic()
        while not self._holds(condition):
            logs = "\n".join(f"--- {one.number}\n{one.log[-3000:]}" for one in self.members)
            assert time.monotonic() < begun + patience, f"not within {patience:g} s: {what}\n{logs}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def _holds(self, condition: Callable[[], object]) -> bool:
        try:
            return bool(condition())
        except (StoreError, FileNotFoundError, IndexError):
            return False

    def check(self) -> None:
        """Nothing was lost and nothing done twice: what must hold whatever was done to the daemons."""
        with self.store.read() as connection:
            assert not deployments.active(connection)
            rows = connection.execute(select(tables.deployments.c.app, tables.deployments.c.environment)).all()
            verified = ledger.verify(connection)
        assert verified.broken_after is None
        pairs = Counter((row.app, row.environment) for row in rows)
        for (app, environment), count in pairs.items():
            numbers = [one.number for one in self.history(app, environment)]
            assert numbers == list(range(1, count + 1))
        kinds = [f"deployment.{status}" for status in ("completed", "failed", "aborted")]
        ends = Counter(fact["subject"] for kind in kinds for fact in self.facts(kind))
        assert set(ends.values()) <= {1}, "a deployment ended twice"
        assert len(ends) == len(rows), "a deployment never ended"
        self._releases()

    def _releases(self) -> None:
        """What runs is what the newest completed deployment left."""
        for environment in CHAIN:
            for place in sorted((self.directory / "releases" / environment).glob("*/current")):
                record = json.loads((place / ".reconciler.json").read_text())
                done = [one for one in self.history(record["app"], environment) if one.status == "completed"]
                assert record["deployment"] == done[-1].id, (environment, record["app"])
