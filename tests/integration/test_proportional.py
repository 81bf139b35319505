"""Is the work that a change makes the same, however many apps there are and however long their history is?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from reconciler.store import declared, deployments
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from reconciler.wiring import Running
from tests.counting import Work, counted
from tests.world import ENVIRONMENTS, NOON, World, app_manifest

pytestmark = pytest.mark.sqlite_only("the steps of its machine are counted")
FEW, MANY = 60, 1200
COMPLETE = (
    "UPDATE deployments SET status = 'completed', started_at = created_at, finished_at = created_at"
    " WHERE status = 'pending'"
)


def name(number: int) -> str:
    """The name of an app."""
    return f"app-{number:05d}"


@contextmanager
def many_apps(directory: Path, count: int) -> Iterator[tuple[World, Running]]:
    """So many apps in one environment, all of them released as far as the store knows."""
    world = World(directory)
    world.repo.write({"environments.yaml": ENVIRONMENTS, "site/index.html": "one"})
    for number in range(count):
        manifest = app_manifest(name(number), bundle=None, config={"A": 1}, environments=["sandbox"])
        world.repo.write({f"apps/{number % 20}/{name(number)}.yaml": manifest})
    world.repo.commit("Begin")
    world.repo.push()
    with world.running() as found:
        while decided(found) < count:
            assert found.cycle.turn(world.now).planned
        with found.database.write() as transaction:
            transaction.connection.execute(text(COMPLETE))
        found.daemon.settle()  # what had begun by then ends by itself
        yield world, found


def decided(found: Running) -> int:
    """How many deployments there are; what was answered meanwhile is planned again and makes none."""
    with found.database.read() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM deployments")) or 0)


def change(world: World, number: int, value: int) -> None:
    """Push another setting of an app."""
    manifest = app_manifest(name(number), bundle=None, config={"A": value}, environments=["sandbox"])
    world.commit(f"Set {value}", {f"apps/{number % 20}/{name(number)}.yaml": manifest})


def work_of_a_change(world: World, found: Running) -> Work:
    """What the store does in the turn that notes one changed app and begins its deployment."""
    change(world, 7, 2)
    world.later(minutes=1)
    with counted(found.database) as work:
        turn = found.cycle.turn(world.now)
    assert (turn.commits, turn.planned, turn.begun) == (1, 1, 1)
    return work


def test_one_change_among_many_apps_is_the_work_of_one_change(tmp_path: Path):
    with many_apps(tmp_path / "few", FEW) as (world, found):
        few = work_of_a_change(world, found)
    with many_apps(tmp_path / "many", MANY) as (world, found):
        many = work_of_a_change(world, found)
    assert len(many.statements) == len(few.statements)
    assert many.steps <= few.steps * 1.05


def test_a_turn_with_nothing_to_do_asks_as_little_among_many_apps_and_writes_nothing(tmp_path: Path):
    found_work = []
    for count in (FEW, MANY):
        with many_apps(tmp_path / str(count), count) as (world, found):
            found.cycle.turn(world.now)
            with counted(found.database) as work:
                assert not found.cycle.turn(world.now).did_something
            found_work.append(work)
    few, many = found_work
    assert many.steps == few.steps
    assert many.statements == few.statements
    assert not [one for one in many.statements if one.startswith(("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE"))]


def lengthen(found: Running, app: str, count: int) -> None:
    """Give an app a history of so many deployments, versions and commits."""
    with found.database.write() as transaction:
        rows = {
            "deployments": ("id", "substr(id, 1, 8) || '-' || n", "number", "number - :count + n - 1"),
            "versions": ("id", "substr(id, 1, 50) || '-' || n", "number", "number - :count + n - 1"),
            "touches": ("after", "'old-' || n", "position", "position - :count + n - 1"),
        }
        for table, (key, fresh, place, earlier) in rows.items():
            connection = transaction.connection
            columns = [row.name for row in connection.execute(text(f"PRAGMA table_info({table})"))]
            taken = [column for column in columns if column != "sequence"]
            chosen = {column: f'"{column}"' for column in taken} | {key: fresh, place: earlier}
            if table == "versions":
                chosen["name"] = "NULL"
            names = ", ".join(f'"{column}"' for column in taken)
            several = "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :count) "
            what = f"SELECT {', '.join(chosen[column] for column in taken)} FROM {table}, many WHERE app = :app"
            # The newest keep their numbers and places: what is earlier lies before them.
            connection.execute(text(f"INSERT INTO {table} ({names}) {several}{what}"), {"count": count, "app": app})


def test_a_change_of_an_app_with_a_long_history_is_the_work_of_one_change(tmp_path: Path):
    works = []
    for length in (30, 900):
        with many_apps(tmp_path / str(length), 9) as (world, found):
            lengthen(found, name(7), length)
            works.append(work_of_a_change(world, found))
    short, long = works
    assert len(long.statements) == len(short.statements)
    assert long.steps <= short.steps * 1.05


def test_the_state_and_the_newest_history_of_an_app_are_told_without_reading_the_rest(tmp_path: Path):
    """Neither the apps beside it nor its own long past are looked at."""
    works = []
    for count, length in ((9, 30), (MANY // 4, 900)):
        with many_apps(tmp_path / str(count), count) as (world, found):
            lengthen(found, name(7), length)
            with counted(found.database) as work, found.database.read() as connection:
                assert name(7) in declared.known_names(connection)
                (standing,) = [s for p in pictures(connection, [name(7)], world.now) for s in standings(p, world.now)]
                filters = deployments.Filter(app=name(7)), deployments.Filter(app=name(7), environment="sandbox")
                listed = [deployments.listed(connection, one) for one in filters]
                ran = deployments.ran_at(connection, [name(7)], world.now)
            assert standing.in_sync
            assert [len(one) for one in listed] == [10, 10]
            assert ran[name(7), "sandbox"].id == standing.deployment.id
            works.append(work)
    short, long = works
    assert long.steps <= short.steps * 1.05


@pytest.mark.parametrize("which", [{"since": NOON + timedelta(days=1)}, {"status": "failed"}, {"cause": "retry"}])
def test_a_list_that_finds_nothing_looks_at_nothing(tmp_path: Path, which: dict):
    with many_apps(tmp_path, MANY // 4) as (_, found), counted(found.database) as work:
        with found.database.read() as connection:
            assert deployments.listed(connection, deployments.Filter(**which)) == []
        assert work.steps < 300
