"""May and can what is to be recorded be written? Asked without writing, of a PostgreSQL server."""

from sqlalchemy import Connection, text

from reconciler.store.tables.schema import metadata

_READS_ONLY = text("SELECT pg_is_in_recovery()")
_ENCODING = text("SHOW server_encoding")
_EVERY_LETTER = ("UTF8", "SQL_ASCII")  # the latter keeps the bytes that it is given, and those are UTF-8
_MAY = text(
    "SELECT has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE')"
    " AND has_table_privilege(name, 'DELETE') FROM (SELECT CAST(:name AS text) AS name) AS one"
)


def reads_only(connection: Connection) -> bool:
    """Whether the server follows another one, and takes nothing."""
    return bool(connection.execute(_READS_ONLY).scalar())


def lesser_encoding(connection: Connection) -> str | None:
    """The encoding that the database was made with, where it lacks letters that git has."""
    found: str = connection.execute(_ENCODING).scalar_one()
    return None if found in _EVERY_LETTER else found


def lacking(connection: Connection) -> list[str]:
    """The tables that the user may not change, in order."""
    names = sorted(metadata.tables)
    return [name for name in names if not connection.execute(_MAY, {"name": f'"{name}"'}).scalar()]
