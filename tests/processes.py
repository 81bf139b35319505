"""Which processes carry deployments out beside a daemon, and which were left behind? Looked up where Linux tells it."""

from __future__ import annotations

from pathlib import Path

BESIDE = b"reconciler.engine.apart"


def beside(place: Path) -> set[int]:
    """Those that work on this data directory and live, whoever began them."""
    return {pid for pid, words in _commands() if BESIDE in words and str(place).encode() in words}


def dead_children(parent: int) -> set[int]:
    """Those that have ended and that this process has not asked about."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may hold anything; then come the state and the parent.
            state, above = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(above) == parent:
            found.add(int(file.parent.name))
    return found


def _commands() -> list[tuple[int, list[bytes]]]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append((int(file.parent.name), file.read_bytes().split(b"\0")))
        except OSError:  # it has just ended
            continue
    return found
