"""What would the bare steps on git and files cost, without a reconciler? No code of ours.

Bare databases are in `stores`.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

IN_FLIGHT = 256


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
        self._ask([spec])
        return self._answer()

    def blobs(self, specs: list[str]) -> list[bytes]:
        """Many objects, a good number of requests always in flight."""
        found, asked = [], 0
        waiting: deque[None] = deque()
        while asked < len(specs) or waiting:
            if asked < len(specs) and len(waiting) <= IN_FLIGHT // 2:
                more = specs[asked : asked + IN_FLIGHT // 2]
                self._ask(more)
                waiting.extend([None] * len(more))
                asked += len(more)
            found.append(self._answer())
            waiting.popleft()
        return found

    def _ask(self, specs: list[str]) -> None:
        assert self._cat.stdin is not None
        self._cat.stdin.write("".join(f"{spec}\n" for spec in specs).encode())
        self._cat.stdin.flush()

    def _answer(self) -> bytes:
        assert self._cat.stdout is not None
        size = int(self._cat.stdout.readline().split()[2])
        return self._cat.stdout.read(size + 1)[:-1]

    def close(self) -> None:
        for process in (self._diff, self._cat):
            process.communicate()


def _open(git_dir: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["git", f"--git-dir={git_dir}", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def parse(text: bytes) -> object:
    """One manifest, by libyaml alone."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def cold(git_dir: Path, commit: str) -> int:
    """List every path of a commit, read every manifest and parse it; how many there were."""
    listed = subprocess.run(
        ["git", f"--git-dir={git_dir}", "ls-tree", "-r", "-z", commit], capture_output=True, check=True
    ).stdout.decode()
    entries = (line.partition("\t") for line in listed.split("\0") if line)
    manifests = [about.split()[2] for about, _, path in entries if path.endswith(".yaml")]
    git = OpenGit(git_dir)
    for text in git.blobs(manifests):
        parse(text)
    git.close()
    return len(manifests)


class RawReleases:
    """Release directories that a symbolic link is switched between, every step durable.

    They hold the very files that the directory target writes for the apps of `repository`.
    """

    def __init__(self, place: Path, apps: int = 1) -> None:
        self._places = [place / f"{number:06d}" for number in range(apps)]
        for one in self._places:
            (one / "releases").mkdir(parents=True)
        self._count = 0

    def switch(self) -> None:
        """Release the first app anew."""
        self._count += 1
        _switch(self._places[0], self._count)

    def switch_all(self, workers: int) -> None:
        """Release every app anew, so many at the same time."""
        self._count += 1
        if workers == 1:
            for one in self._places:
                _switch(one, self._count)
            return
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(_switch, one, self._count) for one in self._places]:
                done.result()


def _switch(place: Path, number: int) -> None:
    """Write three files and the split, rename the directory to its name, and switch to it."""
    hidden = place / "releases" / f".{number}"
    hidden.mkdir()
    files = {
        hidden / ".reconciler.json": 903,
        hidden / "index.html": 250,
        hidden / "settings.json": 16,
        place / "traffic.new": 174,
    }
    for file, size in files.items():
        file.write_bytes(b"x" * size)
    for path in (*files, hidden):
        _sync(path)
    hidden.rename(place / "releases" / str(number))
    _sync(place / "releases")
    os.replace(place / "traffic.new", place / "traffic.json")
    link = place / ".current.new"
    link.symlink_to(f"releases/{number}")
    os.replace(link, place / "current")
    _sync(place)


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
