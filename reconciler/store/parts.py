"""What is still being written beside its place, and what is left of one whose process was killed?

Whoever writes a part holds a lock on it as long as they live, so that one without is nobody's. Only files of this very
form are looked at, and only those that have rested for a while.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

RESTED = timedelta(hours=1)
"""What was written to more recently stays: its owner may be about to lock it, or on a disk that knows no locks."""
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_FORM = re.compile(r"\.reconciler-[a-z0-9_]{8}\.part")


@contextmanager
def part_in(directory: Path) -> Iterator[Path]:
    """A new file in a directory, which only its owner may read; it is gone afterwards, however it ends. Raises OSError
    where none can be made."""
    descriptor, name = tempfile.mkstemp(prefix=".reconciler-", suffix=".part", dir=directory)
    part = Path(name)
    try:
        with suppress(OSError):  # a disk without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield part
    finally:
        _remove(part)
        os.close(descriptor)  # at the very end: closing a file lets go of what SQLite has locked in it


def sweep(directory: Path, now: datetime) -> list[Path]:
    """Remove what killed processes left in a directory, by `now` (UTC); which parts those were. What cannot be looked
    at or removed stays."""
    gone = []
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if _FORM.fullmatch(entry.name))
    except OSError:
        return []
    for name in names:
        part = directory / name
        with suppress(OSError):
            if _is_abandoned(part, now):
                _remove(part)
                gone.append(part)
    return gone


def _is_abandoned(part: Path, now: datetime) -> bool:
    """Whether nobody writes it any more. Raises OSError where that cannot be told."""
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or now.timestamp() - found.st_mtime < RESTED.total_seconds():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    finally:
        os.close(descriptor)


def _remove(part: Path) -> None:
    for suffix in _SUFFIXES:
        part.with_name(part.name + suffix).unlink(missing_ok=True)
