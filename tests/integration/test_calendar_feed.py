"""Is the calendar's feed one that other programs read, with seasons and freezes as times and the rest as moments?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event

from reconciler.model.output import Edge
from reconciler.views.feed import feed, uid
from tests.commands import Told
from tests.integration.test_gated_promotion import freeze
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def events(written: str | bytes) -> list[Event]:
    """What another library reads, which refuses what RFC 5545 does not allow."""
    text = written if isinstance(written, str) else written.decode()
    return list(IcsCalendarStream.calendar_from_ics(text).events)


def edge(cause: str, hours: float, app: str = "shop", name: str = "sale", **more: datetime) -> Edge:
    return Edge(
        at=NOON + timedelta(hours=hours), cause=cause, app=app, environment="live", name=name, detail="x", **more
    )


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A season with a freeze in it, a train, a schedule and a pause; all to come."""
    made = Told(tmp_path)
    day = (made.now + timedelta(days=10)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def at(days: float) -> str:
        return f"{day + timedelta(days=days):%Y-%m-%dT%H:%M}"

    live = {
        "schedule": [{"at": f"{at(1)}:00Z", "config": {"hours": "8-20"}}],
        "pause": {"by": "ann", "reason": "moving; 10, 20", "until": f"{at(2)}:00Z"},
        "when": {"cron": "0 9 * * mon", "timezone": "Europe/Paris"},
    }
    made.commit(
        "Begin",
        {
            "environments.yaml": ENVIRONMENTS,
            "shop.yaml": app_manifest(environments={"sandbox": {}, "pre-release": {}, "live": live}),
            "cart.yaml": app_manifest("cart", bundle="shop"),
            "shop/index.html": "one",
            "sale.yaml": season_manifest("sale", at(3), at(5), config={"greeting": "Sale, \\ now;"}),
            "freeze.yaml": freeze(**{"from": at(4), "until": at(6), "timezone": "Europe/Paris"}),
        },
    )
    made.settle()
    return made


def test_another_library_reads_every_event(told: Told) -> None:
    written = told.type("calendar", "--until", "20d", "-o", "ics").out
    found = events(written)
    summaries = {event.summary for event in found}
    assert summaries == {
        "shop in live: season sale",
        "live: freeze stock",
        "shop in live: a release train leaves",
        "shop in live: scheduled change",
        "shop in live: a pause ends",
    }
    by_name = {event.summary: event for event in found}
    lengths = {name: event.dtend - event.dtstart if event.dtend else None for name, event in by_name.items()}
    assert lengths["shop in live: season sale"] == timedelta(days=2)
    assert lengths["live: freeze stock"] == timedelta(days=2)
    assert lengths["shop in live: a pause ends"] is None
    assert 'greeting = "Sale, \\\\ now;"' in (by_name["shop in live: season sale"].description or "")
    assert len({event.uid for event in found}) == len(found)
    assert told.type("calendar", "--until", "20d", "-o", "ics").out == written


def test_freezes_are_told_once_for_each_environment_and_trains_for_each_app(told: Told) -> None:
    edges = told.json("calendar", "--until", "20d")
    assert [list(one) for one in edges] == [["at", "cause", "app", "environment", "name", "detail"]] * len(edges)
    assert [one["at"] for one in edges] == sorted(one["at"] for one in edges)
    frozen = [one for one in edges if one["cause"].startswith("freeze")]
    assert [(one["cause"], one["app"], one["environment"], one["name"]) for one in frozen] == [
        ("freeze-start", "", "live", "stock"),
        ("freeze-end", "", "live", "stock"),
    ]
    assert "nothing starts but a rollback: stock-taking; it is declared at freeze.yaml:1" in frozen[0]["detail"]
    trains = [one for one in edges if one["cause"] == "train"]
    assert {(one["app"], one["environment"], one["name"]) for one in trains} == {("shop", "live", "0 9 * * mon")}
    assert 2 <= len(trains) <= 3
    for one in trains:
        assert "09:00 CE" in one["detail"]  # both clocks
        assert "UTC" in one["detail"]
        assert one["detail"].endswith("its timetable is at shop.yaml:1")
    only_cart = told.json("calendar", "cart", "--until", "20d")
    assert {one["cause"] for one in only_cart} == {"freeze-start", "freeze-end"}


def test_what_lasts_is_one_event_told_by_either_edge() -> None:
    begins, ends = NOON + timedelta(hours=1), NOON + timedelta(hours=9)
    start, end = edge("season-start", 1, until=ends), edge("season-end", 9, since=begins)
    (whole,) = events(feed([start, end], NOON))
    (late,) = events(feed([end], NOON))
    assert (whole.dtstart, whole.dtend, whole.uid) == (late.dtstart, late.dtend, late.uid) == (begins, ends, whole.uid)


def test_the_stamp_is_what_it_is_told_to_be() -> None:
    several = [edge("train", 1, name="0 9 * * *"), edge("schedule", 2, name="")]
    assert feed(several, NOON) == feed(several, NOON)
    assert {event.dtstamp for event in events(feed(several, NOON))} == {NOON}
    assert feed([], NOON).decode().startswith("BEGIN:VCALENDAR\r\n")


def test_names_of_entries_differ_where_the_entries_do() -> None:
    one = edge("train", 1)
    others = [edge("train", 2), edge("schedule", 1), edge("train", 1, app="cart"), edge("train", 1, name="other")]
    assert uid(one) == uid(edge("train", 1))
    assert len({uid(one), *map(uid, others)}) == 5


def test_hostile_words_do_not_end_a_line() -> None:
    hostile = "a\r\nEND:VCALENDAR\nBEGIN:VEVENT\x1b[2J,;\\\u202e" + "ü" * 200
    (event,) = events(feed([edge("schedule", 1, app=hostile, name=hostile)], NOON))
    assert "\\r\\nEND:VCALENDAR" in (event.summary or "")
