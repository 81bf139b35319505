"""Does a rollback hit exactly what it must: per app, per environment, in the middle of something else?"""

from __future__ import annotations

from pathlib import Path

from tests.e2e.daemon import environment_manifest, exec_target, refused
from tests.world import CHAIN, World, app_manifest

FAILS = "test -e {place}/down && exit 3; test -e broken && exit 3; true"


def two_apps(world: World) -> None:
    """The shop and another app, both released."""
    world.start_repository()
    world.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    world.settle()


def by_command(world: World, limit: int = 0) -> Path:
    """Sandbox is a directory, live a command; while the file that is returned exists, the command fails."""
    target = exec_target(FAILS.format(place=world.directory))
    world.commit(
        "Begin",
        {
            "sandbox.yaml": environment_manifest("sandbox", "latest"),
            "live.yaml": environment_manifest(
                "live", "sandbox", target=target, retry={"limit": limit, "backoff": "10s"}
            ),
            "shop.yaml": app_manifest(environments=["sandbox", "live"]),
            "shop/index.html": "one",
        },
    )
    world.settle()
    return world.directory / "down"


def test_a_revert_that_restores_one_app_of_two_rolls_back_that_one(world: World) -> None:
    two_apps(world)
    change = world.commit("Both", {"shop/index.html": "two", "other/index.html": "two"})
    world.settle()
    world.commit(f"Take the shop back\n\nThis reverts commit {change}.", {"shop/index.html": "one"})
    world.settle()
    for environment in CHAIN:
        assert world.story(environment)[-1] == ("rollback", "completed", [1])
        assert len(world.history("other", environment)) == 2


def test_what_a_revert_changes_besides_is_an_ordinary_release(world: World) -> None:
    two_apps(world)
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.commit(
        f'Revert "Two"\n\nThis reverts commit {change}.', {"shop/index.html": "one", "other/index.html": "new"}
    )
    world.settle()
    assert world.story("live")[-1] == ("rollback", "completed", [1])
    assert world.story("sandbox", "other")[-1] == ("release", "completed", [2])
    assert world.story("live", "other")[-1] == ("promotion", "completed", [2])


def test_an_environment_that_never_took_the_reverted_version_is_left_alone(world: World) -> None:
    by_command(world)
    change = world.commit("Two", {"shop/broken": ""})
    world.settle()
    assert world.story("live")[1:] == [("promotion", "failed", [2]), ("auto-rollback", "completed", [1])]
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert world.story("sandbox")[-1] == ("rollback", "completed", [1])
    assert len(world.history("shop", "live")) == 3
    assert refused(world, "live") == []


def test_a_revert_ends_the_attempts_at_what_it_takes_back(world: World) -> None:
    by_command(world, limit=5)
    change = world.commit("Two", {"shop/broken": ""})
    world.settle()
    assert world.story("live")[-1] == ("promotion", "started", [2])
    revert = world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert world.story("live")[1:] == [("promotion", "aborted", [2]), ("rollback", "completed", [1])]
    assert world.history("shop", "live")[-1].commit == revert
    world.later(hours=1)
    world.settle()
    assert len(world.history("shop", "live")) == 3


def test_a_rollback_that_fails_is_left_to_a_person(world: World) -> None:
    down = by_command(world)
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    down.touch()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    world.later(days=1)
    world.settle()
    assert world.story("live")[2:] == [("rollback", "failed", [1])]
    ((rule, _),) = refused(world, "live")
    assert rule == "suspect"
    down.unlink()
    failed = world.history("shop", "live")[-1]
    world.wish("retry", app="shop", environment="live", subject=failed.id)
    world.settle()
    assert world.story("live")[-1] == ("retry", "completed", [1])
    assert refused(world, "live") == []


def test_a_retry_that_works_is_what_runs_and_what_is_promoted(world: World) -> None:
    down = by_command(world)
    down.touch()
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    failed = world.history("shop", "live")[1]
    down.unlink()
    world.wish("retry", app="shop", environment="live", subject=failed.id)
    world.settle()
    assert world.story("live")[-1] == ("retry", "completed", [2])
    assert refused(world, "live") == []
    world.settle()
    assert world.story("live")[-1] == ("retry", "completed", [2])


def test_an_unrelated_history_that_is_forced_onto_the_branch_is_held(world: World) -> None:
    two_apps(world)
    world.repo.git("checkout", "--quiet", "--orphan", "island")
    orphan = world.repo.write({"shop/index.html": "island"}).commit("Island")
    world.repo.git("push", "--quiet", "--force", "origin", f"{orphan}:refs/heads/main")
    world.settle()
    assert world.runs("live") == "one"
    world.wish("accept", subject=orphan[:12])
    world.settle()
    assert world.runs("live") == "island"


def test_a_branch_that_is_deleted_and_pushed_again_changes_nothing(world: World) -> None:
    two_apps(world)
    world.home.git("update-ref", "-d", "refs/heads/main")
    world.settle()
    assert world.runs("live") == "one"
    world.repo.push()
    world.settle()
    assert len(world.history()) == 3
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert world.runs("live") == "two"
