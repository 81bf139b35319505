"""Are commits and branches made without touching anybody's checkout, whatever is asked for?"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from reconciler.errors import GitError, NotSo, WrongUse
from reconciler.git.signatures import Person, Signature
from reconciler.git.writing import commit_files, set_branch
from tests.gitrepo import Repo

AT = datetime(2026, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
GRACE = Signature(Person("Grace Hopper", "grace@example.org"), AT)


@pytest.fixture
def work(tmp_path: Path) -> Repo:
    """A work tree with changes of its own, staged and not, and hooks that refuse everything."""
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app.yaml": "kind: App\n", "deep/er/file": "one\n", "run.sh": "#!/bin/sh\n"})
    (repo.path / "run.sh").chmod(0o755)
    repo.link("over", "deep").commit("First")
    repo.write({"app.yaml": "not yet\n", "new": "x\n"}).git("add", "new")
    for name in ("pre-commit", "commit-msg", "reference-transaction", "pre-push"):
        hook = repo.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {repo.path}/hook-ran\nexit 1\n")
        hook.chmod(0o755)
    return repo


def seen(repo: Repo) -> tuple[object, ...]:
    """Everything of a checkout that its owner would notice."""
    index = (repo.path / ".git" / "index").read_bytes()
    head = (repo.path / ".git" / "HEAD").read_text()
    files = {str(file.relative_to(repo.path)): file.read_bytes() for file in repo.path.glob("[!.]*") if file.is_file()}
    return index, head, repo.head, files, repo.git("status", "--porcelain")


def test_a_commit_changes_only_what_was_asked_for(work: Repo) -> None:
    before, base = seen(work), work.head
    commit = commit_files(
        work.path, base, {"app.yaml": b"kind: App\r\n\xff", "a/b/c": b"", "deep/er/file": None}, "Say it — ü", GRACE
    )
    assert seen(work) == before
    assert work.git("diff", "--name-status", base, commit).splitlines() == [
        "A\ta/b/c",
        "M\tapp.yaml",
        "D\tdeep/er/file",
    ]
    done = subprocess.run(["git", "cat-file", "blob", f"{commit}:app.yaml"], cwd=work.path, capture_output=True)
    assert done.stdout == b"kind: App\r\n\xff"
    shown = work.git("log", "-1", "--format=%P|%an|%ae|%aI|%cn|%cI|%B", commit)
    at = "2026-05-01T12:30:00+02:00"
    assert shown == f"{base}|Grace Hopper|grace@example.org|{at}|Grace Hopper|{at}|Say it — ü\n"
    assert work.git("fsck", "--strict") == "" or commit in work.git("fsck", "--strict")


def test_the_same_arguments_give_the_same_commit(work: Repo) -> None:
    first = commit_files(work.path, work.head, {"app.yaml": b"2"}, "Two", GRACE)
    assert commit_files(work.path, work.head, {"app.yaml": b"2"}, "Two", GRACE) == first


def test_modes_are_kept(work: Repo) -> None:
    commit = commit_files(work.path, work.head, {"run.sh": b"#!/bin/bash\n", "new.sh": b"#!\n"}, "Bash", GRACE)
    assert work.git("ls-tree", commit, "run.sh").startswith("100755")
    assert work.git("ls-tree", commit, "new.sh").startswith("100644")
    assert work.git("ls-tree", commit, "over").startswith("120000")


def test_another_committer(work: Repo) -> None:
    who = Signature(Person("Ada", "ada@example.org"), AT, Person("Robot\nX <r>", "robot@example.org"))
    commit = commit_files(work.path, work.head, {"x": b""}, "X", who)
    assert work.git("log", "-1", "--format=%an %cn", commit) == "Ada RobotX r"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "./a",
        ".git/config",
        "a/.GIT/x",
        ".git./x",
        "git~1/x",
        "a\0b",
        ".gi\u200ct/x",
        ".git::$INDEX_ALLOCATION/x",
        "a\\..\\b",
        "over/file",
        "over",
        "deep",
        "app.yaml/x",
        "x/",
    ],
)
def test_paths_that_are_refused(work: Repo, path: str) -> None:
    with pytest.raises(WrongUse):
        commit_files(work.path, work.head, {path: b"x"}, "No", GRACE)


def test_a_file_is_no_directory_in_one_commit(work: Repo) -> None:
    with pytest.raises(WrongUse, match="no directory"):
        commit_files(work.path, work.head, {"a": b"x", "a/b": b"x"}, "No", GRACE)


def test_odd_names_are_only_names(work: Repo) -> None:
    names = [":(glob)*", "-x", "a\tb\nc", 'q"uote', "ü", "*.yaml"]
    commit = commit_files(work.path, work.head, dict.fromkeys(names, b"x"), "Odd", GRACE)
    assert set(work.git("ls-tree", "-z", "--name-only", commit).split("\0")) >= set(names)
    gone = commit_files(work.path, commit, {"*.yaml": None}, "One", GRACE)
    assert work.git("ls-tree", gone, "app.yaml")


def test_nothing_to_commit_and_nothing_to_take_away(work: Repo) -> None:
    with pytest.raises(NotSo, match="nothing to commit"):
        commit_files(work.path, work.head, {"app.yaml": b"kind: App\n"}, "Same", GRACE)
    with pytest.raises(NotSo, match="no 'gone'"):
        commit_files(work.path, work.head, {"gone": None}, "Gone", GRACE)
    with pytest.raises(NotSo, match="no commit"):
        commit_files(work.path, "1" * 40, {"x": b""}, "X", GRACE)
    for base in ("HEAD", "--help", work.head[:10]):
        with pytest.raises(WrongUse):
            commit_files(work.path, base, {"x": b""}, "X", GRACE)


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ("", GRACE),
        ("\0", GRACE),
        ("\ud800", GRACE),
        ("X", Signature(Person("<>", "a@b"), AT)),
        ("X", Signature(Person("A", ""), AT)),
        ("X", Signature(Person("A", "a@b"), datetime(2026, 1, 1))),
    ],
)
def test_what_no_commit_can_hold(work: Repo, message: str, who: Signature) -> None:
    with pytest.raises(WrongUse):
        commit_files(work.path, work.head, {"x": b""}, message, who)


def test_bare_linked_and_sha256(work: Repo, tmp_path: Path) -> None:
    (work.path / ".git" / "hooks" / "reference-transaction").unlink()
    work.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    bare = tmp_path / "bare.git"
    work.git("clone", "--quiet", "--bare", str(work.path), str(bare))
    for place in (tmp_path / "linked", bare, work.path / ".git"):
        commit = commit_files(place, work.head, {"x": str(place).encode()}, "X", GRACE)
        assert set_branch(place, f"by-{place.name.strip('.')}", commit, None, followed="main")
    other = Repo.create(tmp_path / "long", "main", "--object-format=sha256")
    first = other.write({"a": "1"}).commit("First")
    commit = commit_files(other.path, first, {"a": None, "b": b"2"}, "Second", GRACE)
    assert len(commit) == 64
    assert set_branch(other.path, "next", commit, None, followed="main") == "next"
    with pytest.raises(WrongUse, match="no repository"):
        commit_files(tmp_path, first, {"x": b""}, "X", GRACE)


def test_inside_a_hook_of_another_repository(work: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    base = (work.path / ".git" / "refs" / "heads" / "main").read_text().strip()
    commit = commit_files(work.path, base, {"x": b""}, "X", GRACE)
    monkeypatch.undo()
    assert work.git("cat-file", "-t", commit) == "commit"


def made(work: Repo, content: bytes = b"2") -> str:
    return commit_files(work.path, work.head, {"app.yaml": content}, "Two", GRACE)


def test_a_branch_is_made_once(work: Repo) -> None:
    before, one, two = seen(work), made(work), made(work, b"3")
    assert set_branch(work.path, "promote/shop", one, None, followed="main") == "promote/shop"
    assert set_branch(work.path, "promote/shop", one, None, followed="main") == "promote/shop", "again, as after a kill"
    with pytest.raises(NotSo, match="already"):
        set_branch(work.path, "promote/shop", two, None, followed="main")
    for _ in range(2):
        name = set_branch(work.path, "promote/shop", two, None, followed="main", if_taken="number")
        assert name == "promote/shop-2"
    assert work.git("rev-parse", "promote/shop", "promote/shop-2").split() == [one, two]
    assert seen(work) == before
    assert not (work.path / "hook-ran").exists()


def test_a_branch_is_moved_only_from_where_it_was_seen(work: Repo) -> None:
    one, two, three = made(work), made(work, b"3"), made(work, b"4")
    set_branch(work.path, "x", one, None, followed="main")
    assert set_branch(work.path, "x", two, one, followed="main") == "x"
    with pytest.raises(NotSo, match="by now"):
        set_branch(work.path, "x", three, one, followed="main")
    with pytest.raises(NotSo, match="any more"):
        set_branch(work.path, "y", three, one, followed="main")
    with pytest.raises(WrongUse, match="id of an object"):
        set_branch(work.path, "x", three, "HEAD", followed="main")
    assert work.git("rev-parse", "x") == two


def test_the_followed_branch_is_left_alone(work: Repo, tmp_path: Path) -> None:
    two = made(work)
    for name in ("main", "refs/heads/main"):
        with pytest.raises(NotSo, match="followed"):
            set_branch(work.path, name, two, work.head, followed="main")
    with pytest.raises(NotSo, match="checked out"):
        set_branch(work.path, "main", two, work.head, followed="main", even_followed=True)
    bare = tmp_path / "bare.git"
    work.git("clone", "--quiet", "--bare", str(work.path), str(bare))
    two = commit_files(bare, work.head, {"app.yaml": b"2"}, "Two", GRACE)
    assert set_branch(bare, "main", two, work.head, followed="main", even_followed=True) == "main"


def test_a_number_is_never_the_followed_branch(work: Repo) -> None:
    one, two = made(work), made(work, b"3")
    set_branch(work.path, "live", one, None, followed="live-2")
    assert set_branch(work.path, "live", two, None, followed="live-2", if_taken="number") == "live-3"


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a~1", "x.lock", "a/", "/a", "HEAD", "@", "refs/tags/x", "a\nb", "\ud800", "a\\b"]
)
def test_names_that_are_refused(work: Repo, name: str) -> None:
    with pytest.raises(WrongUse, match="branch"):
        set_branch(work.path, name, work.head, None, followed="main")


def test_a_branch_below_a_branch(work: Repo) -> None:
    with pytest.raises(NotSo, match="beside main"):
        set_branch(work.path, "main/x", made(work), None, followed="main")


def test_a_lock_left_by_somebody_killed(work: Repo) -> None:
    commit = made(work)
    (work.path / ".git" / "index.lock").touch()
    lock = work.path / ".git" / "refs" / "heads" / "x.lock"
    lock.touch()
    with pytest.raises(GitError, match=r"x\.lock"):
        set_branch(work.path, "x", commit, None, followed="main")
    assert set_branch(work.path, "x", commit, None, followed="main", if_taken="number") == "x-2"


def test_moments_in_utc(work: Repo) -> None:
    who = Signature(Person("A", "a@b"), datetime(2026, 1, 1, tzinfo=UTC))
    assert work.git("log", "-1", "--format=%aI", commit_files(work.path, work.head, {"x": b""}, "X", who)) in (
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00Z",
    )
