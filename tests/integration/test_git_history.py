"""Is it told which commits are new, and what their merges bring in?"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import WrongUse
from reconciler.git.history import history
from reconciler.git.objects import Objects
from tests.gitrepo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "desired")


@pytest.fixture
def objects(repo: Repo) -> Iterator[Objects]:
    with Objects(repo.path / ".git") as opened:
        yield opened


def subjects(told) -> list[str]:
    return [commit.subject for commit in told.commits]


def test_new_commits_oldest_first(repo: Repo, objects: Objects) -> None:
    ids = [repo.write({"a": f"{n}"}).commit(f"Commit {n}") for n in range(50)]
    assert subjects(history(objects, ids[0], ids[3], 100)) == ["Commit 1", "Commit 2", "Commit 3"]
    assert history(objects, ids[3], ids[3], 100).commits == ()
    long = history(objects, ids[0], ids[49], 100)
    assert [commit.id for commit in long.commits] == ids[1:]
    assert (long.cut, long.rewritten, long.aside) == (False, False, False)


def test_one_new_commit_starts_no_process(repo: Repo, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    first = repo.write({"a": "1"}).commit("One")
    second = repo.write({"a": "2"}).commit("Two")
    objects.commit(first)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert subjects(history(objects, first, second, 100)) == ["Two"]


def test_the_first_look_takes_the_last_ones(repo: Repo, objects: Objects) -> None:
    ids = [repo.write({"a": f"{n}"}).commit(f"Commit {n}") for n in range(5)]
    assert subjects(history(objects, None, ids[4], 2)) == ["Commit 3", "Commit 4"]
    assert history(objects, None, ids[4], 2).cut
    assert len(history(objects, None, ids[4], 5).commits) == 5
    assert not history(objects, None, ids[4], 5).cut
    assert subjects(history(objects, ids[0], ids[4], 2)) == ["Commit 3", "Commit 4"]
    assert history(objects, ids[0], ids[4], 2).cut


def test_a_forced_push_is_called_a_rewritten_history(repo: Repo, objects: Objects) -> None:
    base = repo.write({"a": "1"}).commit("Base")
    lost = repo.write({"a": "2"}).commit("Lost")
    repo.force(base)
    told = history(objects, lost, repo.write({"a": "3"}).commit("Instead"), 100)
    assert told.rewritten
    assert subjects(told) == ["Instead"]
    back = history(objects, lost, base, 100)
    assert back.rewritten
    assert back.commits == ()
    unknown = history(objects, "1" * 40, base, 100)
    assert unknown.rewritten
    assert subjects(unknown) == ["Base"]


def test_what_merges_bring_in(repo: Repo, objects: Objects) -> None:
    base = repo.write({"a": "1"}).commit("Base")
    repo.checkout("feature", base).write({"f": "1"}).commit("Feature 1")
    repo.write({"f": "2"}).commit("Feature 2")
    repo.checkout("main").write({"a": "2"}).commit("On main")
    first = repo.merge("feature", message="Merge feature")
    repo.checkout("feature").write({"f": "3"}).commit("Feature 3")
    repo.checkout("other", base).write({"o": "1"}).commit("Other")
    repo.checkout("main")
    both = repo.merge("feature", "other", message="Merge both")
    told = history(objects, base, both, 100)
    assert subjects(told) == ["On main", "Merge feature", "Merge both"]
    merged = {merge: [commit.subject for commit in brought] for merge, brought in told.merged.items()}
    assert merged == {first: ["Feature 2", "Feature 1"], both: ["Feature 3", "Other"]}
    assert history(objects, first, both, 100).merged.keys() == {both}
    last = history(objects, None, both, 1)
    assert [commit.subject for commit in last.merged[both]] == ["Feature 3", "Other"]


def test_a_merge_the_wrong_way_round(repo: Repo, objects: Objects) -> None:
    """Somebody merged the branch into his own and pushed that: the old head is the second parent."""
    base = repo.write({"a": "1"}).commit("Base")
    seen = repo.write({"a": "2"}).commit("Seen")
    repo.checkout("mine", base).write({"m": "1"}).commit("Mine")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge main into mine", "main")
    foxtrot = repo.head
    told = history(objects, seen, foxtrot, 100)
    assert told.aside
    assert not told.rewritten
    assert subjects(told) == ["Mine", "Merge main into mine"]
    assert told.merged[foxtrot] == (), "what the branch had is not brought in"


def test_what_a_merge_brings_in_is_bounded(repo: Repo, objects: Objects) -> None:
    base = repo.write({"a": "1"}).commit("Base")
    stream = [b"commit refs/heads/long\nmark :1\ncommitter A <a> 1 +0000\ndata 1\nx\nfrom " + base.encode() + b"\n\n"]
    stream += [b"commit refs/heads/long\ncommitter A <a> %d +0000\ndata 1\nx\n\n" % n for n in range(1200)]
    repo.git("fast-import", "--quiet", stdin=b"".join(stream))
    repo.write({"a": "2"}).commit("Main")
    merge = repo.merge("long")
    assert len(history(objects, base, merge, 100).merged[merge]) == 1000


def test_ids_only(objects: Objects) -> None:
    with pytest.raises(WrongUse):
        history(objects, None, "--output=x", 1)
    with pytest.raises(WrongUse):
        history(objects, "main", "1" * 40, 1)
