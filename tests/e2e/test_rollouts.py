"""How does a new version come step by step, and what ends it early?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.model.rollout import Progress
from reconciler.store import deployments
from tests.commands import typed
from tests.e2e.daemon import Live, environment_manifest, waiting
from tests.stores import IN_POSTGRESQL
from tests.world import World, app_manifest

STEPS = {"steps": [10, 50, 100], "interval": "10m"}


def check(script: str, name: str = "smoke", **more: Any) -> dict[str, Any]:
    """A check that is a line of shell, run in the bundle of the new version."""
    return {"name": name, "run": ["/bin/sh", "-c", script], **more}


def begin(world: World, rollout: dict[str, Any] = STEPS, **spec: Any) -> None:
    """The app runs in one environment, which lets new versions in by steps."""
    world.commit("Begin", files(rollout, **spec))
    if not isinstance(world, Live):
        world.settle()


def files(rollout: dict[str, Any] | None, **spec: Any) -> dict[str, str | bytes | None]:
    if rollout is not None:
        spec["rollout"] = rollout
    return {
        "environments.yaml": environment_manifest("live", "latest", **spec),
        "shop.yaml": app_manifest(environments=["live"]),
        "shop/index.html": "one",
    }


def release(world: World, text: str, **more: str | None) -> str:
    besides = {f"shop/{name}": said for name, said in more.items()}
    made = world.commit(f"Say {text}", {"shop/index.html": text, **besides})
    if not isinstance(world, Live):
        world.settle()
    return made


def shares(world: World, app: str = "shop") -> dict[int, float]:
    """What the target serves: percent by version number."""
    place = world.directory / "state" / "releases" / "live" / app / "traffic.json"
    return {part["number"]: part["percent"] for part in json.loads(place.read_text())}


def record(world: World, number: int) -> dict[str, Any]:
    """What a version's release says about itself."""
    place = world.directory / "state" / "releases" / "live" / "shop"
    (part,) = [part for part in json.loads((place / "traffic.json").read_text()) if part["number"] == number]
    found: dict[str, Any] = json.loads((place / part["directory"] / ".reconciler.json").read_text())
    return found


def pass_on(world: World, **by: float) -> None:
    world.later(**by)
    world.settle()


def events(world: World, place: int = -1) -> list[tuple[str, str]]:
    identifier = world.history()[place].id
    with world.running() as found, found.database.read() as connection:
        return [(event.status, event.message) for event in deployments.events(connection, identifier)]


# Steps


def test_a_new_version_comes_by_steps_and_each_is_held(world: World) -> None:
    begin(world)
    assert world.story("live") == [("release", "completed", [1])]
    release(world, "two")
    assert shares(world) == {1: 90, 2: 10}
    ((what, said),) = waiting(world, "live")
    assert what == "rollout"
    assert "step 1 of 3 (10 %), held since 2026-06-01T12:00:00Z, then 50 %" in said
    pass_on(world, minutes=9, seconds=59)
    assert shares(world) == {1: 90, 2: 10}
    pass_on(world, seconds=1)
    assert shares(world) == {1: 50, 2: 50}
    pass_on(world, minutes=10)
    assert shares(world) == {2: 100}
    assert world.story("live")[1:] == [("release", "completed", [2])]
    assert world.runs("live") == "two"
    assert [event for event in events(world) if event[0] in ("step", "held")] == [
        ("step", "step 1 of 3 (10 %): v1 90 %, v2 10 %"),
        ("held", "step 1 of 3 (10 %) until 2026-06-01T12:10:00Z"),
        ("step", "step 2 of 3 (50 %): v1 50 %, v2 50 %"),
        ("held", "step 2 of 3 (50 %) until 2026-06-01T12:20:00Z"),
        ("step", "step 3 of 3 (100 %): v2"),
    ]


def test_what_ran_before_keeps_its_settings_until_it_is_gone(world: World) -> None:
    begin(world)
    entry = {"live": {"config": {"greeting": "Hello"}}}
    world.commit("Greet", {"shop.yaml": app_manifest(environments=entry), "shop/index.html": "two"})
    world.settle()
    assert (record(world, 1)["config"], record(world, 2)["config"]) == ({}, {"greeting": "Hello"})


