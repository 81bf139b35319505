"""Is the store at the present schema, and how is an older one brought there?"""

from pathlib import Path

from sqlalchemy import Connection, exc, inspect

from reconciler.errors import StoreError, StoreRefuses
from reconciler.store import rights, tables
from reconciler.store.database import Database

HEAD = "0011"
"""The newest migration: a store that is there needs no look at the others (and no import of Alembic)."""
_NO_TABLE = "42P01"
_MIGRATIONS = Path(__file__).parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The migration that a store is at; None for an empty one."""
    try:
        found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except exc.DBAPIError as error:
        connection.rollback()
        if getattr(error.orig, "sqlstate", None) not in (None, _NO_TABLE):
            raise  # PostgreSQL has more to say than that: no right to it, for instance
        return None
    return found


def tables_there(connection: Connection) -> set[str]:
    """The names of the tables of a store, whichever schema it is at. Raises StoreError where it cannot be read."""
    return set(inspect(connection).get_table_names())


def known_revisions() -> frozenset[str]:
    """Every migration that a store can be at and be brought up to date from."""
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())


def migrate(database: Database) -> None:
    """Bring a store to the present schema. Raises StoreError for one that a newer reconciler has written, StoreRefuses
    where a new one cannot be in this database."""
    with database.read() as connection:
        found = revision(connection)
        if found is None:
            refuse_lesser_encoding(connection)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with database.write() as transaction:
            config.attributes["connection"] = transaction.connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the store is at the unknown migration {found}: a newer reconciler has written it",
            "run that version, or restore an older backup",
        ) from error


def refuse_lesser_encoding(connection: Connection) -> None:
    """Raise StoreRefuses in a database in which the first name or message with other letters would stop everything."""
    lesser = None if connection.dialect.name == "sqlite" else rights.lesser_encoding(connection)
    if lesser is not None:
        raise StoreRefuses(
            f"the database at {connection.engine.url.render_as_string()} was made with the encoding {lesser}, which "
            "lacks most letters",
            "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it in state.url",
        )


def create_fresh(database: Database) -> None:
    """The present schema in an empty store that is thrown away afterwards."""
    with database.write() as transaction:
        tables.metadata.create_all(transaction.connection)
