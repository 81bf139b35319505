"""A machine that runs the daemon in the simulation: started, killed, stopped, cut off, and started again.

What the daemon is made of here is what `reconciler.wiring.running` makes it of, but for the leaves: threads, the
scheduler, git's processes, the database's connection, targets and the clocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import structlog
from apscheduler.schedulers import background

from reconciler.engine import branches, checking, daemon, fetching, membership
from reconciler.engine.branches import Branches, Writing
from reconciler.engine.cycle import Cycle, Turn
from reconciler.engine.daemon import Daemon
from reconciler.engine.following import Following
from reconciler.engine.membership import Membership
from reconciler.engine.perform import Surroundings
from reconciler.engine.signing import Signing
from reconciler.git import fetched_again, history
from reconciler.git.signatures import Person
from reconciler.git.signing_keys import Keys
from tests.simulation.author import BRANCH
from tests.simulation.estate import Estate
from tests.simulation.moments import Event, Moments, Process, Task, getcurrent
from tests.simulation.repository import Repository, SimulatedMirror, SimulatedObjects, ask, taken_back
from tests.simulation.storage import Session, SimulatedDatabase, Storage
from tests.simulation.threads import Scheduler, SimulatedPool, Threading

PREFIX = "reconciler/"


class Surround:
    """What all machines share: the store, git, the targets, and each other."""

    def __init__(self, moments: Moments, repository: Repository, storage: Storage, estate: Estate, random: Random):
        self.moments = moments
        self.repository = repository
        self.storage = storage
        self.estate = estate
        self.random = random
        self.lease: timedelta | None = None
        self.interval = timedelta(hours=4)
        self.full_pass = timedelta(hours=24)
        self.workers = 8
        self.machines: list[Machine] = []
        self.mirrors: dict[str, SimulatedMirror] = {}
        self.faults_of_ours: list[str] = []
        self.turns = 0
        self.write_branches = True
        self.deaf = 0.0
        """How likely it is that somebody does not hear of something."""

    def tell(self, name: str) -> None:
        """Somebody wrote to the store: the other daemons are told."""
        for machine in self.machines:
            if machine.daemon is not None and machine.database.called != name and self.hears():
                self.moments.at(self.random.uniform(0.001, 0.2), machine.daemon._hear, machine.process)

    def nudge(self) -> None:
        """Something changed where it is watched: all daemons look."""
        for machine in self.machines:
            if machine.daemon is not None and self.hears():
                machine.ask = True
                self.moments.at(self.random.uniform(0.01, 2), machine.nudged, machine.process)

    def hears(self) -> bool:
        """Whether somebody hears."""
        return self.random.random() >= self.deaf


class Machine:
    """One machine; `process` is the daemon's present life."""

    def __init__(self, name: str, around: Surround) -> None:
        self.name = name
        self.around = around
        self.lives = 0
        self.offset = timedelta()
        self.ask = False
        self.trouble = ""
        self.corrupt = False
        self.daemon: Daemon | None = None
        self.process = Process(around.moments, name)
        self.process.alive = False
        self.start()

    def start(self) -> None:
        """Start the daemon, where none runs."""
        if self.process.alive:
            return
        around = self.around
        moments = around.moments
        self.lives += 1
        self.process = process = Process(moments, self.name)
        process.offset = self.offset
        self.session = process.session = Session(around.storage, process.check)  # type: ignore[attr-defined]
        self.database = database = SimulatedDatabase(around.storage, around.tell)
        name = f"{self.name}-{self.lives}"
        self.mirror = mirror = SimulatedMirror(around.repository, BRANCH, name, self._asked_git)
        mirror.trouble, mirror.corrupt = self.trouble, self.corrupt
        around.mirrors[str(mirror.git_dir)] = mirror
        member = Membership(database, name, around.lease, process.clock, moments.ticks)
        self._nudged = Event(moments)
        follows = Following(
            database,
            mirror,  # type: ignore[arg-type]
            root="",
            interval=around.interval,
            allow_rewrites=False,
            adopt=100,
            tell=lambda news: moments.say(self.name, f"tells {news.event}"),
            nudge=self._nudged.set,
        )
        follows.looking.objects = SimulatedObjects(mirror)
        surroundings = Surroundings(
            make_target=around.estate.target,  # type: ignore[arg-type]
            unpack=lambda _tree, _directory: None,
            environ={},
            data=Path("/nowhere"),
        )
        self.pool = SimulatedPool(process, surroundings, around.workers, self._nudged.set, member.may_act)
        how = Writing(
            url=mirror.url,
            base=Path("/nowhere"),
            followed=BRANCH,
            prefix=PREFIX,
            author=Person("reconciler", "reconciler@localhost"),
            push=True,
        )
        again = fetched_again.FetchedAgain(follows.objects, mirror)  # type: ignore[arg-type]
        writes = Branches(again, how if around.write_branches else None, self._nudged.set)
        signing = Signing(follows, Keys(ssh=None, gpg=None), around.interval)
        self.cycle = Cycle(database, follows, self.pool, writes, signing, member)
        self._count_turns(self.cycle)
        self.follows = follows
        self.daemon = Daemon(
            database,
            follows,
            self.pool,
            self.cycle,
            member,
            process.clock,
            interval=around.interval,
            full_pass=around.full_pass,
            drain=timedelta(minutes=5),
            nudged=self._nudged,  # type: ignore[arg-type]
            ticks=moments.ticks,
        )
        moments.say(self.name, f"begins its life {self.lives}")
        process.spawn(self._live)

    def _live(self) -> None:
        assert self.daemon is not None
        self.daemon.run()
        self.around.moments.say(self.name, "ended")
        self.process.alive = False

    def nudged(self) -> None:
        """It looks at the branch, as after a webhook."""
        if self.ask:
            self.ask = False
            self.follows.looking.ask()
        self._nudged.set()

    def _asked_git(self) -> None:
        """An exchange with git takes a while."""
        if isinstance(getcurrent(), Task):
            around = self.around
            around.moments.sleep(around.random.uniform(0.02, 90 if self.mirror.trouble == "slow" else 0.5))

    def git(self, trouble: str) -> None:
        """Git does not answer, or answers again."""
        self.trouble = self.mirror.trouble = trouble

    def spoil(self) -> None:
        """The mirror is damaged."""
        self.mirror.corrupt = True
        self.follows.objects._trees._kept.clear()

    def set_clock(self, offset: timedelta) -> None:
        """Somebody sets the machine's clock."""
        self.offset = self.process.offset = offset

    def end(self) -> None:
        """As SIGTERM does."""
        if self.process.alive and self.daemon is not None:
            self.around.moments.say(self.name, "is told to end")
            self.process.spawn(self.daemon.stop)

    def _count_turns(self, cycle: Cycle) -> None:
        turn, around = cycle.turn, self.around

        def counted(now: Any) -> Turn:
            around.turns += 1
            found = turn(now)
            if found.did_something:
                said = f"turn: {found.commits} commits, {found.answers} answers, {found.planned} planned, {found.begun}"
                around.moments.say(self.name, f"{said} begun")
            return found

        cycle.turn = counted  # type: ignore[method-assign]


