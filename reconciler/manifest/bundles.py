"""Which files are content, since a manifest names a directory above them as its bundle?

Content declares nothing, so what it would name counts for nothing either: a manifest in a bundle takes no other file
out of force. Nothing is read here; what each file names is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from reconciler.manifest.paths import ancestors


def content_among(named: Mapping[str, Collection[str]], taken: Collection[str] = ()) -> set[str]:
    """Those of the files that are content.

    `named` has for each file the directories that it names as bundles, none of which it lies in itself; `taken` are
    directories that other manifests name. Where manifests take each other out in a circle, the one nearest to the
    root stands, and of several the first by path.
    """
    directories = {directory for several in named.values() for directory in several}
    if directories.isdisjoint(above for path in named for above in ancestors(path)) and not taken:
        return set()
    return _Sorting(named, directories, set(taken)).content()


class _Sorting:
    """Files that are content or stand, as far as that is known."""

    def __init__(self, named: Mapping[str, Collection[str]], directories: set[str], taken: set[str]) -> None:
        self._named = named
        self._is_content: dict[str, bool] = {}
        self._namers = Counter(directory for several in named.values() for directory in set(several))
        self._below: dict[str, list[str]] = defaultdict(list)
        self._above: dict[str, int] = {}
        """How many directories above a file may still turn out to be bundles."""
        self._known: list[tuple[str, bool]] = []
        for path in named:
            above = ancestors(path)
            within = [directory for directory in above if directory in directories]
            for directory in within:
                self._below[directory].append(path)
            self._above[path] = len(within)
            if not taken.isdisjoint(above):
                self._known.append((path, True))
            elif not within:
                self._known.append((path, False))

    def content(self) -> set[str]:
        """All that are content."""
        self._follow()
        if len(self._is_content) < len(self._named):
            # A circle: one of them has to be the first.
            for path in sorted(self._named, key=lambda path: (path.count("/"), path)):
                self._known.append((path, False))
                self._follow()
        return {path for path, is_content in self._is_content.items() if is_content}

    def _follow(self) -> None:
        """Everything that follows from what is known."""
        while self._known:
            path, is_content = self._known.pop()
            if path in self._is_content:
                continue
            self._is_content[path] = is_content
            for directory in set(self._named[path]):
                self._named_no_more(directory) if is_content else self._named_for_sure(directory)

    def _named_for_sure(self, directory: str) -> None:
        self._known += [(path, True) for path in self._below.pop(directory, ())]

    def _named_no_more(self, directory: str) -> None:
        self._namers[directory] -= 1
        for path in self._below.get(directory, ()) if not self._namers[directory] else ():
            self._above[path] -= 1
            if not self._above[path]:
                self._known.append((path, False))
