"""Which rows say where something else runs than a deployment left?"""

from sqlalchemy import Column, String, Table, Text

from reconciler.store.tables.schema import metadata
from reconciler.store.types import Moment

drifts = Table(
    "drifts",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("deployment", String(40), nullable=False),  # which left something else: with a newer one, this is past
    Column("since", Moment, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)
