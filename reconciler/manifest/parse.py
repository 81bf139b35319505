"""What does a file declare, and what is wrong with it, all at once and with its place?

Values come from `text`, judgement from `judging`; here both become declarations and complaints. Files are not read
here, and other manifests play no part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reconciler.manifest.complaints import Complaint, Severity
from reconciler.manifest.judging import judge, named
from reconciler.manifest.kinds import Manifest
from reconciler.manifest.places import Places
from reconciler.manifest.problems import Problem
from reconciler.manifest.text import Reading, read
from reconciler.manifest.walk import Document

MOST_COMPLAINTS = 100
_FAMILY = "reconciler/"
_SIGNS = tuple(_FAMILY.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Declaration:
    """A manifest that was accepted: what one document of a file declares.

    `ordinal` counts the documents of the file from 0; `document` is the manifest as JSON has it, which `decode`
    makes into the same manifest again.
    """

    kind: str
    name: str
    path: str
    ordinal: int
    manifest: Manifest
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a file.

    `foreign` counts its documents that are no manifests; a file without any sign of a manifest counts as one.
    `broken` has kind and name, as far as they are readable, of documents that were not accepted.
    """

    declarations: tuple[Declaration, ...]
    foreign: int
    complaints: tuple[Complaint, ...]
    broken: tuple[tuple[str, str], ...] = ()


def parse(path: str, text: bytes) -> Parsed:
    """Every declaration and every complaint of a file; complaints in order of place. Raises nothing.

    A file in which `reconciler/` does not occur is left alone, whatever it holds. Documents that were accepted are
    declared although others of the file are broken; whether they then count is for the caller to say.
    """
    if not any(sign in text for sign in _SIGNS):
        return Parsed((), int(bool(text.strip())), ())
    file = _File(path, read(text))
    for document in file.reading.documents:
        file.take(document)
    return file.parsed()


@dataclass
class _File:
    """One file while it is looked at."""

    path: str
    reading: Reading
    declarations: list[Declaration] = field(default_factory=list)
    foreign: int = 0
    complaints: list[Complaint] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def places(self) -> Places:
        return Places(self.reading)

    def parsed(self) -> Parsed:
        if fault := self.reading.fault:
            self._complain(self.places.place(fault.index), fault.message, fault.remedy)
        return Parsed(tuple(self.declarations), self.foreign, self._bounded(), tuple(self.broken))

    def take(self, document: Document) -> None:
        value = document.value
        if value is None and not document.faults:
            return
        version = value.get("apiVersion") if isinstance(value, dict) else None
        if not isinstance(version, str) or not version.startswith(_FAMILY):
            self.foreign += 1
            self._look_for_misspelt(document)
            return
        kind, name = named(value)
        if len(self.complaints) > MOST_COMPLAINTS and self.broken:
            # Nobody reads on, and a hostile file could make it last.
            self.broken.append((kind, name))
            return
        manifest, problems = judge(document, self.path, lambda at: self.places.raw(document.ordinal, at))
        if problems or document.faults:
            self._place(document, problems)
        if manifest is None or document.faults or any(problem.severity == "error" for problem in problems):
            self.broken.append((kind, name))
        else:
            self.declarations.append(Declaration(kind, name, self.path, document.ordinal, manifest, value))

    def _place(self, document: Document, problems: list[Problem]) -> None:
        """Complain about a document; where YAML itself is wrong, what follows from that is not said again."""
        taken: set[tuple[int, int]] = set()
        for fault in document.faults[: MOST_COMPLAINTS + 1]:
            place = self.places.place(fault.index)
            taken.add(place)
            self._complain(place, fault.message, fault.remedy)
        for problem in sorted(problems, key=lambda problem: problem.severity)[: MOST_COMPLAINTS + 1]:
            place = self.places.find(document.ordinal, problem.field, problem.at_key)
            if place not in taken:
                self._complain(place, problem.message, problem.remedy, problem.severity)

    def _look_for_misspelt(self, document: Document) -> None:
        value = document.value if isinstance(document.value, dict) else {}
        for key, version in value.items():
            plain = key.replace("_", "").replace("-", "").casefold()
            if plain == "apiversion" and isinstance(version, str) and version.startswith(_FAMILY):
                place = self.places.find(document.ordinal, (key,), at_key=True)
                self._complain(place, f"the key {key[:60]} is not known here", "did you mean apiVersion?")

    def _complain(self, place: tuple[int, int], message: str, remedy: str, severity: Severity = "error") -> None:
        self.complaints.append(Complaint(self.path, *place, message, remedy, severity))

    def _bounded(self) -> tuple[Complaint, ...]:
        found = sorted(set(self.complaints))
        if len(found) <= MOST_COMPLAINTS:
            return tuple(found)
        last = found[MOST_COMPLAINTS]
        message = f"there are more than {MOST_COMPLAINTS} complaints about this file"
        # Whoever looks for errors has to find one if there is one among those left out.
        worst: Severity = min(complaint.severity for complaint in found[MOST_COMPLAINTS:])
        more = Complaint(self.path, last.line, last.column, message, "correct these first", worst)
        return (*found[:MOST_COMPLAINTS], more)
