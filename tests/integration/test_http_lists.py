"""Do lists lead from page to page without a gap, find what is looked for, and tell both histories as one?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import tables
from reconciler.store.database import Database
from tests.http_asking import Face, face
from tests.world import World, app_manifest

NAMES = ["alpha", "beta", "gamma", "shop"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four apps, released twice, an hour apart; and what was reported from elsewhere in between."""
    made = World(tmp_path_factory.mktemp("lists"))
    files: dict[str, str] = {}
    for number, name in enumerate(NAMES[:3]):
        manifest = app_manifest(name).replace('"metadata": {', f'"metadata": {{"labels": {{"team": "t{number % 2}"}}, ')
        files |= {f"{name}.yaml": manifest, f"{name}/index.html": "one"}
    made.start_repository()
    made.commit("More", files)
    made.settle()
    made.later(hours=1)
    made.commit("Again\n\nAllow-Mass-Change: 12", {f"{name}/index.html": "two" for name in NAMES})
    made.settle()
    with made.running() as running, running.database.write() as transaction:
        rows = [_reported(made, number) for number in range(5)]
        transaction.connection.execute(tables.reports.insert(), rows)
    return made


def _reported(world: World, number: int) -> dict[str, Any]:
    at = world.now - timedelta(minutes=50 - 20 * number)
    return {
        "id": f"{number}abc" * 4,
        "app": ("shop", "till")[number % 2],
        "environment": "live",
        "number": number + 1,
        "version": f"1.0.{number}",
        "status": "failed" if number == 3 else "completed",
        "deployed_by": "ci",
        "scm_branch": "main",
        "scm_sha": None,
        "build_url": "https://ci.example.com/1",
        "extra_metadata": {"job": number},
        "error": None,
        "created_at": at,
        "started_at": at,
        "finished_at": at + timedelta(seconds=5),
    }


@pytest.fixture(scope="module")
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


@pytest.mark.parametrize(
    "filters",
    [
        "",
        "app=shop",
        "environment=live",
        "app=shop&environment=live",
        "status=completed",
        "status=failed",
        "cause=release",
        "cause=promotion",
        "cause=external",
        "since=2026-06-01T12:30:00Z",
        "until=2026-06-01T12:30:00Z",
        "since=45m&until=20m",
        "app=shop&since=30m",
    ],
)
def test_deployments_page_by_page(asked: Face, filters: str) -> None:
    whole = asked.json(f"/deployments?limit=1000&{filters}")
    assert whole
    assert asked.all(f"/deployments?limit=2&{filters}") == whole
    moments = [one["created_at"] for one in whole]
    assert moments == sorted(moments, reverse=True)


def test_both_histories_are_one(asked: Face) -> None:
    whole = asked.json("/deployments?limit=1000")
    assert len(whole) == len({one["id"] for one in whole}) == 4 * 3 * 2 + 5
    reported = [one for one in whole if one["cause"] == "external"]
    assert [one["extra_metadata"]["job"] for one in reported] == [4, 3, 2, 1, 0]
    # Those of the last minutes are newer than all that was made here; the others lie between both releases.
    assert [one["cause"] == "external" for one in whole[:4]] == [True, True, False, False]
    assert reported[0]["traffic"] == [{"version": "1.0.4", "number": 0, "name": "1.0.4", "percent": 100.0}]
    assert reported[0]["duration_seconds"] == 5.0


def test_an_app_that_was_only_reported_has_a_history(asked: Face) -> None:
    assert [one["app"] for one in asked.json("/deployments?app=till")] == ["till", "till"]
    assert asked.refused("/deployments?app=tilt")["status"] == 404


def test_a_reported_deployment_is_shown_by_the_beginning_of_its_id(asked: Face) -> None:
    assert asked.json("/deployments/3abc")["status"] == "failed"
    assert asked.refused("/deployments/ffffffffffffffffffff")["status"] == 404


@pytest.mark.parametrize("address", ["/apps", "/status", "/apps/shop/versions", "/versions?app=shop", "/ledger"])
def test_every_list_leads_to_its_end(asked: Face, address: str) -> None:
    joint = "&" if "?" in address else "?"
    whole = asked.json(f"{address}{joint}limit=1000")
    pages = list(asked.pages(f"{address}{joint}limit=1"))
    assert [one for page in pages for one in page] == whole
    assert len(pages) > 1


