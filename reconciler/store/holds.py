"""Where do git and reality differ on purpose, since when, and by whose word?

A hold is a row as long as it holds; that it began and ended is in the ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, update

from reconciler.store import commits, tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

_H, _D, _C, _T, _V = tables.holds.c, tables.deployments.c, tables.commits.c, tables.touches.c, tables.versions.c
WITHOUT_BRANCH = or_(_H.branch.is_(None), _H.branch == "")
"""Some that were written down long ago have '' where no branch could be written."""
_FAR = 1_000
"""So many deployments are looked back at."""
_HOLDS = Among(select(tables.holds), _H.app)
_WITHOUT_BRANCH = Prepared(select(tables.holds).where(WITHOUT_BRANCH).order_by(_H.since, _H.app).limit(_FAR))


def of(connection: Connection, apps: Sequence[str]) -> Iterable[Row[Any]]:
    """The holds of these apps."""
    return _HOLDS.run(connection, apps)


def find(connection: Connection, app: str, environment: str) -> Row[Any] | None:
    """The hold of an app in an environment."""
    query = select(tables.holds).where(_H.app == app, _H.environment == environment)
    return connection.execute(query).one_or_none()


def hold(
    transaction: Transaction,
    app: str,
    environment: str,
    by: str,
    reason: str,
    now: datetime,
    *,
    traffic: Sequence[dict[str, Any]] = (),
    deployment: str | None = None,
    version: str | None = None,
) -> None:
    """Hold an app in an environment; a newer hold takes the place of an older one."""
    here = (_H.app == app) & (_H.environment == environment)
    transaction.connection.execute(delete(tables.holds).where(here))
    values = {"by": by, "reason": reason, "since": now, "traffic": list(traffic)}
    row = {"app": app, "environment": environment, **values, "deployment": deployment, "version": version}
    transaction.connection.execute(tables.holds.insert().values(**row))
    body = {"reason": reason, "deployment": deployment, "traffic": list(traffic)}
    transaction.note("hold.began", now, body, app=app, environment=environment, subject=deployment, actor=by)


def lift(
    transaction: Transaction, app: str, environment: str, reason: str, now: datetime, actor: str = "reconciler"
) -> bool:
    """End a hold; False when there was none."""
    here = (_H.app == app) & (_H.environment == environment)
    done = transaction.connection.execute(delete(tables.holds).where(here))
    if done.rowcount:
        transaction.note("hold.ended", now, {"reason": reason}, app=app, environment=environment, actor=actor)
    return bool(done.rowcount)


def without_branch(connection: Connection) -> list[Row[Any]]:
    """Holds whose branch is still to be written, now, `again_at` or on another head; oldest first."""
    return _WITHOUT_BRANCH.run(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an environment is left at, for what: of a hold, or of a way back that nobody has gone yet."""

    app: str
    environment: str
    deployment: str | None
    """The one that is left."""
    version: str | None
    """What of it is to be taken back."""
    traffic: Sequence[dict[str, Any]]
    """What a person goes back to; empty: what ran well last."""


def left(row: Row[Any]) -> Left:
    """What a hold left."""
    return Left(
        app=row.app, environment=row.environment, deployment=row.deployment, version=row.version, traffic=row.traffic
    )


def taken_back(connection: Connection, gone: Left) -> list[str]:
    """The commits that are to be reverted so that git says the same, newest first; none where no commit did it.

    That which changed the environment's own entry, where the deployment that was left came of it; else that which
    published the version. What a person named to go back to may lie further back: then those in between as well.
    """
    of_it = connection.execute(select(_D.commit).where(_D.id == gone.deployment)).scalar()
    entry = _touched(connection, gone.app, gone.environment, _C.id == of_it)
    if entry is not None:
        return _since(connection, gone, gone.environment, entry, _entry_before(connection, gone))
    if gone.version is None:
        return []
    published = _touched(connection, gone.app, "", _T.after == gone.version)
    if published is None:
        known = connection.execute(select(_V.commit).where(_V.id == gone.version)).scalar()
        return [known] if known else []
    return _since(connection, gone, "", published, _content_before(connection, gone))


def _touched(connection: Connection, app: str, environment: str, where: ColumnElement[bool]) -> int | None:
    """The newest place at which such a commit touched this."""
    query = select(_T.position).join_from(tables.touches, tables.commits, _T.position == _C.position)
    here = (_T.app == app) & (_T.environment == environment)
    found: int | None = connection.scalar(query.where(here, where).order_by(_T.position.desc()).limit(1))
    return found


def _content_before(connection: Connection, gone: Left) -> int | None:
    stays = [part["version"] for part in gone.traffic]
    return _touched(connection, gone.app, "", _T.after.in_(stays)) if stays else None


def _entry_before(connection: Connection, gone: Left) -> int | None:
    """Where the entry asked for what a person went back to: at the commit of the newest deployment of it."""
    query = select(_D.commit, _D.traffic).where(_D.app == gone.app, _D.environment == gone.environment)
    query = query.where(_D.status == "completed", _D.id != gone.deployment).order_by(_D.number.desc()).limit(_FAR)
    for found in connection.execute(query) if gone.traffic else ():
        if found.traffic == gone.traffic:
            return connection.scalar(select(_C.position).where(_C.id == found.commit))
    return None


def _since(connection: Connection, gone: Left, environment: str, last: int, before: int | None) -> list[str]:
    first = last if before is None or before >= last else before + 1
    query = select(_C.id).join_from(tables.touches, tables.commits, _T.position == _C.position)
    query = query.where(_T.app == gone.app, _T.environment == environment, _T.position.between(first, last))
    query = query.where(_T.look != commits.MENDED)
    return list(connection.execute(query.order_by(_T.position.desc())).scalars())


def also_touched(connection: Connection, several: Sequence[str], app: str) -> list[str]:
    """The other apps that these commits changed."""
    query = select(_T.app).distinct().join_from(tables.touches, tables.commits, _T.position == _C.position)
    found = connection.execute(query.where(_C.id.in_(several), _T.app.not_in(["", app])).order_by(_T.app))
    return list(found.scalars())


def wrote_branch(transaction: Transaction, row: Row[Any], branch: str, commit: str, now: datetime) -> bool:
    """The commit that makes git say the same lies on a branch; False where this hold has ended meanwhile."""
    values = {"branch": branch, "branch_commit": commit, "trouble": None, "again_at": None}
    done = transaction.connection.execute(update(tables.holds).where(_same(row)).values(**values))
    if done.rowcount:
        body = {"branch": branch, "commit": commit}
        transaction.note("hold.branch", now, body, app=row.app, environment=row.environment, subject=commit)
    return bool(done.rowcount)


def branch_failed(
    transaction: Transaction, row: Row[Any], trouble: str, again_at: datetime | None, now: datetime
) -> None:
    """The branch could not be written: why, and when it is tried again (None: not before the head has moved)."""
    values: dict[str, Any] = {"trouble": trouble, "again_at": again_at}
    done = transaction.connection.execute(update(tables.holds).where(_same(row)).values(**values))
    if done.rowcount and trouble != row.trouble:
        transaction.note("hold.trouble", now, {"message": trouble}, app=row.app, environment=row.environment)


def _same(row: Row[Any]) -> ColumnElement[bool]:
    """The very hold that was looked at: a newer one may have taken its place."""
    same_wish = and_(_H.since == row.since, _H.deployment.is_not_distinct_from(row.deployment))
    return and_(_H.app == row.app, _H.environment == row.environment, same_wish)
