"""What if the mirror has lost something that is to be read? All of it is fetched again, and it is looked for there.

A version stays deployable, and what goes back can be written to git, when a disk ate its files: the turn that notes new
commits does the same for what it reads.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reconciler.errors import GitCorrupt
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack

_Found = TypeVar("_Found")


class FetchedAgain:
    """Reads a mirror that is made anew where it turns out to be damaged. For several threads."""

    def __init__(self, objects: Objects, mirror: Mirror) -> None:
        self._objects = objects
        self._mirror = mirror
        self._renewing = threading.Lock()

    @property
    def git_dir(self) -> Path:
        """Where the mirror lies."""
        return self._mirror.git_dir

    def read(self, what: Callable[[], _Found]) -> _Found:
        """What this finds; it is called again, twice at most, where it raises GitCorrupt.

        Raises what it raises, and GitUnreachable: nothing can be fetched again then.
        """
        try:
            return what()
        except GitCorrupt:
            with self._renewing:
                try:
                    return what()  # somebody may have made it anew meanwhile
                except GitCorrupt:
                    self._objects.close()
                    self._mirror.renew()
                    return what()

    def unpack(self, tree_id: str, directory: Path) -> None:
        """As `unpack`, and raises GitUnreachable as `read` does."""
        begun = False

        def write() -> None:
            nonlocal begun
            if begun:
                _clear(directory)
            begun = True
            unpack(self._objects, tree_id, directory)

        self.read(write)


def _clear(directory: Path) -> None:
    for left in directory.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