def test_a_page_neither_repeats_nor_skips_what_was_there_when_more_comes(world: World, asked: Face) -> None:
    pages = asked.pages("/deployments?limit=3")
    first = next(pages)
    before = asked.json("/deployments?limit=1000")
    world.later(hours=1)
    world.commit("Once more", {"shop/index.html": "three"})
    world.settle()
    rest = [one for page in pages for one in page]
    assert first + rest == before


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ("", NAMES),
        ("q=AM", ["gamma"]),
        ("q=a", ["alpha", "beta", "gamma"]),
        ("label=team=t0", ["alpha", "gamma"]),
        ("team=t1", ["beta"]),
        ("label=team=t0&q=g", ["gamma"]),
        ("label=team=nobody", []),
        ("environment=live&limit=1000", NAMES),
        ("state=moving", []),
        ("state=held", []),
        ("state=removed", []),
        ("state=drifted", []),
        ("state=approval", []),
    ],
)
def test_apps_are_looked_for(asked: Face, filters: str, names: list[str]) -> None:
    assert [one["name"] for one in asked.json(f"/apps?{filters}")] == names


def test_a_paused_app_and_one_that_left_git_are_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(tmp_path_factory.mktemp("states"))
    world.start_repository()
    gone = {"gone.yaml": app_manifest("gone", bundle="shop"), "broken.yaml": app_manifest("broken", bundle="shop")}
    world.commit("Two more", gone)
    world.settle()
    world.commit("One less, one broken", {"gone.yaml": None, "broken.yaml": app_manifest("broken", bundle=7)})
    world.wish("pause", app="shop", environment="live", until=world.now + timedelta(hours=1), reason="stock-taking")
    world.settle()
    with face(world) as asked:
        found = {state: asked.json(f"/apps?state={state}") for state in ("paused", "removed", "broken")}
        assert {state: [one["name"] for one in rows] for state, rows in found.items()} == {
            "paused": ["shop"],
            "removed": ["gone"],
            "broken": ["broken"],
        }
        assert found["broken"][0]["complaints"][0]["path"] == "broken.yaml"
        assert asked.json("/apps?state=paused&environment=sandbox") == []
        world.later(hours=2)
        assert asked.json("/apps?state=paused") == []


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ("kind=deployment.failed", set()),
        ("kind=deployment", {"deployment.pending", "deployment.started", "deployment.completed"}),
        ("kind=deployment.started&app=beta", {"deployment.started"}),
        ("actor=nobody", set()),
        ("app=beta&environment=live", {"deployment.pending", "deployment.started", "deployment.completed"}),
    ],
)
def test_the_ledger_is_filtered(asked: Face, filters: str, kinds: set[str]) -> None:
    assert {one["kind"] for one in asked.all(f"/ledger?limit=5&{filters}")} == kinds


@pytest.mark.parametrize(
    ("filters", "status", "meant"),
    [
        ("app=bta", 404, "did you mean beta?"),
        ("environment=sandbx", 404, "did you mean sandbox?"),
        ("kind=deploymnt.failed", 422, "did you mean deployment?"),
        ("app=bta&since=1d&kind=deployment&actor=nobody", 404, "did you mean beta?"),
    ],
)
def test_facts_of_what_nobody_knows_are_not_none(asked: Face, filters: str, status: int, meant: str) -> None:
    refused = asked.refused(f"/ledger?{filters}")
    assert (refused["status"], refused["next_step"]) == (status, meant)


def test_what_only_the_ledger_knows_of_is_read(tmp_path: Path) -> None:
    world = World(tmp_path).begun()
    store = Database(world.settings["state"]["url"])
    with store.write() as transaction:
        transaction.note("moon.landed", world.now, {}, app="apollo", environment="sea")
    store.close()
    with face(world) as asked:
        for filters in ("app=apollo", "environment=sea", "kind=moon", "kind=moon.landed"):
            assert [one["app"] for one in asked.json(f"/ledger?{filters}")] == ["apollo"], filters
            # It is known, though nothing of it fits.
            assert asked.json(f"/ledger?{filters}&actor=nobody") == [], filters
        assert asked.json("/ledger?kind=override") == []


def test_environments_along_the_chain(asked: Face) -> None:
    found = asked.json("/environments")
    assert [(one["name"], one["track"], one["apps"]) for one in found] == [
        ("sandbox", "latest", 4),
        ("pre-release", "sandbox", 4),
        ("live", "pre-release", 4),
    ]
    assert asked.json("/environments/live") == found[2]
    assert "live" in asked.refused("/environments/life")["next_step"]
