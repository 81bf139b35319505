"""At which line of which file is something declared?

Asked only where a person is told how to change it. Lines come from the very blobs that were noted; where those cannot
be read (no mirror yet, a file that broke meanwhile), the file alone is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reconciler.errors import ReconcilerError
from reconciler.git.objects import Objects
from reconciler.store import declared, manifest_files
from reconciler.words import plain

if TYPE_CHECKING:
    from reconciler.manifest.places import Places

LARGEST = 1 << 20
Field = tuple[str | int, ...]


@dataclass(slots=True)
class Sources:
    """The places of what is declared at the commit in force. `objects` None: lines are not known."""

    connection: Connection
    objects: Objects | None = None
    _read: dict[str, Places | None] = field(default_factory=dict)

    def place(self, kind: str, name: str, *at: str | int, key: bool = True) -> str:
        """`file:line` of a field of a manifest, or of the nearest thing around it; '' for what is not declared.

        With `key` where its key stands, else where its value does.
        """
        row = next(iter(declared.named(self.connection, kind, [name]).get(name, [])), None)
        if row is None:
            return ""
        places = self._places(row.path)
        if places is None:
            return plain(row.path)
        line, _ = places.find(row.ordinal, at, key)
        return f"{plain(row.path)}:{line}"

    def _places(self, path: str) -> Places | None:
        if path not in self._read:
            self._read[path] = self._found(path)
        return self._read[path]

    def _found(self, path: str) -> Places | None:
        # Imported with the first place that is asked for: it brings along what reads manifests.
        from reconciler.manifest.places import Places
        from reconciler.manifest.text import read

        blob = manifest_files.blobs(self.connection, [path]).get(path)
        if self.objects is None or blob is None or manifest_files.broken(self.connection, [path]):
            return None
        try:
            ((_, data),) = self.objects.blobs([blob], LARGEST)
        except ReconcilerError:
            return None  # the mirror is not what it was: the file's name has to do
        return Places(read(data)) if isinstance(data, bytes) else None
