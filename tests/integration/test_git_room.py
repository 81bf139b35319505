"""Does the git room tell what a real repository holds?"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.errors import GitCorrupt, WrongUse
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change, Missing, Object, TooLarge
from tests.gitrepo import GRACE, Repo

BIG = os.urandom(1024) * 2048


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "desired")


@pytest.fixture
def objects(repo: Repo) -> Iterator[Objects]:
    with Objects(repo.path / ".git") as opened:
        yield opened


def content(objects: Objects, spec: str) -> bytes | None:
    found = objects.read(spec)
    assert not isinstance(found, TooLarge)
    return found.data if found else None


def files(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in changes if not change.is_tree]


def pids(objects: Objects) -> list[int]:
    """The open processes of this one that work on its repository."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            command = (entry / "cmdline").read_bytes()
            if str(objects.git_dir).encode() in command and (b"--stdin" in command or b"--batch" in command):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                found += [int(entry.name)] if int(parent) == os.getpid() else []
    return found


# Objects


def test_every_way_to_name_an_object(repo: Repo, objects: Objects) -> None:
    commit = repo.write({"apps/shop/app.yaml": "kind: App\n"}).commit("Add shop")
    blob = repo.tree(path="apps/shop/app.yaml")
    for spec in (blob, blob[:10], f"{commit}:apps/shop/app.yaml", "main:apps/shop/app.yaml", "HEAD:apps/shop/app.yaml"):
        assert objects.read(spec) == Object(blob, "blob", b"kind: App\n"), spec
    for spec in (
        f"{commit}:apps/none",
        "0" * 40,
        "no-such-branch",
        "none:apps",
        f"{commit}:apps/shop/app.yaml/x",
        f"{commit}:",
    ):
        assert objects.read(spec) is None, spec


@pytest.mark.parametrize("spec", ["", "a\nb", "a" * 5000])
def test_names_that_cannot_be_asked_for_are_refused(objects: Objects, spec: str) -> None:
    with pytest.raises(WrongUse):
        objects.read(spec)


def test_strange_names(repo: Repo, objects: Objects) -> None:
    names = [
        "new\nline",
        "tab\tand space",
        'quote"d',
        "ümläut",
        "\udcff\udcfe",
        "-dash",
        "co:lon",
        "end of 1",
        "(x)*?[",
    ]
    commit = repo.write({f"d/{name}": f"{number}" for number, name in enumerate(names)}).commit("Strange")
    listed = [entry.path for entry in objects.tree(objects.commit(commit).tree) if entry.type == "blob"]
    assert sorted(listed) == sorted(f"d/{name}" for name in names)
    changed = [change.path for change in objects.diff(None, objects.commit(commit).tree) if not change.is_tree]
    assert changed == listed
    for number, name in enumerate(names):
        assert content(objects, f"{commit}:d/{name}") == f"{number}".encode(), name
        entry = objects.entry(objects.commit(commit).tree, f"d/{name}".encode("utf-8", "surrogateescape"))
        assert entry is not None
        assert entry.path == f"d/{name}"


def test_a_name_that_looks_like_the_end_of_an_answer(repo: Repo, objects: Objects) -> None:
    """The mark of the third question is a file name in the second answer."""
    trees = [objects.commit(repo.write({f"end of {n}\n": "x" * n, "z": f"{n}"}).commit("x")).tree for n in range(1, 6)]
    for before, after in pairwise(trees):
        assert {change.path for change in objects.diff(before, after)} >= {"z"}
    assert len(objects.diff(None, trees[-1])) == 6


def test_links_submodules_and_modes(repo: Repo, objects: Objects) -> None:
    repo.write({"file": "text", "run": "#!/bin/sh\n"}).link("link", "../elsewhere")
    (repo.path / "run").chmod(0o755)
    inner = Repo.create(repo.path / "inner")
    pinned = inner.write({"x": "1"}).commit("Inner")
    first = objects.commit(repo.commit("All kinds"))
    kinds = {entry.path: (entry.mode, entry.type) for entry in objects.tree(first.tree)}
    assert kinds == {
        "file": ("100644", "blob"),
        "run": ("100755", "blob"),
        "link": ("120000", "blob"),
        "inner": ("160000", "commit"),
    }
    assert content(objects, f"{first.id}:link") == b"../elsewhere"
    assert objects.read(f"{first.id}:inner/x") is None, "what a submodule holds is not here"
    entry = objects.entry(first.tree, "inner")
    assert entry is not None
    assert entry.id == pinned

    (repo.path / "link").unlink()
    second = objects.commit(repo.write({"link": "a file now"}).commit("No link any more"))
    assert files(objects.diff(first.tree, second.tree)) == [("T", "link")]