@contextmanager
def machines(around: Surround) -> Iterator[None]:
    """The daemon's modules wait, start threads and ask git in the simulation."""
    threading, repository = Threading(around.moments), around.repository

    def opened(_url: str, git_dir: Path, name: str, **_more: Any) -> SimulatedMirror:
        mirror = around.mirrors[str(git_dir)]
        other = SimulatedMirror(repository, name, git_dir.name, mirror.opened)
        other.trouble = mirror.trouble
        return other

    def objects(git_dir: Path) -> SimulatedObjects:
        return SimulatedObjects(around.mirrors[str(git_dir)])

    def revert(git_dir: Path, base: str, commits: Any, signature: Any, *, message: str, **_more: Any) -> Any:
        around.mirrors[str(git_dir)].sound()
        files = taken_back(repository, base, commits)
        if not isinstance(files, dict):
            return files
        return repository.commit(repository.tree(files), [base], message, signature.author.email, signature.at)

    def push(git_dir: Path, _url: str, commit: str, name: str, expected: str | None, **_more: Any) -> None:
        around.mirrors[str(git_dir)].remote_head()
        if repository.branches.get(name) == expected:
            repository.branches[name] = commit
            around.moments.say("git", f"{name} at {commit[:8]}")

    def asked(git_dir: Path, arguments: Any, *, good: Any = (0,)) -> tuple[int, str]:
        return ask(around.mirrors[str(git_dir)], arguments, good)

    replaced = [
        patch.object(daemon, "threading", threading),
        patch.object(background, "BackgroundScheduler", lambda **settings: Scheduler(around.moments, **settings)),
        patch.object(membership, "threading", threading),
        patch.object(fetching, "threading", threading),
        patch.object(branches, "threading", threading),
        patch.object(branches, "Objects", objects),
        patch.object(branches, "Mirror", type("Mirror", (), {"open": staticmethod(opened)})),
        patch.object(branches, "revert_commit", revert),
        patch.object(branches, "push", push),
        patch.object(checking, "run_check", around.estate.check),
        patch.object(history, "ask", asked),
    ]
    before = structlog.get_config()
    structlog.configure(
        processors=[_Log(around)],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    for one in replaced:
        one.start()
    try:
        yield
    finally:
        for one in replaced:
            one.stop()
        structlog.configure(**before)


class _Log:
    """What the daemon logs is a line of what happened; its own mistakes are told."""

    def __init__(self, around: Surround) -> None:
        self._around = around

    def __call__(self, _logger: object, how: str, event: dict[str, Any]) -> dict[str, Any]:
        import traceback

        task = getcurrent()
        who = task.process.name if isinstance(task, Task) else "world"
        said = {key: value for key, value in event.items() if key not in ("event", "room", "exc_info")}
        if how != "debug":
            self._around.moments.say(who, f"{event['event']} {said if said else ''}".strip())
        if event.get("exc_info") or how == "exception":
            self._around.faults_of_ours.append(f"{who}: {event['event']}: {traceback.format_exc()}")
        raise structlog.DropEvent
