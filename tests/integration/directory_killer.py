"""Kills a deployment to a directory after its first line of code, after its second, and so on, and looks what is left.

Run by `test_target_directory_killed.py` as a process of its own, since it forks. Prints how often it killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import reconciler.targets
from reconciler.model.release import Release
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import PLAIN, Rehearsal, release, version

ROOM = os.path.dirname(reconciler.targets.__file__)


def kill_after(lines: int) -> None:
    """SIGKILL this process when it has run so many lines of the targets' code."""

    def each_line(_frame: FrameType, event: str, _argument: object):
        nonlocal lines
        if event == "line":
            lines -= 1
            if lines == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    def each_call(frame: FrameType, _event: str, _argument: object):
        return each_line if frame.f_code.co_filename.startswith(ROOM) else None

    sys.settrace(each_call)


def survived(target: DirectoryTarget, wanted: Release, lines: int) -> bool:
    """Deploy in a child that is killed on its way; False when it was killed."""
    child = os.fork()
    if child == 0:
        kill_after(lines)
        target.deploy(wanted, Rehearsal().work())
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL
    return os.WIFEXITED(status)


def whole(app: Path) -> str:
    """The deployment that `current` leads to, all files of which must be there."""
    leads_to = os.readlink(app / "current")
    for share in json.loads((app / "traffic.json").read_text()):
        for name, content in PLAIN.items():
            assert (app / share["directory"] / str(name)).read_text() == content
    for name, content in PLAIN.items():
        assert (app / leads_to / str(name)).read_text() == content
    return str(json.loads((app / leads_to / ".reconciler.json").read_text())["deployment"])


def main(base: Path, step: int) -> None:
    target = DirectoryTarget("live", {"path": str(base), "keep": 1}, base)
    app = base / "booking"
    for number in range(4):
        target.deploy(release(f"before-{number}", version(1)), Rehearsal().work())
    last, lines, kills = "before-3", 1, 0
    while True:
        wanted = release(f"d{lines}", version(1, 20), version(2, 80))
        done = survived(target, wanted, lines)
        assert whole(app) in ({wanted.deployment} if done else {wanted.deployment, last})
        target.deploy(wanted, Rehearsal().work())
        assert whole(app) == wanted.deployment
        assert {path.name for path in app.iterdir()} == {".reconciler", "current", "releases", "traffic.json"}
        assert sorted(path.name for path in (app / "releases").iterdir()) == sorted(
            [wanted.deployment, f"{wanted.deployment}.1", last, *([f"{last}.1"] if kills else [])]
        )
        noted = {path.name.removesuffix(".files") for path in (app / ".reconciler").iterdir()}
        assert noted == {path.name for path in (app / "releases").iterdir()} | {"order.json"}
        assert target.observe("booking").changed == ()
        if done:
            break
        last, lines, kills = wanted.deployment, lines + step, kills + 1
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
