"""Which commits were noted, and what did each of them touch?

Backs the search for the commit that another one reverts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, select, text, update

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.declared import chunks
from reconciler.store.statements import Among, Prepared

C = tables.commits.c
T = tables.touches.c
ENOUGH = 50

MENDED = "mended"
"""How it looks that a commit broke an app's manifest which another one mended without any other change."""
_ADD = Prepared(tables.commits.insert())
_ADD_TOUCHES = Prepared(tables.touches.insert())
_HERE = (T.app == bindparam("in_app")) & (T.environment == bindparam("in_environment"))
_PUBLISHED_AT = Prepared(
    select(func.max(T.position)).where(
        T.app == bindparam("in_app"), T.environment == "", T.after == bindparam("version")
    )
)
_PUBLISHED_BETWEEN = Prepared(
    select(T.after).where(
        T.app == bindparam("in_app"),
        T.environment == "",
        T.position >= bindparam("first"),
        T.position < bindparam("beyond"),
    )
)
_EARLIER = tables.touches.alias("earlier").c
_WITH_CONTENT = (
    select(func.coalesce(func.max(_EARLIER.position), -1))
    .where(_EARLIER.app == T.app, _EARLIER.environment == "", _EARLIER.after.is_not(None))
    .correlate(tables.touches)
    .scalar_subquery()
)
_MEND = update(tables.touches).where(T.environment == "", T.look == "changed", T.position > _WITH_CONTENT)
_MENDED = Among(_MEND.values(look=MENDED), T.app)
_KNOWN_MERGED = Among(select(tables.merged.c.id), tables.merged.c.id)
_WITHDRAW = Prepared(tables.withdrawals.insert())
_ASK_AGAIN = Among(delete(tables.withdrawals), tables.withdrawals.c.version)
_RELEASE = update(tables.touches).where(_HERE, T.braked, T.before.is_not_distinct_from(bindparam("as_before")))
# Said as its index says it: `braked = 1`, as SQLAlchemy writes it for SQLite, does not fit.
_ANY_BRAKED = Prepared(select(exists().select_from(tables.touches).where(text("touches.braked"))))
_RELEASE_BRAKE = Prepared(_RELEASE.values(braked=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A commit that was noted, or was brought in by one that was; `position` is its place on the branch."""

    id: str
    position: int
    subject: str
    direction: str | None


_SUBJECTS = Among(
    select(C.id, C.subject, C.author_name, C.author_email, C.pull_request, C.committed_at),
    C.id,
)
_WRITERS = Among(select(C.id, C.writers), C.id)


def note(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Record commits."""
    _ADD.each(transaction.connection, rows)


def note_merged(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Record commits that merges brought in; one that came twice keeps its first place."""
    if not rows:
        return
    ids = [row["id"] for row in rows]
    known = {one for part in chunks(ids) for one in _KNOWN_MERGED.run(transaction.connection, part).scalars()}
    fresh = {row["id"]: row for row in rows if row["id"] not in known}
    if fresh:
        transaction.connection.execute(tables.merged.insert(), list(fresh.values()))


def merges(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these commits that brought others in."""
    brought = exists().where(tables.merged.c.position == C.position)
    return {row.id for row in connection.execute(select(C.id).where(C.id.in_(list(ids)), brought))}


def note_touches(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Record what a commit changed."""
    _ADD_TOUCHES.each(transaction.connection, rows)


def mended(transaction: Transaction, apps: Sequence[str]) -> None:
    """These apps were held, and ask for the same content as before that: what commits did to them meanwhile came to
    nothing."""
    if apps:
        _MENDED.change(transaction.connection, apps)


def _on_branch(connection: Connection, where: Any) -> list[Noted]:
    query = select(C.id, C.position, C.subject, C.direction).where(where).order_by(C.position.desc()).limit(ENOUGH)
    return [
        Noted(id=r.id, position=r.position, subject=r.subject, direction=r.direction) for r in connection.execute(query)
    ]


def _brought_in(connection: Connection, where: Any) -> list[Noted]:
    m = tables.merged.c
    query = (
        select(m.id, m.position, m.subject, C.direction)
        .join_from(tables.merged, tables.commits, C.position == m.position)
        .where(where)
        .order_by(m.position.desc())
        .limit(ENOUGH)
    )
    return [
        Noted(id=r.id, position=r.position, subject=r.subject, direction=r.direction) for r in connection.execute(query)
    ]


def by_id_prefix(connection: Connection, prefix: str) -> list[Noted]:
    """Commits whose id begins like this, the newest first; those on the branch before those that merges brought in."""
    upper = prefix + "g"  # ids are hexadecimal: everything that begins with the prefix sorts before this
    found = _on_branch(connection, (C.id >= prefix) & (C.id < upper))
    return found or _brought_in(connection, (tables.merged.c.id >= prefix) & (tables.merged.c.id < upper))


def by_pull_request(connection: Connection, number: int) -> list[Noted]:
    """Commits that a pull request of this number became, the newest first."""
    return _on_branch(connection, C.pull_request == number) or _brought_in(
        connection, tables.merged.c.pull_request == number
    )


def by_title_prefix(connection: Connection, title: str) -> list[Noted]:
    """Commits whose subject begins like this, the newest first."""
    upper = title + "\U0010ffff"
    found = _on_branch(connection, (C.subject >= title) & (C.subject < upper))
    return found or _brought_in(connection, (tables.merged.c.subject >= title) & (tables.merged.c.subject < upper))


def at_position(connection: Connection, position: int) -> Any:
    """The commit at a place on the branch."""
    return connection.execute(select(tables.commits).where(C.position == position)).one_or_none()


def touched_by(connection: Connection, positions: Iterable[int]) -> dict[int, dict[tuple[str, str], str | None]]:
    """What the commits at these places changed, and what stood there before."""
    found: dict[int, dict[tuple[str, str], str | None]] = {position: {} for position in positions}
    for row in connection.execute(select(tables.touches).where(T.position.in_(list(found)))):
        found[row.position][row.app, row.environment] = row.before
    return found


def published_at(connection: Connection, app: str, version: str) -> int | None:
    """The newest place at which an app's content became this version."""
    found = _PUBLISHED_AT.run(connection, in_app=app, version=version).scalar()
    return None if found is None else int(found)


def look(connection: Connection, app: str, version: str) -> str | None:
    """As what the newest commit that published a version did so: `new`, `reverted` and so on; None for none."""
    query = select(T.look).where(T.app == app, T.environment == "", T.after == version)
    found: str | None = connection.execute(query.order_by(T.position.desc()).limit(1)).scalar()
    return found


def of_content(connection: Connection, app: str, after: int, upto: int, most: int) -> list[Row[Any]]:
    """The commits that changed an app's content behind one place and up to another, the newest first."""
    query = select(C.id, C.subject, C.author_name, C.author_email, C.committed_at)
    query = query.join_from(tables.touches, tables.commits, T.position == C.position)
    query = query.where(T.app == app, T.environment == "", T.position > after, T.position <= upto, T.look != MENDED)
    return list(connection.execute(query.order_by(T.position.desc()).limit(most)))


def withdrawals(connection: Connection) -> dict[str, Row[Any]]:
    """Every version that was taken back, by id, with what says so."""
    return {row.version: row for row in connection.execute(select(tables.withdrawals))}


def withdrawal(connection: Connection, version: str) -> Any | None:
    """Which commit took a version back, and what that reverts; None where none did."""
    w = tables.withdrawals.c
    return connection.execute(select(w.commit, w.reverts).where(w.version == version)).one_or_none()


def published_between(connection: Connection, app: str, first: int, before: int) -> set[str]:
    """Versions that commits from `first` to just before `before` published."""
    found = _PUBLISHED_BETWEEN.run(connection, in_app=app, first=first, beyond=before).scalars()
    return {version for version in found if version}


def withdraw(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Record that versions were taken back; the newest revert's word counts."""
    if rows:
        for part in chunks(row["version"] for row in rows):
            _ASK_AGAIN.change(transaction.connection, part)
        _WITHDRAW.each(transaction.connection, rows)


def ask_again(transaction: Transaction, versions: Iterable[str]) -> None:
    """A later ordinary commit asks for these again: they are no longer withdrawn."""
    for part in chunks(versions):
        _ASK_AGAIN.change(transaction.connection, part)


def brake(transaction: Transaction, position: int, commit: str, changed: int, recorded: int) -> None:
    """A commit changes too much at once: what it changed waits."""
    values = {"position": position, "commit": commit, "changed": changed, "recorded": recorded}
    transaction.connection.execute(tables.brakes.insert().values(**values))


def acknowledge(transaction: Transaction, commit: str, count: int) -> list[str]:
    """Release what commits of up to `count` changes braked; the apps that may move again."""
    b = tables.brakes
    connection = transaction.connection
    open_brakes = select(b.c.position).where(b.c.acknowledged_by.is_(None), b.c.changed <= count)
    positions = list(connection.execute(open_brakes).scalars())
    if not positions:
        return []
    connection.execute(update(b).where(b.c.position.in_(positions)).values(acknowledged_by=commit))
    apps = connection.execute(select(T.app).distinct().where(T.position.in_(positions), T.braked)).scalars().all()
    connection.execute(update(tables.touches).where(T.position.in_(positions)).values(braked=False))
    return list(apps)


def any_braked(connection: Connection) -> bool:
    """Whether anything waits for an acknowledgement: mostly nothing does."""
    return bool(_ANY_BRAKED.run(connection).scalar())


def release_brake(transaction: Transaction, app: str, environment: str, after: str | None) -> None:
    """What a braked commit changed is back as it was before: nothing is left to acknowledge for it."""
    _RELEASE_BRAKE.change(transaction.connection, in_app=app, in_environment=environment, as_before=after)


def release_brakes(transaction: Transaction, app: str, environment: str, of: Sequence[str] | None = None) -> None:
    """Nothing that was changed there waits any longer, or nothing that these commits changed."""
    here = (T.app == app) & (T.environment == environment) & T.braked
    query = update(tables.touches).where(here).values(braked=False)
    if of is not None:
        query = query.where(T.position.in_(select(C.position).where(C.id.in_(of))))
    transaction.connection.execute(query)


def writers(connection: Connection, ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Addresses of all who wrote what each of these commits brings in, in lower case."""
    return {row.id: frozenset(row.writers or ()) for row in _WRITERS.run(connection, ids)}


def subjects(connection: Connection, ids: Iterable[str]) -> dict[str, Any]:
    """The rows of commits on the branch, by id, for whoever shows what was released."""
    # In order, so that the same commits are the same question.
    return {row.id: row for part in chunks(sorted(set(ids))) for row in _SUBJECTS.run(connection, part)}
