"""How are images built and containers run, by podman or docker, whichever is there?

What machines differ in comes from outside: `BUILD_ARGS` is given to the build (a network, certificates that only this
machine trusts), `IMAGE` names an image that is there already, and podman reads `CONTAINERS_CONF` by itself.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STATE = "/var/lib/reconciler/state"
PATIENCE = 90.0
_FOUND = next((name for name in ("podman", "docker") if shutil.which(name)), "podman")
HARDENED = (
    "--read-only",
    *(["--read-only-tmpfs=false"] if _FOUND == "podman" else []),  # else it is less strict than docker
    "--tmpfs=/tmp",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
)
_ASKING = """
import sys
from http.client import HTTPConnection
asked = HTTPConnection("127.0.0.1", 8080, timeout=30)
asked.request("GET", sys.argv[1], headers={"Authorization": sys.argv[2]} if sys.argv[2] else {})
answer = asked.getresponse()
print(answer.status, answer.read().decode(), sep="\\n")
"""
_ENDED = """
from pathlib import Path
for place in Path("/proc").glob("[0-9]*/stat"):
    name, _, rest = place.read_text().rpartition(") ")
    if rest[0] == "Z":
        print(name)
"""


def engine(*arguments: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """What the engine says. Its complaints come with the failure."""
    done = subprocess.run([_FOUND, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0 or not check, f"{shlex.join([_FOUND, *arguments])}\n{done.stdout}\n{done.stderr}"
    return done


def compose(*arguments: str, directory: Path) -> str:
    """What `docker compose` says, or podman's like, of the `compose.yaml` in a directory."""
    theirs = [str(Path(sys.executable).with_name("podman-compose"))] if _FOUND == "podman" else ["docker", "compose"]
    done = subprocess.run(
        [*theirs, *arguments], cwd=directory, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{shlex.join([*theirs, *arguments])}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built() -> str:
    """The image, built from this checkout unless another is named."""
    if named := os.environ.get("IMAGE"):
        return named
    form = ["--format=docker"] if _FOUND == "podman" else []  # the other form has no health check
    more = shlex.split(os.environ.get("BUILD_ARGS", ""))
    engine("build", *form, *more, "--tag=reconciler", f"--file={ROOT / 'Dockerfile'}", str(ROOT), timeout=1_200)
    return "reconciler"


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, with patience for a machine that has other work."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.2)


class Container:
    """One container by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def exec(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        return engine("exec", self.name, *command, check=check)

    def reconciler(self, *arguments: str) -> Any:
        """What a command of the reconciler prints inside, as JSON."""
        return json.loads(self.exec("reconciler", *arguments, "--output=json").stdout)

    def asked(self, path: str, token: str = "") -> tuple[int, str]:
        """Status and body of a path of its HTTP API, asked from inside."""
        done = self.exec("python", "-c", _ASKING, path, f"Bearer {token}" if token else "")
        status, _, body = done.stdout.partition("\n")
        return int(status), body

    def healthy(self) -> bool:
        """Whether the engine calls it healthy."""
        if _FOUND == "podman":  # without systemd nobody else looks
            engine("healthcheck", "run", self.name, check=False)
        return self.inspected("{{.State.Health.Status}}") == "healthy"

    def inspected(self, template: str) -> str:
        """Something of what the engine knows of it."""
        return engine("inspect", "--format", template, self.name).stdout.strip()

    def processes(self) -> list[str]:
        """The command of each process inside, by number."""
        script = "for one in /proc/[0-9]*; do tr '\\0' ' ' < $one/cmdline; echo; done"
        return [line for line in self.exec("sh", "-c", script).stdout.splitlines() if line]

    def zombies(self) -> list[str]:
        """Processes that have ended and that nobody has taken in."""
        return self.exec("python", "-c", _ENDED).stdout.splitlines()

    def log(self) -> str:
        """What it wrote."""
        done = engine("logs", self.name, check=False)
        return done.stdout + done.stderr
