"""What does git declare at the commit in force: files, manifests, apps, and where each app is placed?

Kept in the store, so that a restart parses nothing and memory does not grow with the repository.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Text, bindparam, delete, func, select, type_coerce, update

from reconciler.model.canonical import canonical
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.names import Names
from reconciler.store.statements import Among, Prepared

A = tables.apps.c
D = tables.declarations.c
P = tables.placements.c
F = tables.files.c
N = tables.dependencies.c
_Value = TypeVar("_Value")
CHUNK = 500

# Statements of every turn are made once: making one costs more than carrying it out.
_OF_KIND = select(D.name, D.document).where(D.kind == bindparam("of_kind"))
_OF_KIND = _OF_KIND.order_by(D.path.desc(), D.ordinal.desc())
_ALL_OF_KIND = Prepared(_OF_KIND)
_TEXTS = select(D.name, type_coerce(D.document, Text).label("text")).where(D.kind == bindparam("of_kind"))
_TEXTS_OF_KIND = Prepared(_TEXTS.order_by(D.path.desc(), D.ordinal.desc()))
_TEXTS_OF = select(D.kind, D.name, type_coerce(D.document, Text).label("text"))
_TEXTS_OF_KINDS = Among(_TEXTS_OF.order_by(D.path.desc(), D.ordinal.desc()), D.kind)
_OF_KIND_NAMED = Among(_OF_KIND, D.name)
_IN_FILES = Among(select(tables.declarations), D.path)
_NAMED = select(tables.declarations).where(D.kind == bindparam("of_kind")).order_by(D.path, D.ordinal)
_NAMED_SO = Among(_NAMED, D.name)
_FORGET_DECLARATIONS = Among(delete(tables.declarations), D.path)
_FORGET_FILES = Among(delete(tables.files), F.path)
_ADD_FILES = Prepared(tables.files.insert())
_ADD_DECLARATIONS = Prepared(tables.declarations.insert())
_ADD_TEXTS = Prepared(tables.declarations.insert().values(document=bindparam("document", type_=Text)))
_CHANGE_FILES = Prepared(
    update(tables.files)
    .where(F.path == bindparam("its_path"))
    .values(blob=bindparam("its_blob"), complaints=bindparam("its_complaints", type_=F.complaints.type))
)
_CHANGE_DECLARATIONS = Prepared(
    update(tables.declarations)
    .where(
        D.path == bindparam("its_path"),
        D.ordinal == bindparam("its_ordinal"),
        D.kind == bindparam("its_kind"),
        D.name == bindparam("its_name"),
    )
    .values(
        document=bindparam("its_document", type_=D.document.type),
        base=bindparam("its_base"),
        bundle=bindparam("its_bundle"),
    )
)
_APPS = Among(select(tables.apps), A.name)
_DEPENDENTS = Among(select(N.app), N.on)
_DEPENDS_ON = Among(select(tables.dependencies), N.app)
_CHANGE_APP = Prepared(update(tables.apps).where(A.name == bindparam("its_name")))
_FORGET_DEPENDENCIES = Among(delete(tables.dependencies), N.app)
_ADD_APPS = Prepared(tables.apps.insert())
_ADD_DEPENDENCIES = Prepared(tables.dependencies.insert())
_ADD_PLACEMENTS = Prepared(tables.placements.insert())
_FORGET_PLACEMENTS = Among(delete(tables.placements).where(P.environment == bindparam("there")), P.app)
_PLACEMENTS = Among(select(tables.placements), P.app)
_AFTER = Prepared(select(A.name).where(A.name > bindparam("after")).order_by(A.name).limit(bindparam("most")))


def chunks(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """The values in pieces that a statement's parameters can hold."""
    wanted = list(values)
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


