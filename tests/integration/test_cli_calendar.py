"""Is the forecast what will come true, also far ahead and for many apps?"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.commands import Told
from tests.world import app_manifest, season_manifest


def test_scheduled_entries_and_pauses_of_git_are_in_the_calendar(tmp_path: Path) -> None:
    told = Told(tmp_path)
    soon, later = (told.now + timedelta(days=days) for days in (1, 2))
    live = {
        "schedule": [{"at": f"{soon:%Y-%m-%dT%H:%M:%S}Z", "config": {"hours": "8-20"}}],
        "pause": {"by": "ann", "reason": "moving house", "until": f"{later:%Y-%m-%dT%H:%M:%S}Z"},
    }
    told.start_repository(environments={"sandbox": {}, "live": live}, config={"hours": "9-17"})
    told.settle()
    edges = told.json("calendar")
    assert [(edge["cause"], edge["environment"]) for edge in edges] == [("schedule", "live"), ("pause-end", "live")]
    assert edges[0]["at"] == f"{soon:%Y-%m-%dT%H:%M:%S}Z"
    way_out = "to call it off, remove the entry at shop.yaml:1"
    assert edges[0]["detail"] == f'hours: "9-17" → "8-20"; {way_out}'
    assert "moving house" in edges[1]["detail"]


def test_no_train_takes_anything_to_where_versions_are_pinned(tmp_path: Path) -> None:
    told = Told(tmp_path)
    train = {"cron": "0 9 * * *", "timezone": "UTC"}
    told.start_repository(environments={"sandbox": {"when": train}, "live": {"version": "v1", "when": train}})
    told.settle()
    departures = [edge["environment"] for edge in told.json("calendar", "--until", "3d") if edge["cause"] == "train"]
    assert set(departures) == {"sandbox"}


def test_of_equal_shares_the_newer_version_says_which_settings_hold(tmp_path: Path) -> None:
    """In the calendar as in the plan, whichever stands first."""
    told = Told(tmp_path)
    told.start_repository(environments={"live": {}}, config={"colour": "red"})
    told.settle()
    half = [{"version": "v1", "percent": 50}, {"version": "v2", "percent": 50}]
    at = f"{told.now + timedelta(days=1):%Y-%m-%dT%H:%M:%S}Z"
    split = {"live": {"schedule": [{"at": at, "traffic": half}]}}
    told.commit("Split", {"shop.yaml": app_manifest(environments=split, config={"colour": "blue"})})
    told.settle()
    (edge,) = told.json("calendar")
    assert "v1 50 %, v2 50 %" in edge["detail"]
    assert "colour" not in edge["detail"]
    assert "colour" not in told.type("plan", "--until", "2d").out


def test_two_seasons_over_one_another_are_told_apart(tmp_path: Path) -> None:
    told = Told(tmp_path)
    day = (told.now + timedelta(days=5)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def at(days: int) -> str:
        return f"{day + timedelta(days=days):%Y-%m-%dT%H:%M}"

    told.start_repository(config={"banner": "none"})
    told.commit(
        "Seasons",
        {
            "a.yaml": season_manifest("advent", at(0), at(10), config={"banner": "advent"}),
            "b.yaml": season_manifest("sale", at(3), at(5), config={"banner": "sale"}, priority=1),
            "c.yaml": season_manifest("hidden", at(6), at(7), config={"banner": "hidden"}, priority=-1),
        },
    )
    told.settle()
    told_so = told.json("calendar")
    edges = [(edge["cause"], edge["name"], edge["detail"].split("; to ")[0].split(": ", 1)[-1]) for edge in told_so]
    assert told_so[0]["detail"].endswith("; to call it off, remove the season at a.yaml:1")
    assert told_so[2]["detail"].endswith("; to keep it, write a later end at b.yaml:1")
    assert edges == [
        ("season-start", "advent", 'banner: "none" → "advent"'),
        ("season-start", "sale", 'banner: "advent" → "sale"'),
        ("season-end", "sale", '"sale" → "advent"'),
        ("season-start", "hidden", "nothing changes, since another layer covers it"),
        ("season-end", "hidden", "nothing changes, since another layer covers it"),
        ("season-end", "advent", '"advent" → "none"'),
    ]


def test_trains_of_every_minute_hide_nothing_that_comes_once(tmp_path: Path) -> None:
    told = Told(tmp_path)
    train = {"when": {"cron": "* * * * *", "timezone": "UTC"}}
    told.start_repository(environments={"sandbox": train, "live": train})
    day = told.now + timedelta(days=14)
    end = day + timedelta(days=2)
    season = season_manifest("sale", f"{day:%Y-%m-%dT00:00}", f"{end:%Y-%m-%dT00:00}", config={"banner": "sale"})
    told.commit("A sale", {"sale.yaml": season})
    told.settle()
    done = told.type("calendar", "-o", "json")
    causes = [edge["cause"] for edge in done.json]
    assert causes.count("season-start") == causes.count("season-end") >= 1
    assert causes.count("train") == 2 * 31
    assert "at most the next 31 departures of each" in done.err
    text = told.type("calendar")
    assert "season-start" in text.out
    assert "at most the next 31 departures of each" in text.out
    assert "at most the next 31 departures of each" in text.err
    feed = told.type("calendar", "-o", "ics")
    assert "CATEGORIES:season" in feed.out
    assert "at most the next 31 departures of each" in feed.err


def test_a_calendar_that_shows_everything_says_nothing_besides(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository(environments={"sandbox": {}, "live": {"when": {"cron": "0 9 1 * *", "timezone": "UTC"}}})
    told.settle()
    done = told.type("calendar")
    assert ("train" in done.out, done.err) == (True, "")


def test_a_daily_season_for_a_century_is_bounded(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository(environments=["live"])
    apps = {f"a{n}.yaml": app_manifest(f"a{n}", bundle="shop", environments=["live"]) for n in range(20)}
    daily = season_manifest("night", "2026-01-01T20:00", "2026-01-02T06:00", repeat="FREQ=DAILY", config={"dark": True})
    names = [f"a{n}" for n in range(20)]
    told.commit("Nights", {**apps, "night.yaml": daily.replace('["shop"]', str(names).replace("'", '"'))})
    told.settle()
    began = time.process_time()
    done = told.type("calendar", "--until", "36000d", "-o", "json")
    edges = done.json
    assert len(edges) == 10_000
    assert f"what changes after {edges[-1]['at'][:10]}" in done.err
    assert edges[-1]["at"] < (datetime.now(UTC) + timedelta(days=300)).isoformat()
    assert time.process_time() - began < 30
