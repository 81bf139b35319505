"""Which rows say where something else runs than a deployment left?"""

from sqlalchemy import Column, Table

from reconciler.store.tables.schema import metadata
from reconciler.store.types import TEXT, Moment, letters

drifts = Table(
    "drifts",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("deployment", letters(40), nullable=False),  # which left something else: with a newer one, this is past
    Column("since", Moment, nullable=False),
    Column("detail", TEXT, nullable=False),
    sqlite_with_rowid=False,
)
