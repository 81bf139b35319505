"""What do checks of a gradual rollout lead to, at its steps and while its last one is watched?"""

from __future__ import annotations

from tests.e2e.daemon import exec_target, waiting
from tests.e2e.test_holds import branches, merge, standing
from tests.e2e.test_rollouts import STEPS, begin, check, events, pass_on, release, shares
from tests.world import World

# Checks


def test_checks_run_at_every_step_and_what_they_print_is_kept(world: World) -> None:
    place = world.directory / "checked"
    script = f'echo "$RECONCILER_VERSION_NUMBER $RECONCILER_CHECK" >> {place}; echo fine so far; cat index.html'
    begin(world, {**STEPS, "checks": [check(script)]})
    place.unlink()
    release(world, "two")
    for _ in range(2):
        pass_on(world, minutes=10)
    assert place.read_text().splitlines() == ["2 smoke"] * 3
    told = events(world)
    assert told.count(("check", "smoke: passed, sh passed")) == 3
    assert ("output", "fine so far\ntwo") in [(what, said.strip()) for what, said in told]


def test_a_check_that_fails_at_a_step_brings_back_what_ran_before(world: World) -> None:
    begin(world, {**STEPS, "checks": [check(f"test ! -e {world.directory}/bad")]})
    release(world, "two")
    assert shares(world) == {1: 90, 2: 10}
    (world.directory / "bad").touch()
    pass_on(world, minutes=10)
    assert world.story("live")[1:] == [("release", "failed", [2]), ("auto-rollback", "completed", [1])]
    assert shares(world) == {1: 100}
    failed, back = world.history()[1:]
    assert failed.error is not None
    assert failed.error.startswith("the check smoke: ")
    assert back.rolled_back_from == failed.id
    assert back.reason == "v2 failed (deployment 2): back to v1"
    pass_on(world, days=1)
    assert len(world.history()) == 3


def test_where_failures_are_held_the_mixture_stays(world: World) -> None:
    begin(world, {**STEPS, "checks": [check("test ! -e bad")]}, on_failure="hold")
    release(world, "two", bad="")
    assert world.story("live")[1:] == [("release", "failed", [2])]
    assert shares(world) == {1: 90, 2: 10}
    now = standing(world)
    assert (now.doubt, now.in_sync) == (None, False)
    assert now.mixture is not None
    assert {part.number: part.percent for part in now.mixture.traffic} == {1: 90, 2: 10}
    assert now.held is not None
    assert now.held.reason == "v2 failed (deployment 2), and what it left stays until a person decides"
    pass_on(world, days=1)
    assert len(world.history()) == 2


def test_the_branch_of_what_is_held_ends_the_mixture_as_soon_as_it_is_merged(world: World) -> None:
    begin(world, {**STEPS, "checks": [check("test ! -e bad")]}, on_failure="hold")
    bad = release(world, "two", bad="")
    assert branches(world) == [f"reconciler/revert-shop-live-{bad[:8]}"]
    merge(world, branches(world)[0])
    world.settle()
    assert world.story("live")[-1] == ("rollback", "completed", [1])
    assert shares(world) == {1: 100}
    assert (standing(world).held, standing(world).in_sync) == (None, True)


def test_what_is_held_and_newer_content_go_on_together(world: World) -> None:
    begin(world, {**STEPS, "checks": [check("test ! -e bad")]}, on_failure="hold")
    release(world, "two", bad="")
    world.commit("Mend", {"shop/bad": None, "shop/index.html": "three"})
    world.settle()
    assert world.story("live")[-1] == ("release", "started", [3])
    assert standing(world).held is None


def test_a_target_that_refuses_a_step_leaves_nobody_certain(world: World) -> None:
    begin(world, on_failure="hold", retry={"limit": 0}, target=exec_target("test ! -e bad"))
    release(world, "two", bad="")
    now = standing(world)
    assert (now.mixture, now.doubt is None) == (None, False)


def test_a_check_that_cannot_tell_yet_is_asked_again(world: World) -> None:
    later = world.directory / "later"
    begin(world, {**STEPS, "checks": [check(f"test ! -e {later} || exit 75")]}, retry={"limit": 0, "backoff": "10s"})
    later.touch()
    release(world, "two")
    for _ in range(4):
        pass_on(world, seconds=10)
    assert world.story("live")[1:] == [("release", "started", [2])]
    later.unlink()
    pass_on(world, minutes=2)  # it is asked ever more rarely
    (_, said), *_ = waiting(world, "live")
    assert "step 1 of 3 (10 %), held" in said


def test_a_check_that_never_can_tell_fails_after_a_day(world: World) -> None:
    later = world.directory / "later"
    begin(world, {**STEPS, "checks": [check(f"test ! -e {later} || exit 75")]})
    later.touch()
    release(world, "two")
    for _ in range(3):
        pass_on(world, hours=12)
    assert world.story("live")[1:] == [("release", "failed", [2]), ("auto-rollback", "completed", [1])]


def test_a_check_that_only_reports_holds_nothing_up(world: World) -> None:
    begin(world, {**STEPS, "checks": [check("exit 1", mode="report"), check("exit 1", "no", mode="off")]})
    release(world, "two")
    pass_on(world, minutes=10)
    assert shares(world) == {1: 50, 2: 50}
    assert any("reported only" in said for what, said in events(world) if what == "check")


# Baking


def test_the_last_step_is_watched_and_a_failure_then_goes_back(world: World) -> None:
    good = check(f"test ! -e {world.directory}/bad")
    begin(world, {"steps": [100], "bake": "30m", "interval": "5m", "checks": [good]})
    pass_on(world, minutes=30)
    for _ in range(6):
        pass_on(world, minutes=5)
    release(world, "two")
    assert shares(world) == {2: 100}
    assert world.history()[-1].status == "started"
    pass_on(world, minutes=20)
    (world.directory / "bad").touch()
    pass_on(world, minutes=5)
    assert world.story("live")[1:] == [("release", "failed", [2]), ("auto-rollback", "completed", [1])]
    assert shares(world) == {1: 100}


def test_a_bake_without_checks_completes_at_its_end(world: World) -> None:
    begin(world, {"steps": [50, 100], "bake": "30m"})
    pass_on(world, minutes=30)
    assert world.story("live") == [("release", "completed", [1])]
    release(world, "two")
    assert shares(world) == {2: 100}
    pass_on(world, minutes=29)
    assert world.history()[-1].status == "started"
    pass_on(world, minutes=1)
    assert world.history()[-1].status == "completed"
    assert ("watched", "step 2 of 2 (100 %) until 2026-06-01T13:00:00Z") in events(world)
