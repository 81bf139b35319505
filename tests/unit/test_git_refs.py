"""Is a branch read from the files of a repository as git would read it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.refs import LocalRefs, Unreadable

A, B = "a" * 40, "b" * 40


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    place = tmp_path / "desired.git"
    (place / "refs" / "heads").mkdir(parents=True)
    (place / "HEAD").write_text("ref: refs/heads/main\n")
    return place


def test_a_loose_branch_wins_over_a_packed_one(bare: Path) -> None:
    refs = LocalRefs(bare)
    assert refs.read("refs/heads/main") is None
    (bare / "packed-refs").write_text(f"# pack-refs with: peeled\n{B} refs/heads/main\n{A} refs/tags/v1\n^{B}\n")
    assert refs.read("refs/heads/main") == B
    (bare / "refs" / "heads" / "main").write_text(A + "\n")
    assert refs.read("refs/heads/main") == A
    assert refs.read("HEAD") == A


def test_packed_branches_that_change_are_read_again(bare: Path) -> None:
    refs = LocalRefs(bare)
    for commit in (A, B, A):
        packed = bare / "packed-refs.new"
        packed.write_text(f"{commit} refs/heads/main\n{B} refs/heads/main2\n")
        packed.rename(bare / "packed-refs")
        assert refs.read("refs/heads/main") == commit
    (bare / "packed-refs").unlink()
    assert refs.read("refs/heads/main") is None


def test_a_name_that_is_part_of_another(bare: Path) -> None:
    (bare / "packed-refs").write_text(f"{A} refs/heads/main-old\n{B} refs/remotes/refs/heads/main\n")
    (bare / "refs" / "heads" / "release").mkdir()
    refs = LocalRefs(bare)
    assert refs.read("refs/heads/main") is None
    assert refs.read("refs/heads/release") is None
    assert refs.read("refs/heads/release/2026/q1") is None


@pytest.mark.parametrize("content", ["", "nonsense\n", "ref: ../../etc/passwd\n", "ref: refs/heads/main\n", f"{A}0\n"])
def test_what_cannot_be_read_is_left_to_git(bare: Path, content: str) -> None:
    (bare / "refs" / "heads" / "main").write_text(content)
    with pytest.raises(Unreadable):
        LocalRefs(bare).read("refs/heads/main")


def test_another_format_is_left_to_git(bare: Path, tmp_path: Path) -> None:
    (bare / "reftable").mkdir()
    with pytest.raises(Unreadable):
        LocalRefs(bare).read("refs/heads/main")
    bundle = tmp_path / "a.bundle"
    bundle.write_text("# v2 git bundle")
    with pytest.raises(Unreadable):
        LocalRefs(bundle).read("refs/heads/main")


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalRefs(tmp_path).read("refs/heads/main")
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert LocalRefs(tmp_path).common_dir() is None


def test_a_work_tree_with_a_file_called_head(bare: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "HEAD").write_text("a file of the project")
    (tree / ".git").write_text("gitdir: ../desired.git\n")
    (bare / "refs" / "heads" / "main").write_text(A)
    assert LocalRefs(tree).read("refs/heads/main") == A
    assert LocalRefs(tmp_path / "desired").read("refs/heads/main") == A, "git adds .git to a name itself"
