"""Which seasons get in each other's way, and which edges fall into a freeze?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.manifest import check_freezes, check_seasons
from reconciler.model.season import Freeze
from tests.builders import season

NOW = datetime(2026, 11, 21, tzinfo=UTC)
APPS = {"shop": {"team": "web"}, "cart": {"team": "web", "tier": "gold"}, "mail": {"team": "post"}}
GREETING = {"greeting": "Hi"}


def freeze(start: str, until: str, **spec: Any) -> Freeze:
    """A freeze of live; times are in UTC."""
    given = {"environments": ["live"], "from": start, "until": until, "timezone": "UTC", "reason": "x", **spec}
    return TypeAdapter(Freeze).validate_python({"metadata": {"name": "year-end"}, "spec": given})


def messages(*several: Any) -> list[str]:
    """What is said about seasons at `NOW`."""
    return [problem.message for problem in check_seasons(several, APPS, NOW)]


def test_two_seasons_that_set_one_key_at_one_time_are_found() -> None:
    winter = season("winter", "2026-12-01", "2027-03-01", config={"greeting": "Brr", "other": 1})
    christmas = season("christmas", "2026-12-24", "2026-12-27", config=GREETING)
    (found,) = check_seasons([christmas, winter], APPS, NOW)
    assert (found.kind, found.name, found.field, found.severity) == (
        "Season",
        "christmas",
        ("spec", "config", "greeting"),
        "error",
    )
    assert found.message == (
        "christmas and winter have one priority and both set greeting in live from 2026-12-24T00:00:00Z on"
    )
    assert found.remedy == "give one of them a higher priority, or another time"


@pytest.mark.parametrize(
    "other",
    [
        {"priority": 1},
        {"config": {"opening_hours": "10-14"}},
        {"config": {}, "version": "1.5.0"},
        {"environments": ["sandbox"]},
        {"apps": ["cart"]},
        {"apps": {"team": "post"}},
        {"apps": {"team": "web", "tier": "gold"}},
        {"start": "2027-03-01", "until": "2027-04-01"},
        {"start": "2020-12-01", "until": "2021-03-01"},
    ],
)
def test_seasons_that_keep_apart_are_right(other: dict[str, Any]) -> None:
    winter = season("winter", "2026-12-01", "2027-03-01", config=GREETING)
    given = {"start": "2026-12-24", "until": "2026-12-27", "config": GREETING, **other}
    assert messages(winter, season("christmas", **given)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"team": "web"}, ["cart"]),
        (["cart"], {"tier": "gold"}),
        ({"team": "web"}, {"tier": "gold"}),
        (["mail", "cart"], ["cart"]),
    ],
)
def test_apps_are_compared_by_name_and_by_label(one: Any, other: Any) -> None:
    winter = season("winter", "2026-12-01", "2027-03-01", config=GREETING, apps=one)
    assert len(messages(winter, season("christmas", "2026-12-24", "2026-12-27", config=GREETING, apps=other))) == 1


def test_versions_and_splits_get_in_each_others_way() -> None:
    split = [{"version": "1.5.0", "percent": 50}, {"version": "1.4.0", "percent": 50}]
    winter = season("winter", "2026-12-01", "2027-03-01", version="1.4.0")
    (found,) = check_seasons([winter, season("sale", "2026-12-05", "2026-12-06", traffic=split)], APPS, NOW)
    assert found.field == ("spec", "traffic")
    assert (
        found.message == "sale and winter have one priority and both set traffic in live from 2026-12-05T00:00:00Z on"
    )


def test_what_repeats_is_looked_at_for_the_coming_years_and_told_once() -> None:
    yearly = season("yearly", "2020-12-20", "2021-01-05", repeat="yearly", config=GREETING)
    later = season("later", "2028-12-24", "2028-12-27", config=GREETING)
    daily = season("daily", "2026-01-01T08:00", "2026-01-01T09:00", repeat="FREQ=DAILY", config=GREETING)
    assert messages(yearly, later) == [
        "later and yearly have one priority and both set greeting in live from 2028-12-24T00:00:00Z on"
    ]
    assert len(messages(yearly, daily)) == 1
    assert len(messages(yearly, later, daily)) == 3
    far = season("far", "2031-12-24", "2031-12-27", config=GREETING)
    assert messages(yearly, far) == []


def test_one_that_holds_already_is_seen() -> None:
    old = season("old", "2026-01-01", "2027-01-01", config=GREETING)
    assert len(messages(old, season("new", "2026-11-01", "2026-11-30", config=GREETING))) == 1


def test_many_seasons_apart_are_quickly_seen_to_be_so() -> None:
    moments = [f"2027-01-01T00:{n // 60:02}:{n % 60:02}" for n in range(500)]
    several = [season(f"s{n}", at, f"{at}.5", config=GREETING) for n, at in enumerate(moments)]
    assert messages(*several) == []


@pytest.mark.parametrize(
    ("policy", "start", "end"),
    [
        ("apply", "it begins all the same", "it ends all the same"),
        (
            "wait",
            "it begins when the freeze is over, at 2027-01-04T08:00:00Z",
            "it goes on until the freeze is over, at 2027-01-04T08:00:00Z",
        ),
        ("skip", "this time it does not take place", "it ends all the same"),
    ],
)
def test_an_edge_inside_a_freeze_is_a_warning_that_says_what_comes_of_it(policy: str, start: str, end: str) -> None:
    closed = freeze("2026-12-23T18:00", "2027-01-04T08:00")
    winter = season("winter", "2026-12-01", "2027-01-02T06:00", config=GREETING, on_freeze=policy)
    january = season("january", "2027-01-01", "2027-02-01", config=GREETING, on_freeze=policy)
    ends, starts = check_freezes([winter, january], [closed], APPS, NOW)
    assert (ends.name, ends.field, ends.severity) == ("winter", ("spec", "until"), "warning")
    assert (starts.name, starts.field) == ("january", ("spec", "from"))
    said = "in the freeze year-end: on_freeze is"
    assert ends.message == f"winter ends at 2027-01-02T06:00:00Z, {said} {policy}, so {end}"
    assert starts.message == f"january starts at 2027-01-01T00:00:00Z, {said} {policy}, so {start}"


def test_a_freeze_that_lets_seasons_pass_or_concerns_other_apps_is_none_to_a_season() -> None:
    winter = season("winter", "2026-12-01", "2027-01-02T06:00", config=GREETING)
    for spec in ({"allow": ["season"]}, {"apps": ["mail"]}, {"apps": {"team": "post"}}):
        assert check_freezes([winter], [freeze("2026-12-23T18:00", "2027-01-04T08:00", **spec)], APPS, NOW) == []
    for apps in (["shop"], {"team": "web"}):
        assert len(check_freezes([winter], [freeze("2026-12-23", "2027-01-04", apps=apps)], APPS, NOW)) == 1


def test_edges_outside_a_freeze_are_right() -> None:
    end = freeze("2026-12-23T18:00", "2027-01-04T08:00")
    around = season("around", "2026-12-23T17:59", "2027-01-04T08:00", config=GREETING)
    elsewhere = season("elsewhere", "2026-12-24", "2026-12-27", config=GREETING, environments=["sandbox"])
    passed = season("passed", "2020-12-24", "2020-12-27", config=GREETING)
    assert check_freezes([around, elsewhere, passed], [end], APPS, NOW) == []


def test_a_season_is_told_once_of_a_freeze_that_comes_every_night() -> None:
    nights = TypeAdapter(Freeze).validate_python(
        {
            "metadata": {"name": "nights"},
            "spec": {
                "environments": ["live"],
                "cron": "0 18 * * *",
                "duration": "14h",
                "timezone": "UTC",
                "reason": "x",
            },
        }
    )
    yearly = season("yearly", "2020-12-20", "2021-01-05", repeat="yearly", config=GREETING)
    (found,) = check_freezes([yearly], [nights], APPS, NOW)
    assert "starts at 2026-12-20T00:00:00Z" in found.message
