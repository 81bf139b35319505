"""A person goes back now: what happens at once, what is held, what git is given, and what speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import NotSo
from reconciler.planner.going_back import NoWay
from reconciler.store import interventions, versions
from reconciler.views.scene import scene_of
from reconciler.views.ways_back import find_way
from tests.e2e.daemon import Live, environment_manifest, exec_target, refused, resource_manifest
from tests.e2e.test_holds import branches, facts, merge, message, standing
from tests.world import World, app_manifest, season_manifest

ANN = "ann@example.com"


def begin(world: World, *texts: str, **live: Any) -> list[str]:
    """One environment, and a version for each text."""
    files = {"environments.yaml": environment_manifest("live", "latest", **live)}
    made = []
    for text in texts or ("one", "two", "three"):
        made.append(world.commit(f"Say {text}", {**files, "shop.yaml": shop(), "shop/index.html": text}))
        world.settle()
        files = {}
    return made


def shop(**spec: Any) -> str:
    return app_manifest(**{"environments": ["live"], **spec})


def go_back(world: World, reference: str | None = None, environment: str = "live") -> None:
    """What the verb does: look whether there is a way, then record the wish."""
    with world.running() as found, found.database.read() as connection:
        version = versions.find(connection, "shop", reference) if reference else None
        way = find_way(connection, scene_of(connection), "shop", environment, version, world.now)
    if isinstance(way, NoWay):
        raise NotSo(way.reason, way.remedy)
    named = version.id if version else None
    world.wish("rollback", app="shop", environment=environment, subject=named, reason="it is slow")
    world.settle()


def wish_for(world: World, version: str | None) -> None:
    """What whoever leads finds, although things have changed since it was looked at."""
    world.wish("rollback", app="shop", environment="live", subject=version, reason="it is slow")
    world.settle()


def remarks(world: World) -> list[str]:
    """What is remarked on the newest deployment."""
    newest = world.history()[-1].id
    return [str(row["body"]["message"]) for row in facts(world, "deployment.remark") if row["subject"] == newest]


def outcome(world: World) -> str:
    return str(facts(world, "intervention.done")[-1]["body"]["outcome"])


def test_it_goes_back_now_holds_it_and_gives_git_the_commit(world: World):
    *_, last = begin(world)
    go_back(world)
    assert world.runs("live") == "two"
    back = world.history()[-1]
    assert (back.cause, back.deployed_by) == ("rollback", ANN)
    assert back.reason == f"{ANN} rolled it back to v2: it is slow"
    assert back.rolled_back_from == world.history()[-2].id
    held = standing(world).held
    assert held is not None
    assert (held.by, held.reason) == (ANN, "it is slow")
    (branch,) = branches(world)
    assert held.branch == branch
    assert message(world, branch).startswith(f'Revert "Say three"\n\nThis reverts commit {last}.\n\n{ANN} left v3')
    assert world.home.git("log", "-1", "--format=%ae %cn", branch) == f"{ANN} reconciler"
    # Nothing brings it back by itself, not even the hourly look at everything.
    with world.running() as found:
        found.daemon._whole()
        found.daemon.settle()
    assert len(world.history()) == 4
    merge(world, branch)
    world.settle()
    assert (standing(world).held, standing(world).in_sync, len(world.history())) == (None, True, 4)


def test_to_a_version_further_back_all_commits_in_between_are_taken_back(world: World):
    _, two, three = begin(world)
    go_back(world, "v1")
    assert world.runs("live") == "one"
    (branch,) = branches(world)
    said = message(world, branch)
    assert said.startswith('Revert "Say three" and 1 more')
    assert [line for line in said.splitlines() if line.startswith("This reverts")] == [
        f"This reverts commit {three}.",
        f"This reverts commit {two}.",
    ]
    assert world.home.git("show", f"{branch}:shop/index.html") == "one"
    merge(world, branch)
    world.settle()
    assert (world.runs("live"), standing(world).held, len(world.history())) == ("one", None, 4)


def test_the_rest_of_the_chain_hears_of_it_only_when_git_says_the_same(world: World):
    world.start_repository()
    world.settle()
    world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    go_back(world, environment="sandbox")
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["one", "two", "two"]
    season = season_manifest("june", "2026-06-02T00:00", "2026-06-03T00:00", environments=["sandbox"], config={"a": 1})
    world.commit("June", {"june.yaml": season})
    world.later(days=1)
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["one", "two", "two"]
    merge(world, branches(world)[0])
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["one", "one", "one"]
    assert world.story("live")[-1] == ("rollback", "completed", [1])
    world.commit("Say three", {"shop/index.html": "three"})
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["three", "three", "three"]


def test_a_fix_does_not_carry_it_down_the_chain_on_its_way(world: World):
    world.start_repository()
    world.settle()
    world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    go_back(world, environment="sandbox")
    world.commit("Say three", {"shop/index.html": "three"})
    world.settle()
    assert [numbers for _, _, numbers in world.story("live")] == [[1], [2], [3]]


def test_a_fix_ends_the_hold(world: World):
    begin(world)
    go_back(world)
    world.commit("Say four", {"shop/index.html": "four"})
    world.settle()
    assert (world.runs("live"), standing(world).held) == ("four", None)


def test_the_settings_of_today_hold_and_a_season_passes_over_it(world: World):
    begin(world)
    go_back(world)
    season = season_manifest("june", "2026-06-02T00:00", "2026-06-03T00:00", config={"greeting": "Hot"})
    world.commit("June", {"june.yaml": season})
    world.settle()
    world.later(hours=13)
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("two", {"greeting": "Hot"})
    assert standing(world).held is not None
    world.later(days=1)
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("two", {})


def test_a_pin_is_taken_back_by_the_commit_that_moved_it(world: World):
    begin(world)
    world.commit("Pin two", {"shop.yaml": shop(environments={"live": {"version": "v2"}})})
    world.settle()
    world.commit("Pin three", {"shop.yaml": shop(environments={"live": {"version": "v3"}})})
    world.settle()
    moved = world.repo.head
    go_back(world)
    assert world.runs("live") == "two"
    (branch,) = branches(world)
    assert f"This reverts commit {moved}." in message(world, branch)
    # A season's settings are no reason to take the pinned version again.
    season = season_manifest("june", "2026-06-02T00:00", "2026-06-03T00:00", config={"greeting": "Hot"})
    world.commit("June", {"june.yaml": season})
    world.later(days=1)
    world.settle()
    assert world.runs("live") == "two"
    merge(world, branch)
    world.settle()
    assert (world.runs("live"), standing(world).held) == ("two", None)


def test_what_was_about_to_follow_does_not_come_in_behind_it(world: World):
    begin(world, "one", "two")
    world.wish("pause", app="shop", environment="live", reason="wait", until=world.now.replace(year=2027))
    world.commit("Say three", {"shop/index.html": "three"})
    world.settle()
    go_back(world)
    assert world.runs("live") == "one"
    assert ("suspect", True) in [(rule, "v3 was rolled back by" in said) for rule, said in refused(world, "live")]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("v3", "v3 is what runs in live"),
        ("v4", "v4 never ran in live"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_recorded(world: World, reference: str, says: str):
    begin(world)
    world.wish("pause", app="shop", environment="live", reason="wait", until=world.now.replace(year=2027))
    world.commit("Say four", {"shop/index.html": "four"})
    world.settle()
    with pytest.raises(NotSo) as error:
        go_back(world, reference)
    assert says in error.value.message
    assert error.value.next_step
    with world.running() as found, found.database.read() as connection:
        assert interventions.open_ways(connection) == []


def test_the_first_version_has_nothing_before_it(world: World):
    begin(world, "one")
    with pytest.raises(NotSo, match="nothing else ran well in live before v1"):
        go_back(world)


def test_a_wish_that_is_overtaken_ends_with_its_reason(world: World):
    begin(world)
    runs = world.history()[-1].traffic[0].version
    wish_for(world, runs)
    assert outcome(world).startswith("refused: v3 is what runs in live")
    assert world.runs("live") == "three"


# --- guards -------------------------------------------------------------------------------------------------


def test_not_further_than_the_limit_unless_a_commit_says_so(world: World):
    begin(world, *"abcdefg", rollback={"limit": 4})
    with pytest.raises(NotSo) as error:
        go_back(world, "v1")
    assert "v1 ran here 6 deployments ago, and live goes back 4 at most" in error.value.message
    assert "`Allow-Rollback: shop/live`" in error.value.next_step
    wish_for(world, world.versions()[0].id)
    assert "ran here 6 deployments ago" in outcome(world)
    assert world.runs("live") == "g"
    world.commit("Go far\n\nAllow-Rollback: shop/live", {})
    world.settle()
    (allowed,) = facts(world, "override.rollback")
    assert (allowed["actor"], allowed["app"], allowed["environment"]) == ("ada@example.org", "shop", "live")
    go_back(world, "v1")
    assert world.runs("live") == "a"
    assert remarks(world) == [
        "v1 ran here 6 deployments ago, and live goes back 4 at most (`rollback.limit` of the Environment): passed by "
        f"the word of ada@example.org in {allowed['subject'][:10]} (`Allow-Rollback: shop/live`)"
    ]


def test_a_pin_does_not_go_further_than_the_limit_either(world: World):
    with world.running() as found:
        files = {"environments.yaml": environment_manifest("live", "latest"), "shop.yaml": shop()}
        for number in range(28):
            world.commit(f"Say {number}", {**files, "shop/index.html": str(number)})
            found.daemon.settle()
            files = {}
    world.commit("Far back", {"shop.yaml": shop(environments={"live": {"version": "v1"}})})
    world.settle()
    assert world.runs("live") == "27"
    ((rule, said),) = refused(world, "live")
    assert (rule, "v1 ran here 27 deployments ago, and live goes back 10 at most" in said) == ("rollback", True)
    world.commit("All the same\n\nAllow-Rollback: shop/live", {})
    world.settle()
    assert (world.runs("live"), world.story("live")[-1][0]) == ("0", "rollback")
    (passed,) = remarks(world)
    assert "v1 ran here 27 deployments ago" in passed
    assert "passed by the word of ada@example.org" in passed


def test_an_old_leave_does_not_count_for_what_came_later(world: World):
    begin(world, "one")
    world.commit("Go far\n\nAllow-Rollback: shop/live", {})
    world.settle()
    world.later(hours=1)
    world.commit("Migrate", {"shop.yaml": shop(migrations=["m1"]), "shop/index.html": "two"})
    world.settle()
    with pytest.raises(NotSo, match=r"v1 lacks 1 migration \(m1\) that v2 has made"):
        go_back(world)


def test_not_across_a_migration_by_itself_either(world: World):
    script = "test ! -e broken"
    begin(world, "one", target=exec_target(script), retry={"limit": 0})
    world.commit("Migrate", {"shop.yaml": shop(migrations=["m1", "m2"]), "shop/broken": ""})
    world.settle()
    assert world.story("live")[-1] == ("release", "failed", [2])
    said = dict(refused(world, "live"))
    assert "v1 lacks 2 migrations (m1, m2) that v2 has made, and migrations go one way" in said["rollback"]
    assert "`Allow-Rollback: shop/live`" in said["rollback"]
    assert standing(world).held is not None
    world.commit("All the same\n\nAllow-Rollback: shop/live", {})
    world.settle()
    assert world.story("live")[-1] == ("auto-rollback", "completed", [1])


def test_not_to_a_resource_that_has_gone(world: World):
    resource = {"resources.yaml": resource_manifest("calendar")}
    bound = [{"name": "CALENDAR", "type": "kv", "resource": "calendar"}]
    begin(world, "one")
    world.commit("Bind", {**resource, "shop.yaml": shop(bindings=bound), "shop/index.html": "two"})
    world.settle()
    world.commit("Unbind", {"resources.yaml": None, "shop.yaml": shop(), "shop/index.html": "three"})
    world.settle()
    with pytest.raises(NotSo, match=r"v2 is bound to 1 resource \(calendar\) that git no longer declares"):
        go_back(world)
    world.commit("Declare it again", resource)
    world.settle()
    go_back(world)
    assert world.runs("live") == "two"
    assert world.facts("live")["bindings"] == bound


def test_not_to_secrets_from_another_place(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OLD", "1")
    monkeypatch.setenv("NEW", "2")
    begin(world, "zero")
    for place in ("OLD", "NEW"):
        secrets = [{"name": "KEY", "from": f"env:{place}"}]
        world.commit(f"From {place}", {"shop.yaml": shop(secrets=secrets), "shop/index.html": place})
        world.settle()
    with pytest.raises(NotSo, match=r"v2 reads 1 secret \(KEY\) from another place than v3 does"):
        go_back(world)
    go_back(world, "v1")
    assert world.runs("live") == "zero"


def test_when_going_back_fails_too_it_is_not_repeated_and_a_person_may_try_again(world: World):
    script = f"test ! -e stuck || test ! -e {world.directory}/stuck"
    begin(world, "one", target=exec_target(script), retry={"limit": 0})
    world.commit("Stuck", {"shop/stuck": "", "shop/index.html": "two"})
    world.settle()
    world.commit("Three", {"shop/index.html": "three", "shop/stuck": None})
    world.settle()
    (world.directory / "stuck").write_text("")
    go_back(world)
    assert world.story("live")[-1] == ("rollback", "failed", [2])
    assert len(world.history()) == 4
    (world.directory / "stuck").unlink()
    world.wish("retry", app="shop", environment="live", subject=world.history()[-1].id)
    world.settle()
    assert world.story("live")[-1] == ("retry", "completed", [2])
    assert standing(world).held is not None


# --- with a real daemon -------------------------------------------------------------------------------------


def test_a_daemon_goes_back_within_a_moment_and_survives_a_kill_in_between(live: Live):
    texts = ("one", "two")
    files = {"environments.yaml": environment_manifest("live", "latest"), "shop.yaml": shop()}
    live.commit("Say one", {**files, "shop/index.html": "one"})
    live.start()
    live.wait_for(lambda: live.runs("live") == "one", "the first version")
    live.commit("Say two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.history()[-1].status == "completed" and live.runs("live") == texts[1], "the second")
    live.kill()
    live.wish("rollback", app="shop", environment="live", reason="it is slow")
    live.start()
    live.wait_for(lambda: live.runs("live") == "one", "the way back")
    live.wait_for(lambda: branches(live), "the branch")
    live.kill()
    live.start()
    live.wait_for(lambda: live.history()[-1].status == "completed", "the record")
    merge(live, branches(live)[0])
    live.wait_for(lambda: _lifted(live), "the end of the hold")
    assert [(one.cause, one.status) for one in live.history()] == [
        ("release", "completed"),
        ("release", "completed"),
        ("rollback", "completed"),
    ]
    assert len(branches(live)) == 1


def _lifted(live: Live) -> bool:
    from reconciler.store import holds

    with live.store.read() as connection:
        return holds.find(connection, "shop", "live") is None
