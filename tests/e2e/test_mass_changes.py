"""Is a commit that changes or removes too much stopped, until somebody says that it is meant?"""

from __future__ import annotations

from datetime import timedelta

from tests.e2e.daemon import Live, environment_manifest, refused
from tests.world import World, app_manifest, season_manifest

APPS = tuple(f"app-{number:02}" for number in range(12))
Files = dict[str, str | bytes | None]


def begin(world: World, prune: bool = False) -> None:
    """Twelve apps in one environment."""
    files: Files = {"environments.yaml": environment_manifest("live", "latest", prune=prune)}
    files |= {f"{name}.yaml": app_manifest(name, environments=["live"]) for name in APPS}
    world.commit("Begin", {**files, **texts("one")})


def texts(text: str) -> Files:
    return {f"{name}/index.html": text for name in APPS}


def running(world: World) -> set[str | None]:
    return {world.runs("live", app=name) for name in APPS}


REMOVAL: Files = {f"{name}.yaml": None for name in APPS}


def test_a_mass_change_is_refused_with_its_numbers_and_released_by_a_trailer(live: Live) -> None:
    begin(live)
    live.start()
    live.wait_for(lambda: running(live) == {"one"}, "the very first load is not weighed")
    braked = live.commit("Everything", texts("two"))
    live.wait_for(lambda: len(live.versions("app-11")) == 2, "the commit is noted")
    ((rule, detail),) = refused(live, "live", "app-03")
    assert rule == "mass-change"
    assert detail.startswith(f"{braked[:10]} changes or removes 12 of 12 (100 %)")
    assert "Allow-Mass-Change: 12" in detail
    live.commit("Not enough\n\nAllow-Mass-Change: 11", {"README.md": "11"})
    live.commit("One more", {"app-00/index.html": "three"})
    live.wait_for(lambda: live.runs("live", app="app-00") == "three" or len(live.versions("app-00")) == 3, "noted")
    assert running(live) <= {"one", "three"}
    live.commit("It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    live.wait_for(lambda: running(live) == {"two", "three"}, "everything is released")


def test_a_mass_change_may_say_so_itself(world: World) -> None:
    begin(world)
    world.settle()
    world.commit("Everything\n\nAllow-Mass-Change: 12", texts("two"))
    world.settle()
    assert running(world) == {"two"}


def test_the_revert_of_a_mass_change_leaves_nothing_to_acknowledge(world: World) -> None:
    begin(world)
    world.settle()
    change = world.commit("Everything", texts("two"))
    world.settle()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert running(world) == {"one"}
    assert refused(world, "live", "app-03") == []
    assert len(world.history("app-03")) == 1
    world.commit("Small", {"app-03/index.html": "three"})
    world.settle()
    assert world.runs("live", app="app-03") == "three"


def test_small_commits_are_never_weighed_together(world: World) -> None:
    begin(world)
    world.settle()
    for name in APPS:
        world.commit(f"Change {name}", {f"{name}/index.html": "two"}, push=False)
    world.repo.push()
    world.settle()
    assert running(world) == {"two"}


def test_the_moment_at_which_a_season_begins_for_all_is_not_weighed(world: World) -> None:
    begin(world)
    world.settle()
    begins, ends = (f"{world.now + timedelta(days=days):%Y-%m-%d}" for days in (7, 14))
    overlay = {"apps": list(APPS), "environments": ["live"], "config": {"banner": "sale"}}
    world.commit("Sale", {"sale.yaml": season_manifest("sale", begins, ends, **overlay)})
    world.settle()
    world.later(days=10)
    world.settle()
    assert {world.facts("live", app=name)["config"]["banner"] for name in APPS} == {"sale"}


def test_what_leaves_git_stays_as_it_is(world: World) -> None:
    begin(world)
    world.settle()
    world.commit("Gone", {"app-03.yaml": None})
    world.settle()
    assert running(world) == {"one"}
    assert len(world.history("app-03")) == 1


def test_a_mass_removal_is_refused_until_it_is_acknowledged_and_its_revert_undoes_it(world: World) -> None:
    begin(world, prune=True)
    world.settle()
    removal = world.commit("Clean up", REMOVAL)
    world.settle()
    assert running(world) == {"one"}
    ((rule, detail),) = refused(world, "live", "app-07")
    assert rule == "mass-change"
    assert "12 of 12" in detail
    world.commit("It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    world.settle()
    assert running(world) == {None}
    retired = world.history("app-07")[-1]
    assert (retired.cause, retired.status, retired.traffic) == ("release", "completed", ())
    assert f"{removal[:10]} removed it from git" in retired.reason
    revert = world.repo.revert(removal)
    world.repo.push()
    world.settle()
    assert running(world) == {"one"}
    back = world.history("app-07")[-1]
    assert (back.cause, back.commit, [part.number for part in back.traffic]) == ("rollback", revert, [1])
    assert back.reverts == (removal,)
    assert len(world.versions("app-07")) == 1


def test_a_mass_removal_that_waits_is_let_through_by_no_environment_that_prunes_since(world: World) -> None:
    begin(world)
    world.settle()
    world.commit("Clean up", REMOVAL)
    world.settle()
    world.commit("Prune", {"environments.yaml": environment_manifest("live", "latest", prune=True)})
    world.settle()
    assert running(world) == {"one"}
    assert [rule for rule, _ in refused(world, "live", "app-07")] == ["mass-change"]
    world.commit("It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    world.settle()
    assert running(world) == {None}


def test_one_app_that_leaves_a_pruning_environment_is_retired_there_and_stays_elsewhere(world: World) -> None:
    world.commit(
        "Begin",
        {
            "sandbox.yaml": environment_manifest("sandbox", "latest", prune=True),
            "live.yaml": environment_manifest("live", "sandbox"),
            "shop.yaml": app_manifest(environments=["sandbox", "live"]),
            "shop/index.html": "one",
        },
    )
    world.settle()
    world.commit("Gone", {"shop.yaml": None, "shop": None})
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == (None, "one")
    assert len(world.history("shop", "live")) == 1
    world.commit("Back", {"shop.yaml": app_manifest(environments=["sandbox", "live"]), "shop/index.html": "two"})
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == ("two", "two")
    assert [version.number for version in world.versions()] == [1, 2]
