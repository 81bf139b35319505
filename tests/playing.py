"""Play a random history on a whole reconciler: real git, real store, real files; killed where a test says so.

What must hold afterwards is the tests' question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, select

from reconciler.engine.cycle import Turn
from reconciler.errors import StoreError
from reconciler.model.deployment import Deployment
from reconciler.store import deployments, due, tables, versions
from reconciler.store.database import Transaction
from reconciler.wiring import Running
from tests.strategies import APPS, BAD, Commit, Desk, Step, Wait, manifest, message_of
from tests.world import CHAIN, World

REFUSES_BAD = f"! grep -q bad index.html # the content {BAD}"


class Killed(BaseException):
    """The process ends here, as far as the reconciler can tell."""


def environments_file(track: Mapping[str, str], picky: Sequence[str] = (), **spec: Any) -> str:
    """The environments; a picky one fails for bad content."""
    made: list[str] = []
    for name, upstream in track.items():
        target: dict[str, Any] = {"type": "directory", "path": f"releases/{name}"}
        if name in picky:
            target = {"type": "exec", "command": ["sh", "-c", REFUSES_BAD]}
        made.append(manifest("Environment", name, {"track": upstream, "target": target, **spec}))
    return "---\n".join(made)


TRACK = dict(zip(CHAIN, ("latest", *CHAIN), strict=False))


class Player:
    """A world, and the desk whose commits are written into it."""

    def __init__(
        self,
        directory: Path,
        apps: Sequence[str] = APPS,
        picky: Sequence[str] = (),
        state: str | None = None,
        needs: Mapping[str, Sequence[str]] | None = None,
        order: Sequence[int] | None = None,
        first: Sequence[tuple[str, str]] | None = None,
        **spec: Any,
    ) -> None:
        """Targets answer as `Chosen` says with an `order`, as `InOrder` with `first`, else as threads come to it."""
        self.world = World(directory)
        if state is not None:
            self.world.settings["state"] = {"url": state, "lease": "3s"}
        self.desk = Desk(apps, needs=needs)
        self.ids: list[str] = []
        self.trouble: type[BaseException] = Killed
        self._alive = ExitStack()
        self._found: Running | None = None
        self._order = cycle(order) if order else None
        self._first = first
        self._environments = environments_file(TRACK, picky, retry={"limit": 0}, **spec)

    def play(self, history: Sequence[Step], kills: Iterable[int] = (), each: bool = False) -> Iterator[Turn]:
        """Write the history; every push, every wait and the end are followed by a settling, or with `each` every step.

        `kills` are steps at which the reconciler is killed, one for each of its lives.
        """
        deaths = iter(kills)
        for made in self.desk.write(history):
            if isinstance(made, Commit):
                self.commit(made)
            if each or not isinstance(made, Commit):
                yield self.settle(deaths)
            if isinstance(made, Wait):
                self.world.now += made.by
        yield self.settle(deaths)

    def play_on(self, history: Sequence[Step], kills: Iterable[int]) -> None:
        """As `play`, but a reconciler that was killed is started again only after the next commits have arrived."""
        deaths = iter(kills)
        for made in self.desk.write(history):
            if isinstance(made, Commit):
                self.commit(made)
            elif (step := next(deaths, None)) is None:
                self.settle()
            else:
                self.killed(step)
        self.settle()

    def commit(self, made: Commit) -> None:
        """Commit, without a push."""
        files = dict(made.files)
        if not self.ids:
            files["environments.yaml"] = self._environments
        self.ids.append(self.world.commit(message_of(made, self.ids), files, push=False))

    @property
    def found(self) -> Running:
        """The reconciler that runs on this world."""
        if self._found is None:
            self._found = self._alive.enter_context(self.world.running())
            if self._order is not None:
                Chosen(self._order).take_over(self._found)
            elif self._first is not None:
                InOrder(self._first).take_over(self._found)
        return self._found

    def end(self) -> None:
        """End the reconciler; the next one begins with what is in the state directory."""
        self._found = None
        self._alive.close()

    def settle(self, deaths: Iterator[int] | None = None) -> Turn:
        """Push, and let a reconciler do all that can be done; it is killed at the steps that `deaths` names."""
        self.world.repo.push()
        while True:
            try:
                with dying(self.found, next(deaths or iter(()), None), self.trouble):
                    return self.found.daemon.settle()
            except Killed:
                self.end()
            except StoreError:
                continue  # the same reconciler takes its next turn

    def killed(self, step: int) -> bool:
        """Push, and let a reconciler work until it is killed at this step; whether it got so far."""
        self.world.repo.push()
        try:
            with dying(self.found, step, Killed):
                self.found.daemon.settle()
        except Killed:
            self.end()
            return True
        return False

    def write(self, *history: Step) -> None:
        """Commit what the steps come to, without letting a reconciler look."""
        for made in self.desk.write(history):
            if isinstance(made, Commit) and self.desk.commits.index(made) >= len(self.ids):
                self.commit(made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Chosen(Executor):
    """Carries jobs out one by one between two turns; how many and which is chosen, so that it can be played again.

    The daemon waits for an answer only when it has nothing else to do: then at least one is given.
    """

    def __init__(self, choices: Iterator[int]) -> None:
        self._choices = choices
        self._jobs: list[tuple[tuple[str, str], Future[Any], Callable[[], Any]]] = []

    def take_over(self, found: Running) -> None:
        """Take the place of a reconciler's threads."""
        found.pool._executor.shutdown()
        found.pool._executor = self  # type: ignore[assignment]
        turn = found.cycle.turn

        def turning(now: datetime) -> Turn:
            done = turn(now)
            self._answer(self._how_many(done.did_something))
            return done

        found.cycle.turn = turning  # type: ignore[method-assign]

    def submit(self, job: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keep a job until it is chosen."""
        future: Future[Any] = Future()
        about = getattr(args[0], "release", args[0])  # a deployment's job bears it in its release
        self._jobs.append(((about.app, about.environment), future, lambda: job(*args, **kwargs)))
        return future

    def _answer(self, most: int) -> None:
        while self._jobs and most > 0:
            _, future, job = self._jobs.pop(self._which([place for place, _, _ in self._jobs]))
            future.set_result(job())
            most -= 1

    def _how_many(self, busy: bool) -> int:
        return next(self._choices) % 3 + (not busy)

    def _which(self, places: Sequence[tuple[str, str]]) -> int:
        return next(self._choices) % len(places)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Some of the jobs had come to an end when the process was; nobody has heard of it."""
        self._answer(self._how_many(busy=True))
        self._jobs.clear()


class InOrder(Chosen):
    """Carries one job out whenever the daemon waits for it, the one whose place comes first.

    So the order hangs on what is recorded and on nothing else: a reconciler that was killed comes to the same one.
    """

    def __init__(self, first: Sequence[tuple[str, str]]) -> None:
        super().__init__(iter(()))
        self._first = first

    def _how_many(self, busy: bool) -> int:
        return 0 if busy else 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """One job had come to an end when the process was; nobody has heard of it."""
        self._answer(1)
        self._jobs.clear()

    def _which(self, places: Sequence[tuple[str, str]]) -> int:
        return min(range(len(places)), key=lambda which: self._first.index(places[which]))


@contextmanager
def dying(found: Running, steps: int | None, trouble: type[BaseException]) -> Iterator[None]:
    """Trouble at the so many-th step; a write has two, one before it is committed and one right after."""
    left = steps
    write, read = found.database.write, found.database.read

    def step() -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                left = None
                raise trouble("the store does not answer")

    @contextmanager
    def writing() -> Iterator[Transaction]:
        with write() as transaction:
            yield transaction
            step()  # nothing of this turn is in the store
        step()  # all of it is, and no target has heard of it

    @contextmanager
    def reading() -> Iterator[Connection]:
        if trouble is not Killed:
            step()
        with read() as connection:
            yield connection

    found.database.write, found.database.read = writing, reading  # type: ignore[method-assign]
    try:
        yield
    finally:
        found.database.write, found.database.read = write, read  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Recorded:
    """All that a reconciler wrote down, as values that can be compared."""

    versions: dict[str, list[tuple[int, str, str]]]
    deployments: dict[tuple[str, str], list[Deployment]]
    facts: list[dict[str, Any]]
    withdrawn: dict[str, tuple[str, str, str | None]]
    """What a revert took back: its commit, the reverted one, and what it restored."""
    suspects: dict[tuple[str, str], set[str]]
    """The versions that went wrong, by place."""
    held: dict[tuple[str, str], str | None]
    """Where git and reality differ on purpose, and which version git is to give up."""

    def story(self) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
        """Every deployment without its moments and identifiers: the same wherever targets answer in the same order."""
        numbers = {d.id: d.number for several in self.deployments.values() for d in several}
        return {
            place: [
                (d.number, d.status, d.cause, _parts(d), d.config, d.commit, numbers.get(d.rolled_back_from or ""))
                for d in several
            ]
            for place, several in self.deployments.items()
        }

    def ending(self) -> dict[str, Any]:
        """What stands in the end, in whichever order targets answered.

        How it came to that hangs on the order: what upstream completes meanwhile overtakes what waits for its turn
        and stops what it takes back, so that one and the same thing fails, or is aborted before it can.
        """
        return {
            "versions": self.versions,
            "running": self.running(),
            "withdrawn": self.withdrawn,
            "held": self.held,
        }

    def running(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """What runs where."""
        found = {}
        for place, several in self.deployments.items():
            last = next((d for d in reversed(several) if d.status == "completed"), None)
            if last is not None:
                found[place] = (_parts(last), last.config)
        return found


def _parts(deployment: Deployment) -> list[tuple[str, int, float]]:
    return [(part.version, part.number, part.percent) for part in deployment.traffic]


def read(connection: Connection, apps: Sequence[str] = APPS) -> Recorded:
    """All that is recorded."""
    listed = deployments.listed(connection, deployments.Filter(limit=100_000))
    by_place: dict[tuple[str, str], list[Deployment]] = {}
    for deployment in reversed(listed):
        by_place.setdefault((deployment.app, deployment.environment), []).append(deployment)
    return Recorded(
        versions={
            app: [(v.number, v.id, v.commit) for v in versions.newest(connection, app, 10_000)[::-1]] for app in apps
        },
        deployments=by_place,
        facts=[
            {**row._mapping, "body": row.body}
            for row in connection.execute(select(tables.ledger).order_by(tables.ledger.c.sequence))
        ],
        withdrawn={
            row.version: (row.commit, row.reverts, row.restores)
            for row in connection.execute(select(tables.withdrawals))
        },
        suspects=_suspects(connection),
        held={(row.app, row.environment): row.version for row in connection.execute(select(tables.holds))},
    )


def _suspects(connection: Connection) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for row in connection.execute(select(tables.suspicions)):
        if row.what.startswith("sha256:"):  # else it is the fingerprint of versions with their settings
            found.setdefault((row.app, row.environment), set()).add(row.what)
    return found


def recorded(player: Player) -> Recorded:
    """All that is recorded in a player's world."""
    with player.found.database.read() as connection:
        return read(connection, player.desk.apps)


def placed(player: Player) -> set[tuple[str, str]]:
    """Where git declares apps to run, in sound files."""
    slots = player.desk.slots
    return {
        (slot[1], slot[2])
        for slot, value in slots.items()
        if slot[0] == "entry" and value is not None and slots["state", slot[1]] == "sound"
    }


def on_disk(player: Player, app: str, environment: str) -> tuple[int, dict[str, Any]] | None:
    """Number and deployment id of what the directory target has in place."""
    facts = player.world.released(environment, app) / ".reconciler.json"
    if not facts.exists():
        return None
    read = json.loads(facts.read_text())
    return read["number"], read


def everything_again(player: Player) -> None:
    """Mark every app due, as the slow pass does, and settle."""
    with player.found.database.write() as transaction:
        due.mark_all(transaction, player.world.now)
    player.found.daemon.settle()
