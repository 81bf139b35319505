"""Kills a reconciler at its first write, at its second, and so on, over everything that it does, and looks what comes.

    python -m tests.faults.every_write DIRECTORY EVERY FROM

The story has a release with its promotions, a rollout with steps, a revert, the edge of a season, and a failure whose
rollback is held and whose revert is written onto a branch. Each chapter is first lived through undisturbed. Then, for
every EVERY-th write from the FROM-th on, it begins again where it began, a child process is killed at that write,
another one goes on undisturbed, and what stands at the end is compared with what stood there undisturbed. Run as a
process of its own, since it forks; prints what it did as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from reconciler.store import ledger
from reconciler.store.database import Database
from tests.beforehand import live_once
from tests.faults.killer import Killer
from tests.playing import InOrder, read
from tests.stores import Kept
from tests.world import CHAIN, World, app_manifest, season_manifest

PLACES = [(app, environment) for environment in (*CHAIN, "edge") for app in ("shop", "mail")]
LOGS = """test -e broken && exit 3; echo "$RECONCILER_DEPLOYMENT" >> {place}/carried-out"""
RETRY = {"limit": 0}
ROLLOUT = {"steps": [25, 100], "interval": "10m"}

OF_A_KILL = ("deployment.attempt", "daemon.lost", "daemon.leads")
"""What was carried out when the process was killed is carried out again, which is told as another attempt; and where
there could be several daemons, that this one was lost and another one leads."""


def manifest(kind: str, name: str, **spec: Any) -> str:
    return json.dumps({"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def environments(world: World) -> str:
    """The chain, the last of which takes a release in steps; and one that is carried out by a command."""
    command = {"type": "exec", "command": ["sh", "-c", LOGS.format(place=world.directory)]}
    made = [
        manifest("Environment", "sandbox", track="latest", retry=RETRY),
        manifest("Environment", "pre-release", track="sandbox", retry=RETRY),
        manifest("Environment", "live", track="pre-release", retry=RETRY, rollout=ROLLOUT),
        manifest("Environment", "edge", track="sandbox", retry=RETRY, target=command),
    ]
    return "\n---\n".join(made)


def begin(world: World) -> None:
    start = world.now + timedelta(hours=5)
    season = season_manifest(
        "sale", start.isoformat(), (start + timedelta(days=1)).isoformat(), config={"tone": "Sale"}
    )
    files = {"environments.yaml": environments(world), "sale.yaml": season}
    for app, text in (("shop", "one"), ("mail", "first")):
        places = [*CHAIN, "edge"] if app == "shop" else ["sandbox", "edge"]
        files |= {
            f"{app}.yaml": app_manifest(app, environments=places, config={"tone": "Hello"}),
            f"{app}/index.html": text,
        }
    world.commit("Begin", files)


def change(world: World) -> None:
    world.later(hours=1)
    world.commit("Two", {"shop/index.html": "two", "shop/about.html": "about"})


def step(world: World) -> None:
    world.later(minutes=10)


def revert(world: World) -> None:
    world.later(hours=1)
    world.repo.revert("HEAD")
    world.repo.push()


def season(world: World) -> None:
    world.later(hours=4)


def failure(world: World) -> None:
    world.commit("Break", {"shop/broken": "", "mail/index.html": "second"})


CHAPTERS: dict[str, Callable[[World], None]] = {
    "release and promotion": begin,
    "rollout begins": change,
    "rollout goes on": step,
    "revert": revert,
    "revert goes on": step,
    "season": season,
    "failure and hold": failure,
}


def live_on(world: World, last: int, report: Path | None = None) -> int:
    """Let a child process settle, killed at its `last`-th write; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            killer = Killer(f"{world.directory}/", last)
            killer.install()
            with world.running() as found:
                InOrder(PLACES).take_over(found)
                found.daemon.settle()
            if report is not None:
                report.write_text(json.dumps(killer.seen))
            os._exit(0)
        except BaseException as wrong:  # noqa: BLE001 - the child says how it ended
            sys.stderr.write(f"{type(wrong).__name__}: {wrong}\n")
            os._exit(1)
    return os.waitpid(child, 0)[1]


