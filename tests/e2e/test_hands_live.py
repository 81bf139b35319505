"""Are very many deployments carried out once each, whoever of those that do it is killed in the midst?"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.e2e.daemon import Live, environment_manifest
from tests.faults.aftermath import recorded_once, released_once, verified
from tests.processes import beside, dead_children
from tests.world import app_manifest

APPS = tuple(f"app-{number:03}" for number in range(160))
CONCURRENTLY = 50


def data(live: Live) -> Path:
    return Path(live.settings["data"])


def begin(live: Live) -> set[int]:
    """Many apps in one environment; the processes that others are carried out by from now on."""
    files: dict[str, str | bytes | None] = {
        "environments.yaml": environment_manifest("live", "latest", concurrency=CONCURRENTLY)
    }
    files |= {f"{name}.yaml": app_manifest(name, environments=["live"]) for name in APPS}
    live.commit("Begin", {**files, **texts("one")})
    live.start()
    live.wait_for(lambda: running(live, "one") == len(APPS), "the first version of each runs")
    live.wait_for(lambda: len(beside(data(live))) == 4, "others are ready for the next ones")
    assert live.process is not None
    assert live.process.pid not in beside(data(live))
    return beside(data(live))


def texts(text: str) -> dict[str, str | bytes | None]:
    return {f"{name}/index.html": text for name in APPS}


def running(live: Live, text: str) -> int:
    """How many apps run this."""
    return sum(live.runs("live", app=name) == text for name in APPS)


def change(live: Live) -> None:
    """Change all of them, and wait until that is under way."""
    live.commit(f"Everything\n\nAllow-Mass-Change: {len(APPS)}", texts("two"))
    live.wait_for(lambda: running(live, "two"), "the first ones run")


def check(live: Live) -> None:
    """Each has had its two deployments, and no other."""
    live.wait_for(lambda: running(live, "two") == len(APPS), "everything runs")
    live.wait_for(lambda: {stories(live, name) for name in APPS} == {("completed", "completed")}, "it is recorded")
    for name in APPS:
        recorded_once(live, name, "live")
        released_once(live, name, "live")
    live.wait_for(lambda: verified(live), "the ledger is sound and sealed")


def stories(live: Live, app: str) -> tuple[str, ...]:
    return tuple(one.status for one in live.history(app))


def test_those_who_carry_them_out_are_killed(live: Live) -> None:
    others = begin(live)
    change(live)
    for pid in others & beside(data(live)):
        os.kill(pid, signal.SIGKILL)
    assert running(live, "one"), "all was done before"
    check(live)
    assert live.process is not None
    live.wait_for(lambda: not dead_children(live.process.pid), "those that are dead are taken note of")
    live.terminate()
    assert beside(data(live)) == set()


def test_the_daemon_is_killed(live: Live) -> None:
    others = begin(live)
    change(live)
    live.kill()
    assert running(live, "one"), "all was done before"
    live.start()
    check(live)
    live.wait_for(lambda: others.isdisjoint(beside(data(live))), "those of the old one have ended")
    live.terminate()
    assert beside(data(live)) == set()
