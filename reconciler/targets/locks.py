"""How is a place changed by one at a time, and who holds it when it is not us?

A lock of the operating system: it ends with the process that holds it, however that ends. A process that is stopped
holds it until it goes on or is killed; nobody waits for that in here, only for what ends within a moment.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import TryAgainLater

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC

PATIENCE = 1.0
"""Seconds for which a change is waited for that takes a moment, such as of trigger settings."""
_TICK = 0.005


@contextmanager
def alone_in(folder: str, shown: str) -> Iterator[int]:
    """Keep other processes and threads out of a directory, which is open meanwhile, by the number given. Raises
    TryAgainLater when one stays in it; OSError."""
    opened = os.open(folder, _FOLDER)
    with _locked(folder, opened, shown, PATIENCE):
        yield opened


@contextmanager
def alone_with(file: str, shown: str) -> Iterator[None]:
    """Have a file to oneself, which is made for it and stays. Raises TryAgainLater at once, and OSError."""
    with _locked(file, os.open(file, _FILE, 0o644), shown):
        yield


@contextmanager
def _locked(path: str, opened: int, shown: str, patience: float = 0.0) -> Iterator[None]:
    try:
        _take(opened, shown, time.monotonic() + patience)
        if not os.path.samestat(os.fstat(opened), os.lstat(path)):
            # It was taken away and made anew in between: whoever made it may be in it.
            raise _later(shown, None)
        try:
            yield
        finally:
            # Closing alone is not enough for who does not wait at all: a process that another thread is just starting
            # has it open for a moment as well.
            if not patience:
                fcntl.flock(opened, fcntl.LOCK_UN)
    finally:
        os.close(opened)


def _take(opened: int, shown: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as wrong:
            if time.monotonic() >= until:
                raise _later(shown, _holder(opened)) from wrong
            time.sleep(_TICK)
        else:
            return


def _later(shown: str, holder: int | None) -> TryAgainLater:
    who = "another process" if holder is None else f"process {holder}"
    return TryAgainLater(f"{who} is changing {shown}", "tried again when it is done, or has been ended")


def _holder(opened: int) -> int | None:
    """The process that holds the lock, where the system tells: Linux does for those that we may know of."""
    inode = os.fstat(opened).st_ino
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as locks:
            lines = [line.split() for line in locks]
    except OSError:
        return None
    for line in lines:
        # 1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF
        if len(line) >= 6 and line[1] == "FLOCK" and line[5].rpartition(":")[2] == str(inode) and int(line[4]) > 0:
            return int(line[4])
    return None
