"""How are many objects read quickly? An open `git cat-file --batch`, with many requests under way.

Each iterator has a process to itself while it runs, so that threads do not wait for each other and a half-read
iterator disturbs nobody; some processes stay open between questions: where many bundles are unpacked at the same time,
starting them anew would take longer than what they answer. Taking objects apart belongs to `parsing`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from reconciler.errors import WrongUse
from reconciler.git import parsing
from reconciler.git.processes import Died, LineProcess, damaged
from reconciler.git.shapes import Object, TooLarge

IN_FLIGHT = 256
_IDLE = 16
_LONGEST_SPEC = 4096


class Batches:
    """The open readers of one git directory."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._guard = threading.Lock()
        self._idle: list[LineProcess] = []
        self._asked: tuple[str, LineProcess] | None = None

    def close(self) -> None:
        """End the open processes; asking afterwards starts them anew."""
        with self._guard:
            idle, self._idle = self._idle, []
            asked, self._asked = self._asked, None
        for process in (*idle, asked[1]) if asked is not None else idle:
            process.close()

    def ask_ahead(self, spec: str) -> None:
        """Let git look for an object while something else is done; only where a process is open for it."""
        with self._guard:
            if self._asked is not None:
                before, process = self._asked
                if before == spec:
                    return
                self._asked = None
                process.close()
            if self._idle:
                process = self._idle.pop()
                try:
                    process.send(_lines([spec]))
                except Died:
                    process.close()  # whoever asks finds out why
                else:
                    self._asked = spec, process

    def asked_ahead(self, spec: str, limit: int) -> Object | TooLarge | None:
        """The object that was asked for ahead; None where that was another one, or there is none that can be read."""
        with self._guard:
            if self._asked is None or self._asked[0] != spec:
                return None
            (_, process), self._asked = self._asked, None
        with suppress(Died), self._lent(process):
            return _one_answer(process, limit)
        return None

    def one(self, spec: str, limit: int) -> Object | TooLarge | None:
        """The object of one name; None when there is none. Raises GitCorrupt."""
        ((_, answer),) = self.many([spec], limit)
        return answer

    def many(self, specs: Iterable[str], limit: int) -> Iterator[tuple[str, Object | TooLarge | None]]:
        """Each name with its object, in the order asked. Raises GitCorrupt."""
        coming = iter(specs)
        waiting: deque[str] = deque()
        died_before = False
        while True:
            try:
                with self._borrowed() as process:
                    if waiting:
                        # After a death, what was asked and not answered is asked again.
                        process.send(_lines(waiting))
                    while _ask_more(process, coming, waiting):
                        answer = _one_answer(process, limit)
                        died_before = False
                        yield waiting.popleft(), answer
                    return
            except Died as death:
                if died_before:
                    raise damaged(f"{death.complaint} (at {waiting[0]})") from death
                died_before = True
                # Whatever ended one may have ended all.
                self.close()

    @contextmanager
    def _borrowed(self) -> Iterator[LineProcess]:
        """A process that nobody else speaks to."""
        with self._guard:
            process = self._idle.pop() if self._idle else None
        with self._lent(process or LineProcess(self.git_dir, ["cat-file", "--batch"])) as lent:
            yield lent

    @contextmanager
    def _lent(self, process: LineProcess) -> Iterator[LineProcess]:
        """A process that comes back only when every question was answered."""
        try:
            yield process
        except BaseException:
            process.close()
            raise
        with self._guard:
            if len(self._idle) < _IDLE:
                self._idle.append(process)
                return
        process.close()


def _lines(specs: Iterable[str]) -> bytes:
    return b"".join(parsing.raw_path(spec) + b"\n" for spec in specs)


def _ask_more(process: LineProcess, coming: Iterator[str], waiting: deque[str]) -> bool:
    """Keep between half of what may be in flight and all of it under way; False when nothing is left."""
    if len(waiting) <= IN_FLIGHT // 2:
        more = [_one_line(spec) for spec in islice(coming, IN_FLIGHT - len(waiting))]
        # Noted before they are sent, so that none is lost when the process dies of it.
        waiting.extend(more)
        if more:
            process.send(_lines(more))
    return bool(waiting)


def _one_line(spec: str) -> str:
    if not spec or "\n" in spec or len(spec) > _LONGEST_SPEC:
        raise WrongUse(f"{spec[:80]!r} cannot name an object", "Give an id, or a path in a commit.")
    return spec


def _one_answer(process: LineProcess, limit: int) -> Object | TooLarge | None:
    head = process.line()
    if head.endswith((b" missing\n", b" ambiguous\n")):
        return None
    object_id, kind, size_text = head.decode("ascii").split()
    size = int(size_text)
    if size > limit:
        process.skip(size + 1)
        return TooLarge(object_id, kind, size, limit)
    return Object(object_id, kind, process.take(size + 1)[:-1])
