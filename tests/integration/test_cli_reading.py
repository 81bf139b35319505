"""Do the verbs that only look say what is so, in text and in the JSON that tools rely on?"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from reconciler.engine import clock
from reconciler.store import due, tables
from reconciler.store.database import Database
from tests.commands import Told
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

VERSION = ["id", "app", "number", "name", "message", "tags", "author", "commit", "created_at", "source", "bundle"]
VERSION += ["image", "config", "bindings", "secrets", "migrations"]
DEPLOYMENT = {"id", "number", "app", "environment", "status", "cause", "traffic", "config", "commit", "deployed_by"}
DEPLOYMENT |= {"reason", "rolled_back_from", "reverts", "created_at", "started_at", "finished_at", "duration_seconds"}
DEPLOYMENT |= {"late_by_seconds", "error", "scm_branch", "scm_sha", "build_url", "extra_metadata", "rollout"}
STANDING = ["app", "environment", "deployment", "desired", "in_sync"]
STANDING += ["waiting", "refused", "held", "paused", "seasons"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
FAILING = ENVIRONMENTS.replace(
    "{type: directory, path: releases/live}}", '{type: exec, command: ["/bin/sh", "-c", "echo no luck; exit 1"]}}'
).replace("spec: {track: pre-release", "spec: {track: pre-release, retry: {limit: 0}")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One app that was released twice everywhere; its season begins in ten days."""
    told = Told(tmp_path_factory.mktemp("shop"))
    told.start_repository(config={"greeting": "Hello"})
    told.settle()
    begins = told.now + timedelta(days=10)
    season = season_manifest(
        "sale", f"{begins:%Y-%m-%dT%H:%M}", f"{begins + timedelta(days=2):%Y-%m-%dT%H:%M}", config={"greeting": "Sale!"}
    )
    changed = app_manifest(config={"greeting": "Hi", "hours": "9-17"}, secrets=[{"name": "KEY", "from": "env:SHOP"}])
    told.commit(
        "[HOTFIX] Say hi", {"shop.yaml": changed, "season.yaml": season, "shop/index.html": "two", "shop/new": "x"}
    )
    told.settle()
    return told


def test_status_says_what_runs_and_that_it_is_in_sync(shop: Told) -> None:
    rows = shop.json("status")
    assert [(row["app"], row["environment"]) for row in rows] == [
        ("shop", "sandbox"),
        ("shop", "pre-release"),
        ("shop", "live"),
    ]
    for row in rows:
        assert list(row)[: len(STANDING)] == STANDING
        assert row["in_sync"] is True
        assert row["deployment"]["traffic"] == row["desired"]["traffic"]
        assert (row["waiting"], row["refused"], row["held"], row["paused"], row["seasons"]) == ([], [], None, None, [])
    assert shop.json("status", "shop") == rows


def test_status_in_text_has_a_line_for_each_environment(shop: Told) -> None:
    done = shop.type("status")
    assert [line.split()[:3] for line in done.out.splitlines()[1:4]] == [
        ["shop", "sandbox", "v2"],
        ["shop", "pre-release", "v2"],
        ["shop", "live", "v2"],
    ]
    assert "in sync" in done.out
    assert "UTC" in done.out


def test_status_at_another_moment(shop: Told) -> None:
    before = shop.json("status", "--at", (shop.now - timedelta(days=1)).isoformat())
    assert all(row["deployment"] is None for row in before)
    during = shop.json("status", "--at", "11d")
    (live,) = (row for row in during if row["environment"] == "live")
    assert live["seasons"] == ["sale"]
    assert live["desired"]["config"] == {"greeting": "Sale!"}
    assert live["in_sync"] is False
    assert "a release is due (season sale)" in shop.type("status", "--at", "11d").out


def test_versions_are_listed_newest_first(shop: Told) -> None:
    listed = shop.json("versions", "list", "shop")
    assert [one["number"] for one in listed] == [2, 1]
    for one in listed:
        assert list(one)[: len(VERSION)] == VERSION
        assert INSTANT.fullmatch(one["created_at"])
    assert listed[0]["tags"] == ["HOTFIX"]
    assert listed[0]["author"] == {"name": "Ada Lovelace", "email": "ada@example.org"}
    assert listed[0]["secrets"] == [{"name": "KEY", "from": "env:SHOP"}]
    assert len(shop.json("versions", "list", "shop", "--limit", 1)) == 1
    first_line = shop.type("versions", "list", "shop").out.splitlines()[1]
    assert all(name in first_line for name in ("v2", "sandbox", "pre-release", "live", "[HOTFIX] Say hi"))


