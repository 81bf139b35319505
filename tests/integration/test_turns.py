"""Does a long queue, of plans or of deployments, keep nobody waiting who comes later?"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.engine import planning
from reconciler.engine.pool import Answer, Pool
from reconciler.store import deployments, due
from tests.counting import counted
from tests.e2e.daemon import environment_manifest, exec_target
from tests.world import CHAIN, World, app_manifest

ENVIRONMENT = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {{name: {name}}}
spec: {{track: latest, concurrency: 64, target: {{type: directory, path: releases/{name}}}}}
---
"""


def world_of(directory: Path, count: int, environments: tuple[str, ...] = CHAIN[:1]) -> World:
    """A world of so many apps, the last of which run in the last environment."""
    world = World(directory)
    world.settings["workers"] = 2
    world.repo.write({"environments.yaml": "".join(ENVIRONMENT.format(name=name) for name in environments)})
    for number in range(count):
        change(world, number, 1, environments[0])
    world.repo.commit("Begin")
    world.repo.push()
    return world


def change(world: World, number: int, value: int, *environments: str) -> None:
    """Another setting of an app, not yet pushed."""
    manifest = app_manifest(f"app-{number:05d}", bundle=None, config={"A": value}, environments=list(environments))
    world.repo.write({f"apps/{number % 20}/app-{number:05d}.yaml": manifest})


def push(world: World, message: str) -> None:
    """What was changed, as one commit."""
    world.repo.commit(message)
    world.repo.push()


def test_a_push_is_planned_before_what_was_left_of_a_mass_of_plans(tmp_path: Path):
    count = 2 * planning.MOST + 200
    world = world_of(tmp_path, count)
    with world.running() as found:
        first = found.cycle.turn(world.now)
        assert first.planned < count
        assert first.wake_at is not None
        assert first.wake_at <= world.now
        world.later(seconds=1)
        # Names late in the order would come last, were it not the newest.
        change(world, count, 1, CHAIN[0])
        push(world, "Add one more")
        second = found.cycle.turn(world.now)
        assert second.commits == 1
        assert second.planned < count
        with found.database.read() as connection:
            assert due.apps(connection, world.now, count)
            assert deployments.listed(connection, deployments.Filter(app=f"app-{count:05d}"))


def test_the_look_at_everything_comes_to_an_end_and_a_push_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(planning, "MOST", 40)
    count = 3 * planning.MOST
    world = world_of(tmp_path, count)
    with world.running() as found:
        found.daemon.settle()
        found.cycle.look_at_all()
        assert 0 < found.cycle.turn(world.now).planned <= planning.MOST
        last = f"app-{count - 1:05d}"
        change(world, count - 1, 2, CHAIN[0])
        push(world, "Set one")
        turn = found.cycle.turn(world.now)
        assert turn.commits == 1
        with found.database.read() as connection:
            assert [one.number for one in deployments.listed(connection, deployments.Filter(app=last))] == [2, 1]
        planned = 0
        while more := found.cycle.turn(world.now).planned:
            planned += more
        assert planned < count


@pytest.mark.sqlite_only("the steps of its machine are counted")
def test_a_turn_is_no_more_work_however_many_deployments_wait(tmp_path: Path):
    works = []
    for count in (100, 900):
        world = world_of(tmp_path / str(count), count)
        with world.running() as found:
            workers, found.pool.workers = found.pool.workers, 0  # all of them wait, and none is answered meanwhile
            while found.cycle.turn(world.now).planned:
                pass
            found.pool.workers = workers
            change(world, 7, 2, CHAIN[0])
            push(world, "Set one")
            world.later(minutes=1)
            with counted(found.database) as work:
                assert found.cycle.turn(world.now).commits == 1
            works.append(work)
    few, many = works
    assert many.steps <= few.steps * 1.1


def test_a_long_queue_in_one_environment_keeps_no_other_one_waiting(tmp_path: Path):
    world = world_of(tmp_path, 40, ("dev", "prod"))
    change(world, 40, 1, "prod")
    push(world, "Another environment")
    with world.running() as found:
        found.cycle.turn(world.now)
        with found.database.read() as connection:
            begun = [row.environment for row in deployments.started(connection)]
    assert sorted(begun) == ["dev", "prod"]


def test_what_has_never_run_is_planned_in_larger_pieces_and_a_push_meanwhile_in_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(planning, "MOST", 4)
    monkeypatch.setattr(planning, "MOST_WITH_A_COMMIT", 4)
    monkeypatch.setattr(planning, "MOST_AT_FIRST", 10)
    world = world_of(tmp_path, 45)
    with world.running() as found:
        workers, found.pool.workers = found.pool.workers, 0  # what ends is planned again: here only what comes is
        assert [found.cycle.turn(world.now).planned for _ in range(3)] == [4, 10, 10]
        change(world, 1, 2, CHAIN[0])
        push(world, "Set one")
        world.later(seconds=1)
        turn = found.cycle.turn(world.now)
        assert (turn.commits, turn.planned) == (1, 4)
        found.pool.workers = workers
        found.daemon.settle()
        for number in range(12):
            change(world, number, 3, CHAIN[0])
        push(world, "Set twelve that run already")
        world.later(seconds=1)
        found.pool.workers = 0
        assert [found.cycle.turn(world.now).planned for _ in range(3)] == [4, 4, 4]


