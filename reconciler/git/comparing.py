"""What differs between two trees? An open `git diff-tree --stdin`, asked by one thread at a time."""

from __future__ import annotations

import threading
from pathlib import Path

from reconciler.git import parsing
from reconciler.git.processes import Died, LineProcess, damaged
from reconciler.git.shapes import Change, full_id

_EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_ARGUMENTS = ["diff-tree", "--stdin", "-r", "-t", "-z", "--raw", "--no-renames"]


class Comparing:
    """The open comparison of one git directory."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._guard = threading.Lock()
        self._process: LineProcess | None = None
        self._asked = 0

    def close(self) -> None:
        """End the open process; asking afterwards starts it anew."""
        with self._guard:
            self._end()

    def diff(self, old_tree: str | None, new_tree: str) -> list[Change]:
        """What differs, directories included, in git's order; None is the empty tree. Raises GitCorrupt."""
        full_id(new_tree)
        old = full_id(old_tree) if old_tree else _EMPTY_TREE[len(new_tree)]
        request = f"{old} {new_tree}\n".encode()
        with self._guard:
            try:
                return self._ask(request)
            except Died:
                self._end()
            try:
                return self._ask(request)
            except Died as death:
                self._end()
                raise damaged(death.complaint) from death

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _ask(self, request: bytes) -> list[Change]:
        if self._process is None:
            self._process = LineProcess(self.git_dir, _ARGUMENTS)
        self._asked += 1
        # A line that is no id is echoed and flushes: it marks the end of the answer.
        mark = b"end of %d\n" % self._asked
        self._process.send(request + mark)
        chunks: list[bytes] = []
        while True:
            chunks.append(self._process.some())
            if not chunks[-1].endswith(b"\n"):
                continue
            body = b"".join(chunks)
            if body.endswith(mark) and (fields := _whole(body, request, mark)) is not None:
                return parsing.changes(fields)
            chunks = [body]


def _whole(body: bytes, request: bytes, mark: bytes) -> list[bytes] | None:
    """The fields of a finished answer; None while it is not finished.

    A hostile path may look like the mark, but it stands where a path stands: after an odd number of fields.
    """
    if body == mark:
        raise damaged(f"one of the trees {request.decode().strip()} is missing")
    fields = body[len(request) :].split(b"\0")
    return fields[:-1] if len(fields) % 2 and fields[-1] == mark else None
