"""Are the checks of a gate run before a version enters, and what follows from how they end?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.store import due, ledger
from reconciler.store import gates as stored
from tests.commands import typed
from tests.e2e.daemon import Live, environment_manifest, refused, waiting
from tests.world import World, app_manifest


def check(script: str, name: str = "smoke", **more: Any) -> dict[str, Any]:
    return {"name": name, "run": ["/bin/sh", "-c", script], **more}


def files(*checks: dict[str, Any], **apps: str) -> dict[str, str | bytes | None]:
    """Apps that are promoted from the sandbox to live, past these checks."""
    found: dict[str, str | bytes | None] = {
        "sandbox.yaml": environment_manifest("sandbox", "latest"),
        "live.yaml": environment_manifest("live", "sandbox", gates={"checks": list(checks)}),
    }
    for app, text in (apps or {"shop": "one"}).items():
        found[f"{app}.yaml"] = app_manifest(app, environments={"sandbox": {}, "live": {"config": {"level": "warn"}}})
        found[f"{app}/index.html"] = text
    return found


def pass_on(world: World, **by: float) -> None:
    world.later(**by)
    world.settle()


def test_a_check_passes_on_the_version_with_its_settings_before_it_enters(world: World) -> None:
    place = world.directory / "checked"
    said = "$RECONCILER_APP $RECONCILER_ENVIRONMENT v$RECONCILER_VERSION_NUMBER $RECONCILER_CONFIG $RECONCILER_CHECK"
    world.commit("Begin", files(check(f'echo "{said}" >> {place}; cat index.html >> {place}')))
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    assert place.read_text() == "shop live v1 {level:warn} smoke\none".replace("{level:warn}", '{"level":"warn"}')
    pass_on(world, days=1)
    assert len(place.read_text().splitlines()) == 2


def test_several_checks_of_one_gate_run_one_after_another(world: World) -> None:
    place = world.directory / "checked"
    script = f"echo begin $RECONCILER_CHECK >> {place}; sleep 0.2; echo end $RECONCILER_CHECK >> {place}"
    world.commit("Begin", files(check(script, "a"), check(script, "b")))
    world.settle()
    assert place.read_text().splitlines() == ["begin a", "end a", "begin b", "end b"]
    assert world.story("live") == [("promotion", "completed", [1])]


def test_a_check_that_fails_keeps_the_version_out_until_a_fix_comes(world: World) -> None:
    world.commit("Begin", files(check("test ! -e broken || { echo it is broken; false; }")))
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    ((rule, detail),) = refused(world, "live")
    assert rule == "check"
    assert "the check smoke failed for v2" in detail
    pass_on(world, days=2)
    assert len(world.history(environment="live")) == 1
    world.commit("Fix", {"shop/broken": None, "shop/index.html": "fixed"})
    world.settle()
    assert world.story("live")[-1] == ("promotion", "completed", [3])


def test_why_shows_what_a_failed_check_printed(live: Live) -> None:
    live.commit("Begin", files(check("echo the till is missing; false")))
    live.start()
    live.wait_for(lambda: refused(live, "live"), "the check has failed")
    told = typed("why", "shop", "live", "-o", "json", at=live.directory).json
    (step,) = [step for step in told["steps"] if step["about"] == "check"]
    assert "the check smoke failed" in step["text"]
    assert step["facts"]["output"] == "the till is missing\n"


def remarks(world: World) -> list[tuple[int, str]]:
    """What has been noted with the deployments to live, oldest first, with their numbers."""
    with world.running() as found, found.database.read() as connection:
        entries = [one for one in ledger.export(connection) if one.get("kind") == "deployment.remark"]
        return [(one["body"]["number"], one["body"]["message"]) for one in entries if one["environment"] == "live"]


def test_a_check_that_is_only_reported_leaves_its_failure_with_what_entered(world: World) -> None:
    world.commit("Begin", files(check("echo the till is missing; false", mode="report")))
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    ((number, said),) = remarks(world)
    assert (number, said.partition(" for v1: ")[0]) == (1, "reported only: the check smoke failed")
    pass_on(world, days=1)
    assert len(remarks(world)) == 1


def test_gates_that_are_only_reported_leave_a_failure_with_what_entered_too(world: World) -> None:
    found = files()
    gates = {"mode": "report", "checks": [check("false")]}
    found["live.yaml"] = environment_manifest("live", "sandbox", gates=gates)
    world.commit("Begin", found)
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    assert "reported only: the check smoke failed for v1" in remarks(world)[-1][1]


def test_a_check_that_holds_back_says_nothing_with_what_ran_before(world: World) -> None:
    world.commit("Begin", files())
    world.settle()
    held = files(check("false"))
    world.commit("A check", held | {"shop/index.html": "two"})
    world.settle()
    world.commit("Back", {"shop/index.html": "one"})
    world.settle()
    assert remarks(world) == []


def test_a_failure_that_was_known_before_it_entered_is_with_the_deployment(world: World) -> None:
    found = files()
    gates = {"approvals": 1, "checks": [check("false", mode="report")]}
    found["live.yaml"] = environment_manifest("live", "sandbox", gates=gates)
    world.commit("Begin", found)
    world.settle()
    assert world.story("live") == []
    with world.running() as running, running.database.write() as transaction:
        (row,) = stored.asked_in(transaction.connection, "shop", "live")
        stored.approve(transaction, "shop", "live", row.key, "bob@example.com", None, "", world.now)
        due.mark(transaction, ["shop"], world.now)
    world.settle()
    assert world.story("live") == [("promotion", "completed", [1])]
    said = [message for _, message in remarks(world)]
    assert len([one for one in said if one.startswith("reported only: the check smoke failed for v1")]) == 1


def test_a_check_that_cannot_tell_yet_is_asked_again(world: World) -> None:
    later, asked = world.directory / "later", world.directory / "asked"
    later.touch()
    world.commit("Begin", files(check(f"echo x >> {asked}; test ! -e {later} || exit 75")))
    world.settle()
    assert world.story("live") == []
    assert waiting(world, "live")[0][0] == "checks"
    pass_on(world, seconds=9)
    assert asked.read_text() == "x\n"
    pass_on(world, seconds=1)
    assert asked.read_text() == "x\nx\n"
    later.unlink()
    pass_on(world, minutes=10)
    assert world.story("live") == [("promotion", "completed", [1])]


def test_a_check_that_can_never_tell_fails_after_a_day(world: World) -> None:
    world.commit("Begin", files(check("exit 75")))
    world.settle()
    for _ in range(3):
        pass_on(world, hours=12)
    assert refused(world, "live")[0][0] == "check"


def test_what_is_no_longer_in_line_does_no_harm(world: World) -> None:
    later = world.directory / "later"
    later.touch()
    world.commit("Begin", files(check(f"test ! -e {later} || exit 75")))
    world.settle()
    world.commit("Leave", {"shop.yaml": None, "live.yaml": None})
    later.unlink()
    pass_on(world, minutes=1)
    pass_on(world, minutes=1)
    assert world.story("live") == []


# A daemon of its own


def test_a_daemon_asks_again_by_itself_and_promotes_within_the_moment(live: Live) -> None:
    live.commit("Begin", files(check("true")))
    live.start()
    live.wait_for(lambda: live.story("live") == [("promotion", "completed", [1])], "it is promoted")


def test_a_check_that_a_kill_cut_short_is_run_again(live: Live) -> None:
    begun, slow = live.directory / "begun", live.directory / "slow"
    slow.touch()
    live.commit("Begin", files(check(f"echo x >> {begun}; test ! -e {slow} || exec sleep 60")))
    live.start()
    live.wait_for(lambda: begun.read_text() == "x\n", "the check runs")
    live.kill()
    slow.unlink()
    live.start()
    live.wait_for(lambda: live.story("live") == [("promotion", "completed", [1])], "it is promoted")
    assert begun.read_text() == "x\nx\n"


def test_checks_of_several_apps_run_at_the_same_time_and_hold_no_rollback_up(live: Live) -> None:
    """Each waits for the other's: one after another they would never end."""
    there = live.directory / "there"
    there.mkdir()
    script = f"touch {there}/$RECONCILER_APP; while test $(ls {there} | wc -l) -lt 2; do sleep 0.05; done"
    live.commit("Begin", files(check(script), shop="one", mail="one"))
    live.start()
    for app in ("shop", "mail"):
        live.wait_for(
            lambda app=app: live.history(app, "live") and live.history(app, "live")[-1].status == "completed", app
        )


def test_the_daemon_ends_although_a_check_runs(live: Live) -> None:
    begun = Path(live.directory / "begun")
    live.settings["drain"] = "1s"
    live.commit("Begin", files(check(f"touch {begun}; exec sleep 60")))
    live.start()
    live.wait_for(begun.exists, "the check runs")
    live.terminate()
    assert live.story("live") == []
