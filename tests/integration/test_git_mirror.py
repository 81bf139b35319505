"""Does the mirror follow a branch through everything that happens to repositories?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.errors import GitCorrupt, GitError, GitUnreachable, WrongUse
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Objects
from tests.gitrepo import Repo


@pytest.fixture
def work(tmp_path: Path) -> Repo:
    """A work tree with one commit, and a bare repository beside it."""
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app.yaml": "kind: App\n", "deep/er/file": "one\n"}).commit("First")
    repo.bare()
    repo.push()
    return repo


def open_mirror(work: Repo, tmp_path: Path, branch: str = "main") -> Mirror:
    assert work.origin is not None
    return Mirror.open(str(work.origin.path), tmp_path / "data" / "mirror", branch)


def text_at(mirror: Mirror, commit: str, path: str) -> bytes:
    with Objects(mirror.git_dir) as objects:
        found = objects.read(f"{commit}:{path}")
    assert found is not None
    assert hasattr(found, "data")
    return bytes(found.data)


class Spawned:
    """Counts the processes that this one starts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        start = subprocess.Popen.__init__

        def counted(*arguments, **options) -> None:
            self.count += 1
            start(*arguments, **options)

        monkeypatch.setattr(subprocess.Popen, "__init__", counted)


def test_a_push_is_seen_and_fetched(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    assert mirror.is_local
    assert mirror.head() is None
    assert mirror.fetch() == work.head == mirror.head()

    second = work.write({"app.yaml": "kind: Worker\n"}).commit("Second")
    assert mirror.remote_head() != second, "not pushed yet"
    work.push()
    assert mirror.remote_head() == second
    assert mirror.head() != second
    assert mirror.fetch() == second
    assert text_at(mirror, second, "app.yaml") == b"kind: Worker\n"


def test_a_look_and_a_fetch_of_nothing_start_no_process(
    work: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = open_mirror(work, tmp_path)
    head = mirror.fetch()
    work.origin.git("pack-refs", "--all")  # type: ignore[union-attr]
    spawned = Spawned(monkeypatch)
    assert mirror.remote_head() == mirror.head() == mirror.fetch() == head
    assert spawned.count == 0


def test_blobs_are_all_there_although_the_mirror_is_filtered(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    head = mirror.fetch()
    missing = subprocess.run(
        ["git", f"--git-dir={mirror.git_dir}", "rev-list", "--objects", "--missing=print", str(head)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "?" not in missing.stdout
    assert (mirror.git_dir / "objects" / "pack").is_dir()
    assert not list(mirror.git_dir.glob("worktrees")), "never a work tree"


def test_a_server_that_allows_filters_serves_the_same(work: Repo, tmp_path: Path) -> None:
    work.origin.git("config", "uploadpack.allowFilter", "true")  # type: ignore[union-attr]
    mirror = open_mirror(work, tmp_path)
    assert text_at(mirror, str(mirror.fetch()), "deep/er/file") == b"one\n"


def test_a_forced_branch_is_fetched_and_what_was_stays_readable(work: Repo, tmp_path: Path) -> None:
    first = work.head
    mirror = open_mirror(work, tmp_path)
    lost = work.write({"app.yaml": "lost\n"}).commit("Lost")
    work.push()
    mirror.fetch()
    work.force(first)
    assert mirror.fetch() == first
    assert text_at(mirror, lost, "app.yaml") == b"lost\n"
    mirror._git(["repack", "-a", "-d", "--keep-unreachable", "--quiet"])
    assert text_at(mirror, lost, "app.yaml") == b"lost\n", "a version stays deployable"


def test_an_empty_repository_and_a_branch_that_comes_later(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "desired")
    repo.bare()
    mirror = open_mirror(repo, tmp_path)
    assert mirror.remote_head() is None
    assert mirror.fetch() is None

    head = repo.write({"a": "1"}).commit("One")
    repo.push()
    assert mirror.fetch() == head
    other = Mirror.open(str(tmp_path / "desired.git"), tmp_path / "other", "release/2026")
    assert other.fetch() is None


def test_a_branch_that_is_deleted_leaves_what_was_fetched(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    head = mirror.fetch()
    work.origin.git("update-ref", "-d", "refs/heads/main")  # type: ignore[union-attr]
    assert mirror.fetch() is None
    assert mirror.head() == head


def test_a_repository_that_vanishes_and_comes_back(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    head = mirror.fetch()
    away = work.origin.path.rename(tmp_path / "away")  # type: ignore[union-attr]
    for attempt in (mirror.fetch, mirror.remote_head):
        with pytest.raises(GitUnreachable) as caught:
            attempt()
        assert "no repository at this address" in caught.value.message
        assert "last fetched commit stays in force" in caught.value.next_step
    assert mirror.head() == head
    assert mirror.watch_paths() == []
    away.rename(work.origin.path)  # type: ignore[union-attr]
    second = work.write({"b": "2"}).commit("Second")
    work.push()
    assert mirror.fetch() == second


def test_a_relative_address_begins_at_the_base(work: Repo, tmp_path: Path) -> None:
    mirror = Mirror.open("./desired.git", tmp_path / "mirror", "main", base=tmp_path)
    assert mirror.fetch() == work.head
    assert mirror.url == str(tmp_path / "desired.git")


def test_a_file_address_is_local(work: Repo, tmp_path: Path) -> None:
    mirror = Mirror.open(f"file://{tmp_path}/desired.git", tmp_path / "mirror", "main")
    assert mirror.is_local
    assert mirror.fetch() == work.head


@pytest.mark.parametrize("place", ["desired", "desired/.git", "linked"])
def test_work_trees_are_followed_without_a_process(
    work: Repo, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    mirror = Mirror.open(str(tmp_path / place), tmp_path / "mirror", "main")
    assert mirror.fetch() == work.head
    assert tmp_path / "desired" / ".git" in mirror.watch_paths()
    spawned = Spawned(monkeypatch)
    assert mirror.remote_head() == mirror.head()
    assert spawned.count == 0


def test_watched_are_the_git_directory_and_where_the_branch_is(work: Repo, tmp_path: Path) -> None:
    assert work.origin is not None
    common = work.origin.path
    assert open_mirror(work, tmp_path).watch_paths() == [common, common / "refs" / "heads"]
    work.git("push", "-q", "origin", "HEAD:refs/heads/release/2026")
    deep = Mirror.open(str(common), tmp_path / "deep", "release/2026")
    assert common / "refs" / "heads" / "release" in deep.watch_paths()


def test_a_branch_of_another_branch(work: Repo, tmp_path: Path) -> None:
    work.origin.git("symbolic-ref", "refs/heads/stable", "refs/heads/main")  # type: ignore[union-attr]
    mirror = open_mirror(work, tmp_path, "stable")
    assert mirror.remote_head() == mirror.fetch() == work.head


def test_the_setting_may_name_another_branch_later(work: Repo, tmp_path: Path) -> None:
    head = work.head
    work.git("push", "-q", "origin", "HEAD:refs/heads/live")
    assert open_mirror(work, tmp_path, "live").fetch() == head
    work.git("push", "-q", "origin", ":refs/heads/live", "HEAD:refs/heads/live/eu")
    assert open_mirror(work, tmp_path, "live/eu").fetch() == head
    work.git("push", "-q", "origin", ":refs/heads/live/eu", "HEAD:refs/heads/live")
    assert open_mirror(work, tmp_path, "live").fetch() == head


def test_a_repository_with_sha256(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "desired", "main", "--object-format=sha256")
    head = repo.write({"a/b": "1\n"}).commit("One")
    mirror = Mirror.open(str(repo.path), tmp_path / "mirror", "main")
    assert mirror.fetch() == head
    assert len(head) == 64
    assert text_at(mirror, head, "a/b") == b"1\n"
    with Objects(mirror.git_dir) as objects:
        assert [change.kind for change in objects.diff(None, objects.commit(head).tree)] == ["A", "A"]


def spoil_head(git_dir: Path) -> None:
    (git_dir / "HEAD").unlink()


def spoil_config(git_dir: Path) -> None:
    (git_dir / "config").write_text("[core\nbroken")


def spoil_packs(git_dir: Path) -> None:
    for pack in (git_dir / "objects" / "pack").iterdir():
        pack.chmod(0o644)
        pack.write_bytes(b"nonsense")


def spoil_branch(git_dir: Path) -> None:
    (git_dir / "refs" / "remotes" / "origin" / "main").write_text("not an id\n")


def remove_all(git_dir: Path) -> None:
    git_dir.rename(git_dir.with_name("gone"))


@pytest.mark.parametrize("spoil", [spoil_head, spoil_config, spoil_packs, spoil_branch, remove_all])
def test_a_spoilt_mirror_mends_itself(work: Repo, tmp_path: Path, spoil) -> None:
    mirror = open_mirror(work, tmp_path)
    mirror.fetch()
    spoil(mirror.git_dir)
    second = work.write({"app.yaml": "second\n"}).commit("Second")
    work.push()
    assert mirror.fetch() == second
    assert text_at(mirror, second, "app.yaml") == b"second\n"
    if spoil is spoil_config:
        kept = mirror.git_dir.with_name("mirror.broken") / "config"
        assert kept.read_text() == "[core\nbroken", "kept for whoever wants to look"


def test_a_spoilt_mirror_is_found_when_it_is_opened(work: Repo, tmp_path: Path) -> None:
    open_mirror(work, tmp_path).fetch()
    spoil_config(tmp_path / "data" / "mirror")
    assert open_mirror(work, tmp_path).fetch() == work.head


def test_readers_that_found_damage_get_a_new_mirror(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    head = str(mirror.fetch())
    with Objects(mirror.git_dir) as objects:
        spoil_packs(mirror.git_dir)
        with pytest.raises(GitCorrupt, match="made anew"):
            objects.commit(head)
        assert mirror.renew() == head
        assert objects.commit(head).subject == "First"


def test_what_a_killed_fetch_left_locked_is_no_obstacle(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    mirror.fetch()
    locks = ["refs/remotes/origin/main.lock", "config.lock", "packed-refs.lock", "HEAD.lock"]
    for left in (*locks, "objects/pack/tmp_pack_x", "objects/pack/pack-x.keep"):
        (mirror.git_dir / left).touch()
    second = work.write({"b": "2"}).commit("Second")
    work.push()
    assert mirror.fetch() == second
    assert not list((mirror.git_dir / "objects" / "pack").glob("*_*"))


def test_many_fetches_are_tidied_while_somebody_reads(work: Repo, tmp_path: Path) -> None:
    mirror = open_mirror(work, tmp_path)
    mirror.fetch()
    packs = mirror.git_dir / "objects" / "pack"
    with Objects(mirror.git_dir) as objects:
        objects.commit(work.head)
        assert not mirror.tidy()
        for number in range(52):
            blob = work.git("hash-object", "-w", "--stdin", stdin=f"{number}")
            work.git("pack-objects", "-q", str(packs / "pack"), stdin=blob + "\n")
        assert mirror.tidy()
        assert len(list(packs.glob("*.pack"))) <= 2
        assert objects.commit(work.head).subject == "First"


def test_two_who_fetch_at_once_do_not_disturb_each_other(work: Repo, tmp_path: Path) -> None:
    mirrors = [open_mirror(work, tmp_path) for _ in range(4)]
    heads: list[str | None] = []
    threads = [threading.Thread(target=lambda one=one: heads.append(one.fetch())) for one in mirrors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heads == [work.head] * 4


def test_a_repository_of_another_user_is_named_with_the_remedy(
    work: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitUnreachable) as caught:
        open_mirror(work, tmp_path).fetch()
    assert "belongs to another user" in caught.value.message
    assert f"safe.directory '{tmp_path}/desired.git'" in caught.value.next_step


def test_a_shallow_repository_is_refused_with_the_remedy(work: Repo, tmp_path: Path) -> None:
    work.write({"b": "2"}).commit("Second")
    work.git("clone", "-q", "--depth=1", f"file://{work.path}", str(tmp_path / "shallow"))
    with pytest.raises(GitUnreachable, match="--unshallow"):
        Mirror.open(str(tmp_path / "shallow"), tmp_path / "mirror", "main").fetch()


def test_variables_of_a_hook_do_not_lead_elsewhere(work: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Repo.create(tmp_path / "elsewhere")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"):
        monkeypatch.setenv(name, str(elsewhere.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere.path / "index"))
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    mirror = open_mirror(work, tmp_path)
    head = mirror.fetch()
    assert text_at(mirror, str(head), "app.yaml") == b"kind: App\n"


@pytest.mark.parametrize(
    "url", ["", "-uupload", "ext::sh -c true", "fd::3", "https://x\n.test/a", "ftp://a/b", "https://"]
)
def test_dangerous_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(WrongUse) as caught:
        Mirror.open(url, tmp_path / "mirror", "main")
    assert caught.value.next_step
    assert not (tmp_path / "mirror").exists()


def test_a_directory_that_cannot_be_written_is_named(work: Repo, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(GitError, match="cannot be written"):
        open_mirror(work, tmp_path)


def test_a_machine_without_git_says_so(work: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be started"):
        open_mirror(work, tmp_path)


def test_a_machine_on_which_git_never_was(tmp_path: Path) -> None:
    """GitPython looks for git while it is imported."""
    told = (
        "import pathlib, sys\n"
        "from reconciler.errors import GitError\n"
        "from reconciler.git.mirror import Mirror\n"
        "assert 'git' not in sys.modules, 'commands that never fetch do not pay for it'\n"
        "try:\n    Mirror.open('x.git', pathlib.Path(sys.argv[1]), 'main')\n"
        "except GitError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", told, str(tmp_path / "mirror")],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert "Install git" in done.stdout, done.stderr
    assert done.returncode == 0
