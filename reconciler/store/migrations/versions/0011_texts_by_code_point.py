"""Texts are compared by code point, whatever language PostgreSQL's database was made for."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine.interfaces import ReflectedColumn

revision = "0011"
down_revision = "0010"
TABLES = (
    "announced",
    "approvals",
    "apps",
    "brakes",
    "checks",
    "commits",
    "declarations",
    "deliveries",
    "dependencies",
    "deployments",
    "drifts",
    "files",
    "forge_records",
    "holds",
    "interventions",
    "ledger",
    "merged",
    "messages",
    "notices",
    "notified",
    "obstacles",
    "occurrences",
    "overrides",
    "placements",
    "reports",
    "repository",
    "requests",
    "seals",
    "sessions",
    "signatures",
    "starts",
    "suspicions",
    "tokens",
    "touches",
    "triggers",
    "versions",
    "webhooks",
    "withdrawals",
    # Last, since each stays locked until all are done: daemons that live on with an older version show it here.
    "daemons",
    "leadership",
)


def upgrade() -> None:
    """Give every text PostgreSQL's collation C; SQLite knows no other order.

    All texts of a table at once: its rows stay as they are, and each of its indexes is made anew once.
    """
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    found = sa.inspect(connection).get_multi_columns(filter_names=TABLES)
    for table in TABLES:
        if changes := ", ".join(_changes(found[None, table])):
            op.execute(f'ALTER TABLE "{table}" {changes}')


def _changes(columns: Iterable[ReflectedColumn]) -> Iterable[str]:
    for column in columns:
        kind = column["type"]
        if isinstance(kind, sa.String):
            length = f"VARCHAR({kind.length})" if kind.length else "TEXT"
            yield f'ALTER COLUMN "{column["name"]}" TYPE {length} COLLATE "C"'