def test_changes_of_every_kind_with_the_directories_above(repo: Repo, objects: Objects) -> None:
    one = objects.commit(repo.write({"a/b/one": "1\n" * 50, "a/two": "2", "three": "3"}).commit("One"))
    repo.write({"three": None, "a/b/one": None, "a/b/moved": "1\n" * 50, "a/two": "22", "new/file": "n"})
    two = objects.commit(repo.commit("Two"))
    changes = {change.path: change for change in objects.diff(one.tree, two.tree)}
    assert {path: change.kind for path, change in changes.items()} == {
        "a": "M",
        "a/b": "M",
        "a/b/moved": "A",
        "a/b/one": "D",
        "a/two": "M",
        "new": "A",
        "new/file": "A",
        "three": "D",
    }
    assert changes["a/b"].new_id == repo.tree(path="a/b")
    assert changes["a/b"].is_tree
    assert changes["three"].new_mode == "000000"
    assert objects.diff(two.tree, two.tree) == []
    assert {change.kind for change in objects.diff(two.tree, objects.commit(one.id).tree)} == {"A", "D", "M"}


def test_a_file_that_becomes_a_directory(repo: Repo, objects: Objects) -> None:
    one = objects.commit(repo.write({"x": "file"}).commit("One"))
    two = objects.commit(repo.write({"x": None}).write({"x/y": "file"}).commit("Two"))
    assert [(change.kind, change.path) for change in objects.diff(one.tree, two.tree)] == [
        ("D", "x"),
        ("A", "x"),
        ("A", "x/y"),
    ]


def test_only_what_is_below_a_directory(repo: Repo, objects: Objects) -> None:
    commit = objects.commit(repo.write({"a/b/c": "1", "a/bc": "2", "d": "3"}).commit("One"))
    assert [entry.path for entry in objects.tree(commit.tree, "a")] == ["a/b", "a/b/c", "a/bc"]
    assert [entry.path for entry in objects.tree(commit.tree, "a/b/")] == ["a/b/c"]
    assert list(objects.tree(commit.tree, "d")) == list(objects.tree(commit.tree, "none")) == []


def test_a_large_file_is_measured_and_not_held(repo: Repo, objects: Objects) -> None:
    commit = repo.write({"big": BIG, "small": "s"}).commit("Big")
    big, small = repo.tree(path="big"), repo.tree(path="small")
    assert objects.read(f"{commit}:big", limit=1 << 20) == TooLarge(big, "blob", len(BIG), 1 << 20)
    assert content(objects, f"{commit}:big") == BIG
    told = list(objects.blobs([small, big, small], limit=100))
    assert told == [(small, b"s"), (big, TooLarge(big, "blob", len(BIG), 100)), (small, b"s")]


def test_many_blobs_come_in_the_order_asked(repo: Repo, objects: Objects) -> None:
    commit = objects.commit(repo.write({f"{n:04}": f"content {n}" for n in range(600)}).commit("Many"))
    ids = [entry.id for entry in objects.tree(commit.tree)]
    assert [data for _, data in objects.blobs(ids)] == [f"content {n}".encode() for n in range(600)]
    assert [name for name, _ in objects.blobs(reversed(ids))] == ids[::-1]
    assert list(objects.blobs(["0" * 40])) == [("0" * 40, Missing("0" * 40))]
    assert list(objects.blobs([])) == []


def test_asking_while_an_iterator_is_half_read(repo: Repo, objects: Objects) -> None:
    commit = repo.write({f"{n:03}": f"{n}" for n in range(600)}).commit("Many")
    tree = objects.commit(commit).tree
    for number, (_, data) in enumerate(objects.blobs(entry.id for entry in objects.tree(tree))):
        assert data == content(objects, f"{commit}:{number:03}")
    half = objects.blobs([repo.tree(path="001"), repo.tree(path="002")])
    next(half)
    del half
    assert content(objects, f"{commit}:003") == b"3", "an abandoned answer is not read by the next question"


def test_several_threads(repo: Repo, objects: Objects) -> None:
    commits = [repo.write({f"f{n % 7}": f"{n}"}).commit(f"Commit {n}") for n in range(12)]
    trees = [objects.commit(commit).tree for commit in commits]
    wrong: list[str] = []

    def work(offset: int) -> None:
        for n in range(60):
            at = (n + offset) % 11 + 1
            if files(objects.diff(trees[at - 1], trees[at]))[0][1] != f"f{at % 7}":
                wrong.append(f"diff {at}")
            if content(objects, f"{commits[at]}:f{at % 7}") != f"{at}".encode():
                wrong.append(f"read {at}")

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_open_processes_see_new_commits_and_survive_gc(repo: Repo, objects: Objects) -> None:
    first = objects.commit(repo.write({"a": "1"}).commit("One"))
    objects.diff(None, first.tree)
    before = pids(objects)
    second = objects.commit(repo.write({"a": "2"}).commit("Two"))
    repo.git("gc", "--quiet", "--prune=now")
    assert not list((repo.path / ".git" / "objects").glob("[0-9a-f][0-9a-f]/*")), "all is packed now"
    third = objects.commit(repo.write({"a": "3"}).commit("Three"))
    assert [content(objects, f"{commit.id}:a") for commit in (first, second, third)] == [b"1", b"2", b"3"]
    assert files(objects.diff(first.tree, third.tree)) == [("M", "a")]
    assert pids(objects) == before
    assert before


