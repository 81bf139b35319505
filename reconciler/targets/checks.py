"""Does a check of a gate or of a rollout pass?

A check is a command that runs as a deployment of the exec target does: without a shell, in the unpacked bundle
of the version under test, with the same variables and RECONCILER_CHECK, and answers by its exit status: 0
passed, 75 not known yet, anything else failed. Which checks are due, in which order, and what follows from an
answer is decided elsewhere.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, assert_never

from reconciler.errors import Aborted, PersonNeeded, ReconcilerError, TryAgainLater
from reconciler.model.gates import Check
from reconciler.model.release import Release, ReleasedVersion
from reconciler.schedule import spell
from reconciler.targets import leftovers, process, secrets, variables, wording
from reconciler.targets.base import Work, safe
from reconciler.targets.bundle import printable, unpacked

TIMEOUT = timedelta(minutes=5)
"""How long a check may take that says nothing about it."""
Verdict = Literal["passed", "failed", "later", "stopped"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended."""

    name: str
    verdict: Verdict
    """`later`: not known yet, ask again. `stopped`: `work.stop` was set before it ended."""
    message: str
    """One sentence for people, with what to do in brackets where somebody has to."""
    output: str = ""
    """What it printed, 256 KiB at most, without secrets and control characters."""


def run_check(check: Check, release: Release, work: Work, data: Path, version: str | None = None) -> CheckResult:
    """Run a check to its end, and say how it ended; nothing of it is said by `work.say`.

    It is about the version of this digest in the release's traffic, such as the new one of a rollout, which at
    first has the smaller share; the largest when none is given. A version without a bundle is checked in an
    empty directory. `check.mode` is the caller's affair. May run in several threads and processes at once over
    one `data` directory.

    Raises nothing for what goes wrong with the check, the repository or this machine: what may mend itself (git
    does not answer, a full disk, a busy machine) is `later`, what only a person can mend is `failed`.
    """
    try:
        part = _under_test(release, version)
        with _scratch(safe(release.app, "app"), data, work) as folder:
            ran = _run(check, release, part, folder, work)
    except Aborted:
        return CheckResult(check.name, "stopped", f"{check.name} was stopped")
    except PersonNeeded as wrong:
        return CheckResult(check.name, "failed", str(wrong), wrong.output)
    except ReconcilerError as wrong:
        return CheckResult(check.name, "later", str(wrong))
    except OSError as wrong:
        return CheckResult(check.name, "later", f"{wording.refused(wrong)} (make room or correct the rights)")
    return _judged(check, ran)


def _under_test(release: Release, version: str | None) -> ReleasedVersion | None:
    if version is None:
        return release.largest
    found = next((part for part in release.traffic if part.version == version), None)
    if found is None:
        raise PersonNeeded(
            f"the version {printable(version)} is not part of the release", "check a version that is released"
        )
    return found


def _run(check: Check, release: Release, part: ReleasedVersion | None, folder: str, work: Work) -> process.Ran:
    work.go_on()
    if part is not None:
        unpacked(part, folder, work)
    _stays_inside(check.run[0], folder)
    values = secrets.resolve(part.secrets, work.environ) if part else {}
    safe(release.environment, "environment")
    about = variables.of_release(release, folder, part) | {"RECONCILER_CHECK": safe(check.name, "check")}
    return process.run(
        check.run,
        cwd=folder,
        environ=variables.surroundings(about, (), values, work.environ),
        timeout=_limit(check),
        stop=work.stop,
        blanker=secrets.Blanker(values),
    )


def _stays_inside(program: str, folder: str) -> None:
    """A program that is named by a relative path must be a file of the bundle, however the path winds."""
    if not program.strip():
        raise PersonNeeded("the check names no program", "write a program and its arguments as `run`")
    if "/" not in program or os.path.isabs(program):
        return
    root = os.path.realpath(folder)
    if os.path.commonpath([os.path.realpath(os.path.join(root, program)), root]) != root:
        raise PersonNeeded(
            f"{printable(program)} leads out of the bundle",
            "write ./name of a file in the bundle, or the name of a program that is installed",
        )


def _judged(check: Check, ran: process.Ran) -> CheckResult:
    def result(verdict: Verdict, message: str) -> CheckResult:
        return CheckResult(check.name, verdict, message, ran.output)

    program = printable(os.path.basename(check.run[0]))
    match ran.cut_short:
        case "stopped":
            return result("stopped", f"{program} was stopped")
        case "out of time":
            limit = spell(_limit(check))
            return result(
                "failed", f"{program} took longer than {limit} and was ended (see why, or allow a longer timeout)"
            )
        case None:
            pass
        case _:
            assert_never(ran.cut_short)
    if ran.exit == 0:
        return result("passed", f"{program} passed")
    if ran.exit == wording.TRY_AGAIN:
        return result("later", f"{program} does not know yet")
    return result("failed", wording.ended(program, ran))


def _limit(check: Check) -> timedelta:
    return TIMEOUT if check.timeout is None else check.timeout


@contextmanager
def _scratch(app: str, data: Path, work: Work) -> Iterator[str]:
    """An empty directory for one run, gone afterwards. Held by a lock that ends with this process, so that the
    next run anywhere can tell what a killed one has left. Raises OSError."""
    above = os.path.join(os.path.abspath(data), "checks")
    os.makedirs(above, exist_ok=True)
    _sweep(above, work)
    place, lock = _held(above, app)
    try:
        folder = os.path.join(place, "bundle")
        os.mkdir(folder)
        yield folder
    finally:
        _remove(place)
        os.close(lock)


def _held(above: str, app: str) -> tuple[str, int]:
    while True:
        place = tempfile.mkdtemp(prefix=f"{app}-", dir=above)
        with suppress(FileNotFoundError):
            lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.isdir(place):
                return place, lock
            # Another run took it for a leftover between these lines.
            os.close(lock)


def _sweep(above: str, work: Work) -> None:
    """Remove what killed runs have left, and end what still runs in there."""
    for name in os.listdir(above):
        place = os.path.join(above, name)
        try:
            lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or nothing of ours
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftovers.end_leftovers({"RECONCILER_BUNDLE": os.path.join(place, "bundle")}, work.stop)
            _remove(place)
        except (BlockingIOError, TryAgainLater):
            continue  # it runs, or does not end yet: the next run sees to it
        finally:
            os.close(lock)


def _remove(place: str) -> None:
    shutil.rmtree(place, ignore_errors=True)
    if not os.path.isdir(place):
        return
    # What the command made may be read-only, as the caches of some build tools are.
    for folder, below, _ in os.walk(place):
        for name in below:
            inside = os.path.join(folder, name)
            if not os.path.islink(inside):
                with suppress(OSError):
                    os.chmod(inside, 0o700)
    shutil.rmtree(place, ignore_errors=True)
