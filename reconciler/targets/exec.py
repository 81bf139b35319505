"""Does a deployment run once a command says so? The target for everything that has a command line.

The command runs in the unpacked bundle of the version that a rollout lets in, else of the one with the largest
share, learns the rest from its variables, and answers by its exit status: 0 done, 75 try again later, anything
else failed. It should be idempotent by RECONCILER_DEPLOYMENT: when the daemon is killed between the command's
end and the note of it, it runs once more. Older acts are refused as far as the receipts in the data directory tell;
a command that changes something which daemons on several machines reach should refuse them itself, by
RECONCILER_DEPLOYMENT_NUMBER and RECONCILER_FENCE.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, assert_never

from pydantic import AfterValidator, Field, TypeAdapter

from reconciler.errors import Aborted, AttemptFailed, TryAgainLater
from reconciler.model.app import VARIABLE_PATTERN, Triggers
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.shape import Duration, refusal, shape
from reconciler.schedule import spell
from reconciler.targets import acts, leftovers, locks, process, receipts, secrets, variables, wording
from reconciler.targets import settings as reading
from reconciler.targets.base import Observed, Work, leading, safe
from reconciler.targets.bundle import printable, unpacked
from reconciler.targets.receipts import Receipt

_TRIGGERS = TypeAdapter(Triggers)


def _command(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command[0].strip() or any("\0" in word for word in command):
        raise refusal("it names no program, or a word holds a NUL character", "write a program and its arguments")
    return command


def _limit(limit: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= limit <= timedelta(days=1):
        raise refusal("this is no time limit", "give 1s to 1d")
    return limit


Word = Annotated[str, Field(strict=True, max_length=100_000)]
"""One argument: it may have several lines, being a script for a shell that is named before it."""
Command = Annotated[tuple[Word, ...], Field(min_length=1, max_length=1000), AfterValidator(_command)]
VariableName = Annotated[str, Field(strict=True, pattern=VARIABLE_PATTERN)]


@shape
class ExecSettings:
    """What the exec target is told."""

    command: Command
    """The program and its arguments, run without a shell for each deployment. `./name` is in the bundle."""
    timeout: Annotated[Duration, AfterValidator(_limit)] = Field(default="15m", validate_default=True)
    """How long it may take before it is ended and has failed."""
    env: tuple[VariableName, ...] = ()
    """Names of the daemon's variables that are passed on."""
    retire: Command | None = None
    """Run when an app is taken away, in an empty directory; without it nothing happens then."""
    triggers: Command | None = None
    """Run when routes, domains or crons change, in an empty directory, with RECONCILER_TRIGGERS."""


