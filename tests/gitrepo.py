"""A real git repository in one readable line per step, for every test that needs one.

    repo = Repo.create(tmp_path / "desired")
    first = repo.write({"apps/shop/app.yaml": "kind: App\\n"}).commit("Add shop")
    origin = repo.bare()        # a bare repository beside it, to which `push` goes
    repo.push()

The same steps give the same ids on every machine: the clock advances by a minute with each commit. What a test
expects does not belong here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

ADA = "Ada Lovelace <ada@example.org>"
GRACE = "Grace Hopper <grace@example.org>"
FIRST_COMMIT = datetime(2026, 1, 1, tzinfo=UTC)


class Repo:
    """A repository with a work tree, or a bare one."""

    def __init__(self, path: Path, branch: str = "main") -> None:
        self.path = path
        self.branch_name = branch
        self.now = FIRST_COMMIT
        self.origin: Repo | None = None

    @classmethod
    def create(cls, path: Path, branch: str = "main", *options: str) -> Repo:
        """An empty repository; `options` are for `git init`."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path, branch)
        repo.git("init", "--quiet", f"--initial-branch={branch}", *options)
        return repo

    def git(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """What git prints, without the last line end. Raises CalledProcessError with its messages."""
        at = self.now.isoformat()
        given = stdin.encode() if isinstance(stdin, str) else stdin
        command = ["git", "-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.org", *arguments]
        done = subprocess.run(
            command,
            cwd=self.path,
            input=given,
            capture_output=True,
            env={**os.environ, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "GIT_EDITOR": "true"},
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise subprocess.CalledProcessError(done.returncode, [*command, said], done.stdout, done.stderr)
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    @property
    def head(self) -> str:
        """The id of the commit that the branch is at."""
        # Read as it lies there where it does: git would be a process more for every commit and every push.
        folder = self.path / ".git"
        place = folder if folder.is_dir() else self.path
        try:
            name = (place / "HEAD").read_text().removeprefix("ref: ").strip()
            return (place / name).read_text().strip() if name.startswith("refs/") else name
        except OSError:
            return self.git("rev-parse", "HEAD")

    def tree(self, commit: str = "HEAD", path: str = "") -> str:
        """The id of a commit's tree, or of what a path in it is."""
        return self.git("rev-parse", f"{commit}:{path}")

    def write(self, files: Mapping[str, str | bytes | None]) -> Self:
        """Write files into the work tree; None deletes one, or a whole directory."""
        for name, content in files.items():
            file = self.path / name
            if content is None:
                shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def link(self, name: str, target: str) -> Self:
        """Write a symbolic link into the work tree."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)
        return self

    def commit(self, message: str, author: str = ADA) -> str:
        """Commit the work tree as it is, even unchanged; the id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--author={author}", "--file=-", stdin=message)
        return self._next()

    def revert(self, commit: str, message: str | None = None) -> str:
        """What `git revert` makes, of merges too; with another message if one is given."""
        merge = ["--mainline=1"] if len(self.git("rev-list", "--parents", "-1", commit).split()) > 2 else []
        self.git("revert", "--no-edit", *merge, commit)
        if message is not None:
            self.git("commit", "--quiet", "--amend", "--file=-", stdin=message)
        return self._next()

    def checkout(self, name: str, at: str | None = None) -> Self:
        """Go to a branch; with `at` it is made there."""
        self.git("checkout", "--quiet", *(["-B", name, at] if at else [name]))
        return self

    def merge(self, *branches: str, message: str | None = None) -> str:
        """Merge branches into this one, always with a merge commit; the id."""
        said = ["-m", message] if message else []
        self.git("merge", "--quiet", "--no-ff", "--no-edit", *said, *branches)
        return self._next()

    def force(self, commit: str) -> Self:
        """Put the branch somewhere else, and the one of the bare repository too."""
        self.git("reset", "--quiet", "--hard", commit)
        if self.origin:
            self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{self.branch_name}")
        return self

    def bare(self, path: Path | None = None) -> Repo:
        """A bare repository, by default beside this one, as the place where `push` goes."""
        place = path or self.path.with_name(self.path.name + ".git")
        self.origin = Repo.create(place, self.branch_name, "--bare")
        self.git("remote", "add", "origin", str(place))
        return self.origin

    def push(self) -> str:
        """Push the branch to the bare repository; the id that it is at now."""
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{self.branch_name}")
        return self.head

    def _next(self) -> str:
        self.now += timedelta(minutes=1)
        return self.head


def lose_objects(git_dir: Path) -> None:
    """What a disk that ate files leaves of a repository: its references, and nothing that they lead to."""
    shutil.rmtree(git_dir / "objects")
    (git_dir / "objects" / "pack").mkdir(parents=True)
