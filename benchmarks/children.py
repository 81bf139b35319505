"""What does one process cost from its start to its end: time, processor, memory?"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_WATCH = """
import os, sys, time
begun = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - begun
with open(sys.argv[1], "w") as told:
    told.write(f"{wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process begins its life as a copy of the one that starts it, memory and all: so a small one starts it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process and of those that it started."""

    wall: float
    cpu: float
    """Seconds of processor, user and system."""
    memory: float
    """The most that the largest of these processes had in memory, in MB."""
    output: str


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    statuses: Sequence[int] = (0,),
) -> Cost:
    """Run a command to its end. Raises RuntimeError when it ends in another way than one of `statuses`."""
    with tempfile.NamedTemporaryFile() as told, tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _WATCH, told.name, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
        said.seek(0)
        output = said.read().decode("utf-8", "replace")
        words = told.read().split()
    if done.returncode not in statuses or len(words) != 3:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{output[-2000:]}")
    wall, cpu, kilobytes = map(float, words)
    return Cost(wall, cpu, kilobytes * 1024 / 1e6, output)


def ours(settings: Path, *arguments: str, statuses: Sequence[int] = (0,)) -> Cost:
    """Run the command of this project, interpreter start and all.

    With its bytecode, as pip leaves it when it installs something, and as the peers have theirs.
    """
    command = [sys.executable, "-m", "reconciler", *arguments, "--config", settings]
    return run(command, env={"PYTHONDONTWRITEBYTECODE": ""}, statuses=statuses)


def middle(costs: Sequence[Cost]) -> Cost:
    """The medians of several runs."""
    return Cost(
        statistics.median(one.wall for one in costs),
        statistics.median(one.cpu for one in costs),
        statistics.median(one.memory for one in costs),
        costs[-1].output,
    )
