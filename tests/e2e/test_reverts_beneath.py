"""Does a revert hold when it is not the last word: under later commits, of a part, of something in the middle?"""

from __future__ import annotations

from tests.e2e.daemon import Live, refused
from tests.world import CHAIN, World, app_manifest

PAGE = "top\n" + "line\n" * 20 + "bottom\n"
LATER = ("pre-release", "live")


def test_a_revert_under_later_commits_of_the_same_push_still_rolls_back(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    change = live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    revert = live.repo.revert(change)
    live.commit("Three", {"shop/index.html": "three"}, push=False)
    live.commit("By the way", {"README.md": "hello"}, push=False)
    live.repo.push()
    live.wait_for(lambda: live.everywhere("three"), "the newest runs everywhere")
    assert live.story("sandbox")[2:] == [("release", "completed", [3])]
    for environment in LATER:
        assert live.story(environment)[2:] == [("rollback", "completed", [1]), ("promotion", "completed", [3])]
        assert live.history("shop", environment)[2].commit == revert


def test_a_revert_under_commits_of_other_apps_rolls_everything_back(world: World) -> None:
    world.start_repository()
    world.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.repo.revert(change)
    world.commit("Elsewhere", {"other/index.html": "two"})
    world.settle()
    assert world.runs("live", app="other") == "two"
    for environment in CHAIN:
        assert world.story(environment)[2:] == [("rollback", "completed", [1])]


def test_a_change_and_its_revert_in_one_push_never_run(world: World) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"}, push=False)
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert [version.number for version in world.versions()] == [1, 2]
    for environment in CHAIN:
        assert len(world.history("shop", environment)) == 1


def test_a_partial_revert_is_a_new_version_and_later_environments_go_back_first(world: World) -> None:
    world.start_repository()
    world.commit("More", {"shop/a": "1\n", "shop/b": "1\n"})
    world.settle()
    change = world.commit("Change", {"shop/a": "2\n", "shop/b": "2\n"})
    world.settle()
    world.commit(f'Revert "Change" in part\n\nThis reverts commit {change}.', {"shop/a": "1\n"})
    world.settle()
    assert [version.partial for version in world.versions()] == [False, False, False, True]
    assert world.story("sandbox")[-1] == ("release", "completed", [4])
    for environment in LATER:
        assert world.story(environment)[-2:] == [("rollback", "completed", [2]), ("promotion", "completed", [4])]


def test_a_revert_of_a_commit_in_the_middle_takes_all_versions_back_that_contain_it(world: World) -> None:
    world.start_repository()
    world.commit("Page", {"shop/page": PAGE})
    world.settle()
    change = world.commit("Bad", {"shop/page": PAGE.replace("top", "bad")})
    world.settle()
    world.commit("Good", {"shop/page": PAGE.replace("top", "bad").replace("bottom", "good")})
    world.settle()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert world.runs("live", "page") == PAGE.replace("bottom", "good")
    for environment in LATER:
        assert world.story(environment)[-3:] == [
            ("promotion", "completed", [4]),
            ("rollback", "completed", [2]),
            ("promotion", "completed", [5]),
        ]


def test_a_withdrawn_version_that_a_later_commit_asks_for_runs_again(world: World) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    world.commit("Two after all", {"shop/index.html": "two"})
    world.settle()
    assert world.story("sandbox")[-1] == ("restore", "completed", [2])
    assert world.story("live")[-1] == ("promotion", "completed", [2])


def test_an_environment_pinned_by_hand_to_what_was_reverted_stays_and_says_so(world: World) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    entries = {"sandbox": {}, "pre-release": {}, "live": {"version": "v2"}}
    world.commit("Pin", {"shop.yaml": app_manifest(environments=entries)})
    world.settle()
    revert = world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert [world.runs(environment) for environment in CHAIN] == ["one", "one", "two"]
    ((rule, detail),) = refused(world, "live")
    assert rule == "withdrawn"
    assert revert[:10] in detail
    assert "move the pin" in detail


def test_what_was_reverted_while_the_daemon_slept_never_reaches_later_environments(world: World) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.commit("Three", {"shop/index.html": "three"}, push=False)
    world.commit("Two again", {"shop/index.html": "two"}, push=False)
    world.repo.revert(change)
    world.commit("Elsewhere", {"README.md": "hello"})
    world.later(days=3)
    world.settle()
    for environment in CHAIN:
        assert world.runs(environment) == "one"
        assert world.story(environment)[2:] == [("rollback", "completed", [1])]
