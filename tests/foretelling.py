"""A year on a turned clock: random seasons, freezes, trains, soaks, schedules, pauses and commits, foretold and lived.

After each commit the forecast up to the next one is made; then a whole reconciler (real git, real store, real files)
lives through that time. What must be equal is the tests' question.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.engine.rehearsing import rehearsal
from reconciler.engine.unfolding import Future, future
from reconciler.model.deployment import Deployment
from reconciler.model.output import Edge, Standing
from reconciler.model.plan import Deploy
from reconciler.store import deployments, due
from reconciler.views.forecast import forecast
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from reconciler.wiring import Running
from tests.world import World

BEGIN = datetime(2026, 6, 1, 12, tzinfo=UTC)
APPS = ("shop", "cart")
TICK = timedelta(microseconds=1)
HEAD = {"apiVersion": "reconciler/v1"}
SEASONS: dict[str, dict[str, Any]] = {
    "summer": {"from": "2026-07-10T06:00", "until": "2026-08-20T20:00", "timezone": "Europe/Paris"},
    "christmas": {"from": "2020-12-01T00:00", "until": "2021-01-02T06:00", "timezone": "Europe/Paris"},
    "weekend": {"from": "2026-06-06T00:00", "until": "2026-06-08T00:00", "timezone": "America/New_York"},
    "easter": {"timezone": "Europe/Berlin"},
}
REPEATS: dict[str, Any] = {
    "christmas": "yearly",
    "weekend": "FREQ=MONTHLY;BYDAY=1SA",
    "easter": {"holiday": "DE/Easter Monday", "from": "-3d", "until": "+1d"},
}
FREEZES: dict[str, dict[str, Any]] = {
    "year-end": {"from": "2020-12-23T18:00", "until": "2021-01-04T08:00", "repeat": "yearly", "timezone": "UTC"},
    "stock": {"from": "2026-07-08T00:00", "until": "2026-07-12T00:00", "timezone": "Europe/Paris"},
    "nights": {"cron": "0 18 * * fri", "duration": "60h", "timezone": "Europe/Paris"},
    "easter-rest": {
        "timezone": "Europe/Berlin",
        "repeat": {"holiday": "DE/Good Friday", "from": "+0d", "until": "+2d"},
    },
}


def document(kind: str, name: str, spec: dict[str, Any]) -> str:
    """One manifest."""
    return json.dumps({**HEAD, "kind": kind, "metadata": {"name": name}, "spec": spec})


@dataclass(frozen=True, slots=True)
class Made:
    """A deployment as a forecast can know it."""

    at: datetime
    app: str
    environment: str
    cause: str
    traffic: tuple[tuple[int, float], ...]
    config: str

    @classmethod
    def of(cls, at: datetime, one: Deploy | Deployment) -> Made:
        """What a plan or the store says."""
        subject = one.subject
        parts = tuple((part.number, float(part.percent)) for part in subject.traffic)
        return cls(at, one.app, one.environment, one.cause, parts, json.dumps(subject.config, sort_keys=True))


@dataclass(slots=True)
class Stretch:
    """The time between two commits: what was foretold of it, and what came."""

    start: datetime
    until: datetime
    foretold: list[Made]
    edges: list[Edge]
    lived: list[Made] = field(default_factory=list)
    stood: dict[datetime, dict[tuple[str, str], Standing]] = field(default_factory=dict)
    """How things stood at the moments of edges, after they were lived through."""
    extra: int = 0
    """Deployments that were made only because somebody looked at everything once more."""


class Year:
    """A world, and somebody who commits to it at random, the same with the same seed."""

    def __init__(self, directory: Path, seed: int, commits: int, days: int = 365) -> None:
        self.world = World(directory)
        self.world.now = BEGIN
        self.seed = seed
        self.dice = random.Random(seed)
        self.content = dict.fromkeys(APPS, 1)
        self.config: dict[str, dict[str, Any]] = {app: {"greeting": "Hello"} for app in APPS}
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}
        self.published: list[str] = []
        self.there: set[str] = set()
        self.deck: list[Callable[[], None]] = []
        self.by_steps = bool(seed % 2)
        """Whether live is entered step by step."""
        self.moments = sorted(BEGIN + timedelta(minutes=self.dice.randrange(days * 1440)) for _ in range(commits))
        self.end = BEGIN + timedelta(days=days)

    def live(self) -> Iterator[Stretch]:
        """Every stretch of the year."""
        self.world.repo.write(self._begin())
        with self.world.running() as found:
            self._commit("Begin")
            found.daemon.settle()
            for start, until in zip([BEGIN, *self.moments], [*self.moments, self.end], strict=True):
                self.world.now = start
                if start != BEGIN:
                    self._change()
                    found.daemon.settle()
                yield self._stretch(found, start, until)

    def _stretch(self, found: Running, start: datetime, until: datetime) -> Stretch:
        told = self._foretell(found, until)
        with found.database.read() as connection:
            edges = forecast(connection, APPS, start, until - TICK).edges
        deploys = [(one.at, one.action) for one in told.happenings if isinstance(one.action, Deploy)]
        stretch = Stretch(start, until, [Made.of(*one) for one in deploys], edges)
        self._pass(found, stretch)
        with found.database.read() as connection:
            rows = deployments.listed(connection, deployments.Filter(limit=100_000))
        # What came at the very moment of the commit is not foretold after it.
        stretch.lived = [Made.of(one.created_at, one) for one in reversed(rows) if one.created_at > start]
        return stretch

    def _foretell(self, found: Running, until: datetime) -> Future:
        given = {"root": "", "adopt": 1000, "allow_rewrites": False}
        with rehearsal(found.database, found.following.mirror, **given) as played:
            return future(played, self.world.now, until - TICK)

    def _pass(self, found: Running, stretch: Stretch) -> None:
        """Live until the next commit: wake when the daemon wants to, and look at everything at moments of our own."""
        own = [stretch.start + (stretch.until - stretch.start) * self.dice.random() for _ in range(2)]
        marks = sorted({*own, *(edge.at for edge in stretch.edges if edge.cause not in ("train", "freeze-end"))})
        while True:
            with found.database.read() as connection:
                wakes = due.next_work(connection)
            ahead = [moment for moment in (wakes, *marks[:1]) if moment is not None and moment < stretch.until]
            if not ahead:
                return
            self.world.now = min(ahead)
            woken = wakes is not None and wakes <= self.world.now
            found.daemon.settle()
            if marks and self.world.now == marks[0]:
                marks.pop(0)
                self._look(found, stretch, woken)

    def _look(self, found: Running, stretch: Stretch, woken: bool) -> None:
        with found.database.write() as transaction:
            due.mark_all(transaction, self.world.now)
        before = self._count(found)
        found.daemon.settle()
        stretch.extra += self._count(found) - before
        with found.database.read() as connection:
            stretch.stood[self.world.now] = {
                (one.app, one.environment): one
                for picture in pictures(connection, APPS, self.world.now)
                for one in standings(picture, self.world.now)
            }

    def _count(self, found: Running) -> int:
        with found.database.read() as connection:
            return len(deployments.listed(connection, deployments.Filter(limit=100_000)))

    # Commits

    def _begin(self) -> dict[str, str | bytes | None]:
        dice = self.dice
        live: dict[str, Any] = {"track": "pre-release", "gates": {"soak": dice.choice(["6h", "2d", "5d"])}}
        live["when"] = {
            "cron": dice.choice(["0 9 * * mon-thu", "30 7 * * tue", "0 6 1 * *"]),
            "timezone": "Europe/Paris",
        }
        if self.by_steps:
            live["rollout"] = {"steps": [10, 50, 100], "interval": "3h", "bake": "1h"}
        if dice.random() < 0.3:
            del live["when"]
        middle = {"track": "sandbox", "gates": {"soak": dice.choice(["1h", "30h"])}}
        made = {"sandbox": {"track": "latest"}, "pre-release": middle, "live": live}
        places = [
            document("Environment", name, {**spec, "target": {"type": "directory", "path": f"releases/{name}"}})
            for name, spec in made.items()
        ]
        files: dict[str, str | bytes | None] = {"environments.yaml": "\n---\n".join(places)}
        for app in APPS:
            files |= {f"{app}/index.html": "1", f"{app}.yaml": self._app(app)}
        return files | self._edges_in_freezes()

    def _edges_in_freezes(self) -> dict[str, str | bytes | None]:
        """Seasons with edges in freezes, one of each policy in three years."""
        files: dict[str, str | bytes | None] = {}
        for number, (season, freeze) in enumerate(
            (("weekend", "nights"), ("summer", "stock"), ("easter", "easter-rest"))
        ):
            policy = ("wait", "skip", "apply")[(self.seed + number) % 3]
            spec = {**SEASONS[season], "apps": list(APPS), "environments": ["live"], "on_freeze": policy}
            spec |= {"config": {"greeting": season}} | ({"repeat": REPEATS[season]} if season in REPEATS else {})
            files[f"{season}.yaml"] = document("Season", season, spec)
            spec = {**FREEZES[freeze], "environments": ["live"], "reason": "rest"}
            files[f"{freeze}.yaml"] = document("Freeze", freeze, spec)
        self.there |= files.keys()
        return files

    def _app(self, app: str) -> str:
        environments = {name: self.entries.get((app, name), {}) for name in ("sandbox", "pre-release", "live")}
        spec: dict[str, Any] = {"bundle": app, "config": self.config[app], "environments": environments}
        return document("App", app, spec)

    def _commit(self, message: str) -> str:
        self.world.repo.now = self.world.now
        made = self.world.repo.commit(message)
        self.world.repo.push()
        return made

    def _change(self) -> None:
        """The next of a shuffled deck: every kind of change comes within so many commits."""
        if not self.deck:
            self.deck = [self._content] * 5 + [self._season] * 3 + [self._revert, self._freeze] * 2
            self.deck += [self._schedule, self._pause, self._experiment, self._settings]
            self.dice.shuffle(self.deck)
        self.deck.pop()()

    def _content(self) -> None:
        app = self.dice.choice(APPS)
        self.content[app] += 1
        self.world.repo.write({f"{app}/index.html": str(self.content[app])})
        self.published.append(self._commit(f"Say {self.content[app]}"))

    def _revert(self) -> None:
        if not self.published:
            return self._content()
        self.world.repo.now = self.world.now
        try:
            self.world.repo.revert(self.published.pop())
        except subprocess.CalledProcessError:
            self.world.repo.git("revert", "--abort")
            return self._content()
        self.world.repo.push()
        return None

    def _settings(self) -> None:
        app = self.dice.choice(APPS)
        self.config[app] = {"greeting": self.dice.choice(["Hello", "Hi", "Good day"])}
        self._write_app(app, "Greet otherwise")

    def _season(self) -> None:
        name = self.dice.choice(sorted(SEASONS))
        if f"{name}.yaml" in self.there and self.dice.random() < 0.5:
            return self._take_away(name)
        spec = {
            **SEASONS[name],
            "apps": self.dice.sample(APPS, self.dice.randint(1, 2)),
            "environments": self.dice.choice([["live"], ["pre-release", "live"]]),
            "config": {"greeting": name} if self.dice.random() < 0.8 else {},
            "on_freeze": self.dice.choice(["apply", "wait", "skip"]),
            "priority": self.dice.randint(0, 3),
        }
        if name in REPEATS:
            spec["repeat"] = REPEATS[name]
        if self.dice.random() < 0.3:
            spec["version"] = "v1"
        return self._put(name, document("Season", name, spec))

    def _freeze(self) -> None:
        name = self.dice.choice(sorted(FREEZES))
        if f"{name}.yaml" in self.there and self.dice.random() < 0.5:
            return self._take_away(name)
        allow = self.dice.choice([[], ["season"], ["schedule", "promotion"]])
        spec = {**FREEZES[name], "environments": ["live"], "allow": allow, "reason": "rest"}
        return self._put(name, document("Freeze", name, spec))

    def _schedule(self) -> None:
        at = self.world.now + timedelta(hours=self.dice.randint(1, 900))
        item: dict[str, Any] = {"at": at.isoformat(), "config": {"hours": self.dice.randint(1, 9)}}
        if self.dice.random() < 0.5:
            item["version"] = "v1"
        self._entry({"schedule": [item]})

    def _pause(self) -> None:
        until = self.world.now + timedelta(hours=self.dice.randint(1, 400))
        self._entry({"pause": {"by": "ann", "reason": "moving", "until": until.isoformat()}})

    def _experiment(self) -> None:
        until = self.world.now + timedelta(hours=self.dice.randint(1, 400))
        if self.content["shop"] < 2:
            return self._content()
        return self._entry(
            {"experiment": {"control": "v1", "variant": "v2", "percent": 20, "until": until.isoformat()}}, "shop"
        )

    def _entry(self, entry: dict[str, Any], app: str | None = None) -> None:
        app = app or self.dice.choice(APPS)
        self.entries[app, "live"] = entry
        self._write_app(app, "Change an entry")

    def _write_app(self, app: str, message: str) -> None:
        self.world.repo.write({f"{app}.yaml": self._app(app)})
        self._commit(message)

    def _put(self, name: str, text: str) -> None:
        self.there.add(f"{name}.yaml")
        self.world.repo.write({f"{name}.yaml": text})
        self._commit(f"Put {name}")

    def _take_away(self, name: str) -> None:
        self.there.discard(f"{name}.yaml")
        self.world.repo.write({f"{name}.yaml": None})
        self._commit(f"Take {name} away")
