"""Are apps that are looked at together asked about together, in as many statements as one of them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from reconciler.model.deployment import Deployment
from reconciler.store import deployments, passing, tables, versions
from reconciler.store.database import Database
from reconciler.store.migrate import migrate
from reconciler.store.passing import Line
from reconciler.store.recorded import EACH
from reconciler.store.traces import traced
from reconciler.views.planning import sides_planned
from reconciler.views.scene import scene_of
from reconciler.wiring import Running
from tests.counting import Work, counted
from tests.stores import store_url
from tests.world import NOON, World, app_manifest, season_manifest

FEW, MANY = 5, 25
ENVIRONMENTS = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, concurrency: 1, target: {type: directory, path: releases/sandbox}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec: {track: sandbox, gates: {soak: 1h}, target: {type: directory, path: releases/live}}
---
apiVersion: reconciler/v1
kind: Resource
metadata: {name: db}
spec: {type: postgres}
"""
sqlite = pytest.mark.sqlite_only("its statements are counted")


def name(number: int) -> str:
    return f"app-{number:02}"


@contextmanager
def begun(directory: Path, count: int, **files: str) -> Iterator[tuple[World, Running]]:
    """So many apps, of which the first two versions are v1 and two."""
    world = World(directory)
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, **manifests(count), **files})
    world.settle()
    world.commit("Two\n\nAllow-Mass-Change: 100", manifests(count, version="two"))
    with world.running() as found:
        found.daemon.settle()
        yield world, found


def manifests(count: int, environments: Any = ("sandbox",), **spec: Any) -> dict[str, str]:
    places = environments if isinstance(environments, dict) else list(environments)
    each = {"bundle": None, "config": {"A": spec.get("version", "one")}, "environments": places, **spec}
    return {f"{name(number)}.yaml": app_manifest(name(number), **each) for number in range(count)}


def references(connection: Connection, app: str) -> dict[str, dict[str, str]]:
    """An environment's entry for each way of pointing at the second version of an app."""
    two = versions.find(connection, app, "v2")
    assert two is not None
    ways = ("v2", "two", two.id.removeprefix("sha256:")[:12], two.id, f"commit:{two.commit[:7]}")
    return {reference: {"version": reference} for reference in ways}


@sqlite
def test_pins_of_many_apps_are_looked_up_in_as_many_statements_as_those_of_few(tmp_path: Path) -> None:
    with begun(tmp_path, MANY) as (world, found):
        with found.database.read() as connection:
            ways = [[*references(connection, name(number)).values()] for number in range(MANY)]
        pins: dict[str, str] = {}
        for number, each in enumerate(ways):
            entry = {"sandbox": each[number % len(each)]}
            pins |= {f"{name(number)}.yaml": manifests(number + 1, entry, version="two")[f"{name(number)}.yaml"]}
        world.commit("Pin\n\nAllow-Mass-Change: 100", pins)
        found.daemon.settle()
        taken = [planned(world, found, count) for count in (FEW, MANY)]
    (few, _), (many, plans) = taken
    assert len(many) == len(few)
    assert all(plan.empty for _, plan in plans.values())


def questions(work: Work) -> list[str]:
    """What was asked, but for whose turn it is, a piece at a time; each row that is written is counted by itself."""
    asked = [one for one in work.statements if one.startswith(("SELECT", "WITH"))]
    return [
        one
        for one in asked
        if not one.startswith("SELECT deployments.id, deployments.app, deployments.env") or "deployments.number" in one
    ]


def planned(world: World, found: Running, count: int) -> tuple[list[str], dict[str, Any]]:
    """The statements that planning so many apps takes, and what is planned."""
    names = [name(number) for number in range(count)]
    with counted(found.database) as work, found.database.read() as connection:
        scene = scene_of(connection)
        work.statements.clear()
        plans = sides_planned(connection, names, scene, world.now)
        return questions(work), plans