def documents(connection: Connection, kind: str, names: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Manifests of a kind by name; of one name declared twice, the first by path counts."""
    if names is None:
        return {row.name: row.document for row in _ALL_OF_KIND.run(connection, of_kind=kind)}
    found: dict[str, dict[str, Any]] = {}
    for part in chunks(names):
        rows = _OF_KIND_NAMED.run(connection, part, of_kind=kind)
        found.update({row.name: row.document for row in rows})
    return found


def texts(connection: Connection, kind: str) -> dict[str, str]:
    """Manifests of a kind by name, as their canonical texts; of one name declared twice, the first by path counts."""
    return {row.name: row.text for row in _TEXTS_OF_KIND.run(connection, of_kind=kind)}


def texts_of(connection: Connection, kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    """Manifests of several kinds by kind and name, as their canonical texts; of one declared twice, the first."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for row in _TEXTS_OF_KINDS.run(connection, kinds):
        found[row.kind][row.name] = row.text
    return found


def in_files(connection: Connection, paths: Iterable[str]) -> list[Any]:
    """Rows of what these files declare: path, ordinal, kind, name, document, base, and the bundle that an app names."""
    return [row for part in chunks(paths) for row in _IN_FILES.run(connection, part)]


def of_kind(connection: Connection, kind: str) -> list[Any]:
    """Rows of every declaration of a kind, in order of path."""
    query = select(tables.declarations).where(D.kind == kind).order_by(D.path, D.ordinal)
    return list(connection.execute(query))


def named(connection: Connection, kind: str, names: Iterable[str]) -> dict[str, list[Any]]:
    """Rows of the declarations of each name of a kind, in order of place."""
    found: dict[str, list[Any]] = {}
    for part in chunks(names):
        for row in _NAMED_SO.run(connection, part, of_kind=kind):
            found.setdefault(row.name, []).append(row)
    return found


def replace_files(
    transaction: Transaction,
    paths: Iterable[str],
    files: Sequence[dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    before: Iterable[Any] = (),
) -> None:
    """What these files declare now, in place of what they declared.

    `before` are rows of what they declared, where the caller has read them: a file that declares the same things in
    another state is changed in its place, which touches a fraction of what removing and adding it does.
    """
    connection = transaction.connection
    same = _declaring_the_same(before, rows)
    for part in chunks(path for path in paths if path not in same):
        _FORGET_DECLARATIONS.change(connection, part)
        _FORGET_FILES.change(connection, part)
    _CHANGE_FILES.each(connection, [{"its_" + k: v for k, v in row.items()} for row in files if row["path"] in same])
    _CHANGE_DECLARATIONS.each(
        connection, [{"its_" + k: v for k, v in row.items()} for row in rows if row["path"] in same]
    )
    _ADD_FILES.each(connection, [row for row in files if row["path"] not in same])
    _ADD_DECLARATIONS.each(connection, [row for row in rows if row["path"] not in same])


def add_read(transaction: Transaction, files: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> None:
    """What files declare that declared nothing before; documents are given as their canonical texts."""
    _ADD_FILES.each(transaction.connection, files)
    _ADD_TEXTS.each(transaction.connection, rows)


def _declaring_the_same(before: Iterable[Any], rows: Iterable[dict[str, Any]]) -> set[str]:
    """Files that declare things of the same kinds and names in the same places as before."""
    old: dict[str, set[tuple[int, str, str]]] = {}
    new: dict[str, set[tuple[int, str, str]]] = {}
    for row in before:
        old.setdefault(row.path, set()).add((row.ordinal, row.kind, row.name))
    for now in rows if old else ():
        new.setdefault(now["path"], set()).add((now["ordinal"], now["kind"], now["name"]))
    return {path for path, things in new.items() if old.get(path) == things}


def apps(connection: Connection, names: Iterable[str]) -> dict[str, Any]:
    """Rows of apps by name."""
    return {row.name: row for part in chunks(names) for row in _APPS.run(connection, part)}


def app_names(connection: Connection) -> list[str]:
    """Every app that git declares, in order."""
    return list(connection.execute(select(A.name).where(A.removed.is_(False)).order_by(A.name)).scalars())


def known_names(connection: Connection) -> Names:
    """Every app that git has ever declared, in order, also those that left it."""
    return Names(connection)


def apps_with_labels(connection: Connection, labels: Mapping[str, str]) -> list[str]:
    """Apps that carry all of these labels."""
    wanted = labels.items()
    # Documents are canonical texts: what a text does not hold need not be read as JSON.
    written = [f"{canonical(key)}:{canonical(value)}" for key, value in wanted]
    holds = [type_coerce(A.document, Text).contains(part, autoescape=True) for part in written]
    rows = connection.execute(select(A.name, A.document).where(A.removed.is_(False), *holds))
    return [row.name for row in rows if wanted <= row.document["metadata"].get("labels", {}).items()]


def apps_complaining(connection: Connection) -> list[str]:
    """Apps that are held by a complaint."""
    return list(connection.execute(select(A.name).where(A.complaints.is_not(None))).scalars())


def apps_with_a_moment(connection: Connection, environment: str) -> list[str]:
    """Apps placed in an environment whose plan can be another one at some moment that is known."""
    query = select(tables.placements.c.app).join(tables.apps, tables.apps.c.name == tables.placements.c.app)
    here = (tables.placements.c.environment == environment, tables.apps.c.due_at.is_not(None))
    return list(connection.scalars(query.where(*here)))


def apps_binding(connection: Connection, resource: str) -> list[str]:
    """Apps that may be bound to a resource, by the text of their manifests."""
    return list(
        connection.execute(
            select(A.name).where(type_coerce(A.document, Text).contains(f'"resource":"{resource}"', autoescape=True))
        ).scalars()
    )


def replace_made(transaction: Transaction, path: str, ordinal: int, rows: Sequence[dict[str, Any]]) -> set[str]:
    """What an AppSet makes now, in place of what it made; names of the apps that came, went or stayed."""
    made = (D.path == path) & (D.ordinal == ordinal) & (D.kind == "App")
    connection = transaction.connection
    before = set(connection.execute(select(D.name).where(made)).scalars())
    connection.execute(delete(tables.declarations).where(made))
    _ADD_DECLARATIONS.each(connection, rows)
    return before | {row["name"] for row in rows}


def apps_in(connection: Connection, environment: str) -> list[str]:
    """Apps that are placed in an environment, also those that left git."""
    return list(connection.execute(select(P.app).where(P.environment == environment)).scalars())


def dependents(connection: Connection, names: Iterable[str]) -> set[str]:
    """Apps that depend on one of these."""
    return {app for part in chunks(names) for app in _DEPENDENTS.run(connection, part).scalars()}


def depends_on(connection: Connection, names: Iterable[str]) -> dict[str, list[str]]:
    """What each of these apps depends on."""
    found: dict[str, list[str]] = {}
    for part in chunks(names):
        for row in _DEPENDS_ON.run(connection, part):
            found.setdefault(row.app, []).append(row.on)
    return found


def replace_apps(
    transaction: Transaction,
    rows: Sequence[dict[str, Any]],
    depends: Mapping[str, Sequence[str]],
    before: Mapping[str, Any],
) -> None:
    """Record apps as they are declared now; `before` are the rows of those that are recorded, by name, as
    `written.apps` has them.

    Only what is another now is written: an index that holds none of it stays as it is.
    """
    connection = transaction.connection
    changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        old = before.get(row["name"])
        changed = {name: value for name, value in row.items() if old is not None and getattr(old, name) != value}
        if changed:
            changes.setdefault(tuple(changed), []).append({**changed, "its_name": row["name"]})
    for several in changes.values():
        _CHANGE_APP.each(connection, several)
    _ADD_APPS.each(connection, [row for row in rows if row["name"] not in before])
    for part in chunks(row["name"] for row in rows if row["name"] in before and before[row["name"]].depends):
        _FORGET_DEPENDENCIES.change(connection, part)
    pairs = [{"app": app, "on": on} for app, others in depends.items() for on in dict.fromkeys(others)]
    _ADD_DEPENDENCIES.each(connection, pairs)


def placements(connection: Connection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Rows of placements by app and environment."""
    found: dict[str, dict[str, Any]] = {}
    for part in chunks(names):
        for row in _PLACEMENTS.run(connection, part):
            found.setdefault(row.app, {})[row.environment] = row
    return found


def replace_placements(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Record placements as they are now."""
    connection = transaction.connection
    by_environment: dict[str, list[str]] = {}
    for row in rows:
        by_environment.setdefault(row["environment"], []).append(row["app"])
    for environment, names in by_environment.items():
        for part in chunks(names):
            _FORGET_PLACEMENTS.change(connection, part, there=environment)
    _ADD_PLACEMENTS.each(connection, rows)


def placed(connection: Connection) -> int:
    """How many (app, environment) pairs git declares."""
    return int(connection.execute(select(func.count()).select_from(tables.placements).where(P.declared)).scalar() or 0)


def placed_in(connection: Connection) -> dict[str, int]:
    """How many apps git places in each environment."""
    query = select(P.environment, func.count()).where(P.declared).group_by(P.environment)
    return {name: int(count) for name, count in connection.execute(query)}


def names_after(connection: Connection, after: str, limit: int) -> list[str]:
    """The next apps behind a name, also those that left git."""
    return _AFTER.run(connection, after=after, most=limit).scalars()
