"""Does a commit or a branch that was being made when its maker was killed stand in nobody's way?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from reconciler.git.signatures import Person, Signature
from reconciler.git.writing import commit_files, set_branch
from tests.gitrepo import Repo

ROOT = Path(__file__).parents[2]
PROMOTE = """
import sys
from pathlib import Path
from tests.integration.test_git_writing_killed import promote
print(promote(Path(sys.argv[1]), sys.argv[2]))
"""
# Kills whoever starts it, the time after as many other times as the file says; git itself goes on.
KILLER = """#!/bin/sh
left=$(cat "$LEFT")
echo $((left - 1)) > "$LEFT"
[ "$left" = 0 ] && kill -9 $PPID
exec {git} "$@"
"""


def promote(repository: Path, base: str) -> str:
    """The commit and the branch that a promotion makes."""
    who = Signature(Person("Grace Hopper", "grace@example.org"), datetime(2026, 5, 1, tzinfo=UTC))
    commit = commit_files(repository, base, {"app.yaml": b"2", "a/b": b"3"}, "Promote", who)
    return f"{commit} {set_branch(repository, 'promote', commit, None, followed='main')}"


def test_killed_at_every_step(tmp_path: Path) -> None:
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    killer = tmp_path / "bin" / "git"
    killer.write_text(KILLER.format(git=real))
    killer.chmod(0o755)
    (tmp_path / "rooms").mkdir()
    left, expected, deaths = tmp_path / "left", set(), 0
    for step in range(40):
        repo = Repo.create(tmp_path / f"desired-{step}")
        base = repo.write({"app.yaml": "1"}).commit("First")
        left.write_text(str(step))
        environment = {
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "LEFT": str(left),
            "TMPDIR": str(tmp_path / "rooms"),
        }
        done = subprocess.run(
            [sys.executable, "-c", PROMOTE, repo.path, base], env=environment, capture_output=True, cwd=ROOT
        )
        assert done.returncode in (0, -9), done.stderr
        deaths += done.returncode == -9
        expected.add(promote(repo.path, base))
        assert len(expected) == 1, "the same commit, however often it was begun"
        assert repo.git("status", "--porcelain") == ""
        assert repo.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main", "refs/heads/promote"]
        if done.returncode == 0:
            break
    assert deaths == step > 5