@pytest.mark.parametrize("how", ["v2", "digest", "commit"])
def test_a_version_is_shown_by_any_reference(shop: Told, how: str) -> None:
    second = shop.json("versions", "list", "shop")[0]
    reference = {"v2": "v2", "digest": second["id"].split(":")[1][:12], "commit": f"commit:{second['commit'][:10]}"}
    assert shop.json("versions", "show", "shop", reference[how]) == second
    text = shop.type("versions", "show", "shop", reference[how]).out
    assert 'greeting = "Hi"' in text
    assert "KEY = env:SHOP" in text


@pytest.mark.parametrize("reference", ["v9", "nope", "deadbeef", "commit:", "%", "v0", "x" * 10_000, "\x1b[2J"])
def test_an_unknown_version_is_no_traceback(shop: Told, reference: str) -> None:
    done = shop.type("versions", "show", "shop", reference)
    assert (done.status, done.out) == (1, "")
    assert "shop has no version" in done.err


def test_two_versions_are_compared_by_section(shop: Told) -> None:
    found = shop.json("versions", "compare", "shop", "v1", "v2")
    assert found["config"] == {
        "added": {"hours": "9-17"},
        "deleted": {},
        "changed": {"greeting": {"before": "Hello", "after": "Hi"}},
    }
    assert found["secrets"]["added"] == {"KEY": "env:SHOP"}
    assert "-one" in found["code"]["diff"]
    assert "+two" in found["code"]["diff"]
    assert "+++ b/new" in found["code"]["diff"]
    back = shop.json("versions", "compare", "shop", "v2", "v1")
    assert back["config"]["deleted"] == {"hours": "9-17"}
    text = shop.type("versions", "compare", "shop", "v1", "v2").out
    assert '~ greeting: "Hello" → "Hi"' in text
    assert "+two" in text
    assert "they are the same" in shop.type("versions", "compare", "shop", "v1", "v1").out


def test_deployments_are_listed_and_filtered(shop: Told) -> None:
    listed = shop.json("deployments", "list")
    assert len(listed) == 6
    assert [one["created_at"] for one in listed] == sorted((one["created_at"] for one in listed), reverse=True)
    assert all(one.keys() == DEPLOYMENT for one in listed)
    assert all(one["duration_seconds"] >= 0 for one in listed)

    def numbers(*options: object) -> list[int]:
        return [one["number"] for one in shop.json("deployments", "list", *options)]

    assert numbers("--environment", "live") == [2, 1]
    assert numbers("--app", "shop", "--cause", "release") == [2, 1]
    assert numbers("--status", "failed") == []
    assert numbers("--limit", "3") == numbers()[:3]
    assert numbers("--since", "1h") == numbers()
    assert numbers("--since", (datetime.now(UTC) + timedelta(days=1)).isoformat()) == []
    for option, word, meant in (("--app", "sop", "shop"), ("--environment", "lvie", "live")):
        done = shop.type("deployments", "list", option, word)
        assert (done.status, done.out) == (1, "")
        assert done.err.endswith(f"did you mean {meant}?\n")
    assert "there are live, pre-release and sandbox" in shop.type("deployments", "list", "--environment", "moon").err


def test_the_shortest_beginning_of_an_id_is_enough(shop: Told) -> None:
    ids = [one["id"] for one in shop.json("deployments", "list")]
    for wanted in ids:
        short = next(wanted[:end] for end in range(1, 17) if sum(one.startswith(wanted[:end]) for one in ids) == 1)
        assert shop.json("deployments", "show", short)["id"] == wanted
        assert shop.json("deployments", "show", short.upper())["id"] == wanted
    # One more deployment than there are digits would be needed to be sure of it, so it is made so.
    database = Database(shop.settings["state"]["url"])
    with database.write() as transaction:
        row = transaction.connection.execute(tables.deployments.select().limit(1)).one()._mapping
        for number, identifier in enumerate(("aaaa1111", "aaaa2222"), start=90):
            values = {**row, "id": identifier, "number": number}
            del values["sequence"]
            transaction.connection.execute(tables.deployments.insert().values(**values))
    try:
        done = shop.type("deployments", "show", "aaaa")
        assert (done.status, done.out) == (1, "")
        assert "aaaa1111 (90 of shop in " in done.err
        assert "aaaa2222 (91 of shop in " in done.err
        assert "give more digits" in done.err
        assert shop.json("deployments", "show", "aaaa1")["id"] == "aaaa1111"
    finally:
        with database.write() as transaction:
            transaction.connection.execute(tables.deployments.delete().where(tables.deployments.c.number >= 90))
        database.close()


