"""What do these files of a repository declare, and what is wrong with them?

Blobs are read from git and parsed; nothing here knows what was declared before, or what follows from it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import ManifestError
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change, TooLarge
from reconciler.manifest import (
    LONGEST_PATH,
    Complaint,
    Declaration,
    below,
    fits,
    is_manifest_file,
    parse,
    under,
)
from reconciler.model.app import App
from reconciler.model.sets import AppSet
from reconciler.model.version import canonical
from reconciler.words import plain

LARGEST = 1 << 20
REGULAR = {"100644", "100755"}
_SHOWN = 200
"""So many characters of a path that is too long; others may begin alike."""


Manifests = Mapping[tuple[str, int, str], App]
"""Apps by the path, the ordinal and the name of their declaration, as far as they have been read just now."""


@dataclass(slots=True)
class Files:
    """What reading the changed files gave."""

    sound: dict[str, tuple[str, tuple[Declaration, ...]]] = field(default_factory=dict)
    broken: dict[str, tuple[str, list[Complaint]]] = field(default_factory=dict)
    binary: dict[str, str] = field(default_factory=dict)
    """Files that are no text, with their blobs."""
    gone: set[str] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        """All of them."""
        return [*self.sound, *self.gone, *self.broken]


def complaint_row(found: Complaint) -> dict[str, Any]:
    """A complaint as it is stored and shown."""
    return {
        "path": found.path,
        "line": found.line,
        "column": found.column,
        "message": found.message,
        "remedy": found.remedy,
        "severity": found.severity,
    }


def clean_name(path: str) -> bool:
    """Whether a path is readable text, UTF-8 without control characters, and no longer than a key of the store."""
    return path.isprintable() and fits(path)  # lone surrogates, which bytes that are no UTF-8 become, do not print


def named(path: str) -> str:
    """The name under which a file is recorded and shown: what does not print is spelled out, what is long cut short."""
    if clean_name(path):
        return path
    said = path if path.isprintable() else plain(path.replace("\\", "\\\\"))
    if fits(said):
        return said
    return f"{said[:_SHOWN]}…{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def is_candidate(change: Change, root: str) -> bool:
    """Whether a change may be one of a manifest; `root` is the followed path, '' for everything."""
    return (
        is_manifest_file(change.path)
        and under(change.path, root)
        and "160000" not in (change.new_mode, change.old_mode)
    )


def read(objects: Objects, wanted: Mapping[str, Change]) -> Files:
    """Read and parse the files that are wanted, by path, as the changes left them. Raises GitCorrupt."""
    files = Files()
    readable: list[Change] = []
    for path, change in wanted.items():
        key = named(path)
        if change.kind == "D":
            files.gone.add(key)
        elif key != path:
            files.broken[key] = (change.new_id, [_misnamed(key, path)])
        elif change.new_mode not in REGULAR:
            files.broken[key] = (
                change.new_id,
                [complaint(key, "it is a link", "put the manifest itself here")],
            )
        else:
            readable.append(change)
    blobs = objects.blobs((change.new_id for change in readable), LARGEST)
    for change, (_, data) in zip(readable, blobs, strict=True):
        _take(files, change.path, change.new_id, data)
    return files


def _take(files: Files, path: str, blob: str, data: object) -> None:
    if isinstance(data, TooLarge):
        size = f"the file has {data.size} bytes, more than a manifest may have ({LARGEST})"
        files.broken[path] = (blob, [complaint(path, size, "split it")])
        return
    if not isinstance(data, bytes):
        files.broken[path] = (blob, [complaint(path, "git does not have the file", "fetch again")])
        return
    parsed = parse(path, data)
    errors = [found for found in parsed.complaints if found.severity == "error"]
    if errors:
        files.broken[path] = (blob, list(parsed.complaints))
    elif parsed.declarations:
        files.sound[path] = (blob, parsed.declarations)
    elif b"\0" in data:
        files.binary[path] = blob
    else:
        files.gone.add(path)


def complaint(path: str, message: str, remedy: str) -> Complaint:
    """A complaint about a whole file."""
    return Complaint(path=path, line=1, column=1, message=message, remedy=remedy)


def _misnamed(key: str, path: str) -> Complaint:
    if path.isprintable():
        return complaint(key, f"the file's path has more than {LONGEST_PATH} bytes", "move it nearer to the root")
    return complaint(key, "the file's name is not plain UTF-8 text", "rename it")


def bundle_of(app: App, path: str, base: str) -> str | None:
    """The directory that an app names as its bundle, if it names one.

    `path` is the file that declares it, itself or by a set, `base` the directory that its bundle is relative to.
    """
    if app.spec.bundle is None:
        return None
    with suppress(ManifestError):
        directory = below(base, app.spec.bundle)
        # A bundle that holds its own manifest is complained about: it must not take its neighbours out of git.
        if not under(path, directory):
            return directory
    return None


def apps_of(path: str, several: Iterable[Declaration]) -> Manifests:
    """The apps that a file declares."""
    return {(path, one.ordinal, one.name): one.manifest for one in several if isinstance(one.manifest, App)}


@dataclass(slots=True)
class Piece:
    """What reading some of the files of a first commit gave, ready to be written down, and quick to hand over."""

    files: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the sound files."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Rows of what they declare; documents as their canonical texts."""
    broken: dict[str, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    left: list[Change] = field(default_factory=list)
    """Files that hold a set: what it makes depends on the tree."""
    manifests: dict[tuple[str, int, str], App] = field(default_factory=dict)
    """`Manifests` of them: for who reads them where they are asked for, and not handed over."""


def piece(objects: Objects, changes: Iterable[Change]) -> Piece:
    """Read some of the files of a first commit: nothing was declared before. Raises GitCorrupt."""
    wanted = {change.path: change for change in changes}
    files, found = read(objects, wanted), Piece()
    found.broken = {path: (blob, [complaint_row(one) for one in said]) for path, (blob, said) in files.broken.items()}
    for path, (blob, several) in files.sound.items():
        if any(isinstance(one.manifest, AppSet) for one in several):
            found.left.append(wanted[path])
            continue
        found.files.append({"path": path, "blob": blob, "complaints": None})
        found.manifests |= apps_of(path, several)
        found.rows += _rows(path, several)
    return found


def _rows(path: str, several: Iterable[Declaration]) -> Iterable[dict[str, Any]]:
    base = path.rpartition("/")[0]
    once = {(one.ordinal, one.kind, one.name): one for one in reversed(list(several))}
    for (ordinal, kind, name), one in once.items():
        bundle = bundle_of(one.manifest, path, base) if isinstance(one.manifest, App) else None
        yield row_of(path, ordinal, kind, name, canonical(one.document), base, bundle)


def row_of(
    path: str, ordinal: int, kind: str, name: str, document: str, base: str, bundle: str | None
) -> dict[str, Any]:
    """What a file declares as a row, the document as its canonical text."""
    return {
        "path": path,
        "ordinal": ordinal,
        "kind": kind,
        "name": name,
        "document": document,
        "base": base,
        "bundle": bundle,
    }
