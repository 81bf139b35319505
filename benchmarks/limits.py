"""What would the bare steps cost, without a reconciler? Raw git, raw SQLite, raw files, no code of ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import yaml


def seconds(step: Callable[[], object]) -> float:
    """How long a step takes."""
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


class OpenGit:
    """An open `git diff-tree --stdin` and an open `git cat-file --batch`."""

    def __init__(self, git_dir: Path) -> None:
        self._diff = _open(git_dir, "diff-tree", "--stdin", "-r", "-t", "-z", "--raw", "--no-renames")
        self._cat = _open(git_dir, "cat-file", "--batch")

    def diff(self, old: str, new: str) -> bytes:
        """What differs between two trees."""
        assert self._diff.stdin is not None
        assert self._diff.stdout is not None
        self._diff.stdin.write(f"{old} {new}\nend\n".encode())
        self._diff.stdin.flush()
        answer = b""
        while not answer.endswith(b"end\n"):
            answer += os.read(self._diff.stdout.fileno(), 1 << 16)
        return answer

    def blob(self, spec: str) -> bytes:
        """One object."""
        assert self._cat.stdin is not None
        assert self._cat.stdout is not None
        self._cat.stdin.write(f"{spec}\n".encode())
        self._cat.stdin.flush()
        size = int(self._cat.stdout.readline().split()[2])
        return self._cat.stdout.read(size + 1)[:-1]

    def close(self) -> None:
        for process in (self._diff, self._cat):
            process.communicate()


def _open(git_dir: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["git", f"--git-dir={git_dir}", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


class RawStore:
    """A SQLite database in WAL mode that makes every commit durable."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE facts (id INTEGER PRIMARY KEY, body TEXT)")

    def commit(self) -> None:
        """One row, durable."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO facts (body) VALUES (?)", ("x" * 200,))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def parse(text: bytes) -> object:
    """One manifest, by libyaml alone."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


class RawReleases:
    """Release directories that a symbolic link is switched between, every step durable."""

    def __init__(self, place: Path) -> None:
        self._place = place
        (place / "releases").mkdir(parents=True)
        self._count = 0

    def switch(self) -> None:
        """Write three files and a description into a new directory, and switch to it."""
        self._count += 1
        hidden = self._place / "releases" / f".{self._count}"
        (hidden / "site").mkdir(parents=True)
        files = [hidden / "record.json", hidden / "index.html", hidden / "settings.json", self._place / "traffic.new"]
        for file in files:
            file.write_bytes(b"x" * 500)
        for path in (*files, hidden):
            _sync(path)
        hidden.rename(self._place / "releases" / str(self._count))
        _sync(self._place / "releases")
        os.replace(files[-1], self._place / "traffic.json")
        link = self._place / ".current.new"
        link.symlink_to(f"releases/{self._count}")
        os.replace(link, self._place / "current")
        _sync(self._place)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def filtered_clone(url: Path, place: Path) -> None:
    """A bare clone in which a fetch does not walk over everything that is there."""
    arguments = ["--quiet", "--bare", "--single-branch", "--branch=main", "--filter=blob:limit=1g"]
    subprocess.run(["git", "clone", *arguments, f"file://{url}", str(place)], check=True)


def fetch(clone: Path) -> None:
    """Fetch what is new."""
    arguments = ["--quiet", "--no-tags", "--filter=blob:limit=1g", "origin", "+refs/heads/main:refs/heads/main"]
    subprocess.run(["git", "-C", str(clone), "fetch", *arguments], check=True)
