"""Does a process that was stopped in the middle of a deployment, and comes back, change nothing that is newer?

Each test stops a real process by SIGSTOP where it reaches a given line of the targets' code, as a machine does that
is paused, and lets it go on after others have been at work.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import Superseded, TryAgainLater
from reconciler.targets import locks
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version

STOPPING = """
import os, signal, sys
from pathlib import Path
from reconciler.errors import ReconcilerError
from reconciler.targets import locks
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.release_change import ReleaseChange
from reconciler.targets.rehearsal import Rehearsal, release, version

def stopping(name, room):
    real = getattr(room, name)
    def stopped(*given):
        os.kill(os.getpid(), signal.SIGSTOP)
        return real(*given)
    setattr(room, name, stopped)

base, where = Path(sys.argv[1]), sys.argv[2]
stopping(*{"before the lock": ("alone_in", locks), "before the switch": ("_lead", ReleaseChange)}[where])
target = DirectoryTarget("live", {"path": str(base)}, base)
try:
    target.deploy(release("d2", version(2), number=2, fence=1), Rehearsal().work())
    print("done")
except ReconcilerError as wrong:
    print(type(wrong).__name__, wrong)
"""


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    made = DirectoryTarget("live", {"path": str(tmp_path)}, tmp_path)
    made.deploy(release("d1", version(1), number=1), Rehearsal().work())
    return made


@contextmanager
def stopped(base: Path, where: str) -> Iterator[subprocess.Popen[str]]:
    """A process that carries out `d2` and has been stopped there."""
    with subprocess.Popen([sys.executable, "-c", STOPPING, base, where], stdout=subprocess.PIPE, text=True) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status
        try:
            yield process
        finally:
            process.kill()


def goes_on(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGCONT)
    return process.communicate(timeout=60)[0].strip()


def runs(target: DirectoryTarget) -> str | None:
    observed = target.observe("booking")
    assert observed is not None
    assert observed.changed == ()
    return observed.deployment


@pytest.mark.parametrize(
    ("newer", "fence", "says"),
    [
        ("d3", 1, "Superseded a newer deployment took effect: d3"),
        ("d2", 2, "Superseded this deployment was handed out again, and that took effect"),
    ],
)
def test_stopped_before_it_was_alone_it_does_nothing_when_it_goes_on(target, tmp_path, newer, fence, says):
    with stopped(tmp_path, "before the lock") as process:
        target.deploy(release(newer, version(3), number=int(newer[1]), fence=fence), Rehearsal().work())
        assert goes_on(process).startswith(says)
    assert runs(target) == newer
    assert sorted(path.name for path in (tmp_path / "booking/releases").iterdir()) == ["d1", newer]


def test_stopped_before_it_was_alone_it_puts_back_nothing_that_was_retired(target, tmp_path):
    with stopped(tmp_path, "before the lock") as process:
        target.retire(release("d3", number=3), Rehearsal().work())
        assert goes_on(process).startswith("Superseded a newer deployment took effect: d3")
    assert target.observe("booking") is None


def test_stopped_within_the_change_others_wait_for_it_by_its_number_and_it_ends_what_it_began(target, tmp_path):
    with stopped(tmp_path, "before the switch") as process:
        for newer in (release("d2", version(2), number=2, fence=2), release("d3", version(3), number=3)):
            with pytest.raises(TryAgainLater, match=f"process {process.pid} is changing booking"):
                target.deploy(newer, Rehearsal().work())
        assert os.readlink(tmp_path / "booking/current") == "releases/d1"
        assert goes_on(process) == "done"
    assert runs(target) == "d2"
    target.deploy(release("d2", version(2), number=2, fence=2), Rehearsal().work())
    assert runs(target) == "d2"
    with pytest.raises(Superseded):
        target.deploy(release("d2", version(2), number=2, fence=1), Rehearsal().work())


def test_what_was_given_back_is_free_although_commands_are_being_started(tmp_path):
    over = threading.Event()

    def start() -> None:
        while not over.is_set():
            subprocess.run(["true"], check=True)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(1000):
            with locks.alone_with(str(tmp_path / "it.lock"), "it"):  # which does not wait
                pass
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_killed_while_it_is_stopped_within_the_change_others_go_on(target, tmp_path):
    with stopped(tmp_path, "before the switch") as process:
        process.kill()
        process.wait(timeout=60)
        target.deploy(release("d2", version(2), number=2, fence=2), Rehearsal().work())
    assert runs(target) == "d2"
    shares = json.loads((tmp_path / "booking/traffic.json").read_text())
    assert [share["directory"] for share in shares] == ["releases/d2"]
