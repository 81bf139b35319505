"""How do others do on equal terms? Each makes its own input, is installed apart, and is timed from outside.

Nothing of them is a part of this project: they are installed by pip into an environment of their own in `.peers/`,
at the versions that the files beside this one pin. Runs are checked by what they print or leave behind.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from benchmarks.children import ROOT, Cost

CACHE = ROOT / ".peers"
PINS = Path(__file__).parent


class Peer(Protocol):
    """One of them over a number of items, everything applied once."""

    def nothing_to_do(self) -> Cost:
        """A run that finds nothing to do; checked."""

    def one_change(self) -> Cost:
        """One item was changed just before; a run that applies it; checked."""


def environment(name: str) -> Path:
    """The `bin` of a peer's own environment; made when it is not there, anew when the pins have changed."""
    pins, place = PINS / f"{name}.txt", CACHE / name
    stamp = place / "installed.txt"
    if stamp.exists() and stamp.read_bytes() == pins.read_bytes():
        return place / "bin"
    print(f"installing {name} into .peers/{name} …", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
    pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--requirement", pins], check=True)
    stamp.write_bytes(pins.read_bytes())
    return place / "bin"


def path_of(binaries: Path) -> Mapping[str, str]:
    """The variables with which a peer's programs find each other."""
    import os

    return {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


def body(number: int, revision: int = 1) -> str:
    """The file of one app, forty lines, as the peers that manage files have it."""
    lines = "".join(f"key{key}: value{key}\n" for key in range(37))
    return f"app: a{number:06d}\nenvironment: prod\nversion: {revision}\n{lines}"