def test_processes_that_were_killed_are_started_again(repo: Repo, objects: Objects) -> None:
    commit = objects.commit(repo.write({"a": "1"}).commit("One"))
    for _ in range(2):
        assert objects.diff(None, commit.tree)
        for pid in pids(objects):
            os.kill(pid, signal.SIGKILL)
        assert content(objects, f"{commit.id}:a") == b"1"


def test_a_reader_killed_in_the_middle_loses_and_repeats_nothing(repo: Repo, objects: Objects) -> None:
    tree = objects.commit(repo.write({f"{n:03}": f"{n}" for n in range(700)}).commit("Many")).tree
    ids = [entry.id for entry in objects.tree(tree)]
    read = []
    for number, (_, data) in enumerate(objects.blobs(ids)):
        if number == 300:
            for pid in pids(objects):
                os.kill(pid, signal.SIGKILL)
        read.append(data)
    assert read == [f"{n}".encode() for n in range(700)]


def test_damage_is_told_and_not_waited_for(repo: Repo, objects: Objects) -> None:
    commit = objects.commit(repo.write({"a": "1"}).commit("One"))
    blob = repo.tree(path="a")
    loose = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"nonsense")
    assert list(objects.blobs([blob])) == [(blob, Missing(blob))]
    with pytest.raises(GitCorrupt):
        objects.commit("1" * 40)
    with pytest.raises(GitCorrupt):
        objects.diff(commit.tree, "1" * 40)
    with pytest.raises(GitCorrupt):
        objects.diff(commit.tree, blob)
    with pytest.raises(GitCorrupt):
        list(objects.tree("1" * 40))
    with pytest.raises(WrongUse):
        objects.diff(None, "main")
    with Objects(repo.path / "nowhere") as nowhere, pytest.raises(GitCorrupt, match="not a git repository"):
        nowhere.read("HEAD")


def test_closing_ends_the_processes_and_asking_starts_new_ones(repo: Repo, objects: Objects) -> None:
    commit = objects.commit(repo.write({"a": "1"}).commit("One"))
    objects.diff(None, commit.tree)
    objects.close()
    assert pids(objects) == []
    assert objects.commit(commit.id) == commit


# Commits


def test_a_commit_as_it_is(repo: Repo, objects: Objects) -> None:
    first = repo.write({"a": "1"}).commit("Add a\n\nBecause.\n")
    second = repo.write({"a": "2"}).commit("Änder a 🎉", author=GRACE)
    told = objects.commit(second)
    assert told.parents == (first,)
    assert told.first_parent == first
    assert (told.author_name, told.author_email) == ("Grace Hopper", "grace@example.org")
    assert (told.committer_name, told.committer_email) == ("Ada Lovelace", "ada@example.org")
    assert told.committed_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert told.subject == "Änder a 🎉"
    assert objects.commit(first).message == "Add a\n\nBecause.\n"
    assert objects.commit(first).first_parent is None


def test_commits_that_nobody_should_have_made(repo: Repo, objects: Objects) -> None:
    tree = objects.commit(repo.write({"a": "1"}).commit("One")).tree

    def made(*lines: bytes) -> str:
        raw = b"\n".join([b"tree " + tree.encode(), *lines])
        return repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw)

    latin = made(
        b"author J\xf6rg <j@x> 1 +0000", b"committer J\xf6rg <j@x> 1 +0000", b"encoding ISO-8859-1", b"", b"Gr\xfc\xdfe"
    )
    assert objects.commit(latin).message == "Grüße"
    assert objects.commit(latin).author_name == "Jörg"
    wrong = made(b"author a <a> 99999999999999999999 +9999", b"committer <> x", b"encoding rot13", b"", b"\xff")
    assert objects.commit(wrong).authored_at.year == 9999
    assert objects.commit(wrong).committed_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert objects.commit(wrong).message == "�"
    for encoding in (b"zlib", b"idna", b"unicode_escape", b"no such", b"utf-16", b"\xff"):
        assert objects.commit(made(b"encoding " + encoding, b"", b"\\d x")).tree == tree
    assert objects.commit(made()).author_name == ""
    signed = made(
        b"author a <a> -1 +0000", b"committer a <a> 5 -0500", b"gpgsig -----BEGIN", b" x", b" -----END", b"", b"Signed"
    )
    assert objects.commit(signed).message == "Signed"
    assert objects.commit(signed).authored_at == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