@sqlite
def test_what_many_apps_name_is_looked_up_once_with_the_commit_that_declares_them(tmp_path: Path) -> None:
    taken = []
    for count in (FEW, MANY):
        world = World(tmp_path / str(count))
        bindings = [{"name": "db", "type": "postgres", "resource": "db"}]
        files = manifests(count, version="one", bindings=bindings, depends_on=["base"])
        world.commit("Begin", {"e.yaml": ENVIRONMENTS, "base.yaml": app_manifest("base", bundle=None), **files})
        with world.running() as found, counted(found.database) as work:
            found.cycle.turn(world.now)
            taken.append(questions(work))
    few, many = taken
    assert len(many) == len(few)


@sqlite
def test_edges_of_many_apps_are_recorded_in_as_many_questions_as_those_of_few(tmp_path: Path) -> None:
    taken = []
    for count in (FEW, MANY):
        where = {"apps": [name(number) for number in range(count)], "environments": ["sandbox"]}
        season = season_manifest("sale", "2026-06-01T13:00:00", "2026-06-01T15:00:00", config={"A": 3}, **where)
        with begun(tmp_path / str(count), count, **{"season.yaml": season}) as (world, found):
            world.later(hours=1)
            with counted(found.database) as work:
                assert found.cycle.turn(world.now).planned == count
            with found.database.read() as connection:
                rows = connection.execute(select(tables.occurrences)).all()
            assert {(row.kind, row.app) for row in rows} == {("season-start", one) for one in where["apps"]}
            taken.append(questions(work))
    few, many = taken
    assert len(many) == len(few)


def history(app: str, environment: str, length: int, cause: str) -> list[dict[str, Any]]:
    """So many deployments of an app, one an hour, each with a version of its own: every second one of a cause."""
    return [
        {
            "id": f"{app}-{environment}-{number}",
            "app": app,
            "environment": environment,
            "number": number,
            "status": "completed",
            "cause": cause if number % 2 else "release",
            "traffic": [{"version": f"sha256:{app}-{number:03}", "number": number, "name": None, "percent": 100}],
            "config": {},
            "deployed_by": "ann",
            "reason": "",
            "reverts": [],
            "created_at": NOON + timedelta(hours=number),
            "started_at": NOON + timedelta(hours=number),
            "finished_at": NOON + timedelta(hours=number),
            "extra_metadata": {},
            "grounds": {},
            "attempts": 0,
        }
        for number in range(1, length + 1)
    ]