def standing(world: World) -> dict[str, Any]:
    """What stands: all that is recorded, what lies in every target, and the branches of the repository."""
    store = Database(world.settings["state"]["url"])
    try:
        with store.read() as connection:
            found = read(connection, ("shop", "mail"))
            assert ledger.verify(connection).broken_after is None
            assert ledger.damage(connection) == []
    finally:
        store.close()
    log = world.directory / "carried-out"
    return {
        "deployments": {
            place: [(d.id, d.number, d.status, d.cause, d.error) for d in ones]
            for place, ones in found.deployments.items()
        },
        "facts": sorted((one["kind"], one["subject"] or "") for one in found.facts if one["kind"] not in OF_A_KILL),
        "ending": found.ending(),
        "suspects": found.suspects,
        "released": sorted(released(world)),
        "branches": world.home.git("for-each-ref", "--format=%(refname) %(tree)"),
        "carried out": list(dict.fromkeys(log.read_text().split())) if log.exists() else [],
    }


def released(world: World) -> Iterator[tuple[str, str]]:
    """Every file of the releases, and where the links lead."""
    base = world.directory / "state" / "releases"
    for folder, folders, names in os.walk(base):
        for name in [*folders, *names]:
            path = Path(folder) / name
            if path.is_symlink():
                yield str(path.relative_to(base)), os.readlink(path)
            elif path.is_file():
                # Which turn of which process it was is noted there: another one, after a kill.
                yield str(path.relative_to(base)), "" if path.parent.name == ".reconciler" else path.read_text()
            else:
                yield str(path.relative_to(base)), ""


def twice(world: World) -> int:
    """How often the command was carried out again for what it had carried out."""
    log = world.directory / "carried-out"
    lines = log.read_text().split() if log.exists() else []
    return len(lines) - len(set(lines))


class Before:
    """A world as it was at one moment: its directory and its store."""

    def __init__(self, world: World, place: Path) -> None:
        self._world, self._place = world, place
        shutil.copytree(world.directory, place, symlinks=True)
        self._store = Kept(world.settings["state"]["url"])

    def put_back(self) -> None:
        """The world is so again."""
        shutil.rmtree(self._world.directory)
        shutil.copytree(self._place, self._world.directory, symlinks=True)
        self._store.put_back()

    def forget(self) -> None:
        """It is not needed any more."""
        shutil.rmtree(self._place)
        self._store.forget()


def main(base: Path, every: int, first: int) -> dict[str, Any]:
    """All chapters; how many writes each has, and what was found wrong."""
    live_once()
    world = World(base / "world")
    world.laid_out = False  # what makes the store is killed as well
    told: dict[str, Any] = {"writes": {}, "kills": 0, "wrong": [], "again": 0}
    started, at = time.monotonic(), 0
    for name, chapter in CHAPTERS.items():
        chapter(world)
        kept = Before(world, base / "before")
        assert live_on(world, 0, base / "writes") == 0, f"undisturbed: {name}"
        writes = json.loads((base / "writes").read_text())
        told["writes"][name] = len(writes)
        expected, before = standing(world), twice(world)
        assert before == 0
        calm = Before(world, base / "calm")
        for number, what in enumerate(writes, 1):
            at += 1
            if at < first or (at - first) % every:
                continue
            kept.put_back()
            status = live_on(world, number)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            ended = live_on(world, 0)
            told["kills"] += killed
            told["again"] += twice(world)
            found = standing(world) if ended == 0 else {}
            differing = [key for key in expected if found.get(key) != expected[key]]
            if differing or twice(world) > 1 or not killed:
                wrong = {
                    "chapter": name,
                    "write": number,
                    "what": what,
                    "status": status,
                    "ended": ended,
                    "differs": differing,
                }
                if differing:
                    key = differing[0]
                    wrong |= {"expected": repr(expected[key])[:2000], "found": repr(found.get(key))[:2000]}
                told["wrong"].append(wrong)
        calm.put_back()
        kept.forget()
        calm.forget()
    told["seconds"] = round(time.monotonic() - started, 1)
    return told


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
