"""Which processes run, which of them carry deployments out beside a daemon, and which were left behind? Looked up where
Linux tells it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

BESIDE = b"reconciler.engine.apart"


def beside(place: Path) -> set[int]:
    """Those that work on this data directory and live, whoever began them."""
    return {pid for pid, words in _commands() if BESIDE in words and str(place).encode() in words}


def runs(process: int) -> bool:
    """Whether a process is there and is more than a zombie that nobody has asked after."""
    try:
        return _state_and_parent(process)[0] != "Z"
    except OSError:
        return False


def dead_children(parent: int) -> set[int]:
    """Those that have ended and that this process has not asked about."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        process = int(place.name)
        with suppress(OSError):  # it has just been asked about
            if _state_and_parent(process) == ("Z", parent):
                found.add(process)
    return found


def _state_and_parent(process: int) -> tuple[str, int]:
    # The name stands in parentheses and may hold anything; then come the state and the parent.
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return words[0], int(words[1])


def _commands() -> list[tuple[int, list[bytes]]]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append((int(file.parent.name), file.read_bytes().split(b"\0")))
        except OSError:  # it has just ended
            continue
    return found
