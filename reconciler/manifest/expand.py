"""Which Apps does an AppSet stand for, given the directories that there are?

Listing directories is for those who read git. Names come from directories, so a directory may have a name that
no App can have, and two may have the same: those become no App, and `check_expand` says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from reconciler.errors import ManifestError
from reconciler.manifest.complaints import Severity
from reconciler.manifest.paths import below, matches
from reconciler.manifest.problems import Problem
from reconciler.model.app import App
from reconciler.model.metadata import Metadata
from reconciler.model.sets import AppSet
from reconciler.model.shape import NAME_PATTERN
from reconciler.words import quoted

_NAME = re.compile(NAME_PATTERN, re.ASCII)
_LONGEST = 100
_PATTERNS = ("spec", "directories")


def expand(appset: AppSet, directories: Iterable[str]) -> list[tuple[str, App]]:
    """The Apps that a set makes of those of the directories that it matches, in order of directory.

    An App has its directory's last segment as its name, and its `bundle` is relative to that directory.
    """
    matched = _matched(appset, directories)
    several = _several(matched)
    template = appset.spec.template
    return [
        (directory, App(metadata=Metadata(name=name, labels=template.metadata.labels), spec=template.spec))
        for directory, name in matched
        if name not in several and not _wrong(directory, name, template.spec.bundle)
    ]


def check_expand(appset: AppSet, directories: Iterable[str]) -> list[Problem]:
    """What keeps a matched directory from becoming an App, at the set's patterns."""
    matched = _matched(appset, directories)
    several = _several(matched)
    bundle = appset.spec.template.spec.bundle
    found: list[tuple[str, str]] = []
    for directory, name in matched:
        if wrong := _wrong(directory, name, bundle):
            found.append(wrong)
        elif name in several:
            found.append((f"the directory {quoted(directory)} gives an App {name}, as another does", "rename one"))
    found += [] if matched else [("no directory matches these patterns", "correct them, or add a directory")]
    severity: Severity = "error" if matched else "warning"
    return [Problem("AppSet", appset.name, _PATTERNS, said, remedy, severity) for said, remedy in found]


def _matched(appset: AppSet, directories: Iterable[str]) -> list[tuple[str, str]]:
    patterns = appset.spec.directories
    found = {path for path in directories if any(matches(pattern, path) for pattern in patterns)}
    return [(path, path.rpartition("/")[2]) for path in sorted(found)]


def _several(matched: list[tuple[str, str]]) -> set[str]:
    return {name for name, count in Counter(name for _, name in matched).items() if count > 1}


def _wrong(directory: str, name: str, bundle: str | None) -> tuple[str, str] | None:
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        remedy = "rename it to letters, digits, '.', '_' and '-'"
        return f"the directory {quoted(directory)} gives no name that an App can have", remedy
    if not directory.isprintable():
        return f"the directory {quoted(directory)} lies in one whose name is not plain UTF-8 text", "rename that one"
    try:
        below(directory, bundle if bundle is not None else ".")
    except ManifestError as error:
        return f"in the directory {quoted(directory)}: {error.message}", error.next_step
    return None