def test_no_more_is_handed_over_than_the_threads_take_next(tmp_path: Path):
    world = world_of(tmp_path, 24)
    world.settings["state"]["lease"] = "1m"  # no heart beats in turns that a test takes
    with world.running() as found:
        handed = []
        while found.cycle.turn(world.now).did_something:
            handed.append(len(found.pool.busy))
            answered(found.pool)
        assert max(handed) == 2 * found.pool.workers
        with found.database.read() as connection:
            ended = deployments.listed(connection, deployments.Filter(status="completed", limit=100))
        assert len(ended) == 24


def test_apps_whose_deployments_ended_are_planned_together_while_others_stand_in_line(tmp_path: Path):
    world = world_of(tmp_path, 60)
    world.settings["state"]["lease"] = "1m"
    with world.running() as found:
        assert found.cycle.turn(world.now).planned == 60
        ended = 0
        for _ in range(2):
            answered(found.pool)
            turn = found.cycle.turn(world.now)
            assert turn.answers > 1
            assert (turn.planned, turn.begun > 0) == (0, True)
            ended += turn.answers
        answered(found.pool)
        world.later(seconds=planning.GATHERED.total_seconds())
        assert found.cycle.turn(world.now).planned > ended
        answered(found.pool)
        change(world, 1, 2, CHAIN[0])
        push(world, "Set one")
        assert found.cycle.turn(world.now).planned > 1
        world.later(minutes=-5)  # a clock that was set back holds nothing up
        answered(found.pool)
        turn = found.cycle.turn(world.now)
        assert turn.planned >= turn.answers
        found.daemon.settle()
        with found.database.read() as connection:
            assert not due.apps(connection, world.now, 1)


def test_a_turn_waits_for_half_of_what_is_carried_out_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reconciler.engine.pool.GATHERING", 60.0)
    world = world_of(tmp_path, 24)
    world.settings["workers"] = 8
    with world.running() as found:
        found.cycle.turn(world.now)
        begun, busy = time.monotonic(), len(found.pool.busy)
        found.pool.gather()
        assert time.monotonic() - begun < 30
        assert busy // 2 <= len(found.pool.answers()) <= busy


def answered(pool: Pool) -> None:
    """Wait until everything that was handed over has its answer."""
    found: list[Answer] = []
    deadline = time.monotonic() + 30
    while len(found) < len(pool.busy):
        assert time.monotonic() < deadline
        pool.gather()
        found += pool.answers()
    pool.give_back(found)


FROZEN = """\
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: fair}
spec: {environments: [sandbox], from: "2026-01-01T00:00:00Z", until: "2030-01-01T00:00:00Z", reason: the fair}
"""


def test_what_passes_a_freeze_and_waits_for_its_turn_is_planned_once(tmp_path: Path):
    """While it waits, nothing is to be done: a daemon that found something with every turn would never rest."""
    count, go = 6, tmp_path / "go"
    world = world_of(tmp_path, count)
    slow = exec_target(f"while ! test -e {go}; do sleep 0.02; done")
    three_at_once = environment_manifest(CHAIN[0], "latest", target=slow, concurrency=count // 2)
    world.commit("Three at once", {"environments.yaml": three_at_once})
    go.touch()
    world.settle()
    for number in range(count):
        change(world, number, 2, CHAIN[0])
    push(world, f"Change all\n\nAllow-Mass-Change: {count}")
    world.settle()
    world.commit("Freeze", {"freeze.yaml": FROZEN})
    world.settle()
    go.unlink()
    world.repo.revert("HEAD~1")
    world.repo.push()
    with world.running() as found:
        found.pool.workers = count // 2
        found.following.looking.ask()
        first = found.cycle.turn(world.now)
        assert (first.commits, first.planned, first.begun) == (1, count, count // 2)
        found.pool.workers = count  # free ones, but no turn in this environment
        again = [found.cycle.turn(world.now).planned for _ in range(3)]
        go.touch()
        found.daemon.settle()
    assert again[1:] == [0, 0]
    assert {one.cause for one in world.history("app-00003")} == {"release", "rollback"}


def test_a_freeze_holds_back_what_waits_for_a_thread(tmp_path: Path):
    count = 6
    world = world_of(tmp_path, count)
    world.settle()
    begins = world.now + timedelta(hours=1)
    world.commit("Freeze", {"freeze.yaml": FROZEN.replace("2026-01-01T00:00:00Z", begins.isoformat())})
    world.settle()
    with world.running() as found:
        found.pool.workers = 0
        for number in range(count):
            change(world, number, 2, CHAIN[0])
        push(world, f"Change all\n\nAllow-Mass-Change: {count}")
        found.following.looking.ask()
        assert found.cycle.turn(world.now).planned == count
        world.later(hours=2)
        found.pool.workers = 2
        found.daemon.settle()
    assert [one.status for one in world.history("app-00003")] == ["completed", "aborted"]
