"""Does the matrix say the same with what it remembers as without, whatever happened; and does it read few apps?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from reconciler.store.concerns import Wanted
from reconciler.store.database import Database
from reconciler.views import matrix, upcoming
from reconciler.views.matrix import Asked, Matrix
from reconciler.views.remembering import Memory
from tests.http_asking import face
from tests.world import ENVIRONMENTS, World, app_manifest, season_manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def looked(world: World, memory: Memory, **asked: Any) -> Matrix:
    store = Database(world.settings["state"]["url"])
    try:
        with store.read() as connection:
            return matrix.matrix(connection, Asked(**asked), world.now, memory)
    finally:
        store.close()


def test_what_is_remembered_is_what_is_so(world: World) -> None:
    files: dict[str, str | bytes | None] = {"environments.yaml": ENVIRONMENTS}
    for name in ("cart", "shop", "search"):
        files |= {f"{name}.yaml": app_manifest(name, **_team(name)), f"{name}/index.html": "one"}
    memory = Memory()

    def same(what: str) -> Matrix:
        found = looked(world, memory)
        assert found == looked(world, Memory()), what
        assert found == looked(world, memory), what
        return found

    world.commit("Begin", files)
    world.settle()
    assert same("at first").facts["running"] == 9
    world.commit("Change", {"shop/index.html": "two"})
    world.settle()
    assert {
        row.name: row.cells["live"].standing.deployment.traffic[0].number for row in same("a release").groups["quiet"]
    } == {
        "cart": 1,
        "search": 1,
        "shop": 2,
    }
    world.wish("pause", app="cart", environment="live", reason="the fair", until=world.now + timedelta(hours=1))
    world.settle()
    assert [row.name for row in same("a pause").groups["motion"]] == ["cart"]
    world.later(hours=2)
    assert same("the pause is over, though nobody has looked yet").groups["motion"] == []
    world.commit(
        "A season", {"season.yaml": season_manifest("fair", "2026-06-01T20:00", "2026-06-02T20:00", config={"a": 1})}
    )
    world.settle()
    assert [row.name for row in same("a season ahead").groups["quiet"]] == ["cart", "search", "shop"]
    world.later(hours=7)
    assert same("it has begun, though nobody has looked yet").facts["started"] == 1
    world.settle()
    assert same("it holds").groups["quiet"][-1].cells["live"].standing.seasons == ("fair",)
    world.commit(
        "It breaks", {"search.yaml": "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: search}\nspec: {}\n"}
    )
    world.settle()
    assert [row.name for row in same("broken").groups["person"]] == ["search"]
    world.commit("It leaves", {"cart.yaml": None})
    world.settle()
    assert [row.name for row in same("gone from git").groups["motion"]] == ["cart"]


def _team(name: str) -> dict[str, Any]:
    return {"owner": f"team of {name}"}


def _many(world: World, count: int) -> None:
    environment = {"track": "latest", "target": {"type": "directory", "path": "releases/live"}}
    manifests = [
        {"apiVersion": "reconciler/v1", "kind": "Environment", "metadata": {"name": "live"}, "spec": environment}
    ]
    manifests += [
        {
            "apiVersion": "reconciler/v1",
            "kind": "App",
            "metadata": {"name": f"app-{number:04d}", "labels": {"team": f"team-{number % 7}"}},
            "spec": {"config": {"number": number}, "environments": ["live"]},
        }
        for number in range(count)
    ]
    world.commit("Many", {"all.yaml": "\n---\n".join(map(json.dumps, manifests))})
    world.settle()


def test_a_page_of_many_apps_reads_few_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _many(world, 450)
    memory = Memory()
    store = Database(world.settings["state"]["url"])
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    made: list[int] = []
    keep = matrix.pictures

    def pictures(connection: Any, names: list[str], now: datetime, **how: Any) -> Any:
        made.append(len(names))
        return keep(connection, names, now, **how)

    monkeypatch.setattr(matrix, "pictures", pictures)
    try:
        with store.read() as connection:
            first = matrix.matrix(connection, Asked(), world.now, memory)
            assert (first.apps, first.places, len(first.groups["quiet"]), first.more["quiet"]) == (450, 450, 100, 350)
            assert sum(made) <= 101
            made.clear()
            assert matrix.matrix(connection, Asked(), world.now, memory) == first
            assert sum(made) == 0
            team = matrix.matrix(connection, Asked(wanted=Wanted(team="team-3")), world.now, memory)
            assert (team.apps, [row.name for row in team.groups["quiet"]][:2]) == (64, ["app-0003", "app-0010"])
            statements.clear()
            matrix.matrix(connection, Asked(), world.now, memory)
            assert not [text for text in statements if "document" in text and "apps" in text]
            seen, after = [], ""
            while True:
                page = matrix.matrix(connection, Asked(after=after), world.now, memory)
                seen += [row.name for row in page.groups["quiet"]]
                if page.next_name is None:
                    break
                after = page.next_name
            assert seen == [f"app-{number:04d}" for number in range(450)]
            assert upcoming.next_change(connection, world.now) is None
    finally:
        store.close()


def test_a_commit_about_one_app_leaves_the_rows_of_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str | bytes | None] = {"environments.yaml": ENVIRONMENTS}
    for name in ("cart", "shop", "search"):
        files |= {f"{name}.yaml": app_manifest(name), f"{name}/index.html": "one"}
    world.commit("Begin", files)
    world.settle()
    memory, made, keep = Memory(), list[str](), matrix.pictures

    def pictures(connection: Any, names: list[str], now: datetime, **how: Any) -> Any:
        made.extend(names)
        return keep(connection, names, now, **how)

    looked(world, memory)
    monkeypatch.setattr(matrix, "pictures", pictures)
    world.commit("Change", {"shop/index.html": "two"})
    world.settle()
    looked(world, memory)
    assert made == ["shop"]
    made.clear()
    world.commit("What concerns many", {"season.yaml": season_manifest("fair", "2027-06-01T20:00", "2027-06-02T20:00")})
    world.settle()
    looked(world, memory)
    assert made == ["cart", "search", "shop"]


def test_steps_of_what_is_under_way_are_seen_though_they_leave_no_fact(world: World) -> None:
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest("shop"), "shop/a": "one"})
    world.settle()
    world.commit("Change", {"shop/a": "two"})
    world.settle()
    store, memory = Database(world.settings["state"]["url"]), Memory()
    newest = "environment = 'live' AND number = 2"
    try:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE deployments SET status = 'started', finished_at = NULL WHERE {newest}")
        assert looked(world, memory) == looked(world, Memory())
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE deployments SET attempts = 4, error = 'refused' WHERE {newest}")
        found = looked(world, memory)
    finally:
        store.close()
    assert found == looked(world, Memory())
    (row,) = found.groups["motion"]
    assert row.cells["live"].standing.active is not None
    assert row.cells["live"].standing.active.attempts == 4


def test_a_page_says_in_its_frame_that_there_is_no_store_yet(world: World) -> None:
    with face(world) as asked:
        answer = asked.get("/ui/")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["retry-after"]
        assert "The store does not answer" in answer.text
        assert "Nothing has been recorded yet." in answer.text
        assert 'href="/ui/">Try again' in answer.text
        # True beside a daemon, and where none has been started.
        assert "what runs goes on, and a daemon that runs works on its own" in answer.text
        assert asked.get("/ui/sign-in").status_code == 200
        # The API says the same as a problem document, whose head and body name the same time.
        problem = asked.get("/apps")
        assert problem.headers["content-type"] == "application/problem+json"
        assert (problem.headers["retry-after"], problem.json()["retry_after"]) == ("5", 5.0)


def test_where_reading_needs_a_token_pages_lead_to_where_one_signs_in(world: World) -> None:
    world.settings["api"] = {"listen": "127.0.0.1:0", "read": "token"}
    _many(world, 2)
    with face(world) as asked:
        asked.made.state.context.terms = type(asked.made.state.context.terms)(reading_needs_token=True)
        answer = asked.get("/ui/apps/app-0001?env=live")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/ui/sign-in?then=%2Fui%2Fapps%2Fapp-0001%3Fenv%3Dlive",
        )
        assert asked.get("/ui/live/matrix").status_code == 401
        assert asked.get("/ui/static/ui.css").status_code == 200
