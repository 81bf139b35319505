"""How do two versions of an app differ, by section and file, and who changed what?

Code is compared by git, everything else by value. Whoever changed a key is found by going through the versions that lie
between the two, each of which knows its commit and author.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from reconciler.errors import GitError
from reconciler.git.objects import Objects
from reconciler.git.patches import FilePatch, file_diff, is_there, trees_diff, trees_files
from reconciler.model.comparison import (
    SECTIONS,
    ChangedBy,
    Code,
    Comparison,
    Edit,
    FileChange,
    Section,
    end_of,
)
from reconciler.model.version import Version, canonical
from reconciler.store import versions

FURTHEST = 200
"""So many versions between the two are looked through, the newest ones, for who changed what."""
MOST_FILES = 2_000


def compared(connection: Connection, before: Version, after: Version, mirror: Path) -> Comparison:
    """Compare two versions of one app; the code in the mirror, which may not be there."""
    way = _way(connection, before, after)
    pairs = {name: (_values(name, before), _values(name, after)) for name in SECTIONS}
    sections = {name: _section(was, becomes) for name, (was, becomes) in pairs.items()}
    return Comparison(
        app=before.app,
        before=end_of(before),
        after=end_of(after),
        code=_code(before, after, mirror, way),
        **sections,
        changed_by={name: found for name in SECTIONS if (found := _by(name, sections[name], way))},
    )


def whole(before: Version, after: Version, change: FileChange, mirror: Path) -> str | None:
    """What became of one file, with every line that is the same; None where git cannot tell."""
    paths = [change.path, *([change.before] if change.before else [])]
    return file_diff(before.bundle, after.bundle, paths, mirror)[0] or None


def _way(connection: Connection, one: Version, other: Version) -> list[Version]:
    """From the older one to the newer one, as they were published."""
    older, newer = sorted((one, other), key=lambda version: version.number)
    return versions.between(connection, one.app, older.number, newer.number, FURTHEST)


def _values(section: str, version: Version) -> Mapping[str, Any]:
    match section:
        case "config":
            return version.config
        case "bindings":
            return {one.name: f"{one.type} {one.resource}" for one in version.bindings}
        case "secrets":
            return {one.name: one.source for one in version.secrets}
        case "migrations":
            return {name: name for name in version.migrations}
        case "image":
            return {"image": version.image} if version.image else {}
        case _:
            return {"name": version.name} if version.name else {}


def _section(was: Mapping[str, Any], becomes: Mapping[str, Any]) -> Section:
    return Section(
        added={key: becomes[key] for key in sorted(becomes.keys() - was.keys())},
        deleted={key: was[key] for key in sorted(was.keys() - becomes.keys())},
        changed={
            key: Edit(before=was[key], after=becomes[key])
            for key in sorted(was.keys() & becomes.keys())
            if canonical(was[key]) != canonical(becomes[key])
        },
    )


def _by(section: str, differs: Section, way: Sequence[Version]) -> dict[str, ChangedBy]:
    """Who changed each key last."""
    found: dict[str, ChangedBy] = {}
    for older, newer in pairwise(way):
        step = _section(_values(section, older), _values(section, newer))
        for key in (*step.added, *step.deleted, *step.changed):
            found[key] = _who(newer)
    return {key: found[key] for key in sorted((*differs.added, *differs.deleted, *differs.changed)) if key in found}


def _who(version: Version) -> ChangedBy:
    return ChangedBy(
        name=version.author.name,
        email=version.author.email,
        commit=version.commit,
        version=version.id,
        number=version.number,
        at=version.created_at,
    )


def _code(before: Version, after: Version, mirror: Path, way: Sequence[Version]) -> Code:
    diff, cut = trees_diff(before.bundle, after.bundle, mirror)
    files = trees_files(before.bundle, after.bundle, mirror)[:MOST_FILES] if diff else ()
    writers = _writers(files, mirror, way) if files else {}
    return Code(
        before=before.bundle,
        after=after.bundle,
        diff=diff,
        cut=cut,
        missing=_missing(before, after, mirror) if diff is None else None,
        files=tuple(_file(one, writers) for one in files),
    )


def _file(one: FilePatch, writers: Mapping[str, Sequence[ChangedBy]]) -> FileChange:
    by = {who.version: who for path in (one.path, one.before) if path for who in writers.get(path, ())}
    return FileChange(
        path=_shown(one.path),
        kind=one.kind,
        before=_shown(one.before) if one.before else None,
        added=one.added,
        deleted=one.deleted,
        by=tuple(sorted(by.values(), key=lambda who: who.number)),
    )


def _shown(path: str) -> str:
    """A path that need not be UTF-8 in git, as a text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _writers(files: Sequence[FilePatch], mirror: Path, way: Sequence[Version]) -> dict[str, list[ChangedBy]]:
    """Everybody who changed one of these files on the way, by its path."""
    wanted = {path for one in files for path in (one.path, one.before) if path}
    found: dict[str, list[ChangedBy]] = {}
    with Objects(mirror) as objects:
        for newer, paths in _steps(objects, way):
            for path in paths & wanted:
                found.setdefault(path, []).append(_who(newer))
    return found


def _steps(objects: Objects, way: Sequence[Version]) -> Iterator[tuple[Version, set[str]]]:
    """The files that each version changed; those whose content the mirror does not have any more are passed over."""
    for older, newer in pairwise(way):
        if newer.bundle is None or older.bundle == newer.bundle:
            continue
        try:
            yield newer, {change.path for change in objects.diff(older.bundle, newer.bundle)}
        except GitError:
            continue


def _missing(before: Version, after: Version, mirror: Path) -> str:
    by_hand = f"`git diff {before.commit[:10]} {after.commit[:10]}` in a clone that has both commits shows it"
    if not is_there(mirror):
        return f"there is no mirror in the data directory; `reconciler run --once` fetches it again, or {by_hand}"
    return f"the mirror does not have the content of both, perhaps since the branch was rewritten; {by_hand}"
