"""Which other files does a commit concern, since directories became bundles with it, or are bundles no more?

A manifest that came to lie in a bundle is content from then on, whichever of the two came first; what lies in a
directory that nobody names any more is a manifest again. Either may name or free further directories: it is looked
on until nothing follows, at what these directories hold and at nothing else.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.expanding import Made, rows_of
from reconciler.engine.reading import Files, clean_name, is_candidate, named, read
from reconciler.git.shapes import Change
from reconciler.manifest import ancestors, content_among
from reconciler.store import manifest_files, written


@dataclass(frozen=True, slots=True)
class Reread:
    """What the files declare that a commit concerns."""

    rows: list[dict[str, Any]]
    """Of the sound files."""
    before: list[Any]
    """Rows of what the files declared until now."""
    made: list[Made]
    """What sets make now whose files are not among them."""


def reread(
    connection: Connection,
    arrival: Arrival,
    files: Files,
    sets: Sequence[Made],
    root: str,
    namers: dict[str, set[str]],
) -> Reread:
    """Add to the changed files those that the commit concerns besides, and take from them what is content.

    `sets` are those in other files that make other apps now; `root` is the followed path; `namers` has the files that
    name a directory as it is recorded, for directories that this is known of already. Raises GitCorrupt.
    """
    looking = _Looking(connection, arrival, files, root, namers)
    for one in sets:
        looking.made.setdefault(one.path, []).append(one)
    looking.take(chain(files.paths, looking.made))
    while looking.goes_on():
        pass
    for path in looking.content:
        files.sound.pop(path, None)
        files.broken.pop(path, None)
        files.gone.add(path)
    settled = set(files.paths)
    return Reread(
        rows=[row for path in files.sound for row in looking.rows[path]],
        before=[row for path in settled for row in looking.before.get(path, ())],
        made=[one for one in sets if one.path not in settled or one.path in files.broken],
    )


@dataclass(slots=True)
class _Looking:
    """What is known so far of the files that are concerned, and of directories that others name."""

    connection: Connection
    arrival: Arrival
    files: Files
    root: str
    namers: dict[str, set[str]]
    """Files that name a directory as it is recorded, by directory, as far as that was asked for."""
    made: dict[str, list[Made]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What sound files declare now."""
    before: dict[str, list[Any]] = field(default_factory=dict)
    """What the files that are concerned declared until now, also nothing."""
    content: set[str] = field(default_factory=set)
    searched: set[str] = field(default_factory=set)
    """Directories of which it is known what is recorded below."""
    listed: dict[str, list[Change]] = field(default_factory=dict)

    def take(self, paths: Iterable[str]) -> None:
        """These files are concerned too."""
        fresh = [path for path in dict.fromkeys(paths) if path not in self.before]
        self.before |= {path: [] for path in fresh}
        for row in written.in_files(self.connection, fresh):
            self.before[row.path].append(row)
        for path in fresh:
            if path in self.files.sound:
                _, several = self.files.sound[path]
                self.rows[path] = list(rows_of(path, several, self.arrival, self.root))

    def goes_on(self) -> bool:
        """Whether a further look found more files that are concerned; if not, it is known which of them are content."""
        names = {path: self._names(path) for path in self.before}
        was = {row.bundle for rows in self.before.values() for row in rows if row.bundle is not None}
        now = {directory for several in names.values() for directory in several}
        if found := self._recorded_below(now - was - self.searched):
            self.take(found)
            return True
        self.content = content_among(names, self._named_by_others(ancestors_of(names)))
        standing = {directory for path, several in names.items() if path not in self.content for directory in several}
        if found := self._free_below(was - standing, standing):
            self.take(found)
            return True
        return False

    def _names(self, path: str) -> set[str]:
        """The directories that a file names as bundles now; a broken one names what it declared before."""
        if path in self.files.gone:
            return set()
        if path in self.files.sound:
            return {row["bundle"] for row in self.rows[path]} - {None}
        anew = {one.ordinal for one in self.made.get(path, ())}
        kept = {row.bundle for row in self.before[path] if not (row.kind == "App" and row.ordinal in anew)}
        return (kept | {row["bundle"] for one in self.made.get(path, ()) for row in one.rows}) - {None}

    def _recorded_below(self, directories: set[str]) -> list[str]:
        """Files that are recorded as manifests in directories that were named just now."""
        self.searched |= directories
        found = (manifest_files.below(self.connection, directory) for directory in sorted(directories))
        return [path for path in chain.from_iterable(found) if path not in self.before]

    def _named_by_others(self, directories: Iterable[str]) -> set[str]:
        """Those of the directories that a manifest names that is not concerned."""
        wanted = [one for one in directories if one not in self.namers and one and clean_name(one)]
        self.namers |= {directory: set() for directory in wanted}
        for row in manifest_files.naming(self.connection, wanted):
            self.namers[row.bundle].add(row.path)
        # One file after the other: to take all that are concerned from each set would be the square of their number.
        return {one for one in directories if any(path not in self.before for path in self.namers.get(one, ()))}

    def _free_below(self, freed: set[str], standing: Collection[str]) -> list[str]:
        """Read what lies in directories that are named no more, as far as it is no content for another reason."""
        freed = freed - self._named_by_others(freed)
        below = [change for directory in sorted(freed) for change in self._listed(directory)]
        unread = {change.path: change for change in below if named(change.path) not in self.before}
        bundles = {*standing, *self._named_by_others(ancestors_of(unread))}
        again = read(
            self.arrival.objects,
            {path: change for path, change in unread.items() if bundles.isdisjoint(ancestors(path))},
        )
        self.files.sound |= again.sound
        self.files.broken |= again.broken
        self.files.gone |= {*again.gone, *again.binary}
        return [*again.paths, *again.binary]

    def _listed(self, directory: str) -> list[Change]:
        """What may hold manifests below a directory, as if it were new."""
        if directory not in self.listed:
            entries = self.arrival.objects.tree(self.arrival.commit.tree, directory)
            changes = (Change(e.path, "000000", e.mode, "0" * 40, e.id, "A") for e in entries if e.type == "blob")
            self.listed[directory] = [change for change in changes if is_candidate(change, self.root)]
        return self.listed[directory]


def ancestors_of(paths: Iterable[str]) -> set[str]:
    """The directories that any of the paths lies in."""
    return {directory for path in paths for directory in ancestors(path)}
