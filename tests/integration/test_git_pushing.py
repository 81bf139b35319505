"""Does a commit reach another repository only where it may, and is a refusal said clearly?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.errors import GitUnreachable, NotSo, WrongUse
from reconciler.git.mirror import Mirror
from reconciler.git.pushing import push
from reconciler.git.signatures import Person, Signature
from reconciler.git.writing import commit_files
from tests.gitrepo import Repo
from tests.integration.test_git_remote import PASSWORD, Backend

GRACE = Signature(Person("Grace Hopper", "grace@example.org"), datetime(2026, 5, 1, tzinfo=UTC))


@pytest.fixture
def work(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app.yaml": "kind: App\n"}).commit("First")
    repo.bare()
    repo.push()
    hook = repo.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    return repo


def there(work: Repo) -> Repo:
    assert work.origin is not None
    return work.origin


def next_commit(work: Repo, content: str = "2", base: str | None = None) -> str:
    return commit_files(work.path, base or work.head, {"app.yaml": content.encode()}, content, GRACE)


def hook_there(work: Repo, name: str, script: str) -> None:
    hook = there(work).path / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_a_new_branch(work: Repo) -> None:
    hook_there(work, "post-receive", "touch ran")
    commit, refs = next_commit(work), work.git("for-each-ref")
    for _ in range(2):
        push(work.path, str(there(work).path), commit, "promote-shop", None, followed="main")
    assert there(work).git("rev-parse", "promote-shop", "main").split() == [commit, work.head]
    assert (there(work).path / "ran").exists(), "hooks of the other side run"
    assert work.git("for-each-ref") == refs


def test_only_from_where_it_was_seen(work: Repo) -> None:
    url, one = str(there(work).path), next_commit(work)
    push(work.path, url, one, "x", None, followed="main")
    for content, expected in (("3", None), ("4", work.head)):
        with pytest.raises(NotSo, match="not where it was seen"):
            push(work.path, url, next_commit(work, content), "x", expected, followed="main")
    with pytest.raises(WrongUse, match="id of an object"):
        push(work.path, url, one, "x", "HEAD", followed="main")
    two = next_commit(work, "5")
    push(work.path, url, two, "x", one, followed="main")
    assert there(work).git("rev-parse", "x") == two


def test_the_followed_branch(work: Repo) -> None:
    url, base, commit = str(there(work).path), work.head, next_commit(work)
    with pytest.raises(NotSo, match="followed"):
        push(work.path, url, commit, "refs/heads/main", base, followed="main")
    push(work.path, url, commit, "main", base, followed="main", even_followed=True)
    with pytest.raises(NotSo, match="does not build on"):
        push(work.path, url, base, "main", commit, followed="main", even_followed=True)
    assert there(work).git("rev-parse", "main") == commit


def test_from_a_mirror(work: Repo, tmp_path: Path) -> None:
    mirror = Mirror.open(str(there(work).path), tmp_path / "data" / "mirror", "main")
    base = mirror.fetch()
    assert base is not None
    commit = commit_files(mirror.git_dir, base, {"x": b""}, "X", GRACE)
    push(mirror.git_dir, str(there(work).path), commit, "x", None, followed="main")
    assert there(work).git("rev-parse", "x") == commit
    assert mirror.head() == mirror.remote_head() == base


def test_a_hook_of_the_other_side_refuses(work: Repo) -> None:
    url = str(there(work).path)
    hook_there(work, "pre-receive", "echo 'only on Mondays, see http://u:s3cret@host/x' >&2; exit 1")
    with pytest.raises(NotSo, match="hook declined: only on Mondays") as caught:
        push(work.path, url, next_commit(work), "x", None, followed="main")
    assert "s3cret" not in str(caught.value)
    hook_there(work, "pre-receive", "printf 'red \\033[31m' >&2; exit 1")
    with pytest.raises(NotSo, match=r"red \\x1b") as caught:
        push(work.path, url, next_commit(work), "x", None, followed="main")
    hook_there(work, "pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1")
    with pytest.raises(NotSo, match="rules protect it"):
        push(work.path, url, next_commit(work), "x", None, followed="main")


def test_a_branch_that_is_checked_out_there(work: Repo, tmp_path: Path) -> None:
    other = Repo.create(tmp_path / "other")
    work.git("push", "--no-verify", "--quiet", str(other.path), "HEAD:refs/heads/start")
    other.checkout("start")
    with pytest.raises(NotSo, match=r"refuses the branch start: .*checked out"):
        push(work.path, str(other.path), next_commit(work), "start", work.head, followed="main")


def test_nobody_answers(work: Repo, tmp_path: Path) -> None:
    commit = next_commit(work)
    with pytest.raises(GitUnreachable, match="no repository"):
        push(work.path, str(tmp_path / "nothing"), commit, "x", None, followed="main")
    with pytest.raises(GitUnreachable, match=r"127\.0\.0\.1:9") as caught:
        push(work.path, "http://deploy:s3cret-word@127.0.0.1:9/x.git", commit, "x", None, followed="main")
    assert "s3cret" not in str(caught.value)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        with pytest.raises(GitUnreachable, match="did not answer in time"):
            push(work.path, url, commit, "x", None, followed="main", timeout=0.05)


@pytest.mark.parametrize(("url", "branch"), [("-x", "x"), ("ext::sh -c true", "x"), ("../x.git", "-x"), ("x", "a..b")])
def test_what_git_must_not_be_given(work: Repo, url: str, branch: str) -> None:
    with pytest.raises(WrongUse):
        push(work.path, url, work.head, branch, None, followed="main")


def test_a_commit_that_is_not_there(work: Repo) -> None:
    with pytest.raises(NotSo, match="no commit"):
        push(work.path, str(there(work).path), "1" * 40, "x", None, followed="main")


@pytest.fixture
def server(work: Repo, tmp_path: Path) -> Iterator[str]:
    """The bare repository over HTTP, for who has the password."""
    handler = type("Handler", (Backend,), {"root": tmp_path, "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{running.server_port}/desired.git"
        running.shutdown()
        thread.join()


def test_over_the_network_with_a_password(work: Repo, server: str) -> None:
    commit = next_commit(work)
    push(work.path, f"http://deploy:{PASSWORD}@{server}", commit, "x", None, followed="main")
    assert there(work).git("rev-parse", "x") == commit
    written = [file.read_bytes() for file in (work.path / ".git").rglob("*") if file.is_file()]
    assert not any(PASSWORD.encode() in content for content in written), "never on the disk"


def test_without_a_right(work: Repo, server: str) -> None:
    for credentials in ("", f"deploy:{PASSWORD}wrong@", f"{PASSWORD}@"):
        with pytest.raises(NotSo, match="does not let us push") as caught:
            push(work.path, f"http://{credentials}{server}", next_commit(work), "x", None, followed="main")
        assert PASSWORD not in str(caught.value)
    there(work).git("config", "http.receivepack", "false")
    with pytest.raises(NotSo, match="does not let us push"):
        push(work.path, f"http://deploy:{PASSWORD}@{server}", next_commit(work), "x", None, followed="main")