def test_a_deployment_is_shown_with_its_events(shop: Told) -> None:
    newest = shop.json("deployments", "list", "--limit", "1")[0]
    shown = shop.json("deployments", "show", newest["id"][:8])
    events = shown.pop("events")
    assert shown == newest
    assert [event["status"] for event in events][:3] == ["pending", "started", "completed"]
    assert all(event.keys() == {"at", "status", "message", "actor"} for event in events)
    text = shop.type("deployments", "show", newest["id"]).out
    assert "completed" in text
    assert newest["reason"] in text


@pytest.mark.parametrize("given", ["", "xyz", "'; DROP TABLE", "0000", "a" * 200])
def test_an_unknown_deployment_is_no_traceback(shop: Told, given: str) -> None:
    done = shop.type("deployments", "show", given)
    assert (done.status, done.out) == (1, "")
    assert "deployment" in done.err


def test_why_tells_the_whole_chain(shop: Told) -> None:
    steps = shop.json("why", "shop", "live")["steps"]
    assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))
    about = [step["about"] for step in steps]
    assert about == ["manifest", "commit", "version", "base", "promotion", "deployment", "in sync", "next"]
    texts = {step["about"]: step["text"] for step in steps}
    assert texts["manifest"].startswith("shop.yaml:1:")
    assert "[HOTFIX] Say hi" in texts["version"]
    assert "pre-release" in texts["promotion"]
    assert texts["commit"].endswith("changed this entry or a season over it last")
    assert "v2" in texts["deployment"]
    said = shop.type("why", "shop", "live").out
    assert said.startswith("shop in live\n  1. ")
    assert "UTC" in said


@pytest.mark.parametrize(
    ("app", "place", "said"), [("sop", "live", "did you mean shop?"), ("shop", "moon", "it is in")]
)
def test_why_knows_what_it_does_not_know(shop: Told, app: str, place: str, said: str) -> None:
    done = shop.type("why", app, place)
    assert (done.status, done.out) == (1, "")
    assert said in done.err


def test_the_calendar_tells_both_edges_of_the_season(shop: Told) -> None:
    edges = shop.json("calendar")
    assert [(edge["cause"], edge["app"], edge["environment"], edge["name"]) for edge in edges] == [
        ("season-start", "shop", "live", "sale"),
        ("season-end", "shop", "live", "sale"),
    ]
    assert edges[0].keys() == {"at", "cause", "app", "environment", "name", "detail"}
    assert 'greeting: "Hi" → "Sale!"' in edges[0]["detail"]
    assert 'greeting: "Sale!" → "Hi"' in edges[1]["detail"]
    assert edges[0]["at"] < edges[1]["at"]
    assert shop.json("calendar", "--until", "1d") == []
    assert "nothing changes by itself" in shop.type("calendar", "--until", "1d").out
    assert "sale" in shop.type("calendar").out


def test_the_calendar_as_a_feed_is_stable(shop: Told) -> None:
    first, second = shop.type("calendar", "-o", "ics"), shop.type("calendar", "-o", "ics")
    assert first.out == second.out
    (event,) = Calendar.from_ical(first.out).walk("VEVENT")
    assert str(event["SUMMARY"]) == "shop in live: season sale"
    assert "\r\nDTSTART:20" in first.out
    assert all(line.endswith("Z") for line in first.out.splitlines() if line.startswith(("DTSTART", "DTSTAMP")))


