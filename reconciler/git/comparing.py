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
        self._ahead: tuple[str, str, bytes] | None = None
        """What was asked already: since which commit, to which, and the mark at the end of its answer."""

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

    def ask_ahead(self, since: str, commit: str) -> None:
        """Let git compare two commits while something else is done; only where its process is open."""
        with self._guard:
            if self._process is None or (self._ahead is not None and self._ahead[:2] == (since, commit)):
                return
            try:
                self._take_ahead()
                # As if the one were the other's parent: their trees need not be known yet.
                self._ahead = since, commit, self._send(self._process, f"{commit} {since}\n".encode())
            except Died:
                self._end()

    def asked_ahead(self, since: str, commit: str) -> list[Change] | None:
        """The answer to what was asked ahead; None where that was something else, or nothing can be told from it."""
        with self._guard:
            if self._ahead is None or self._ahead[:2] != (since, commit):
                return None
            try:
                return self._take_ahead()
            except Died:
                self._end()
                return None

    def _take_ahead(self) -> list[Change] | None:
        """For who has the guard. None where the commits do not differ, or one of them is not there. Raises Died."""
        if self._process is None or self._ahead is None:
            return None
        (_, commit, mark), self._ahead = self._ahead, None
        return _answer(self._process, f"{commit}\0".encode(), mark)

    def _end(self) -> None:
        self._ahead = None
        if self._process is not None:
            self._process.close()
            self._process = None

    def _send(self, process: LineProcess, request: bytes) -> bytes:
        """The mark that its answer is going to end with."""
        self._asked += 1
        # A line that is no id is echoed and flushes: it marks the end of the answer.
        mark = b"end of %d\n" % self._asked
        process.send(request + mark)
        return mark

    def _ask(self, request: bytes) -> list[Change]:
        self._take_ahead()
        if self._process is None:
            self._process = LineProcess(self.git_dir, _ARGUMENTS)
        found = _answer(self._process, request, self._send(self._process, request))
        if found is None:
            raise damaged(f"one of the trees {request.decode().strip()} is missing")
        return found


def _answer(process: LineProcess, header: bytes, mark: bytes) -> list[Change] | None:
    """What is printed before the mark, after the header; None where nothing is. Raises Died."""
    chunks: list[bytes] = []
    while True:
        chunks.append(process.some())
        if not chunks[-1].endswith(b"\n"):
            continue
        body = b"".join(chunks)
        if body == mark:
            return None
        if body.endswith(mark) and (fields := _whole(body, header, mark)) is not None:
            return parsing.changes(fields)
        chunks = [body]


def _whole(body: bytes, header: bytes, mark: bytes) -> list[bytes] | None:
    """The fields of a finished answer; None while it is not finished.

    A hostile path may look like the mark, but it stands where a path stands: after an odd number of fields.
    """
    fields = body[len(header) :].split(b"\0")
    return fields[:-1] if len(fields) % 2 and fields[-1] == mark else None
