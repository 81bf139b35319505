"""How does something on disk survive a power cut, and never show half of itself?

Written beside its place, made durable, then renamed into it; the directory that holds the name is made
durable last. What is written belongs to the callers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OVER = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOTE = 512
_LOOK = os.O_RDONLY | os.O_CLOEXEC
PEEK = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Without O_NONBLOCK a named pipe in a file's place would wait for its writer for ever."""
_PIECE = 1 << 16
_BATCH = 128
"""Files open at once while they are made durable."""


def create(path: str, content: bytes) -> None:
    """Write a file that does not exist yet; not durable before `settle`. Raises OSError."""
    with named(path):
        file = os.open(path, _NEW, 0o644)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)


@contextmanager
def named(path: str) -> Iterator[None]:
    """Let an OSError say where it was: what is raised while writing does not."""
    try:
        yield
    except OSError as wrong:
        wrong.filename = wrong.filename or path
        raise


def settle(
    paths: Sequence[str],
    go_on: Callable[[], None] = lambda: None,
    look: Callable[[str, int], None] | None = None,
) -> None:
    """Make files and directories durable. `go_on` is called before each batch and may raise. Raises OSError.

    `look` is handed each path with its open file, before any of the batch is on the disk.
    """
    for start in range(0, len(paths), _BATCH):
        go_on()
        batch = paths[start : start + _BATCH]
        opened: list[int] = []
        try:
            for path in batch:
                opened.append(os.open(path, _LOOK))
                if look is not None:
                    look(path, opened[-1])
            if len(opened) > 1:
                _write_back(opened)
            for file, path in zip(opened, batch, strict=True):
                with named(path):
                    os.fsync(file)
        finally:
            for file in opened:
                os.close(file)


def _write_back(files: Iterable[int]) -> None:
    """Ask for all to be written before waiting for any of it: one commit of the journal then serves all."""
    if hasattr(os, "posix_fadvise"):
        for file in files:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def replace(path: str, content: bytes) -> bool:
    """Put a file in the place of another at once; durable but for its directory. False when it is so already.

    Raises OSError.
    """
    if holds(path, content):
        return False
    fresh = create_beside(path, content)
    settle([fresh])
    os.replace(fresh, path)
    return True


def note(path: str, content: bytes) -> None:
    """Write over a text file that only who is alone there reads, where a power cut may cost it. Raises OSError.

    In its place and never shorter than it was (blanks follow the text): a file system that sees a file replaced or cut
    writes it to the disk at once, which takes as long as making it durable.
    """
    with named(path):
        file = os.open(path, _OVER, 0o644)
        try:
            os.write(file, content.ljust(max(os.fstat(file).st_size, _NOTE)))
        finally:
            os.close(file)


def make_folder(path: str) -> None:
    """Make a directory and those above it, durably, where they are missing. Raises OSError."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    make_folder(above)
    with suppress(FileExistsError):
        os.mkdir(path)
    settle([above])


def create_beside(path: str, content: bytes) -> str:
    """Write the next state of `path`, not durable yet, and return where. Raises OSError."""
    fresh = beside(path)
    create_anew(fresh, content)
    return fresh


def create_anew(path: str, content: bytes) -> None:
    """Write a file in the place of one that a killed process may have left; not durable yet. Raises OSError."""
    try:
        create(path, content)
    except FileExistsError:
        os.unlink(path)
        create(path, content)


def beside(path: str) -> str:
    """Where the next state of `path` is made."""
    folder, name = os.path.split(path)
    return f"{folder}/.{name}.new"


def discard(path: str) -> None:
    """Remove a file or link when it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def holds(path: str, content: bytes) -> bool:
    """Whether a file (not a link) is there with exactly this content."""
    return load(path, len(content) + 1) == content


def load(path: str, limit: int) -> bytes | None:
    """The first `limit` bytes of a regular file; None when it is missing, a link or anything else."""
    try:
        file = os.open(path, PEEK)
    except OSError:
        return None
    try:
        # In pieces: to ask for all of a high limit would take that much memory first.
        found = os.read(file, min(limit, _PIECE))
        if len(found) < _PIECE:
            return found
        pieces = [found]
        rest = limit - len(found)
        while rest > 0 and (piece := os.read(file, min(rest, _PIECE))):
            pieces.append(piece)
            rest -= len(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(file)
