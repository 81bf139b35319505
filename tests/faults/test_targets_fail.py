"""What happens while a target hangs, is slow, is killed, flaps, or its directory is not what it was?"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.daemon import Live, environment_manifest, exec_target
from tests.faults import aftermath
from tests.world import app_manifest

CARRIES_OUT = """
echo $$ >> {place}/pids
{what}
echo "$RECONCILER_DEPLOYMENT" >> {place}/carried-out
"""


def begin(live: Live, what: str, **spec: object) -> None:
    """One environment, carried out by a command that does something first and then notes that it did."""
    settings = {name: spec.pop(name) for name in ("timeout",) if name in spec}
    target = exec_target(CARRIES_OUT.format(place=live.directory, what=what.format(place=live.directory)), **settings)
    retry = {"limit": 3, "backoff": "1s"}
    environment = environment_manifest("live", "latest", target=target, retry=retry, **spec)
    app = app_manifest(environments=["live"])
    live.commit("Begin", {"environments.yaml": environment, "shop.yaml": app, "shop/index.html": "one"})


def lines(live: Live, name: str) -> list[str]:
    place: Path = live.directory / name
    return place.read_text().split() if place.exists() else []


def completed(live: Live, number: int) -> bool:
    """Whether the newest deployment completed and released this version."""
    last = live.history()[-1]
    return last.status == "completed" and [part.number for part in last.traffic] == [number]


def check(live: Live, once: bool = True) -> None:
    aftermath.check(live, environments=["live"])
    done = lines(live, "carried-out")
    assert {one.id for one in live.history() if one.status == "completed"} <= set(done)
    assert not once or len(done) == len(set(done))


@pytest.mark.long
def test_a_command_that_ignores_term_is_ended_and_tried_again(live: Live) -> None:
    begin(live, "test -e {place}/go || {{ trap '' TERM; while :; do sleep 0.05; done; }}", timeout="1s")
    live.start()
    live.wait_for(lambda: lines(live, "pids"), "the command runs")
    live.wait_for(lambda: aftermath.said(live, "deployment.attempt-failed"), "it is given up")
    (live.directory / "go").touch()
    assert "took longer than 1s and was ended" in aftermath.said(live, "deployment.attempt-failed")[0]["error"]
    live.wait_for(lambda: completed(live, 1), "another attempt does it")
    assert not [pid for pid in lines(live, "pids") if Path(f"/proc/{pid}").exists()]
    check(live)


def test_a_command_that_is_killed_is_tried_again(live: Live) -> None:
    begin(live, "test -e {place}/go || sleep 600")
    live.start()
    live.wait_for(lambda: lines(live, "pids"), "the command runs")
    os.killpg(int(lines(live, "pids")[0]), signal.SIGKILL)
    (live.directory / "go").touch()
    live.wait_for(lambda: completed(live, 1), "another attempt does it")
    assert "was ended by SIGKILL" in aftermath.said(live, "deployment.attempt-failed")[0]["error"]
    check(live)


def test_a_slow_target_gets_the_newest_version_and_none_of_those_between(live: Live) -> None:
    begin(live, "while ! test -e {place}/go; do sleep 0.02; done")
    live.start()
    live.wait_for(lambda: lines(live, "pids"), "the command runs")
    for number in range(2, 8):
        live.commit(f"Change {number}", {"shop/index.html": str(number)})
    live.wait_for(lambda: len(live.versions()) == 7, "all are noted")
    (live.directory / "go").touch()
    live.wait_for(lambda: completed(live, 7), "the newest runs")
    assert len(lines(live, "pids")) <= 3
    check(live)


def test_a_target_that_flaps_does_in_the_end_what_it_is_to_do_and_nothing_twice(live: Live) -> None:
    flaps = (
        "echo x >> {place}/tries; test $(wc -l < {place}/tries) -gt $(cat {place}/bad) || exit $(cat {place}/status)"
    )
    (live.directory / "bad").write_text("2")
    (live.directory / "status").write_text("1")
    begin(live, flaps)
    live.start()
    live.wait_for(lambda: completed(live, 1), "the third attempt does it")
    aftermath.growing(live, "deployment.attempt-failed")
    (live.directory / "bad").write_text("4")
    (live.directory / "status").write_text("75")
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: completed(live, 2), "what asks for patience gets it")
    assert [one.status for one in live.history()] == ["completed", "completed"]
    check(live)


def removed(place: Path) -> Callable[[], None]:
    shutil.rmtree(place)
    return lambda: None


def a_file(place: Path) -> Callable[[], None]:
    aside = place.with_name("aside")
    place.rename(aside)
    place.write_text("no directory")

    def back() -> None:
        place.unlink()
        aside.rename(place)

    return back


def unfinished(place: Path) -> Callable[[], None]:
    """What a process that was killed leaves: half a release, half a link."""
    (place / "releases" / ".half").mkdir()
    (place / "releases" / ".half" / "index.html").write_text("hal")
    (place / ".current.new").symlink_to("releases/nowhere")
    (place / ".traffic.json.new").write_text("[")
    return lambda: None


@pytest.mark.parametrize("fault", [removed, a_file, unfinished])
def test_the_directory_is_not_what_it_was(live: Live, fault: Callable[[Path], Callable[[], None]]) -> None:
    files = {
        "environments.yaml": environment_manifest("live", "latest", retry={"backoff": "1s"}),
        "shop.yaml": app_manifest(environments=["live"]),
        "shop/index.html": "one",
    }
    live.commit("Begin", files)
    live.start()
    live.wait_for(lambda: completed(live, 1), "the first version runs")
    back = fault(live.directory / "state" / "releases" / "live" / "shop")
    live.commit("Two", {"shop/index.html": "two"})
    if fault is a_file:
        live.wait_for(lambda: "Not a directory at shop" in str(live.history()[-1].error), "it is said what is wrong")
    back()
    live.wait_for(lambda: completed(live, 2) and live.runs("live") == "two", "the second version runs")
    if fault is removed:
        # What ran before is gone with the directory: only what ran since can be there.
        live.commit("Three", {"shop/index.html": "three"})
        live.wait_for(lambda: completed(live, 3) and live.runs("live") == "three", "the third version runs")
        aftermath.nothing_to_do(live)
        aftermath.doctor(live)
        return
    aftermath.check(live, environments=["live"])
