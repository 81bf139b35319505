"""What somebody changed by hand where apps run: is it seen, told, and put right where that is wished?"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.output import Standing, standing_json
from reconciler.store import drifts, ledger
from reconciler.targets.directory import DirectoryTarget
from reconciler.views.chain import chain
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from reconciler.wiring import Running
from tests.world import World, app_manifest

PAGE = "index.html"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def manifest(**spec: Any) -> str:
    """The environment `live`, which takes what the branch says."""
    body = {"target": {"type": "directory", "path": "releases/live"}, **spec}
    return json.dumps(
        {"apiVersion": "reconciler/v1", "kind": "Environment", "metadata": {"name": "live"}, "spec": body}
    )


def begin(world: World, **spec: Any) -> None:
    """Version 1 runs in `live`."""
    files = {"environments.yaml": manifest(**spec), "shop.yaml": app_manifest(environments=["live"])}
    world.commit("Begin", {**files, f"shop/{PAGE}": "one", "shop/bin/start": "#!/bin/sh\n"})
    world.settle()
    assert world.runs("live") == "one"


def begin_repairing(world: World, **spec: Any) -> None:
    begin(world, drift={"repair": True}, **spec)


def looked(found: Running, *, closely: bool = False) -> dict[str, str | None]:
    """What a look at everything finds, by app and environment."""
    return {f"{one.app} in {one.environment}": one.detail for one in found.drifting.sweep(closely=closely)}


def look(world: World, *, closely: bool = False) -> dict[str, str | None]:
    """A look at everything, and all that follows from it."""
    with world.running() as found:
        seen = looked(found, closely=closely)
        found.daemon.settle()
    return seen


def standing(world: World) -> Standing:
    with world.running() as found, found.database.read() as connection:
        (picture,) = pictures(connection, ["shop"], world.now)
        return next(one for one in standings(picture, world.now) if one.environment == "live")


def told(world: World) -> list[tuple[str, str]]:
    """What the ledger says of drift."""
    with world.running() as found, found.database.read() as connection:
        facts = list(ledger.export(connection))
    return [(fact["kind"], fact["body"]["detail"]) for fact in facts if fact["kind"].startswith("drift.")]


def app(world: World) -> Path:
    return world.directory / "state/releases/live/shop"


def edit(world: World) -> None:
    (world.released("live") / PAGE).write_text("mine")


def edit_unseen(world: World) -> None:
    """The same length, and the times as they were."""
    page = world.released("live") / PAGE
    before = page.stat()
    page.write_text("two")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))


def move_link(world: World) -> None:
    other = app(world) / "releases/by-hand"
    shutil.copytree(app(world) / os.readlink(app(world) / "current"), other)
    (app(world) / "current").unlink()
    (app(world) / "current").symlink_to("releases/by-hand")


def edit_shares(world: World) -> None:
    shares = json.loads((app(world) / "traffic.json").read_text())
    (app(world) / "traffic.json").write_text(json.dumps([{**shares[0], "percent": 40}]))


HARM: dict[str, tuple[Callable[[World], None], str]] = {
    "a file is edited": (edit, "index.html was changed"),
    "and nobody is to see it": (edit_unseen, "index.html was changed"),
    "a file is removed": (lambda world: (world.released("live") / PAGE).unlink(), "index.html is missing"),
    "a file is a link now": (
        lambda world: (
            (world.released("live") / PAGE).unlink(),
            (world.released("live") / PAGE).symlink_to("bin/start"),
        ),
        "index.html is no longer a file of its kind",
    ),
    "rights are changed": (
        lambda world: (world.released("live") / "bin/start").chmod(0o600),
        "bin/start has the rights 0600 instead of 0644",
    ),
    "the record is edited": (
        lambda world: (world.released("live") / ".reconciler.json").write_text('{"app": "shop"}'),
        ".reconciler.json was changed",
    ),
    "the link is moved": (move_link, "current leads to by-hand"),
    "the link is gone": (lambda world: (app(world) / "current").unlink(), "current is missing or leads elsewhere"),
    "the shares are edited": (edit_shares, "v1 40 % runs there instead of v1"),
    "the app is removed": (lambda world: shutil.rmtree(app(world)), "nothing runs there instead of v1"),
}


@pytest.mark.parametrize(("harm", "detail"), HARM.values(), ids=HARM)
def test_what_is_changed_by_hand_is_seen_and_told_and_left(world, harm, detail):
    begin(world)
    harm(world)
    seen = world.now
    assert look(world) == {"shop in live": detail}
    world.later(minutes=10)
    assert look(world) == {"shop in live": detail}
    here = standing(world)
    assert here.drift is not None
    assert (here.drift.detail, here.drift.since, here.in_sync) == (detail, seen, False)
    shown = standing_json(here)["drift"]
    assert (shown["since"], shown["detail"]) == ("2026-06-01T12:00:00Z", detail)
    assert told(world) == [("drift.began", detail)]
    assert world.story("live") == [("release", "completed", [1])]


@pytest.mark.parametrize(("harm", "detail"), HARM.values(), ids=HARM)
def test_where_it_is_wished_it_is_put_right_by_one_deployment(world, harm, detail):
    begin_repairing(world)
    harm(world)
    world.later(minutes=10)
    look(world)
    assert world.story("live") == [("release", "completed", [1]), ("repair", "completed", [1])]
    assert world.runs("live") == "one"
    assert (world.released("live") / "bin/start").read_text() == "#!/bin/sh\n"
    here = standing(world)
    assert here.drift is None
    assert here.in_sync
    assert here.deployment is not None
    assert here.deployment.reason == f"v1 once more, since it has drifted: {detail}"
    for _ in range(3):
        world.later(minutes=10)
        assert look(world, closely=True) == {"shop in live": ""}
    assert told(world) == [("drift.began", detail), ("drift.ended", detail)]
    assert len(world.story("live")) == 2


def test_why_tells_it_with_what_can_be_done(world):
    begin(world)
    edit(world)
    look(world)
    with world.running() as found, found.database.read() as connection:
        (picture,) = pictures(connection, ["shop"], world.now)
        steps = chain(connection, picture, "live", world.now, lambda *_: None)
    (step,) = [step for step in steps if step.about == "drift"]
    assert step.text == "it has drifted, as was seen first at 2026-06-01T12:00:00Z: index.html was changed"
    assert "`drift: {repair: true}`" in step.remedy


def test_it_is_put_right_once_the_environment_says_so_or_something_new_is_deployed(world):
    begin(world)
    edit(world)
    look(world)
    world.commit("Repair", {"environments.yaml": manifest(drift={"repair": True})})
    world.settle()
    assert world.story("live")[1:] == [("repair", "completed", [1])]
    edit(world)
    world.commit("Go on", {f"shop/{PAGE}": "two"})
    look(world)
    assert world.runs("live") == "two"


def test_what_goes_by_itself_is_over_by_itself(world):
    begin(world)
    start = world.released("live") / "bin/start"
    start.chmod(0o600)
    look(world)
    start.chmod(0o644)
    look(world)
    assert [kind for kind, _ in told(world)] == ["drift.began", "drift.ended"]
    assert standing(world).in_sync


def test_the_same_files_with_other_times_have_not_drifted(world):
    begin(world)
    shutil.copytree(app(world), world.directory / "copy", symlinks=True)
    shutil.rmtree(app(world))
    shutil.copytree(world.directory / "copy", app(world), symlinks=True)
    assert look(world) == {"shop in live": ""}


def test_what_a_program_writes_beside_its_files_is_no_drift(world):
    begin(world)
    (world.released("live") / "cache").mkdir()
    (world.released("live") / "cache/page").write_text("x")
    assert look(world, closely=True) == {"shop in live": ""}


def test_a_store_without_drift_is_never_written_to(world, monkeypatch):
    begin_repairing(world)
    with world.running() as found:
        found.daemon.settle()

        def write() -> None:
            raise AssertionError("nothing is to be written")

        monkeypatch.setattr(found.database, "write", write)
        for _ in range(3):
            assert looked(found) == {"shop in live": ""}
            assert looked(found, closely=True) == {"shop in live": ""}


def test_what_a_pause_or_a_freeze_holds_back_comes_after_it(world):
    begin_repairing(world)
    edit(world)
    world.wish("pause", app="shop", environment="live", reason="looking into it", until=world.now.replace(hour=14))
    look(world)
    assert [wait.waits_for for wait in standing(world).waiting] == ["pause"]
    assert world.runs("live") == "mine"
    world.later(hours=3)
    world.settle()
    assert world.runs("live") == "one"


@pytest.mark.parametrize(("allow", "runs"), [([], "mine"), (["repair"], "one")])
def test_a_freeze_lets_repairs_through_where_it_says_so(world, allow, runs):
    begin_repairing(world)
    spec = {"environments": ["live"], "from": "2026-06-01T00:00", "until": "2026-06-02T00:00", "timezone": "UTC"}
    freeze = {"apiVersion": "reconciler/v1", "kind": "Freeze", "metadata": {"name": "fair"}}
    world.commit(
        "Freeze", {"fair.yaml": json.dumps({**freeze, "spec": {**spec, "allow": allow, "reason": "the fair"}})}
    )
    world.settle()
    edit(world)
    look(world)
    assert world.runs("live") == runs
    world.later(days=1)
    world.settle()
    assert world.runs("live") == "one"


def test_what_is_held_against_git_is_not_put_right_by_itself(world):
    begin_repairing(world)
    world.commit("Two", {f"shop/{PAGE}": "two"})
    world.settle()
    newest = world.history(environment="live")[-1]
    world.wish("rollback", app="shop", environment="live", subject=newest.id, reason="it is slow")
    world.settle()
    held = world.story("live")
    edit(world)
    look(world)
    assert standing(world).drift is not None
    assert world.story("live") == held


def test_a_fight_over_a_file_is_given_up_for_longer_and_longer(world):
    begin_repairing(world)
    with world.running() as found:
        found.daemon.settle()
        for _ in range(24 * 6):
            edit(world)
            world.later(minutes=10)
            looked(found)
            found.daemon.settle()
    repairs = [one for one in world.history(environment="live") if one.cause == "repair"]
    assert 5 <= len(repairs) <= 8
    (wait,) = standing(world).waiting
    assert wait.waits_for == "repair"
    assert "repairs in a row did not last" in wait.detail
    assert "index.html was changed" in wait.detail


def test_a_repair_that_fails_goes_back_nowhere_and_waits_for_a_person(world):
    begin_repairing(world)
    world.commit("Two", {f"shop/{PAGE}": "two"})
    world.settle()
    edit(world)
    away = world.directory / "away"
    (app(world) / "releases").rename(away)
    (app(world) / "releases").symlink_to(away)
    for _ in range(4):
        look(world)
        world.later(hours=1)
    assert world.story("live")[2:] == [("repair", "failed", [2])]
    (app(world) / "releases").unlink()
    away.rename(app(world) / "releases")
    world.wish("retry", app="shop", environment="live", subject=world.history(environment="live")[-1].id, reason="")
    world.settle()
    assert world.runs("live") == "two"
    assert look(world) == {"shop in live": ""}


def test_a_retired_app_that_runs_again_has_drifted(world):
    begin(world, prune=True)
    left = os.readlink(app(world) / "current")
    world.commit("Away", {"shop.yaml": None})
    world.settle()
    assert world.runs("live") is None
    assert look(world) == {"shop in live": ""}
    (app(world) / "current").symlink_to(left)
    assert "which deployment 2 retired" in str(look(world)["shop in live"])


def test_a_target_that_cannot_tell_or_does_not_answer_tells_of_no_drift(world, monkeypatch):
    begin_repairing(world)

    def away(*_: object, **__: object) -> None:
        raise ConnectionError("nobody is there")

    monkeypatch.setattr(DirectoryTarget, "observe", away)
    assert look(world) == {"shop in live": None}
    assert standing(world).drift is None
    world.commit("Exec", {"environments.yaml": manifest(target={"type": "exec", "command": ["true"]})})
    world.settle()
    shutil.rmtree(world.directory / "state/exec")
    assert look(world) == {}
    assert told(world) == []


def test_what_was_seen_before_a_newer_deployment_is_past(world):
    begin(world)
    first = world.history(environment="live")[-1].id
    world.commit("Two", {f"shop/{PAGE}": "two"})
    world.settle()
    late = drifts.Change(app="shop", environment="live", deployment=first, detail="index.html was changed")
    with world.running() as found, found.database.write() as transaction:
        assert drifts.record(transaction, [late], world.now) == []
    assert standing(world).drift is None


def test_while_something_is_deployed_nobody_looks(world):
    begin(world)
    world.commit("Steps", {"environments.yaml": manifest(rollout={"steps": [10, 100], "interval": "10m"})})
    world.settle()
    world.commit("Two", {f"shop/{PAGE}": "two"})
    world.settle()
    edit(world)
    assert look(world) == {}
    assert standing(world).active is not None