class ExecTarget:
    """Runs a command for each deployment."""

    hearsay = True
    """Nobody but the command knows what runs."""

    def __init__(self, environment: str, settings: Mapping[str, Any], data: Path) -> None:
        self._told = reading.read(ExecSettings, settings, "exec")
        self._environment = safe(environment, "environment")
        self._data = os.path.abspath(data)

    @staticmethod
    def check(settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with the settings, one sentence each."""
        return reading.check(ExecSettings, settings)

    def deploy(self, release: Release, work: Work) -> None:
        """Run the command, unless it has run well for this very release. Raises TargetError."""
        part = leading(release)
        work.go_on()
        with self._changing(release.app, self._receipt(release.app)) as before:
            act = acts.of_release(release)
            act.refuse_older_than(before.act)
            if before.covers(release):
                if act != before.act:
                    receipts.save(self._receipt(release.app), dataclasses.replace(before, act=act))
                return
            self._end_leftovers(release.app, before, work)
            with self._attempt(release, before), self._unpacked(release.app, "deploy", part, work) as bundle:
                about = variables.of_release(release, bundle)
                self._run(self._told.command, about, part, bundle, work)

    def retire(self, release: Release, work: Work) -> None:
        """Run the command for it, if there is one. Raises TargetError."""
        work.go_on()
        with self._changing(release.app, self._receipt(release.app)) as before:
            act = acts.of_release(release)
            act.refuse_older_than(before.act)
            self._end_leftovers(release.app, before, work)
            if self._told.retire is not None:
                with self._unpacked(release.app, "retire", None, work) as empty:
                    self._run(self._told.retire, variables.of_release(release, empty), None, empty, work)
            receipts.save(self._receipt(release.app), Receipt(act=act))

    def triggers(self, app: str, triggers: Triggers, work: Work) -> None:
        """Run the command for them, if there is one. Raises TargetError."""
        work.go_on()
        if self._told.triggers is None:
            return
        own = self._receipt(app, "triggers")
        with self._changing(app, own) as before, self._unpacked(app, "triggers", None, work) as empty:
            act = acts.of_triggers(work)
            act.refuse_older_than(before.act)
            if act != before.act:
                receipts.save(own, Receipt(act=act))
            about = {
                "RECONCILER_APP": app,
                "RECONCILER_ENVIRONMENT": self._environment,
                "RECONCILER_FENCE": str(work.fence),
                "RECONCILER_LINEAGE": work.lineage,
                "RECONCILER_TRIGGERS": variables.as_json(_TRIGGERS.dump_python(triggers, mode="json")),
            }
            self._run(self._told.triggers, about, None, empty, work)

    def observe(self, app: str) -> Observed | None:
        """What the command last said it carried out: nobody else can be asked."""
        return receipts.load(self._receipt(app)).completed

    def close(self) -> None:
        """Nothing is open between calls."""

    def _receipt(self, app: str, what: str = "") -> str:
        """Of an app's deployments, or of its trigger settings, which may change at the same time."""
        return os.path.join(self._data, "exec", self._environment, what, f"{safe(app, 'app')}.json")

    @contextmanager
    def _changing(self, app: str, path: str) -> Iterator[Receipt]:
        """A receipt of the app, alone with it among all that use this data directory. Raises TargetError."""
        with _complaining():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with locks.alone_with(f"{path.removesuffix('.json')}.lock", app):
                yield receipts.load(path)

    def _end_leftovers(self, app: str, before: Receipt, work: Work) -> None:
        if before.ended or before.begun is None or before.begun.deployment is None:
            return
        marks = {
            "RECONCILER_APP": app,
            "RECONCILER_ENVIRONMENT": self._environment,
            "RECONCILER_DEPLOYMENT": before.begun.deployment,
        }
        if found := leftovers.end_leftovers(marks, work.stop):
            work.say(f"ended {found} processes of an attempt that nobody waited for any more")

    @contextmanager
    def _attempt(self, release: Release, before: Receipt) -> Iterator[None]:
        """Note the beginning and the end. What the body raises passes; then nothing new is completed."""
        path = self._receipt(release.app)
        begun = dataclasses.replace(before, begun=receipts.asked(release), ended=False, act=acts.of_release(release))
        receipts.save(path, begun)
        try:
            yield
        except Exception:
            receipts.save(path, dataclasses.replace(begun, ended=True))
            raise
        receipts.save(path, dataclasses.replace(begun, completed=begun.begun, ended=True))

    @contextmanager
    def _unpacked(self, app: str, what: str, part: ReleasedVersion | None, work: Work) -> Iterator[str]:
        """A fresh directory with the version's bundle, empty without one; gone afterwards."""
        place = os.path.join(self._data, "work", self._environment, f"{safe(app, 'app')}.{what}")
        # Calls for one app come one at a time: what lies here was left by a daemon that was killed.
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place, exist_ok=True)
        fresh = tempfile.mkdtemp(prefix="bundle-", dir=place)
        try:
            if part is not None:
                unpacked(part, fresh, work)
            yield fresh
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run(
        self,
        command: tuple[str, ...],
        about: dict[str, str],
        part: ReleasedVersion | None,
        cwd: str,
        work: Work,
    ) -> None:
        values = secrets.resolve(part.secrets, work.environ) if part else {}
        work.go_on()
        ran = process.run(
            command,
            cwd=cwd,
            environ=variables.surroundings(about, self._told.env, values, work.environ),
            timeout=self._told.timeout,
            stop=work.stop,
            say=work.say,
            blanker=secrets.Blanker(variables.to_blank(self._told.env, values, work.environ)),
        )
        _judge(printable(os.path.basename(command[0])), ran, self._told.timeout)
        if not ran.said:
            work.say(ran.output)


@contextmanager
def _complaining() -> Iterator[None]:
    try:
        yield
    except OSError as wrong:
        remedy = "make room or correct the rights; it is tried again"
        raise wording.hindered(wording.refused(wrong), wrong, remedy) from wrong


def _judge(name: str, ran: process.Ran, timeout: timedelta) -> None:
    """Raise what the end of a command means, if it does not mean done."""
    match ran.cut_short:
        case "stopped":
            raise Aborted(f"{name} was stopped", "what it had done by then stays done", ran.output)
        case "out of time":
            raise AttemptFailed(
                f"{name} took longer than {spell(timeout)} and was ended",
                "tried again; or allow a longer timeout",
                ran.output,
            )
        case None:
            pass
        case _:
            assert_never(ran.cut_short)
    if ran.exit == wording.TRY_AGAIN:
        raise TryAgainLater(f"{name} asks to be tried again later", "tried again after the backoff", ran.output)
    if ran.exit != 0:
        raise AttemptFailed(wording.ended(name, ran), "see its output", ran.output)
