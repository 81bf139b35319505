"""Is a commit reverted as git would, without a checkout, and is it said clearly when it cannot be?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import NotSo, WrongUse
from reconciler.git.reverts import look
from reconciler.git.signatures import Person, Signature
from reconciler.git.taking_back import Conflicts, revert_commit
from reconciler.git.trailers import trailers
from tests.gitrepo import Repo

ROBOT = Signature(Person("Reconciler", "reconciler@example.org"), datetime(2026, 5, 1, tzinfo=UTC))
LINES = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.create(tmp_path / "desired")
    made.write({"app.yaml": LINES, "other": "1\n"}).commit("First")
    return made


def reverted(repo: Repo, *commits: str, **more) -> str:
    result = revert_commit(repo.path, repo.head, commits, ROBOT, **more)
    assert isinstance(result, str), result
    return result


def test_the_same_tree_and_words_as_git_itself(repo: Repo) -> None:
    bad = repo.write({"app.yaml": LINES.replace("line 3", "bad"), "added": "x"}).commit('Make "it" bad')
    repo.write({"app.yaml": LINES.replace("line 3", "bad").replace("line 15", "good")}).commit("Later")
    before = repo.git("status", "--porcelain"), repo.head
    commit = reverted(repo, bad)
    assert (repo.git("status", "--porcelain"), repo.head) == before
    by_git = repo.revert(bad)
    assert repo.tree(commit) == repo.tree(by_git)
    assert repo.git("log", "-1", "--format=%B", commit) == repo.git("log", "-1", "--format=%B", by_git)


def test_a_file_that_was_renamed_meanwhile(repo: Repo) -> None:
    bad = repo.write({"app.yaml": LINES.replace("line 3", "bad")}).commit("Bad")
    repo.git("mv", "app.yaml", "moved.yaml")
    repo.commit("Move")
    commit = reverted(repo, bad)
    assert repo.git("show", f"{commit}:moved.yaml") + "\n" == LINES


def test_a_merge_by_its_first_parent(repo: Repo) -> None:
    first = repo.head
    repo.checkout("topic", at=first).write({"topic": "1"}).commit("Topic")
    repo.checkout("main").write({"other": "2\n"}).commit("Meanwhile")
    merge = repo.merge("topic")
    commit = reverted(repo, merge)
    assert repo.tree(commit) == repo.tree(f"{merge}^1")
    by_git = repo.revert(merge)
    assert repo.git("log", "-1", "--format=%B", commit) == repo.git("log", "-1", "--format=%B", by_git)


def test_several_the_newest_first(repo: Repo) -> None:
    before = repo.tree()
    one = repo.write({"app.yaml": LINES.replace("line 3", "one")}).commit("One")
    two = repo.write({"app.yaml": LINES.replace("line 3", "two")}).commit("Two")
    commit = reverted(repo, two, one, trailers=[("Reconciler-App", "shop"), ("Reconciler-Environment", "live")])
    assert repo.tree(commit) == before
    said = repo.git("log", "-1", "--format=%B", commit)
    assert said.startswith(f'Revert "Two" and 1 more\n\nThis reverts commit {two}.\nThis reverts commit {one}.\n\n')
    assert {claim.commit for claim in look(said)} >= {one, two}, "read again as reverts of both"
    assert trailers(said) == (("Reconciler-App", "shop"), ("Reconciler-Environment", "live"))


def test_conflicts_name_their_paths_and_change_nothing(repo: Repo) -> None:
    odd = 'ü "x"\n.yaml'
    repo.write({odd: "a\n"}).commit("Odd")
    bad = repo.write({"app.yaml": LINES.replace("line 3", "bad"), odd: "b\n"}).commit("Bad")
    repo.write({"app.yaml": LINES.replace("line 3", "worse"), odd: None}).commit("Worse")
    refs = repo.git("for-each-ref")
    result = revert_commit(repo.path, repo.head, [bad], ROBOT)
    assert result == Conflicts(bad, ("app.yaml", odd))
    assert "conflicts in app.yaml" in str(result)
    assert repo.git("for-each-ref") == refs
    assert repo.git("status", "--porcelain") == ""


def test_the_first_commit_of_all(repo: Repo) -> None:
    first = repo.head
    repo.write({"more": "1"}).commit("More")
    assert repo.git("ls-tree", "--name-only", reverted(repo, first)) == "more"


def test_what_is_taken_back_already(repo: Repo) -> None:
    bad = repo.write({"other": "bad"}).commit("Bad")
    repo.revert(bad)
    with pytest.raises(NotSo, match="nothing to take back"):
        revert_commit(repo.path, repo.head, [bad], ROBOT)


def test_other_words_and_wrong_arguments(repo: Repo) -> None:
    bad = repo.write({"other": "bad"}).commit("Bad")
    commit = reverted(repo, bad, message="Back to 1\n", trailers=[("Why", "it hurts")])
    assert repo.git("log", "-1", "--format=%B", commit) == "Back to 1\n\nWhy: it hurts\n"
    for wrong in (("Why", "a\nb"), ("Wh y", "a"), ("Why", "")):
        with pytest.raises(WrongUse, match="trailer"):
            revert_commit(repo.path, repo.head, [bad], ROBOT, trailers=[wrong])
    with pytest.raises(WrongUse):
        revert_commit(repo.path, repo.head, [], ROBOT)
    with pytest.raises(NotSo, match="no commit"):
        revert_commit(repo.path, repo.head, ["2" * 40], ROBOT)
    with pytest.raises(WrongUse):
        revert_commit(repo.path, repo.head, ["HEAD"], ROBOT)
