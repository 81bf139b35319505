"""What does each concerned app ask for at this commit, and is it sound?

Turns declarations and bundle trees into content digests and environment entries, or complaints that hold the
app. What a change means is asked in `intake`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json
from sqlalchemy import Connection

from reconciler.engine.commit import Arrival
from reconciler.engine.reading import Manifests, complaint_row
from reconciler.errors import ManifestError
from reconciler.git.shapes import LINK
from reconciler.manifest import Complaint, Known, Problem, ancestors, bundle_directory, check_app, locate, shared
from reconciler.model.app import App
from reconciler.model.entry import EnvironmentEntry
from reconciler.model.version import Content, Version, canonical, content_of, digest
from reconciler.store import declared, manifest_files, versions, written
from reconciler.views.scene import APP, declared_environments, in_order

ENTRY = TypeAdapter(EnvironmentEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an app asks for at this commit."""

    name: str
    row: Mapping[str, Any]
    """Its row in the store as it is to be; its content stays as it was where the app is held."""
    before: Any | None
    """Its row as it was."""
    content: Content | None
    """None where the app is held or has left git."""
    entries: Mapping[str, str]
    """Digest of each environment's own entry."""
    depends_on: tuple[str, ...] = ()
    """What its manifest names, also where it is held: that very app may be what it lacks."""

    @property
    def held(self) -> bool:
        """Whether a complaint keeps it as it is."""
        return self.row["complaints"] is not None

    @property
    def removed(self) -> bool:
        """Whether it has left git."""
        return bool(self.row["removed"])


def ask(connection: Connection, arrival: Arrival, names: Iterable[str], manifests: Manifests) -> list[Asked]:
    """What the named apps ask for, and those that depend on one of them that came or left, in order of name."""
    wanted = sorted(names)
    rows = written.named(connection, "App", wanted)
    before = written.apps(connection, wanted)
    # At the very first commit every app is asked anyway, with all the others declared.
    if not arrival.first and (others := _depending(connection, wanted, rows, before)):
        rows |= written.named(connection, "App", others)
        before |= written.apps(connection, others)
        wanted = sorted({*wanted, *others})
    sound = {path for path, _, _ in manifests}
    broken = manifest_files.broken(connection, {row.path for several in rows.values() for row in several} - sound)
    apps = {name: _manifest(name, several[0], manifests) for name, several in rows.items()}
    around = _surroundings(connection, apps.values(), broken)
    found: list[Asked] = []
    for name in wanted:
        old = before.get(name)
        if name in apps:
            found.append(_declared(arrival, apps[name], rows[name], old, around))
        elif old is not None and not old.removed:
            found.append(_removed(name, old))
    return found


def _manifest(name: str, row: Any, manifests: Manifests) -> App:
    return manifests.get((row.path, row.ordinal, name)) or APP.validate_python(from_json(row.document))


def _depending(
    connection: Connection, names: Iterable[str], rows: Mapping[str, list[Any]], before: Mapping[str, Any]
) -> set[str]:
    """Apps that depend on one of these that came or left: they are held without it, and go on once it is there."""
    there = {name for name, old in before.items() if not old.removed}
    moved = [name for name in names if (name in rows) != (name in there)]
    return declared.dependents(connection, moved) - set(names) if moved else set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What the apps that are asked about refer to, and what they share: read once for all of them."""

    broken: Mapping[str, list[dict[str, Any]]]
    """Complaints of files that are broken, by path."""
    known: Known
    sharing: Mapping[str, Problem]
    """By app, what is said of the first two targets that are in each other's way where it is placed."""
    targets: Mapping[str, Any]
    """Rows of the Environments that hold those targets, by name."""
    names: Mapping[tuple[str, str], Version]
    """What the version names of these apps mean already, by app and name."""


def _surroundings(connection: Connection, apps: Iterable[App], broken: Mapping[str, list[dict[str, Any]]]) -> _Around:
    environments = declared_environments(connection)
    several = [*apps]
    others = {name for app in several for name in app.spec.depends_on}
    resources = {binding.resource for app in several for binding in app.spec.bindings}
    bound = declared.named(connection, "Resource", resources)
    both = shared(in_order(environments))
    sharing = {app.name: one for app in several if (one := next((s.problem for s in both if s.concerns(app)), None))}
    targets = declared.named(connection, "Environment", {one.name for one in sharing.values()})
    return _Around(
        broken=broken,
        known=Known(
            environments=environments,
            is_app=declared.named(connection, "App", others).__contains__,
            resource={name: rows[0].document["spec"]["type"] for name, rows in bound.items()}.get,
        ),
        sharing=sharing,
        targets={name: rows[0] for name, rows in targets.items()},
        names=versions.named(connection, [(a.name, a.spec.version) for a in several if a.spec.version is not None]),
    )


def _removed(name: str, old: Any) -> Asked:
    row = {
        **_carried(old),
        "name": name,
        "removed": True,
        "content": None,
        "complaints": None,
        "due_at": None,
    }
    return Asked(name=name, row=row, before=old, content=None, entries={})


def _carried(old: Any | None) -> dict[str, Any]:
    if old is None:
        return {"content": None, "tree": None, "bundle": None}
    keys = ("path", "ordinal", "document", "bundle", "tree", "content")
    return {key: getattr(old, key) for key in keys}


