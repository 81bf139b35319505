"""Small disks that run full, and places that cannot be written any more. Mounting takes the rights of root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = 112 << 20
"""Bytes of a small disk: `doctor` finds one too small that has less than 100 MB free."""

SPARE = 1 << 20
_BLOCK = 4096


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own at `place`; it is gone afterwards, with all that is in it."""
    place.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={SIZE}", "none", place)
    try:
        yield place
    finally:
        _unmount(place)


@contextmanager
def full(disk: Path) -> Iterator[Path]:
    """Nothing more can be written on this disk."""
    filler = disk / ".filler"
    left = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, left - SPARE)
        file.seek(0, os.SEEK_END)
        while True:  # until there is no room: the daemon may have taken some meanwhile
            file.write(bytes(_BLOCK))
    try:
        yield disk
    finally:
        filler.unlink()


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """Nothing below `place` can be changed by anybody who opens it now."""
    _mount("--bind", place, place)
    try:
        _mount("-o", "remount,bind,ro", place)
        yield place
    finally:
        _unmount(place)


def _mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"these tests mount file systems, which takes root: {done.stderr}"


def _unmount(place: Path) -> None:
    # Lazily: a process may look at it at this very moment.
    subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)
