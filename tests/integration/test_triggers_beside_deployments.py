"""Are trigger settings where what they lead to is: beside a deployment, after a move, and when others cannot be had?"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.cli.status import state
from reconciler.engine.outcomes import TriggersOutcome, note_triggers
from reconciler.model.app import Triggers
from reconciler.model.output import Standing
from reconciler.store import concerns, tables, triggers
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version
from reconciler.views.chain import chain
from reconciler.views.matrix import Asked, matrix
from reconciler.views.pictures import pictures
from reconciler.views.remarks import remarks
from reconciler.views.remembering import Memory
from reconciler.views.standings import standing_in
from tests.e2e.daemon import environment_manifest, exec_target
from tests.with_hands import stranger
from tests.world import World, app_manifest

MANY = 70
FILES = 150
"""So many files take long enough to write that trigger settings handed over meanwhile would meet them."""


def commit(world: World, say: str) -> None:
    """Files and routes change in one commit."""
    manifest = app_manifest(triggers={"routes": [f"{say}.example.com/*"]}, environments=["sandbox"])
    world.commit(say, {"shop.yaml": manifest, **{f"shop/{number}": f"{say} {number}" for number in range(FILES)}})


def facts(world: World, kind: str) -> list[dict[str, object]]:
    with world.running() as found, found.database.read() as connection:
        return list(connection.execute(select(tables.ledger.c.body).where(tables.ledger.c.kind == kind)).scalars())


def test_files_and_routes_of_one_commit_are_there_without_a_retry(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    for say in ("one", "two", "three"):
        commit(world, say)
        world.settle()  # and no time passes

        assert world.runs("sandbox", "7") == f"{say} 7"
        told = json.loads((world.released("sandbox").parent / "triggers.json").read_text())
        assert told["routes"] == [f"{say}.example.com/*"]
    assert facts(world, "triggers.failed") == []
    assert facts(world, "deployment.attempt-failed") == []


def test_a_deployment_waits_a_moment_for_trigger_settings_that_are_being_written(tmp_path: Path) -> None:
    target = DirectoryTarget("live", {"path": "out"}, tmp_path)
    target.deploy(release("d1", version(1), number=1), Rehearsal().work())
    folder = os.open(tmp_path / "out" / "booking", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    given_back = threading.Timer(0.2, os.close, [folder])
    given_back.start()
    target.deploy(release("d2", version(2), number=2), Rehearsal().work())
    given_back.join()
    assert (tmp_path / "out" / "booking" / "current").readlink() == Path("releases/d2")


def routes(world: World, place: str, app: str = "shop") -> list[str] | None:
    """What a directory below `state/releases` was told of an app; None for nothing."""
    file = world.directory / "state" / "releases" / place / app / "triggers.json"
    return list(json.loads(file.read_text())["routes"]) if file.exists() else None


def shop(environment: str = "live") -> str:
    return app_manifest(environments=[environment], triggers={"routes": ["shop.example.com/*"]})


def at(place: str, name: str = "live") -> str:
    return environment_manifest(name, "latest", target={"type": "directory", "path": f"releases/{place}"})


def test_they_move_with_an_environment(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": at("here"), "shop.yaml": shop(), "shop/index.html": "one"})
    world.settle()
    assert routes(world, "here") == ["shop.example.com/*"]
    world.commit("Move\n\nAllow-Mass-Change: 1", {"environments.yaml": at("there")})
    world.settle()
    assert routes(world, "there") == ["shop.example.com/*"]
    assert len(facts(world, "triggers.applied")) == 2


def test_what_one_place_refused_is_not_handed_to_another_where_nothing_runs(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": at("here"), "shop.yaml": shop(), "shop/index.html": "one"})
    in_the_way = tmp_path / "state" / "releases" / "here" / "shop" / "triggers.json"
    in_the_way.mkdir(parents=True)
    world.settle()
    assert world.history()[-1].status == "completed"
    assert waiting_to_be_taken(world) == ["shop"]
    in_the_way.rmdir()

    nowhere = environment_manifest(
        "live", "latest", target=exec_target("exit 1"), retry={"limit": 0}, on_failure="hold"
    )
    world.commit("Move\n\nAllow-Mass-Change: 1", {"environments.yaml": nowhere})
    world.settle()
    world.later(hours=1)
    world.settle()
    assert world.history()[-1].status == "failed"
    assert facts(world, "triggers.applied") == []

    world.commit("Back\n\nAllow-Mass-Change: 1", {"environments.yaml": at("here")})
    world.settle()
    world.later(hours=1)
    world.settle()
    assert routes(world, "here") == ["shop.example.com/*"]
    assert waiting_to_be_taken(world) == []


def test_an_answer_from_before_a_move_says_nothing_about_the_new_place(tmp_path: Path) -> None:
    """Handed over by two fences: only the answer to the newest counts."""
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": at("here"), "shop.yaml": shop(), "shop/index.html": "one"})
    world.settle()
    with world.running() as found, found.database.write() as transaction:
        triggers.request(transaction, "shop", "live", Triggers(routes=("a",)), digest="a", target="there")
        for fence in (1, 2):
            triggers.handed_over(transaction, "shop", "live", fence)
        triggers.answered(transaction, "shop", "live", "a", None, world.now, fence=1)
        assert [row.open for row in transaction.connection.execute(select(tables.triggers))] == [True]
        triggers.request(transaction, "shop", "live", Triggers(routes=("a",)), digest="a", target="there")
        triggers.answered(transaction, "shop", "live", "a", None, world.now, fence=2)
        assert [row.open for row in transaction.connection.execute(select(tables.triggers))] == [True]
        triggers.handed_over(transaction, "shop", "live", 3)
        triggers.answered(transaction, "shop", "live", "a", None, world.now, fence=3)
        assert [row.open for row in transaction.connection.execute(select(tables.triggers))] == [False]


def test_they_come_back_with_an_environment_and_with_an_app(tmp_path: Path) -> None:
    world = World(tmp_path)
    pruned = environment_manifest("live", "latest", prune=True)
    world.commit("Begin", {"environments.yaml": pruned, "shop.yaml": shop(), "shop/index.html": "one"})
    world.settle()
    world.commit("Away\n\nAllow-Mass-Change: 1", {"shop.yaml": None})
    world.settle()
    assert world.runs("live") is None
    (world.released("live").parent / "triggers.json").unlink(missing_ok=True)  # as somebody would who cleans up
    world.commit("Back", {"shop.yaml": shop()})
    world.settle()
    assert world.runs("live") == "one"
    assert routes(world, "live") == ["shop.example.com/*"]


def test_those_of_what_left_git_hold_nobody_up(tmp_path: Path) -> None:
    """More of them than are looked at in a turn, at a target that never takes them."""
    world = World(tmp_path)
    with stranger(tmp_path / "packages"):
        notes = {"type": "noting-at-home", "notes": str(tmp_path / "notes"), "does": "wild-routes"}
        old = environment_manifest("old", "latest", target=notes)
        names = [f"app-{number}" for number in range(MANY)]
        triggers = {"routes": ["example.com/*"]}
        manifests = {
            f"{name}.yaml": app_manifest(name, bundle="shop", environments=["old"], triggers=triggers) for name in names
        }
        live = at("live")
        world.commit("Begin", {"environments.yaml": f"{live}\n---\n{old}", "shop/index.html": "one", **manifests})
        world.settle()
        assert len(waiting_to_be_taken(world)) == MANY
        world.later(hours=1)
        away = dict.fromkeys(manifests)
        world.commit(f"Away\n\nAllow-Mass-Change: {MANY}", {"environments.yaml": live, "shop.yaml": shop(), **away})
        world.settle()
        assert routes(world, "live") == ["shop.example.com/*"]
        assert waiting_to_be_taken(world) == []


def waiting_to_be_taken(world: World) -> list[str]:
    with world.running() as found, found.database.read() as connection:
        return list(connection.execute(select(tables.triggers.c.app).where(tables.triggers.c.open)).scalars())


def refused(world: World) -> Path:
    """One app in live, whose routes cannot be written: what stands in the place of the file."""
    world.commit("Begin", {"environments.yaml": at("live"), "shop.yaml": shop(), "shop/index.html": "one"})
    way = world.directory / "state" / "releases" / "live" / "shop" / "triggers.json"
    way.mkdir(parents=True)
    world.settle()
    return way


def test_that_a_target_refuses_them_is_shown_until_it_takes_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    way = refused(world)
    assert world.runs("live") == "one"
    here = standing(world)
    assert here.triggers is not None
    assert not here.in_sync
    assert "triggers.json" in here.triggers.error
    assert here.triggers.again_at == world.now + timedelta(seconds=10)
    assert state(here).text == "routes, domains or crons refused"
    (remark,) = remarks(here)
    assert (remark.fact, remark.person, remark.until) == ("failed", False, here.triggers.again_at)
    way.rmdir()
    world.later(seconds=11)
    world.settle()
    assert routes(world, "live") == ["shop.example.com/*"]
    here = standing(world)
    assert (here.triggers, here.in_sync, remarks(here)) == (None, True, [])


def test_the_matrix_and_why_tell_of_refused_routes(tmp_path: Path) -> None:
    world = World(tmp_path)
    memory = Memory()
    way = refused(world)
    with world.running() as found, found.database.read() as connection:
        shown = matrix(connection, Asked(fact="failed"), world.now, memory)
        (picture,) = pictures(connection, ["shop"], world.now)
        steps = chain(connection, picture, "live", world.now, lambda *_: None)
    assert [row.name for row in shown.groups["motion"]] == ["shop"]
    assert shown.facts["failed"] == 1
    (step,) = (step for step in steps if step.about == "triggers")
    assert "the target refused its routes, domains or crons 1 time: " in step.text
    assert "in sync" not in {step.about for step in steps}
    way.rmdir()
    world.later(seconds=11)
    world.settle()
    with world.running() as found, found.database.read() as connection:
        assert matrix(connection, Asked(), world.now, memory).facts["failed"] == 0


def test_those_of_an_app_that_is_not_there_any_more_are_handed_over_no_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    refused(world)
    world.commit(
        "Out of live", {"shop.yaml": app_manifest(environments=[], triggers={"routes": ["shop.example.com/*"]})}
    )
    world.later(seconds=11)
    world.settle()
    before = len(facts(world, "triggers.failed"))
    world.later(hours=1)
    world.settle()
    assert len(facts(world, "triggers.failed")) == before
    assert waiting_to_be_taken(world) == []
    here = standing(world)
    assert (here.orphaned, here.triggers) == (True, None)


def test_a_target_that_asks_for_time_has_refused_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    with stranger(tmp_path / "packages"):
        busy = {"type": "noting-at-home", "notes": str(tmp_path / "notes"), "does": "later-routes"}
        environment = environment_manifest("live", "latest", target=busy)
        world.commit("Begin", {"environments.yaml": environment, "shop.yaml": shop(), "shop/index.html": "one"})
        world.settle()
        assert waiting_to_be_taken(world) == ["shop"]
        assert standing(world).triggers is None
        assert facts(world, "triggers.failed") == []


def test_what_nobody_waits_for_any_more_is_not_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": at("live"), "shop.yaml": shop(), "shop/index.html": "one"})
    world.settle()
    late = TriggersOutcome(app="shop", environment="live", digest="x", fence=1, error="too late")
    with world.running() as found, found.database.write() as transaction:
        assert not note_triggers(transaction, late, world.now)
    assert facts(world, "triggers.failed") == []


@pytest.mark.sqlite_only("it counts the steps of SQLite's machine")
def test_those_that_were_taken_long_ago_are_not_looked_at(tmp_path: Path) -> None:
    world = World(tmp_path).begun()
    taken = {"environment": "live", "settings": {}, "attempts": 0, "open": False}
    steps = []
    with world.running() as found:
        for more in (1, 3_000):
            with found.database.write() as transaction:
                rows = [{"app": f"app-{more}-{number}", **taken} for number in range(more)]
                transaction.connection.execute(tables.triggers.insert(), rows)
            with found.database.write() as transaction:
                steps.append(0)

                def step() -> None:
                    steps[-1] += 1

                driver = transaction.connection.connection.dbapi_connection
                driver.set_progress_handler(step, 10)
                concerns.wrong(transaction.connection)
                concerns.motion(transaction.connection, world.now)
                triggers.to_hand_over(transaction, {}, world.now, 10)
                driver.set_progress_handler(None, 0)
    assert steps[0] > 0
    assert steps[1] < 2 * steps[0]


def standing(world: World) -> Standing:
    with world.running() as found, found.database.read() as connection:
        here = standing_in(connection, "shop", "live", world.now)
    assert here is not None
    return here
