"""Does a reconciler run on a data directory? It holds a lock there for as long as it lives, however it ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from reconciler.errors import NotSo, StoreError

LOCK = "daemon.lock"
# A process that was killed while it started git leaves the lock to that child for the moment until git takes over,
# and whoever asks whether one runs holds it for a moment too.
TRIES, PAUSE = 20, 0.05


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Nobody else runs on this data directory; the lock goes with the process. Raises NotSo when somebody does."""
    with _held(place / LOCK, f"another reconciler runs on the data directory {place}", "use another directory"):
        yield


@contextmanager
def alone_on(file: Path | None) -> Iterator[None]:
    """Nobody else writes to this file of a store; None: the store has no file. Raises NotSo when somebody does."""
    if file is None:
        yield
        return
    said = f"another reconciler uses the store {file}, and a file has one at a time"
    whole = file.resolve()  # whichever link leads there
    lock = whole.with_name(f"{whole.name}.lock")
    try:
        lock.touch()
    except OSError as error:
        raise StoreError(
            f"the store {file} cannot be written: {error.strerror}",
            "see to the rights on the file and its directory, and to the space there",
        ) from error
    with _held(lock, said, "several daemons share a store on PostgreSQL"):
        yield


@contextmanager
def _held(path: Path, said: str, otherwise: str) -> Iterator[None]:
    with path.open("a") as lock:
        tries = TRIES
        while not _locked(lock, fcntl.LOCK_EX):
            tries -= 1
            if not tries:
                raise NotSo(said, f"stop it first, or {otherwise}")
            time.sleep(PAUSE)
        yield


def somebody_runs(place: Path) -> bool:
    """Whether a reconciler runs on this data directory now. Asks for a shared lock, which gets in nobody's way."""
    try:
        with (place / LOCK).open("rb") as lock:
            return not _locked(lock, fcntl.LOCK_SH)
    except OSError:
        return False


def _locked(lock: IO[str] | IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