def _declared(arrival: Arrival, app: App, several: list[Any], old: Any | None, around: _Around) -> Asked:
    row, name = several[0], app.name
    place = _Place(arrival, row)
    complaints = list(around.broken.get(row.path, []))
    bundle, tree = None, None
    if not complaints:
        complaints = [complaint_row(found) for found in _duplicates(place, name, several)]
        bundle, tree, wrong = _bundle(app, place, old)
        complaints += [complaint_row(found) for found in (*wrong, *_links(app, place, around.known))]
        complaints += [complaint_row(found) for found in _sharing(arrival, app, around)]
    content = None if complaints else content_of(name, app.spec, tree)
    if content is not None and (taken := _name_taken(content, place, around)):
        complaints, content = [complaint_row(taken)], None
    base = {"name": name, "path": row.path, "ordinal": row.ordinal, "removed": False, "due_at": None}
    if content is None:
        kept = _carried(old) if old is not None and not old.removed else {}
        fresh = {"document": row.document, "bundle": bundle, "tree": tree, "content": None}
        # Where a sound file names its bundle, a change there is the app's, also while it is held.
        named = {"bundle": bundle, "tree": tree} if bundle is not None else {}
        return Asked(
            name=name,
            row={**fresh, **kept, **named, **base, "complaints": complaints},
            before=old,
            content=None,
            entries={},
            depends_on=app.spec.depends_on,
        )
    sound = {
        "document": row.document,
        "bundle": bundle,
        "tree": tree,
        "content": digest(content),
        "complaints": None,
    }
    return Asked(
        name=name,
        row={**base, **sound},
        before=old,
        content=content,
        entries={environment: _entry(entry) for environment, entry in app.spec.environments.items()},
        depends_on=app.spec.depends_on,
    )


def _entry(entry: EnvironmentEntry) -> str:
    dumped = ENTRY.dump_python(entry, mode="json", exclude_defaults=True)
    return hashlib.sha256(canonical(dumped).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an app is declared, for complaints: line and column are looked up only when there is one."""

    arrival: Arrival
    row: Any

    def complaint(self, field: tuple[str | int, ...], message: str, remedy: str, *, at_key: bool = False) -> Complaint:
        line, column = 1, 1
        entry = self.arrival.lookup(self.row.path)
        if entry is not None:
            (_, data), *_ = self.arrival.objects.blobs([entry.id])
            if isinstance(data, bytes):
                line, column = locate(data, self.row.ordinal, field, at_key)
        return Complaint(path=self.row.path, line=line, column=column, message=message, remedy=remedy)


def _duplicates(place: _Place, name: str, several: list[Any]) -> list[Complaint]:
    if len(several) < 2:
        return []
    others = ", ".join(sorted({row.path for row in several[1:]}))
    return [
        place.complaint(
            ("metadata", "name"),
            f"the App {name} is declared twice, here and in {others}",
            "rename or remove one of them",
        )
    ]


def _bundle(app: App, place: _Place, old: Any | None) -> tuple[str | None, str | None, list[Complaint]]:
    """The bundle's directory and tree id, or why there is none."""
    if app.spec.bundle is None:
        return None, None, []
    field = ("spec", "bundle")
    base = f"{place.row.base}/-" if place.row.base else "-"
    try:
        directory = bundle_directory(base, app.spec.bundle)
    except ManifestError as error:
        return None, None, [place.complaint(field, error.message, error.next_step)]
    if not directory or place.row.path.startswith(f"{directory}/"):
        wrong = f"the bundle {app.spec.bundle} holds this manifest itself"
        return None, None, [place.complaint(field, wrong, "put the content into a directory of its own")]
    if old is not None and old.bundle == directory and old.tree and _as_it_was(place.arrival, directory, old):
        return directory, old.tree, []
    for step in [*reversed(ancestors(directory)), directory]:
        entry = place.arrival.lookup(step) if step else None
        if step and (entry is None or entry.type != "tree"):
            # Where nothing is, the whole path is told: the complaint stays right when only some of it comes.
            told = _no_directory(step if entry is not None else directory, entry)
            return directory, None, [place.complaint(field, *told)]
    found = place.arrival.lookup(directory)
    assert found is not None
    return directory, found.id, []


def _as_it_was(arrival: Arrival, directory: str, old: Any) -> bool:
    """Whether a sound app's bundle is what it was when it was last looked at, told by git's diff alone."""
    if arrival.first or old.removed or old.complaints is not None:
        return False
    return directory not in arrival.changed and arrival.replaced.isdisjoint(ancestors(directory))


def _no_directory(path: str, entry: Any | None) -> tuple[str, str]:
    if entry is None:
        return f"there is no directory {path} in this repository", "create it, or correct the bundle's path"
    if entry.mode == LINK:
        return f"{path} is a link; bundles are not followed through links", "name the directory itself"
    if entry.type == "commit":
        return (
            f"{path} is a submodule; its files are not in this repository",
            "put the files into this repository",
        )
    return f"{path} is a file, not a directory", "name the directory that holds it"


def _links(app: App, place: _Place, known: Known) -> list[Complaint]:
    problems = [problem for problem in check_app(app, known) if problem.severity == "error"]
    return [place.complaint(problem.field, problem.message, problem.remedy) for problem in problems]


def _sharing(arrival: Arrival, app: App, around: _Around) -> Iterator[Complaint]:
    """Targets that are in each other's way where the app is placed: told once, where the target is declared."""
    problem = around.sharing.get(app.name)
    if problem is not None:
        place = _Place(arrival, around.targets[problem.name])
        yield place.complaint(problem.field, problem.message, problem.remedy, at_key=problem.at_key)


def _name_taken(content: Content, place: _Place, around: _Around) -> Complaint | None:
    """One name never means two contents."""
    first = around.names.get((content.app, content.name or ""))
    if first is None or first.id == digest(content):
        return None
    return place.complaint(
        ("spec", "version"),
        f"the version name {content.name} already means other content, since {first.commit[:10]} ({first.message})",
        "give this content a new name",
    )
