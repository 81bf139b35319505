"""Does HTTP answer what the command line prints, in the same words?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.store import messages
from tests.commands import Told
from tests.http_asking import Face, face
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

FAILING = ENVIRONMENTS.replace(
    "{type: directory, path: releases/live}}", '{type: exec, command: ["/bin/sh", "-c", "echo no luck; exit 1"]}}'
).replace("spec: {track: pre-release", "spec: {track: pre-release, retry: {limit: 0}")
ALERT = json.dumps(
    {
        "apiVersion": "reconciler/v1",
        "kind": "Alert",
        "metadata": {"name": "chat"},
        "spec": {"to": "env:NO_SUCH_CHAT", "events": ["failed"]},
    }
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Two versions of a shop, of which the second fails in live; a season to come; an alert."""
    told = Told(tmp_path_factory.mktemp("shop"))
    told.start_repository(config={"greeting": "Hello"}, owner="ann")
    told.settle()
    begins = told.now + timedelta(days=10)
    span = (f"{begins:%Y-%m-%dT%H:%M}", f"{begins + timedelta(days=2):%Y-%m-%dT%H:%M}")
    season = season_manifest("sale", *span, config={"greeting": "Sale!"}, environments=["sandbox"])
    changed = app_manifest(config={"greeting": "Hi"}, owner="ann", secrets=[{"name": "KEY", "from": "env:SHOP"}])
    files = {"shop.yaml": changed, "season.yaml": season, "shop/index.html": "two", "alert.yaml": ALERT}
    told.commit("[HOTFIX] Say hi", {**files, "environments.yaml": FAILING})
    told.settle()
    with told.running() as running, running.database.write() as transaction:
        message = {"channel": "alert", "alert": "chat", "stream": "", "to": "env:NO_SUCH_CHAT", "notices": 1}
        rows = [{**message, "id": name * 32, "content": {"title": name}, "made_at": told.now} for name in "ab"]
        messages.add(transaction, rows)
    return told


@pytest.fixture(scope="module")
def asked(shop: Told) -> Iterator[Face]:
    with face(shop) as found:
        yield found


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("/status", ["status"]),
        ("/status?app=shop", ["status", "shop"]),
        ("/versions?app=shop", ["versions", "list", "shop"]),
        ("/apps/shop/versions", ["versions", "list", "shop"]),
        ("/apps/shop/versions/v2", ["versions", "show", "shop", "v2"]),
        ("/apps/shop/versions/v1/compare/v2", ["versions", "compare", "shop", "v1", "v2"]),
        ("/versions/compare?app=shop&a=v1&b=v2", ["versions", "compare", "shop", "v1", "v2"]),
        ("/deployments", ["deployments", "list"]),
        ("/deployments?environment=live&limit=2", ["deployments", "list", "--environment", "live", "--limit", "2"]),
        ("/deployments?status=failed", ["deployments", "list", "--status", "failed"]),
        ("/apps/shop/environments/live/why", ["why", "shop", "live"]),
        ("/calendar", ["calendar"]),
        ("/calendar?until=11d&app=shop", ["calendar", "shop", "--until", "11d"]),
        ("/alerts", ["alerts", "list"]),
        ("/alerts/log", ["alerts", "log"]),
        ("/alerts/log?alert=chat&limit=1", ["alerts", "log", "chat", "--limit", "1"]),
        (f"/alerts/log/{'A' * 12}", ["alerts", "show", "a" * 12]),
    ],
)
def test_the_same_json(shop: Told, asked: Face, address: str, command: list[str]) -> None:
    printed = shop.json(*command)
    assert printed, "there is something to compare"
    assert asked.json(address) == printed


def test_a_deployment_with_its_events(shop: Told, asked: Face) -> None:
    failed = asked.json("/deployments?status=failed")[0]
    found = asked.json(f"/deployments/{failed['id'][:12].upper()}")
    assert found == shop.json("deployments", "show", failed["id"])
    assert [event["status"] for event in found["events"]][:2] == ["pending", "started"]
    assert {**failed, "events": found["events"]} == found


def test_the_feed(shop: Told, asked: Face) -> None:
    answer = asked.get("/calendar.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.text.splitlines() == shop.type("calendar", "-o", "ics").out.splitlines()
    assert "season sale" in answer.text


def test_the_ledger_is_what_is_exported(shop: Told, asked: Face) -> None:
    exported = shop.json("audit", "export")
    assert asked.all("/ledger?limit=7") == exported[::-1]
    assert asked.json("/ledger/verification") == shop.json("audit", "verify")


def test_figures(shop: Told, asked: Face) -> None:
    ours, printed = asked.json("/figures?app=shop"), shop.json("metrics", "--app", "shop")

    def without_the_moment(found: Any) -> Any:
        match found:
            case dict():
                return {k: without_the_moment(v) for k, v in found.items() if k not in ("since", "until")}
            case list():
                return [without_the_moment(one) for one in found]
            case _:
                return found

    assert without_the_moment(ours) == without_the_moment(printed)
    assert ours["figures"]["failed"] > 0


def test_the_plan(shop: Told, asked: Face) -> None:
    ours, printed = asked.json("/plan?until=11d"), shop.json("plan", "--until", "11d")
    assert [(one["action"], one["environment"], one["cause"]) for one in ours["actions"]] == [
        (one["action"], one["environment"], one["cause"]) for one in printed["actions"]
    ]
    assert ours["commit"] == printed["commit"]
    assert any(one["cause"] == "season-start" for one in ours["actions"])


def test_an_app_with_how_it_stands(shop: Told, asked: Face) -> None:
    found = asked.json("/apps/shop")
    (listed,) = asked.json("/apps")
    standings = found.pop("standings")
    assert found == listed
    assert (found["owner"], found["environments"]) == ("ann", ["sandbox", "pre-release", "live"])
    around = ("daemon", "repository")
    assert standings == [{k: v for k, v in one.items() if k not in around} for one in asked.json("/status")]


def test_at_another_moment(shop: Told, asked: Face) -> None:
    now = shop.now
    before, after = (now + timedelta(days=days) for days in (-1, 11))
    assert [one["deployment"] for one in asked.json(f"/status?at={before:%Y-%m-%dT%H:%M:%SZ}")] == [None] * 3
    assert [one["seasons"] for one in asked.json(f"/status?at={after:%Y-%m-%dT%H:%M:%SZ}")] == [["sale"], [], []]