def test_settings_alone_come_at_once_but_are_checked_and_watched(world: World) -> None:
    place = world.directory / "checked"
    begin(world, {**STEPS, "bake": "30m", "checks": [check(f"echo $RECONCILER_VERSION_NUMBER >> {place}")]})
    pass_on(world, minutes=30)
    place.unlink()
    entry = {"live": {"config": {"greeting": "Hello"}}}
    world.commit("Greet", {"shop.yaml": app_manifest(environments=entry)})
    world.settle()
    assert shares(world) == {1: 100}
    assert world.facts("live")["config"] == {"greeting": "Hello"}
    assert world.history()[-1].status == "started"
    for _ in range(3):
        pass_on(world, minutes=10)
    assert world.story("live")[-1] == ("release", "completed", [1])
    assert place.read_text().split() == ["1"] * 4


def test_a_split_by_hand_is_reached_by_steps(world: World) -> None:
    begin(world)
    release(world, "two")
    for _ in range(2):
        pass_on(world, minutes=10)
    split = {"live": {"traffic": [{"version": "v1", "percent": 40}, {"version": "v2", "percent": 60}]}}
    world.commit("Share", {"shop.yaml": app_manifest(environments=split)})
    world.settle()
    assert shares(world) == {1: 4, 2: 96}
    pass_on(world, minutes=10)
    assert shares(world) == {1: 20, 2: 80}
    pass_on(world, minutes=10)
    assert shares(world) == {1: 40, 2: 60}
    assert world.history()[-1].status == "completed"


def test_the_course_is_followed_to_its_end_when_a_commit_takes_the_steps_away(world: World) -> None:
    begin(world)
    release(world, "two")
    world.commit("At once from now on", files(None) | {"shop/index.html": "two"})
    world.settle()
    assert shares(world) == {1: 90, 2: 10}
    for share in ({1: 50, 2: 50}, {2: 100}):
        pass_on(world, minutes=10)
        assert shares(world) == share
    release(world, "three")
    assert shares(world) == {3: 100}


# What comes in between


def test_a_newer_version_waits_for_the_end_of_a_rollout(world: World) -> None:
    begin(world)
    release(world, "two")
    release(world, "three")
    ((what, said),) = waiting(world, "live")
    assert what == "rollout"
    assert said.startswith("v3 waits: deployment 2 (v2) is at step 1 of 3")
    for _ in range(2):
        pass_on(world, minutes=10)
    assert world.story("live")[1:] == [("release", "completed", [2]), ("release", "started", [3])]
    assert shares(world) == {2: 90, 3: 10}


def test_a_revert_during_a_rollout_puts_the_old_split_back_at_once(world: World) -> None:
    begin(world)
    release(world, "two")
    pass_on(world, minutes=10)
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    assert world.story("live")[1:] == [("release", "aborted", [2]), ("rollback", "completed", [1])]
    assert shares(world) == {1: 100}


def test_a_revert_ends_the_rollout_of_what_was_promoted(world: World) -> None:
    world.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("sandbox", "latest")
            + "\n---\n"
            + environment_manifest("live", "sandbox", rollout=STEPS),
            "shop.yaml": app_manifest(environments=["sandbox", "live"]),
            "shop/index.html": "one",
        },
    )
    world.settle()
    release(world, "two")
    assert shares(world) == {1: 90, 2: 10}
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    assert shares(world) == {1: 100}
    assert world.story("live")[1:] == [("promotion", "aborted", [2]), ("rollback", "completed", [1])]


def test_what_a_person_stops_is_undone(world: World) -> None:
    begin(world)
    release(world, "two")
    running = world.history()[-1]
    world.wish("abort", app="shop", environment="live", subject=running.id, reason="complaints")
    world.settle()
    assert world.story("live")[1:] == [("release", "aborted", [2]), ("auto-rollback", "completed", [1])]
    assert shares(world) == {1: 100}
    assert "was stopped on its way" in world.history()[-1].reason
    pass_on(world, days=1)
    assert len(world.history()) == 3
    release(world, "three")
    assert shares(world) == {1: 90, 3: 10}


