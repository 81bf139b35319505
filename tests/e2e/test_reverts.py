"""Is a revert a rollback that happens now, in whatever shape it comes?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.gitrepo import Repo
from tests.world import CHAIN, World, app_manifest

Shape = Callable[[Repo, str], str]


def by_git(repo: Repo, change: str) -> str:
    return repo.revert(change)


def squashed_by_a_forge(repo: Repo, change: str) -> str:
    return repo.revert(change, 'Revert "Two (#12)" (#13)\n\nReverts acme/desired#12')


def squashed_without_a_body(repo: Repo, change: str) -> str:
    return repo.revert(change, 'Revert "Two (#12)" (#13)')


def by_a_short_id(repo: Repo, change: str) -> str:
    return repo.revert(change, f"Back out the new page\n\nThis reverts commit {change[:8]}.")


def by_a_missing_id_and_the_title(repo: Repo, change: str) -> str:
    return repo.revert(change, f'Revert "Two (#12)"\n\nThis reverts commit {"deadbeef" * 5}.')


def by_a_missing_id_alone(repo: Repo, change: str) -> str:
    return repo.revert(change, f"Back out the new page\n\nThis reverts commit {'deadbeef' * 5}.")


def conventional(repo: Repo, change: str) -> str:
    return repo.revert(change, f"revert: Two (#12)\n\nRefs: {change[:10]}")


def merged_by_a_forge(repo: Repo, change: str) -> str:
    repo.checkout("revert-12", "main")
    repo.revert(change)
    repo.checkout("main")
    return repo.merge("revert-12", message='Merge pull request #13 from acme/revert-12\n\nRevert "Two (#12)"')


def behind_a_merge_that_says_nothing(repo: Repo, change: str) -> str:
    repo.checkout("tidy", "main")
    repo.revert(change)
    repo.checkout("main")
    return repo.merge("tidy", message="Merge branch 'tidy'")


SHAPES = [
    by_git,
    squashed_by_a_forge,
    squashed_without_a_body,
    by_a_short_id,
    by_a_missing_id_and_the_title,
    by_a_missing_id_alone,
    conventional,
    merged_by_a_forge,
    behind_a_merge_that_says_nothing,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_revert_rolls_every_environment_back(world: World, shape: Shape) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two (#12)", {"shop/index.html": "two"})
    world.settle()
    revert = shape(world.repo, change)
    world.repo.push()
    world.settle()
    for environment in CHAIN:
        assert world.runs(environment) == "one"
        before, rollback = world.history("shop", environment)[1:]
        assert (rollback.cause, rollback.commit, rollback.rolled_back_from) == ("rollback", revert, before.id)
        assert revert[:10] in rollback.reason
        if shape is not by_a_missing_id_alone:
            assert rollback.reverts == (change,)
    assert len(world.versions()) == 2


def test_several_reverts_in_one_commit(world: World) -> None:
    world.start_repository()
    world.settle()
    changes = [world.commit(text, {"shop/index.html": text}) for text in ("two", "three")]
    world.settle()
    trailers = "\n".join(f"This reverts commit {change}." for change in reversed(changes))
    world.commit(f"Revert the new pages\n\n{trailers}", {"shop/index.html": "one"})
    world.settle()
    for environment in CHAIN:
        assert world.story(environment)[-1] == ("rollback", "completed", [1])
        assert set(world.history("shop", environment)[-1].reverts) & set(changes)


def test_the_revert_of_a_merge(world: World) -> None:
    world.start_repository()
    world.settle()
    world.repo.checkout("feature", "main")
    world.commit("Two", {"shop/index.html": "two"}, push=False)
    world.repo.checkout("main")
    world.commit("Meanwhile", {"README.md": "hello"}, push=False)
    merge = world.repo.merge("feature")
    world.repo.push()
    world.settle()
    assert world.runs("live") == "two"
    assert [version.message for version in world.versions()] == ["Begin", "Merge branch 'feature'"]
    world.repo.revert(merge)
    world.repo.push()
    world.settle()
    for environment in CHAIN:
        assert world.story(environment)[-1] == ("rollback", "completed", [1])
        assert world.history("shop", environment)[-1].reverts == (merge,)


@pytest.mark.parametrize("title", ['Revert "Revert "Two""', 'Reapply "Two"', "Try the new page again"])
def test_the_revert_of_a_revert_is_an_ordinary_release_of_the_old_version(world: World, title: str) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    revert = world.repo.revert(change)
    world.repo.push()
    world.settle()
    world.repo.revert(revert, f"{title}\n\nThis reverts commit {revert}.")
    world.repo.push()
    world.settle()
    assert [cause for cause, _, _ in world.story("sandbox")] == ["release", "release", "rollback", "release"]
    for environment in ("pre-release", "live"):
        assert world.story(environment)[2:] == [("rollback", "completed", [1]), ("promotion", "completed", [2])]
    assert world.runs("live") == "two"
    # The chain goes on: the third revert is a rollback again.
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    for environment in CHAIN:
        assert world.story(environment)[-1] == ("rollback", "completed", [1])
    assert len(world.versions()) == 2


def test_a_title_that_says_revert_and_restores_nothing_is_an_ordinary_change(world: World) -> None:
    world.start_repository()
    world.settle()
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.commit('Revert "Two"', {"shop/contact.html": "call us"})
    world.settle()
    assert world.story("sandbox")[-1] == ("release", "completed", [3])
    for environment in ("pre-release", "live"):
        assert world.story(environment)[2:] == [("promotion", "completed", [3])]


def test_a_revert_concerns_only_the_apps_that_the_reverted_commit_touched(world: World) -> None:
    world.start_repository()
    world.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.commit("Other two", {"other/index.html": "two"})
    world.settle()
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert (world.runs("live"), world.runs("live", app="other")) == ("one", "two")
    assert len(world.history("other", "live")) == 2
