"""What happens when the machine's clock is set while the daemon runs, forward or back?"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.daemon import ROOT, Live, environment_manifest
from tests.faults import aftermath
from tests.faults.proxy import far
from tests.world import CHAIN, app_manifest, season_manifest

TRACKS = dict(zip(CHAIN, ("latest", *CHAIN), strict=False))


class Clock:
    """What the daemon takes for the time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ahead = timedelta()
        self.set(timedelta())

    def set(self, ahead: timedelta) -> None:
        """Set it, so far ahead of the real time."""
        self.ahead = ahead
        fresh = self.place.with_suffix(".new")
        fresh.write_text(f"{ahead.total_seconds():+.0f}\n")
        fresh.replace(self.place)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(typed: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the daemon of `typed`."""
    made = Clock(tmp_path / "clock")

    def start(*options: str) -> None:
        typed.config.write_text(json.dumps(typed.settings))
        arguments = ["run", "--config", str(typed.config), *options]
        with typed.log_file.open("ab") as log:
            command = [sys.executable, "-m", "tests.faults.other_clock", str(made.place), *arguments]
            typed.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    monkeypatch.setattr(typed, "start", start)
    typed.settings["repository"]["interval"] = "1s"
    return made


def begin(live: Live, clock: Clock, first: str = "one", **live_spec: object) -> None:
    """The first version runs everywhere; a season of the live environment begins in an hour."""
    start = clock.now + timedelta(hours=1)
    season = season_manifest(
        "sale", start.isoformat(), (start + timedelta(hours=1)).isoformat(), config={"tone": "Sale"}
    )
    specs = {name: live_spec if name == "live" else {} for name in CHAIN}
    environments = [environment_manifest(name, TRACKS[name], **specs[name]) for name in CHAIN]
    files = {"environments.yaml": "\n---\n".join(environments), "sale.yaml": season}
    files |= {"shop.yaml": app_manifest(config={"tone": "Hello"}), "shop/index.html": "one"}
    live.commit("Begin", files)
    live.start()
    if first == "one":
        live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    else:
        live.wait_for(lambda: live.runs("pre-release") == "one", "the first version runs before the gate")


def tone(live: Live) -> str:
    return str(live.facts("live")["config"]["tone"])


def test_the_clock_is_set_forward_over_both_edges_of_a_season(typed: Live, clock: Clock) -> None:
    begin(typed, clock)
    clock.set(timedelta(minutes=90))
    typed.wait_for(lambda: tone(typed) == "Sale", "the season has begun")
    clock.set(timedelta(hours=24))
    typed.wait_for(lambda: tone(typed) == "Hello", "the season is over")
    begun, ended = typed.history("shop", "live")[1:]
    assert 20 * 60 < (begun.late_by_seconds or 0) < 60 * 60
    assert (ended.late_by_seconds or 0) > 20 * 60 * 60
    typed.commit("Two", {"shop/index.html": "two"})
    typed.wait_for(lambda: typed.everywhere("two"), "the second version runs everywhere")
    assert [len(typed.history("shop", name)) for name in CHAIN] == [2, 2, 4]
    check(typed)


def test_the_clock_is_set_back_behind_the_edge_of_a_season(typed: Live, clock: Clock) -> None:
    clock.set(timedelta(hours=2))
    begin(typed, clock)
    clock.set(timedelta(hours=3, minutes=10))
    typed.wait_for(lambda: tone(typed) == "Sale", "the season has begun")
    clock.set(timedelta(hours=2))
    typed.commit("Two", {"shop/index.html": "two"})
    typed.wait_for(lambda: typed.everywhere("two"), "the second version runs everywhere all the same")
    typed.wait_for(lambda: tone(typed) == "Hello", "the season has not begun yet")
    clock.set(timedelta(hours=3, minutes=10))
    typed.wait_for(lambda: tone(typed) == "Sale", "the season has begun")
    assert len(typed.history("shop", "live")) <= 5
    check(typed)


def test_a_soak_counts_what_the_clock_says_and_begins_nothing_twice(typed: Live, clock: Clock) -> None:
    begin(typed, clock, gates={"soak": "20m"}, first="nothing")
    clock.set(timedelta(minutes=-30))
    typed.commit("Two", {"shop/index.html": "two"})
    typed.wait_for(lambda: typed.runs("pre-release") == "two", "the second version is before the gate")
    typed.pause_for(1.2)
    assert [len(typed.history("shop", name)) for name in CHAIN] == [2, 2, 0]
    clock.set(timedelta())
    typed.wait_for(lambda: typed.runs("live") == "two", "it enters when it has soaked")
    assert [len(typed.history("shop", name)) for name in CHAIN] == [2, 2, 1]
    check(typed)


def test_a_repository_far_away_is_asked_as_often_as_ever_when_the_clock_is_set_back(typed: Live, clock: Clock) -> None:
    with far(typed):
        begin(typed, clock)
        clock.set(timedelta(hours=-5))
        typed.commit("Two", {"shop/index.html": "two"})
        typed.wait_for(lambda: typed.everywhere("two"), "what was pushed after that runs everywhere")
        check(typed)
        typed.close()


def check(live: Live) -> None:
    """The same as ever; what ends with the season is not left to do for a while."""
    live.wait_for(lambda: aftermath.ended(live, "shop"), "every deployment has ended")
    aftermath.versions_of_commits(live, "shop")
    for environment in CHAIN:
        history = live.history("shop", environment)
        assert [one.number for one in history] == list(range(1, len(history) + 1))
        aftermath.released_once(live, "shop", environment)
    live.wait_for(lambda: aftermath.verified(live), "the ledger is sound and sealed")
    live.wait_for(lambda: "daemon" not in aftermath.wrong(live), "it has shown life since the clock was set")
    aftermath.doctor(live)
    aftermath.no_storm(live)