def test_the_ledger_is_sound_until_somebody_changes_it(shop: Told) -> None:
    verified = shop.json("audit", "verify")
    assert verified["sound"] is True
    exported = shop.type("audit", "export")
    assert len(exported.out.splitlines()) == verified["entries"]
    assert [entry["sequence"] for entry in shop.json("audit", "export")] == list(range(1, verified["entries"] + 1))

    database = Database(shop.settings["state"]["url"])
    second = tables.ledger.c.sequence == 2
    try:
        with database.write() as transaction:
            actor = transaction.connection.scalar(select(tables.ledger.c.actor).where(second))
            transaction.connection.execute(tables.ledger.update().where(second).values(actor="somebody else"))
        done = shop.type("audit", "verify")
        assert done.status == 1
        assert "was changed" in done.err
        with database.write() as transaction:
            transaction.connection.execute(tables.ledger.update().where(second).values(actor=actor))
    finally:
        database.close()
    assert shop.json("audit", "verify")["sound"] is True


@pytest.mark.sqlite_only("its file is damaged")
def test_a_damaged_file_is_found_and_told_with_a_remedy(shop: Told, tmp_path: Path) -> None:
    import sqlite3

    copied = tmp_path / "copy.db"
    with sqlite3.connect(shop.directory / "state" / "reconciler.db") as whole, sqlite3.connect(copied) as copy:
        whole.backup(copy)
    whole.close()
    # An index that lacks a row: everything can be read, and searches miss what is there.
    copy.execute("PRAGMA writable_schema = ON")
    copy.execute("DELETE FROM sqlite_schema WHERE name = 'deployments_app'")
    copy.commit()
    copy.close()
    config = tmp_path / "reconciler.yaml"
    config.write_text(f'state: {{url: "sqlite:///{copied}"}}\nrepository: {{url: "{shop.home.path}"}}\n')
    done = shop.type("audit", "verify", "--config", config)
    assert done.status == 1
    assert "sound" not in done.out
    assert "put a backup in its place" in done.err
    told = shop.type("audit", "verify", "-o", "json", "--config", config).json
    assert told["sound"] is False
    assert told["damage"]
    stores = [one for one in shop.type("doctor", "-o", "json", "--config", config).json if one["check"] == "store"]
    assert [one["status"] for one in stores] == ["bad"]
    assert "put a backup in its place" in stores[0]["remedy"]


@pytest.mark.sqlite_only("its pages are damaged")
def test_a_store_with_broken_pages_is_wrong_and_not_also_good(shop: Told, tmp_path: Path) -> None:
    import sqlite3

    copied = tmp_path / "copy.db"
    with sqlite3.connect(shop.directory / "state" / "reconciler.db") as whole, sqlite3.connect(copied) as copy:
        whole.backup(copy)
    whole.close()
    copy.close()
    data = copied.read_bytes()
    copied.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    config = tmp_path / "reconciler.yaml"
    config.write_text(f'state: {{url: "sqlite:///{copied}"}}\nrepository: {{url: "{shop.home.path}"}}\n')
    stores = [one for one in shop.type("doctor", "-o", "json", "--config", config).json if one["check"] == "store"]
    assert [one["status"] for one in stores] == ["bad"]
    for words in (["status"], ["audit", "verify"], ["deployments", "list"]):
        done = shop.type(*words, "--config", config)
        assert done.status == 1
        assert "put a backup in its place" in done.err, done.err
        assert "cycle" not in done.err


def test_reading_changes_nothing(shop: Told) -> None:
    def everything() -> list[Any]:
        return [shop.json("audit", "export"), shop.json("status"), shop.json("deployments", "list")]

    before = everything()
    for words in (["status"], ["plan"], ["plan", "--at", "11d"], ["plan", "--until", "30d"], ["doctor"], ["calendar"]):
        assert shop.type(*words).status == 0
    assert everything() == before
    with shop.running() as found, found.database.read() as connection:
        assert due.next_due(connection) > clock.system() + timedelta(days=9)


@pytest.mark.parametrize("verb", ["status", "deployments list", "audit verify"])
def test_a_verb_that_reads_does_not_import_what_carries_out(verb: str, shop: Told) -> None:
    heavy = {"alembic", "apscheduler", "git", "holidays", "icalendar", "rich", "structlog", "watchfiles"}
    code = (
        f"import sys; from reconciler.cli.main import attempt; status = attempt({verb.split()});"
        f"heavy = {heavy} & sys.modules.keys(); sys.exit(f'{{status}} {{heavy}}' if status or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=shop.directory)
    assert done.returncode == 0, done.stderr
