"""Which records of deployments does the forge have, and how does a commit fare in an environment?"""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, select

from reconciler.store import tables
from reconciler.store.database import Transaction

_R, _D, _C = tables.records.c, tables.deployments.c, tables.commits.c


def number_of(connection: Connection, deployment: str) -> int | None:
    """The number of a deployment's record at the forge; None where it has none, as far as is known."""
    found: int | None = connection.scalar(select(_R.number).where(_R.deployment == deployment))
    return found


def numbers(connection: Connection, app: str, environment: str) -> frozenset[int]:
    """The numbers of the newest records of an app in an environment."""
    query = select(_R.number).join_from(tables.records, tables.deployments, _D.id == _R.deployment)
    query = query.where(_D.app == app, _D.environment == environment).order_by(_D.number.desc()).limit(100)
    return frozenset(connection.scalars(query))


def remember(transaction: Transaction, deployment: str, number: int, now: datetime) -> None:
    """This is the number of a deployment's record."""
    values = {"deployment": deployment, "number": number, "at": now}
    transaction.connection.execute(tables.records.insert().values(**values))


def standing(connection: Connection, commit: str, environment: str) -> Counter[str]:
    """How many apps that this commit deployed in an environment have which status, by the newest of each."""
    noted = connection.scalar(select(_C.noted_at).where(_C.id == commit).limit(1))
    query = select(_D.app, _D.status).where(_D.environment == environment, _D.commit == commit)
    if noted is not None:
        query = query.where(_D.created_at >= noted)
    newest = {row.app: row.status for row in connection.execute(query.order_by(_D.sequence))}
    return Counter(newest.values())
