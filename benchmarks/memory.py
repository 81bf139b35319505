"""How much memory does a reconciler have after loading, and how much does importing the same modules cost?

python -m benchmarks.memory load SETTINGS     prints what it has after a load, and the modules
python -m benchmarks.memory import            reads names of modules, imports them, prints what it has
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def resident() -> float:
    """What is in memory of this process now, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def peak() -> float:
    """The most that was in memory of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def load(settings: str) -> dict[str, Any]:
    from benchmarks.world import now, quiet
    from reconciler.config import SETTINGS
    from reconciler.wiring import running

    quiet()
    with running(SETTINGS.validate_json(settings), now) as found:
        found.cycle.turn(now())
        has = resident()
        return {"resident": has, "peak": peak(), "modules": sorted(sys.modules)}


def after_imports(modules: list[str]) -> dict[str, Any]:
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)
    return {"resident": resident()}


def measure(repository: Path, state: Path) -> dict[str, float]:
    """What a cold load adds to what its modules cost, now and at most, in MB."""
    settings = {
        "repository": {"url": str(repository)},
        "state": {"url": f"sqlite:///{state}/reconciler.db"},
        "data": str(state),
    }
    loaded = _child("load", json.dumps(settings), None)
    bare = _child("import", "", json.dumps(loaded["modules"]))
    return {
        "imports": bare["resident"],
        "added": loaded["resident"] - bare["resident"],
        "peak": loaded["peak"] - bare["resident"],
    }


def _child(what: str, given: str, stdin: str | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.memory", what, given]
    done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[2]) if sys.argv[1] == "load" else after_imports(json.load(sys.stdin))))
