"""What goes wrong in a simulated world, and when? Drawn from the seed; after the last day nothing does any more.

Half of it comes when there is something to do: right after a push.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random

from tests.simulation.machine import Machine, Surround
from tests.simulation.moments import current

KINDS = (
    "kill",
    "kill at a write",
    "kill at a commit",
    "a write fails",
    "end",
    "stop",
    "cut off",
    "store",
    "git",
    "mirror",
    "clock",
    "targets",
    "deaf",
)
AT_WORK = ("kill", "kill at a write", "kill at a commit", "a write fails", "a write fails", "store", "stop", "targets")
"""Those that matter most while there is something to do."""
STORE = ("database is locked", "database or disk is full", "gone")


class Faults:
    """Makes things go wrong, `a_day` times a day on the average."""

    def __init__(self, around: Surround, random: Random, a_day: float, kinds: tuple[str, ...]) -> None:
        self._around = around
        self._random = random
        self._a_day = a_day
        self._kinds = kinds
        self.active = True
        self.count = 0
        if a_day:
            self._next()

    def _next(self) -> None:
        self._around.moments.at(self._random.expovariate(self._a_day / 86400), self._now_and_then)

    def _now_and_then(self) -> None:
        self._happens(self._kinds)
        self._next()

    def pushed(self) -> None:
        """There is something to do."""
        for _ in range(self._random.randrange(4) if self._a_day else 0):
            kinds = [kind for kind in AT_WORK if kind in self._kinds]
            self._around.moments.at(self._random.expovariate(1 / 20), partial(self._happens, kinds))

    def _happens(self, kinds: Sequence[str]) -> None:
        if not self.active or not kinds:
            return
        kind, machine = self._random.choice(kinds), self._random.choice(self._around.machines)
        self.count += 1
        self._around.moments.say("fault", f"{kind} {machine.name}")
        getattr(self, "_" + kind.replace(" ", "_"))(machine)

    def cease(self) -> None:
        """From now on all is well: whoever is down is started, clocks are right, everything answers."""
        self.active = False
        around = self._around
        around.moments.say("fault", "cease")
        around.storage.trouble = ""
        around.estate.trouble = 0.0
        around.deaf = 0.0
        for machine in around.machines:
            machine.git("")
            machine.set_clock(timedelta())
            machine.session.cut_off = False
            machine.session.hook = None
            machine.process.go_on()
            machine.start()

    def _later(self, least: float, most: float, what: Callable[[], None]) -> None:
        """Trouble ends by itself."""
        self._around.moments.at(self._random.uniform(least, most), lambda: what() if self.active else None)

    def _back_soon(self, machine: Machine) -> None:
        self._later(1, self._random.choice((5, 60, 7200)), machine.start)

    def _kill(self, machine: Machine) -> None:
        machine.process.kill()
        self._back_soon(machine)

    def _kill_at_a_write(self, machine: Machine) -> None:
        left = self._random.randrange(60)

        def dies(_at: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                self._dies(machine)

        machine.session.hook = dies

    def _kill_at_a_commit(self, machine: Machine) -> None:
        where = self._random.choice((-1, -2))

        def dies(at: int) -> None:
            if at == where:
                self._dies(machine)

        machine.session.hook = dies

    def _a_write_fails(self, machine: Machine) -> None:
        """At one of its statements, at its commit, or when all is written and the answer does not come."""
        where = self._random.choice((-1, -2, 0))
        left = self._random.randrange(40)

        def fails(at: int) -> None:
            nonlocal left
            left -= at > 0
            if at == where or (where == 0 and left < 0):
                machine.session.hook = None
                raise sqlite3.OperationalError("disk I/O error")

        machine.session.hook = fails

    def _dies(self, machine: Machine) -> None:
        machine.session.hook = None
        machine.process.kill()
        self._back_soon(machine)
        current().process.check()

    def _end(self, machine: Machine) -> None:
        machine.end()
        self._later(400, 4000, machine.start)

    def _stop(self, machine: Machine) -> None:
        process = machine.process
        process.stop()
        lease = self._around.lease or timedelta(minutes=10)
        self._later(1, lease.total_seconds() * self._random.choice((0.3, 1, 4)), process.go_on)

    def _cut_off(self, machine: Machine) -> None:
        found = machine.session
        found.cut_off = True

        def again() -> None:
            found.cut_off = False

        lease = self._around.lease or timedelta(minutes=10)
        self._later(1, lease.total_seconds() * self._random.choice((0.3, 1, 4)), again)

    def _store(self, _machine: Machine) -> None:
        storage = self._around.storage
        storage.trouble = self._random.choice(STORE)

        def again() -> None:
            storage.trouble = ""

        self._later(1, self._random.choice((10, 600, 7200)), again)

    def _git(self, machine: Machine) -> None:
        machine.git(self._random.choice(("gone", "gone", "slow")))
        self._later(10, 14400, lambda: machine.git(""))

    def _mirror(self, machine: Machine) -> None:
        machine.spoil()

    def _clock(self, machine: Machine) -> None:
        by = timedelta(seconds=self._random.choice((-1, 1)) * self._random.choice((2, 300, 7200)))
        machine.set_clock(by)
        self._later(60, 14400, lambda: machine.set_clock(timedelta()))

    def _targets(self, _machine: Machine) -> None:
        estate = self._around.estate
        estate.trouble = self._random.choice((0.2, 0.5, 1.0))

        def again() -> None:
            estate.trouble = 0.0

        self._later(60, self._random.choice((600, 7200, 40000)), again)

    def _deaf(self, _machine: Machine) -> None:
        self._around.deaf = 0.7

        def again() -> None:
            self._around.deaf = 0.0

        self._later(60, 7200, again)
