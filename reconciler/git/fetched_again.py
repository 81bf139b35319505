"""What if the mirror has lost something that is to be released? All of it is fetched again, and it is looked for there.

A version stays deployable when a disk ate its files: the turn that notes new commits does the same for what it reads.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from reconciler.errors import GitCorrupt
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack


class Unpacking:
    """Writes the files of a tree, from a mirror that is made anew where it lacks them. For several threads."""

    def __init__(self, objects: Objects, mirror: Mirror) -> None:
        self._objects = objects
        self._mirror = mirror
        self._renewing = threading.Lock()

    def unpack(self, tree_id: str, directory: Path) -> None:
        """As `unpack`. Raises GitUnreachable as well: nothing can be fetched again then."""
        try:
            unpack(self._objects, tree_id, directory)
        except GitCorrupt:
            with self._renewing:
                if not self._found(tree_id, directory):  # nobody has made it anew meanwhile
                    self._objects.close()
                    self._mirror.renew()
                    _clear(directory)
                    unpack(self._objects, tree_id, directory)

    def _found(self, tree_id: str, directory: Path) -> bool:
        _clear(directory)
        try:
            unpack(self._objects, tree_id, directory)
        except GitCorrupt:
            return False
        return True


def _clear(directory: Path) -> None:
    for left in directory.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
