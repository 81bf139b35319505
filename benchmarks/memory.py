"""How long does a reconciler load, how much memory has it then, and how much costs importing the same modules?

python -m benchmarks.memory load SETTINGS     a cold load: prints how long it took, what it has, and the modules
python -m benchmarks.memory restart SETTINGS  a start over a store in which everything is done
python -m benchmarks.memory import            reads names of modules, imports them, prints what it has
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import ROOT


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
    """One turn from nothing; what git holds is fetched before the clock starts, and told apart."""
    from benchmarks.world import now, quiet
    from reconciler.config import SETTINGS
    from reconciler.wiring import running

    quiet()
    with running(SETTINGS.validate_json(settings), now) as found:
        found.following.mirror.fetch()
        took = [0.0]
        note = found.following.note

        def noting(*arguments: Any) -> int:
            begun = time.perf_counter()
            count = note(*arguments)
            took[0] = max(took[0], time.perf_counter() - begun)
            return count

        found.following.note = noting  # type: ignore[method-assign]
        begun = time.perf_counter()
        found.cycle.turn(now())
        beginning = time.time()
        planned, whole = "SELECT max(sequence) FROM deployments", "SELECT count(*) FROM placements"
        with found.database.read() as connection:
            size = connection.exec_driver_sql(whole).scalar_one()
            apps = connection.exec_driver_sql(planned).scalar_one()
        while apps < size:  # a turn plans a part of them; what it planned is deployed meanwhile
            found.cycle.turn(now())
            with found.database.read() as connection:
                apps = connection.exec_driver_sql(planned).scalar_one()
        turn = time.perf_counter() - begun
        has = resident()
        return {
            "resident": has,
            "peak": peak(),
            "noted": took[0],
            "turn": turn,
            "beginning": beginning,
            "apps": apps,
            "modules": sorted(sys.modules),
        }


def restart(settings: str) -> dict[str, Any]:
    """Turns until one has nothing to do."""
    from benchmarks.world import now, quiet
    from reconciler.config import SETTINGS
    from reconciler.wiring import running

    quiet()
    with running(SETTINGS.validate_json(settings), now) as found:
        did = found.cycle.turn(now()).begun
        while found.cycle.turn(now()).did_something or not found.pool.idle:
            did += 1
        return {"resident": resident(), "did_something": bool(did)}


def after_imports(modules: list[str]) -> dict[str, Any]:
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)
    return {"resident": resident()}


@dataclass(frozen=True, slots=True)
class Load:
    """What a cold load in a process of its own took: seconds and MB."""

    noted: float
    """Until everything that git declares is recorded."""
    turn: float
    """Until everything is planned and durable besides."""
    beginning: float
    """From the start of the process, with the first clone, until everything is recorded and the first deployments have
    begun."""
    whole: float
    """From the start of the process, with the first clone, to its end."""
    apps: int
    imports: float
    added: float
    peak: float
    """Both on top of what the imports took."""
    highest: float
    """The most of the whole process."""


def measure(settings: str) -> Load:
    """A cold load, and what importing its modules costs alone."""
    begun, moment = time.perf_counter(), time.time()
    loaded = _child("load", settings, None)
    whole = time.perf_counter() - begun
    bare = float(_child("import", "", json.dumps(loaded["modules"]))["resident"])
    return Load(
        noted=loaded["noted"],
        turn=loaded["turn"],
        beginning=loaded["beginning"] - moment,
        whole=whole,
        apps=loaded["apps"],
        imports=bare,
        added=loaded["resident"] - bare,
        peak=loaded["peak"] - bare,
        highest=loaded["peak"],
    )


def command(what: str, given: str) -> list[str]:
    """How a process of this module is started."""
    return [sys.executable, "-m", "benchmarks.memory", what, given]


def _child(what: str, given: str, stdin: str | None) -> dict[str, Any]:
    done = subprocess.run(command(what, given), input=stdin or "", capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"a process of its own, {what}, ended with {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _main(what: str, *given: str) -> dict[str, Any]:
    match what:
        case "load":
            return load(given[0])
        case "restart":
            return restart(given[0])
        case _:
            return after_imports(json.load(sys.stdin))


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