def test_a_pause_holds_a_rollout_at_its_step(world: World) -> None:
    begin(world)
    release(world, "two")
    world.wish("pause", app="shop", environment="live", reason="holiday", until=world.now + timedelta(hours=1))
    pass_on(world, minutes=30)
    assert shares(world) == {1: 90, 2: 10}
    assert {what for what, _ in waiting(world, "live")} == {"rollout", "pause"}
    pass_on(world, minutes=30)
    assert shares(world) == {1: 50, 2: 50}


def test_a_freeze_lets_a_rollout_go_on_and_holds_the_next(world: World) -> None:
    begin(world)
    release(world, "two")
    freeze = {
        "apiVersion": "reconciler/v1",
        "kind": "Freeze",
        "metadata": {"name": "quiet"},
        "spec": {
            "environments": ["live"],
            "from": "2026-06-01T12:05",
            "until": "2026-06-02T12:00",
            "timezone": "UTC",
            "reason": "quiet",
        },
    }
    world.commit("Freeze", {"freeze.yaml": json.dumps(freeze)})
    for _ in range(2):
        pass_on(world, minutes=10)
    assert world.story("live")[-1] == ("release", "completed", [2])
    release(world, "three")
    assert shares(world) == {2: 100}


def test_an_app_that_leaves_git_ends_its_rollout(world: World) -> None:
    begin(world)
    release(world, "two")
    world.commit("Leave", {"shop.yaml": None})
    for _ in range(2):
        pass_on(world, minutes=10)
    assert shares(world) == {2: 100}
    assert world.history()[-1].status == "completed"


def test_a_target_that_refuses_a_step_fails_the_rollout(world: World) -> None:
    begin(world, retry={"limit": 0})
    release(world, "two")
    place = world.directory / "state" / "releases" / "live" / "shop" / "releases"
    away = place.with_name("away")
    place.rename(away)
    place.symlink_to(away)
    pass_on(world, minutes=10)
    assert world.history()[1].status == "failed"
    place.unlink()
    away.rename(place)
    assert world.history()[2].cause == "auto-rollback"


# A daemon of its own


def fast(world: Live, script: str = "true", **more: Any) -> None:
    begin(world, {"steps": [10, 50, 100], "interval": "1s", "checks": [check(script)], **more})
    world.start()
    world.wait_for(lambda: world.history()[-1].status == "completed", "the first version is there")


def test_every_step_is_seen_at_the_target(live: Live) -> None:
    fast(live)
    release(live, "two")
    for share in ({1: 90, 2: 10}, {1: 50, 2: 50}, {2: 100}):
        live.wait_for(lambda share=share: shares(live) == share, f"the step {share}")
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [2]), "it is complete")


def test_a_failing_check_leads_back_to_the_old_version_at_once(live: Live) -> None:
    failed_at = live.directory / "failed-at"
    fast(live, f"test ! -e {live.directory}/bad || {{ touch {failed_at}; false; }}")
    release(live, "two")
    live.wait_for(lambda: shares(live) == {1: 90, 2: 10}, "the first step")
    (live.directory / "bad").touch()
    live.wait_for(lambda: live.story("live")[-1] == ("auto-rollback", "completed", [1]), "it is back")
    assert shares(live) == {1: 100}
    changed = live.directory / "state" / "releases" / "live" / "shop" / "traffic.json"
    # Less than two seconds on a quiet machine; git is asked every 30 s.
    assert changed.stat().st_mtime - failed_at.stat().st_mtime < 15


