"""May what is to be recorded be written? Asked without writing, of a PostgreSQL server."""

from sqlalchemy import Connection, text

from reconciler.store.tables.schema import metadata

_READS_ONLY = text("SELECT pg_is_in_recovery()")
_MAY = text(
    "SELECT has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE')"
    " AND has_table_privilege(name, 'DELETE') FROM (SELECT CAST(:name AS text) AS name) AS one"
)


def reads_only(connection: Connection) -> bool:
    """Whether the server follows another one, and takes nothing."""
    return bool(connection.execute(_READS_ONLY).scalar())


def lacking(connection: Connection) -> list[str]:
    """The tables that the user may not change, in order."""
    names = sorted(metadata.tables)
    return [name for name in names if not connection.execute(_MAY, {"name": f'"{name}"'}).scalar()]