PLACES = [("basket", "sandbox", 40), ("basket", "live", 60), ("shop", "live", 31), ("shop", "sandbox", 4)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """A store that holds histories of different lengths, each second deployment a repair."""
    (tmp_path / "state").mkdir()
    made = Database(store_url(tmp_path))
    migrate(made)
    with made.write() as transaction:
        rows = [row for app, environment, length in PLACES for row in history(app, environment, length, "repair")]
        transaction.connection.execute(tables.deployments.insert(), rows)
        placed = [{"app": app, "environment": environment, "declared": True} for app, environment, _ in PLACES]
        transaction.connection.execute(tables.placements.insert(), placed)
    yield made
    made.close()


def recent(connection: Connection, each: int) -> dict[tuple[str, str], list[Deployment]]:
    found: dict[tuple[str, str], list[Deployment]] = {}
    for one in deployments.recent(connection, ["basket", "shop"], each):
        found.setdefault((one.app, one.environment), []).append(one)
    return found


def test_what_came_before_repairs_is_told_of_each_place(store: Database) -> None:
    with store.read() as connection:
        places = recent(connection, EACH)
        found = passing.before_repairs(connection, list(places.values()))
    told: dict[tuple[str, str], list[int]] = {}
    for one in found:
        told.setdefault((one.app, one.environment), []).append(one.number)
    for (app, environment), several in places.items():
        oldest, repairs = several[-1].number, sum(one.number % 2 for one in several)
        before = [number for number in range(oldest - 1, 0, -1) if number % 2 == 0][:repairs]
        assert told.get((app, environment), []) == before


def test_how_far_back_versions_ran_is_told_of_each_place(store: Database) -> None:
    asked = [f"sha256:basket-{number:03}" for number in (6, 7, 8)] + ["sha256:shop-002", None]
    with store.read() as connection:
        found = passing.depths(connection, [(several, asked) for several in recent(connection, EACH).values()])
    # Repairs do not count, neither as what ran nor as what came since; what is among the recent ones is left out.
    assert found == {
        ("basket", "sandbox"): {"sha256:basket-006": 17, "sha256:basket-008": 16},
        ("basket", "live"): {"sha256:basket-006": 27, "sha256:basket-008": 26},
        ("shop", "live"): {"sha256:shop-002": 14},
    }


def test_who_stands_in_line_is_told_of_each_line(store: Database) -> None:
    def line(app: str, environment: str, hours: float) -> Line:
        return Line(app=app, environment=environment, moment=NOON + timedelta(hours=hours))

    lines = [
        line("basket", "live", 30.5),
        line("basket", "sandbox", 2),
        line("shop", "live", 0),
        line("shop", "sandbox", 9),
    ]
    with store.read() as connection:
        found = passing.in_line(connection, [*lines, line("basket", "live", 59)])
    told = sorted((one.app, one.environment, one.number) for one in found)
    wanted = {
        ("basket", "live"): [28, 29, 30, 31, 32, 33, 57, 58, 59, 60],
        ("basket", "sandbox"): [1, 2, 3, 4, 5],
        ("shop", "live"): [1, 2, 3],
        ("shop", "sandbox"): [2, 3, 4],
    }
    assert told == sorted((*place, number) for place, numbers in wanted.items() for number in numbers)


@sqlite
def test_all_of_these_are_told_of_several_places_in_one_question(store: Database) -> None:
    with store.read() as connection:
        places = list(recent(connection, EACH).values())
        lines = [Line(app=app, environment=where, moment=NOON) for app, where, _ in PLACES]
        asks: Sequence[Callable[[], Any]] = (
            lambda: passing.before_repairs(connection, places),
            lambda: passing.depths(
                connection, [(several, ["sha256:basket-006", "sha256:shop-002"]) for several in places]
            ),
            lambda: passing.in_line(connection, lines),
        )
        for ask in asks:
            _, trace = traced(connection, ask)
            assert trace is not None
            assert len(trace.questions) == 1


def test_references_of_several_apps_are_told_apart(tmp_path: Path) -> None:
    with begun(tmp_path, 3) as (_, found), found.database.read() as connection:
        ways = {name(number): [*references(connection, name(number)), "v1", "v9", "one"] for number in range(3)}
        meant = versions.meant(connection, ways)
        first = versions.find(connection, name(0), "v1")
        assert first is not None
        assert versions.find(connection, name(1), first.id) is None
        # A commit made a version of each of them.
        assert versions.find(connection, name(1), f"commit:{first.commit}") == meant[name(1), "v1"]
    for app, several in ways.items():
        numbers = {reference: meant[app, reference].number for reference in several if (app, reference) in meant}
        assert numbers == dict.fromkeys(several[:5], 2) | {"v1": 1}
        assert {one.app for (asked, _), one in meant.items() if asked == app} == {app}


def test_a_digest_that_fits_several_means_none_and_a_commit_means_the_newest(tmp_path: Path) -> None:
    with begun(tmp_path, 1) as (_, found):
        with found.database.write() as transaction:
            (row,) = transaction.connection.execute(select(tables.versions).where(tables.versions.c.number == 1))
            twin = row._asdict() | {"number": 3, "name": "deadbeef"}
            rows = [
                twin | {"id": f"{row.id[:20]}{'0' * 51}"},
                twin | {"id": "sha256:deadbeef", "number": 4, "name": None},
            ]
            transaction.connection.execute(tables.versions.insert(), rows)
        with found.database.read() as connection:
            digits = row.id.removeprefix("sha256:")
            meant = versions.meant(
                connection, {name(0): [digits[:12], digits, f"commit:{row.commit[:8]}", "deadbeef", "sha256:deadbeef"]}
            )
    assert {reference: one.number for (_, reference), one in meant.items()} == {
        digits: 1,
        f"commit:{row.commit[:8]}": 4,
        "deadbeef": 3,
        "sha256:deadbeef": 4,
    }