def test_commands_tell_at_which_step_it_is_and_when_the_next_comes(live: Live) -> None:
    begin(live, {"steps": [10, 50, 100], "interval": "1h", "checks": [check("echo fine so far")]})
    live.start()
    live.wait_for(lambda: live.history()[-1].status == "completed", "the first version is there")
    release(live, "two")
    live.wait_for(lambda: held(live, 0), "the first step is held")
    (standing,) = typed("status", "-o", "json", at=live.directory).json
    rollout = standing["active"]["rollout"]
    assert (rollout["step"], rollout["percent"], rollout["phase"]) == (1, 10, "holding")
    assert standing["waiting"][0]["for"] == "rollout"
    assert standing["waiting"][0]["until"] == rollout["until"]
    assert "v2 is at 10 %" in typed("status", at=live.directory).out
    assert "waits for a rollout" in typed("why", "shop", "live", at=live.directory).out
    shown = typed("deployments", "show", standing["active"]["id"], at=live.directory).out
    assert "step 1 of 3 (10 %), held since" in shown
    assert "check: smoke: passed, sh passed" in shown
    assert "| fine so far" in shown
    aborted = typed("abort", standing["active"]["id"], "--reason", "no", "--actor", "ann", at=live.directory)
    assert aborted.status == 0, aborted.err
    live.wait_for(lambda: live.story("live")[-1] == ("auto-rollback", "completed", [1]), "it is undone")


def held(live: Live, step: int) -> Progress | None:
    """Where a rollout is, once it is held at a step."""
    progress = live.history()[-1].rollout
    return progress if progress and (progress.step, progress.phase) == (step, "holding") else None


def test_a_rollout_goes_on_where_it_was_after_a_kill(live: Live) -> None:
    begin(live, {"steps": [10, 50, 100], "interval": "3s"})
    live.start()
    live.wait_for(lambda: live.history()[-1].status == "completed", "the first version is there")
    release(live, "two")
    live.wait_for(lambda: held(live, 0), "the first step is held")
    live.kill()
    before = held(live, 0)
    assert before is not None
    live.start()
    live.wait_for(lambda: held(live, 1), "the second step is held")
    assert shares(live) == {1: 50, 2: 50}
    after = held(live, 1)
    assert after is not None
    # In PostgreSQL another daemon could live: what this one had begun waits for a lease and two beats.
    late = timedelta(seconds=2) + (timedelta(seconds=4.2) if IN_POSTGRESQL else timedelta())
    assert before.until <= after.since < before.until + late
    live.kill()
    live.start()
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [2]), "it is complete")
    assert len(live.history()) == 2


def test_a_kill_while_a_check_runs_runs_it_again(live: Live) -> None:
    begun = live.directory / "begun"
    fast(live, f"echo x >> {begun}; test ! -e {live.directory}/slow || exec sleep 60")
    (live.directory / "slow").touch()
    begun.unlink()
    release(live, "two")
    live.wait_for(lambda: begun.read_text() == "x\n", "the check runs")
    live.kill()
    (live.directory / "slow").unlink()
    live.start()
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [2]), "it is complete")


def test_a_person_stops_a_rollout_while_a_check_runs(live: Live) -> None:
    begun = live.directory / "begun"
    fast(live, f"test $RECONCILER_VERSION_NUMBER = 1 || {{ echo x >> {begun}; exec sleep 60; }}")
    release(live, "two")
    live.wait_for(lambda: Path(begun).exists(), "the check runs")
    live.wish("abort", app="shop", environment="live", subject=live.history()[-1].id, reason="no")
    live.wait_for(lambda: live.story("live")[-1] == ("auto-rollback", "completed", [1]), "it is undone")
    assert shares(live) == {1: 100}


def test_a_command_is_run_at_each_step_in_the_files_of_the_version_that_is_let_in(world: World) -> None:
    said = world.directory / "said.txt"
    line = f'printf "%s %s\\n" "$(cat index.html)" "$RECONCILER_VERSION_NUMBER" >> {said}'
    begin(world, target={"type": "exec", "command": ["/bin/sh", "-c", line]})
    release(world, "two")
    pass_on(world, minutes=10)
    pass_on(world, minutes=10)
    assert said.read_text().splitlines() == ["one 1", "two 2", "two 2", "two 2"]
