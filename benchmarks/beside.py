"""What runs beside a benchmark as a process of its own: a daemon with its HTTP face, and the bare framework?"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.readers import Read
from benchmarks.world import PATIENCE, World

_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Listening:
    """A process that answers at a port."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of processor that it has used, all its threads."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS

    def memory(self, what: str) -> float:
        """MB: what is in memory now (VmRSS), or the most that ever was (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024 / 1e6


@contextmanager
def daemon(world: World) -> Iterator[Listening]:
    """`reconciler run` with its `serve`, both as a user has them; the latter is what is told of."""
    port = free_port()
    file = world.place / "with-faces.yaml"
    file.write_text(json.dumps({**world.given, "api": {"listen": f"127.0.0.1:{port}"}}))
    with _process(["-m", "reconciler", "run", "--config", str(file)], world.scratch / "daemon.log") as process:
        _await(process, port, "/ui/", world.scratch / "daemon.log")
        yield Listening(_serving(process.pid), port)


@contextmanager
def framework(scratch: Path) -> Iterator[Listening]:
    """The same framework with nothing of ours."""
    port = free_port()
    with _process(["-m", "benchmarks.fixed", str(port)], scratch / "fixed.log") as process:
        _await(process, port, "/bytes/1", scratch / "fixed.log")
        yield Listening(process.pid, port)


def require_answers(face: Listening, read: Read) -> None:
    """Raise AssertionError where nobody was answered, with how the process fares that owed it."""
    assert read.requests, (
        f"nobody was answered in {read.seconds:.1f} s, and {read.errors} connections were lost; {_fares(face)}"
    )


def _fares(face: Listening) -> str:
    """What it answers now, what it works, and what its threads wait for."""
    worked, begun = face.cpu, time.perf_counter()
    said = ", ".join(f"{path}: {_answer(face.port, path)}" for path in ("/healthz", "/deployments?limit=1"))
    part = (face.cpu - worked) / (time.perf_counter() - begun)
    waits = sorted(_waits(Path(task)) for task in Path(f"/proc/{face.pid}/task").iterdir())
    return f"{said}; busy for {part:.0%} of that; its threads: {', '.join(waits)}"


def _answer(port: int, path: str) -> str:
    begun = time.perf_counter()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as found:
            said = str(found.status)
    except OSError as error:
        said = str(error)
    return f"{said} after {time.perf_counter() - begun:.2f} s"


def _waits(task: Path) -> str:
    with suppress(OSError):
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        return f"{state} {(task / 'wchan').read_text()}"
    return "ended"


@contextmanager
def _process(arguments: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        process = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.DEVNULL, stderr=said, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _await(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers at port {port}: {log.read_text()[-2000:]}")


def _serving(daemon: int) -> int:
    """The child of a daemon that serves."""
    for task in Path(f"/proc/{daemon}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"serve" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    raise RuntimeError("the daemon serves nothing")
