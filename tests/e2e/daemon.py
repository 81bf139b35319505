"""A whole reconciler whose daemon is a process of its own, on the real clock, started and ended like a user's.

What it releases is looked at as files, what it records through the store, while it runs. Waiting is always for a
condition. What the stories are does not belong here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.config import SETTINGS
from reconciler.errors import StoreError
from reconciler.model.deployment import Deployment
from reconciler.model.plan import Plan
from reconciler.model.version import Version
from reconciler.store import complaining, deployments, due, interventions, versions
from reconciler.store.database import Database
from reconciler.views.planning import plan_apps
from reconciler.views.scene import scene_of
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds that a condition may take on a machine with other work; a test that passes waits for far less."""
HEARING = 5.0
"""Seconds after which a daemon that says nothing hears signals all the same."""


class Nursery:
    """Starts processes of the command quickly; see `launch`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.launch"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: Mapping[str, object]) -> int | None:
        """The answer to a request."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{json.dumps(request)}\n")
        stdin.flush()
        found: int | None = json.loads(stdout.readline())
        return found

    def close(self) -> None:
        """Start nothing more."""
        self._process.communicate(timeout=PATIENCE)


class Forked:
    """A process that a nursery started, with what is needed of Popen."""

    def __init__(self, nursery: Nursery, arguments: list[str], log: Path) -> None:
        self._nursery = nursery
        started = nursery.ask({"arguments": arguments, "log": str(log)})
        assert started is not None
        self.pid = started
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        if self._status is None:
            self._status = self._nursery.ask({"poll": self.pid})
        return self._status

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit status, once it has ended."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert time.monotonic() < deadline, f"process {self.pid} does not end"
            time.sleep(0.01)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Live(World):
    """A world in which the clock runs by itself and the reconciler is the command `reconciler run`.

    With a nursery it starts quickly, without one just as a user starts it.
    """

    def __init__(self, directory: Path, nursery: Nursery | None = None) -> None:
        super().__init__(directory)
        self._nursery = nursery
        self.config = directory / "reconciler.yaml"
        self.log_file = directory / "daemon.log"
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self._store: Database | None = None
        self._said_before: dict[int, int] = {}

    # The process

    def start(self, *options: str) -> None:
        """Start the daemon; `options` are for `run`."""
        self.config.write_text(json.dumps(self.settings))
        before = self._said()
        arguments = ["run", "--config", str(self.config), *options]
        if self._nursery is not None:
            self.lay_out()
            self.process = Forked(self._nursery, arguments, self.log_file)
        else:
            with self.log_file.open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "reconciler", *arguments], cwd=ROOT, stdout=log, stderr=log
                )
        self._said_before[self.process.pid] = before

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """End it politely; it must end well."""
        assert self.process is not None
        # A process that has only just begun does not know of signals yet.
        deadline = time.monotonic() + HEARING
        before = self._said_before.get(self.process.pid, 0)
        while self._said() == before and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=PATIENCE) == 0, self.log

    def _said(self) -> int:
        """How many starts the log tells of, and how often one waited for its store."""
        log = self.log_file.read_bytes() if self.log_file.exists() else b""
        return sum(log.count(b'"event": "%s"' % event) for event in (b"started", b"start.failed"))

    def ended(self) -> int:
        """The exit status of a daemon that ends by itself."""
        assert self.process is not None
        return self.process.wait(timeout=PATIENCE)

    def pause_for(self, seconds: float) -> None:
        """Let the daemon work for a while, in a test whose point is that any moment will do."""
        time.sleep(seconds)

    def close(self) -> None:
        """End what still runs, and look for traces of a fault in the log."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.terminate()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill()
            if self._store is not None:
                self._store.close()
        faults = [sign for sign in ("Traceback", "turn.broke", "not foreseen") if sign in self.log]
        assert not faults, self.log

    @property
    def log(self) -> str:
        """Everything that the daemon said."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not self._holds(condition):
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the daemon ended while waiting for: {what}\n{self.log}")
            assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}\n{self.log}"
            time.sleep(0.02)

    def _holds(self, condition: Callable[[], object]) -> bool:
        try:
            return bool(condition())
        except (StoreError, FileNotFoundError, IndexError):  # what is looked at is just being made
            return False

    # What is recorded

    @property
    def store(self) -> Database:
        """The daemon's store, looked at from outside."""
        if self._store is None:
            file = Database.file(self.settings["state"]["url"])
            if file is not None and not file.exists():
                raise StoreError("there is no store yet", "start the daemon")
            self._store = Database(self.settings["state"]["url"])
        return self._store

    def forget_store(self) -> None:
        """Look at another one next time."""
        self.store.close()
        self._store = None

    def history(self, app: str = "shop", environment: str | None = None) -> list[Deployment]:
        with self.store.read() as connection:
            wanted = deployments.Filter(app=app, environment=environment, limit=10_000)
            return deployments.listed(connection, wanted)[::-1]

    def versions(self, app: str = "shop") -> list[Version]:
        with self.store.read() as connection:
            return versions.newest(connection, app, 10_000)[::-1]

    def complaints(self) -> list[str]:
        with self.store.read() as connection:
            rows = complaining.complaints(connection)
        return [f"{row['path']}:{row['line']}:{row['column']}: {row['message']}" for row in rows]

    def wish(self, kind: interventions.Kind, **what: Any) -> None:
        now = datetime.now(UTC)
        with self.store.write() as transaction:
            wish = interventions.Wish(kind=kind, actor="ann@example.com", **what)
            interventions.record(transaction, wish, now)
            if what.get("app"):
                due.mark(transaction, [what["app"]], now)
        SETTINGS.validate_python(self.settings).nudge()

    # What runs

    def everywhere(self, text: str, *apps: str, file: str = "index.html") -> bool:
        """Whether the file says this in all three environments, and all is recorded as completed."""
        return all(
            self.runs(environment, file, app) == text and self.history(app, environment)[-1].status == "completed"
            for environment in ("sandbox", "pre-release", "live")
            for app in apps or ("shop",)
        )


def environment_manifest(name: str, track: str, **spec: Any) -> str:
    """An Environment manifest with a directory of its own, unless `spec` names another target."""
    body = {"track": track, "target": {"type": "directory", "path": f"releases/{name}"}, **spec}
    return _manifest("Environment", name, body)


def resource_manifest(name: str) -> str:
    """A Resource manifest."""
    return _manifest("Resource", name, {"type": "kv"})


def _manifest(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    return json.dumps({"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def exec_target(script: str, **settings: Any) -> dict[str, Any]:
    """A target that runs a few lines of shell."""
    return {"type": "exec", "command": ["/bin/sh", "-c", script], **settings}


def plan_now(world: World, app: str = "shop") -> Plan:
    """What is waited for and refused of an app, as the reconciler would say now."""
    now = datetime.now(UTC) if isinstance(world, Live) else world.now
    store = Database(world.settings["state"]["url"])
    try:
        with store.read() as connection:
            (plans,) = plan_apps(connection, [app], scene_of(connection), now)
        return plans[app]
    finally:
        store.close()


def refused(world: World, environment: str, app: str = "shop") -> list[tuple[str, str]]:
    """Rule and words of each refusal in an environment."""
    return [(one.rule, one.detail) for one in plan_now(world, app).refused if one.environment == environment]


def waiting(world: World, environment: str, app: str = "shop") -> list[tuple[str, str]]:
    """What an environment waits for, with the words."""
    return [(one.waits_for, one.detail) for one in plan_now(world, app).waiting if one.environment == environment]
