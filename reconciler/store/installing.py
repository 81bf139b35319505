"""How does a store that was made beside take the place of the one that is there, whole or not at all?

In SQLite a file takes the other one's name; in PostgreSQL one transaction. What was there is never deleted: it is set
aside under another name, or in a schema of its own. Whether it may be is the command's question.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, exc, func, select, text

from reconciler.errors import NotSo, StoreError
from reconciler.store import tables
from reconciler.store.backing import durable, into_one_file, sqlite_store
from reconciler.store.copying import copy_rows
from reconciler.store.database import Database
from reconciler.store.migrate import HEAD, refuse_lesser_encoding, tables_there

_TELLING = ("commits", "versions", "deployments", "interventions")
_BESIDE = ("-wal", "-shm", "-journal")
_STAMP = "%Y%m%dT%H%M%SZ"


def holding(database: Database) -> dict[str, int]:
    """How many things of each kind a store holds that nobody wants to lose, by its table. Raises StoreError."""
    with database.read() as connection:
        there = tables_there(connection)
        counts = {
            name: connection.execute(select(func.count()).select_from(tables.metadata.tables[name])).scalar() or 0
            for name in _TELLING
            if name in there
        }
    return {name: count for name, count in counts.items() if count}


def install(made: Path, url: str, now: datetime) -> str | None:
    """Let the store in a file of its own be the store at an address; where the earlier one is now, if there was one.

    `made` lies beside the file of a SQLite store; nobody has either of them open. Raises StoreError, NotSo.
    """
    file = Database.file(url)
    if file is not None:
        return _take_the_name(made, file, now)
    target = Database(url)
    source = sqlite_store(made)
    try:
        with source.read() as reading, target.write() as transaction:
            connection = transaction.connection
            refuse_lesser_encoding(connection)
            aside = _into_another_schema(connection, now)
            tables.metadata.create_all(connection)
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:at)"), {"at": HEAD})
            copy_rows(reading, connection)
            transaction.nudges = True
    finally:
        source.close()
        target.close()
    return aside


def _take_the_name(made: Path, file: Path, now: datetime) -> str | None:
    aside = _another_name(file, now) if os.path.lexists(file) else None
    try:
        into_one_file(made)
        durable(made)
        if aside is not None:
            _set_aside(file, aside)
        os.replace(made, file)
        durable(file)
    except (OSError, sqlite3.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise NotSo(
            f"the store {file} cannot be put in its place: {said}",
            "see to the rights and the space there, then type this again",
        ) from error
    return None if aside is None else str(aside)


def _another_name(file: Path, now: datetime) -> Path:
    stem = file.with_name(f"{file.name}.{now:{_STAMP}}")
    names = [stem, *(stem.with_name(f"{stem.name}-{count}") for count in range(2, 100))]
    return next(name for name in names if not os.path.lexists(name))


def _set_aside(file: Path, aside: Path) -> None:
    """Give a store's file a second name; where it can be read, everything of it is in the file by then.

    A log that stays beside it belongs to it and to no other file: SQLite would take it for the new one's.
    """
    with suppress(sqlite3.Error):  # it is damaged: whoever looks at it later wants all of it as it was
        into_one_file(file)
    try:
        os.link(file, aside)
    except OSError:
        os.rename(file, aside)  # a disk without links
    for suffix in _BESIDE:
        beside = file.with_name(file.name + suffix)
        if beside.exists():
            os.rename(beside, aside.with_name(aside.name + suffix))
    durable(aside)


def _into_another_schema(connection: Connection, now: datetime) -> str | None:
    """Move every table of ours into a schema of its own; its name, or None where there was none."""
    there = tables_there(connection)
    ours = sorted(there & {*tables.metadata.tables, "alembic_version"})
    if not ours:
        return None
    schema = f"reconciler_{now:{_STAMP}}".lower()
    try:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        for name in ours:
            connection.execute(text(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"'))
    except exc.ProgrammingError as error:
        raise StoreError(
            f"what is recorded in the database cannot be set aside in the schema {schema}: {error.orig}",
            "give its user the right to make schemas, or name an empty database; nothing was changed",
        ) from error
    return f"schema {schema}"
