"""Is what git is asked ahead the same as what it says when it is asked in time?"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import GitCorrupt
from reconciler.git.objects import Objects
from tests.gitrepo import Repo

NOBODYS = "1" * 40


@pytest.fixture
def work(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app.yaml": "kind: App\n", "deep/er/file": "one\n"}).commit("First")
    return repo


@pytest.fixture
def objects(work: Repo) -> Iterator[Objects]:
    with Objects(work.path / ".git") as found:
        # What is asked ahead is asked of processes that are open.
        found.commit(work.head)
        found.diff(None, work.tree())
        yield found


def children() -> set[int]:
    return {int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def same_as_in_time(objects: Objects, work: Repo, since: str, head: str) -> None:
    """Asked ahead or not, a fresh reader gives the same."""
    commit = objects.commit(head)
    with Objects(work.path / ".git") as fresh:
        assert commit == fresh.commit(head)
        changes = fresh.diff(work.tree(since), commit.tree)
    assert objects.diff_since(since, work.tree(since), commit) == changes
    # It was told once: what is asked again is asked of git again.
    assert objects.diff_since(since, work.tree(since), commit) == changes
    assert objects.commit(head) == commit


@pytest.mark.parametrize(
    "files",
    [
        {"app.yaml": "kind: App\nname: other\n"},
        {"deep/er/file": None, "app.yaml": None},
        {"end of 1\n": "1", "end of 2\n": "2", "a\nend of 2": "3", "end of 2": "4"},
        {f"many/{number:05d}/a-file-with-a-name-of-some-length": f"{number}" for number in range(1_500)},
    ],
    ids=["one", "removed", "names like marks", "more than a pipe holds"],
)
def test_a_commit_that_was_asked_ahead_is_the_same(work: Repo, objects: Objects, files: dict[str, str | None]) -> None:
    since = work.head
    head = work.write(files).commit("Second")
    objects.ask_ahead(since, head)
    same_as_in_time(objects, work, since, head)


def test_a_merge_is_compared_with_what_was_noted_and_nothing_else(work: Repo, objects: Objects) -> None:
    since = work.head
    work.git("checkout", "--quiet", "-b", "side")
    work.write({"side": "1"}).commit("Beside")
    work.git("checkout", "--quiet", "main")
    middle = work.write({"deep/er/file": "two\n"}).commit("Meanwhile")
    work.git("merge", "--quiet", "--no-ff", "-m", "Bring it in", "side")
    for before in (since, middle):
        objects.ask_ahead(before, work.head)
        same_as_in_time(objects, work, before, work.head)


def test_a_commit_that_changes_nothing(work: Repo, objects: Objects) -> None:
    since = work.head
    work.git("commit", "--quiet", "--allow-empty", "-m", "Say something")
    objects.ask_ahead(since, work.head)
    assert objects.diff_since(since, work.tree(since), objects.commit(work.head)) == []


def test_what_was_asked_ahead_and_is_not_wanted_disturbs_nothing(work: Repo, objects: Objects) -> None:
    first = work.head
    second = work.write({"app.yaml": "2\n"}).commit("Second")
    third = work.write({"app.yaml": "3\n", "more": "3\n"}).commit("Third")
    objects.ask_ahead(first, third)
    same_as_in_time(objects, work, first, second)
    objects.ask_ahead(first, second)
    objects.ask_ahead(second, third)
    objects.ask_ahead(second, third)
    same_as_in_time(objects, work, second, third)
    objects.ask_ahead(first, third)
    assert [data for _, data in objects.blobs([work.tree("HEAD", "more")])] == [b"3\n"]


@pytest.mark.parametrize("since_is_known", [True, False])
def test_what_is_not_there_is_complained_about_as_ever(work: Repo, objects: Objects, since_is_known: bool) -> None:
    first = work.head
    second = work.write({"app.yaml": "2\n"}).commit("Second")
    objects.ask_ahead(*((first, NOBODYS) if since_is_known else (NOBODYS, second)))
    with pytest.raises(GitCorrupt, match=f"there is no commit {NOBODYS}"):
        objects.commit(NOBODYS)
    same_as_in_time(objects, work, first, second)


def test_processes_that_are_killed_over_it_are_begun_again(work: Repo, objects: Objects) -> None:
    since = work.head
    head = work.write({"app.yaml": "2\n"}).commit("Second")
    for late in (False, True):
        if late:
            objects.ask_ahead(since, head)
        for child in children():
            os.kill(child, signal.SIGKILL)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        if not late:
            objects.ask_ahead(since, head)
        same_as_in_time(objects, work, since, head)


def test_closed_with_an_answer_under_way_nothing_is_left(work: Repo, objects: Objects) -> None:
    since = work.head
    head = work.write({"app.yaml": "2\n"}).commit("Second")
    objects.ask_ahead(since, head)
    mine = children()
    objects.close()
    assert mine
    assert children().isdisjoint(mine)
    same_as_in_time(objects, work, since, head)


def test_the_answer_is_taken_from_what_was_asked_ahead(work: Repo, objects: Objects) -> None:
    since = work.head
    head = work.write({"app.yaml": "2\n"}).commit("Second")
    objects.ask_ahead(since, head)
    # Against its own tree, there would be nothing.
    assert [change.path for change in objects.diff_since(since, work.tree(), objects.commit(head))] == ["app.yaml"]
