"""Is what changed too much at once, and was put back, forgotten; and is it weighed whatever its message says?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.commands import Told
from tests.mass import APPS, MOVED, begun, environment, is_free, push, refused, runs, season, take_back, texts
from tests.world import app_manifest


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Twelve apps in one environment."""
    return begun(tmp_path)


@pytest.mark.parametrize(
    "message",
    [
        "Undo the spring look, new design everywhere",
        "Roll back the cookie banner and rework everything",
        "chore: revert",
        "Merge pull request #7 from shop/revert-header",
        "New look\n\n* header\n* revert flaky test\n* footer",
    ],
)
def test_a_word_in_a_message_lets_nothing_through(told: Told, message: str) -> None:
    push(told, message, texts("two"))
    assert refused(told) == set(APPS)
    assert runs(told) == {"one"}


def test_a_message_that_takes_back_a_small_commit_lets_nothing_else_through(told: Told) -> None:
    small = push(told, "Small", {"app-03/index.html": "small"})
    push(told, f"Revert everything\n\nThis reverts commit {small}.", texts("two"))
    assert refused(told) == set(APPS)


def test_so_does_a_merge_that_brings_a_revert_along(told: Told) -> None:
    others = [name for name in APPS if name != "app-03"]
    small = push(told, "Small", {"app-03/index.html": "small"})
    told.repo.git("checkout", "--quiet", "-b", "more")
    told.repo.revert(small)
    told.commit("More", texts("two", others), push=False)
    told.repo.git("checkout", "--quiet", "main")
    told.repo.merge("more")
    told.repo.push()
    told.settle()
    assert refused(told) == set(others)
    assert told.runs("live", app="app-03") == "one"


@pytest.mark.parametrize("message", ["Roll back the pilot", "Undo the pilot"])
def test_nor_does_it_let_a_removal_through(told: Told, message: str) -> None:
    push(told, "Prune", environment(prune=True))
    push(told, message, {f"{name}.yaml": None for name in APPS})
    assert runs(told) == {"one"}
    assert refused(told) == set(APPS)


def test_nor_the_move_of_an_environment(told: Told) -> None:
    push(told, "Undo the move of live", environment(target=MOVED))
    assert refused(told) == set(APPS)


def test_the_revert_of_what_placed_everything_here_is_none_of_that(told: Told) -> None:
    push(told, "Prune", environment(prune=True))
    names = [f"more-{number:02}" for number in range(12)]
    added = {f"{name}.yaml": app_manifest(name, environments=["live"]) for name in names}
    more = push(told, "More", {**added, **texts("one", names)})
    assert {told.runs("live", app=name) for name in names} == {"one"}
    take_back(told, more)
    assert {told.runs("live", app=name) for name in names} == {None}
    assert refused(told) == set()


def test_two_that_wait_are_taken_back_by_one(told: Told) -> None:
    two, three = push(told, "Two", texts("two")), push(told, "Three", texts("three"))
    said = f"Revert both\n\nThis reverts commit {three}.\n\nThis reverts commit {two}."
    push(told, said, texts("one"))
    is_free(told, "app-03")


def test_two_that_wait_are_put_back_by_hand(told: Told) -> None:
    push(told, "Two", texts("two"))
    push(told, "Three", texts("three"))
    push(told, "As it was", texts("one"))
    is_free(told, "app-03")


def test_it_is_taken_back_from_beneath_small_changes(told: Told) -> None:
    two = push(told, "Two", texts("two"))
    push(told, "Small", {f"{name}/more.html": "more" for name in APPS[:5]})
    assert refused(told) == set(APPS)
    take_back(told, two)
    assert refused(told) == set()
    assert (told.runs("live", app="app-03"), told.runs("live", "more.html", app="app-03")) == ("one", "more")
    is_free(told, "app-03")


def test_a_season_that_waits_ends_by_itself(told: Told) -> None:
    ends = f"{told.now + timedelta(seconds=4):%Y-%m-%dT%H:%M:%S}"
    push(told, "Sale", season(ends))
    assert refused(told) == set(APPS)
    told.wait_until(f"{ends}Z")
    told.settle()
    is_free(told, "app-03")


def test_a_season_that_waits_is_changed_and_removed(told: Told) -> None:
    push(told, "Sale", season())
    push(told, "Closing", season(banner="closing"))
    assert refused(told) == set(APPS)
    push(told, "No sale", {"sale.yaml": None})
    is_free(told, "app-03")


def test_an_environment_comes_back_over_several_places(told: Told) -> None:
    push(told, "Move", environment(target=MOVED))
    push(told, "Move on", environment(target={"type": "directory", "path": "further"}))
    assert refused(told) == set(APPS)
    push(told, "Home", environment())
    is_free(told, "app-03")


def test_a_commit_of_several_things_is_taken_back_in_steps(told: Told) -> None:
    push(told, "Move and sell", {**environment(target=MOVED), **season()})
    assert refused(told) == set(APPS)
    push(told, "Home", environment())
    push(told, "No sale", {"sale.yaml": None})
    is_free(told, "app-03")


def test_a_track_that_changes_nothing_of_what_is_pinned_is_forgotten(told: Told) -> None:
    pins = {f"{name}.yaml": app_manifest(name, environments={"live": {"version": "v1"}}) for name in APPS}
    push(told, "Pin\n\nAllow-Mass-Change: 12", dict(pins))
    push(told, "Two\n\nAllow-Mass-Change: 12", texts("two"))
    assert runs(told) == {"one"}
    push(told, "Elsewhere", environment(gates={"soak": "1h"}))
    push(told, "Unpin", {"app-03.yaml": app_manifest("app-03", environments=["live"])})
    assert told.runs("live", app="app-03") == "two"


def test_a_reviewer_is_told_that_many_small_commits_are_merged_as_one_large_change(told: Told) -> None:
    told.repo.git("checkout", "--quiet", "-b", "many")
    for name in APPS:
        told.commit(f"Two of {name}", {f"{name}/index.html": "two"}, push=False)
    told.repo.git("push", "--quiet", "origin", "many")
    told.repo.git("checkout", "--quiet", "main")
    done = told.type("plan", "--base", "main", "--head", "many", "-o", "markdown")
    assert done.status == 1
    assert "Allow-Mass-Change: 12" in done.out
    told.repo.merge("many")
    told.repo.push()
    told.settle()
    assert refused(told) == set(APPS)
