"""How is a store copied at one moment, while daemons go on writing to it?

Of SQLite by `VACUUM INTO`: one statement that reads one state, however long it takes. Writers go on meanwhile, which
the online backup API would have begin anew with each write of another process, and what comes out is one file without
gaps or a log beside it. Of PostgreSQL by COPY, table by table in one repeatable read. The copy is written beside its
place, looked at as `restore` would, made durable, and only then takes its name. What is in it says `backups`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc
from sqlalchemy.engine import URL

from reconciler.errors import NotSo, StoreError
from reconciler.store import ledger, parts, repository
from reconciler.store.backups import APPLICATION, FORMAT, TABLE, Backup, counts, digests, examine, reading
from reconciler.store.copying import copy_rows
from reconciler.store.database import Database
from reconciler.store.migrate import HEAD, migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection

# What only living daemons are about: who reads the copy has none.
_FORGET_DAEMONS = (
    "DELETE FROM daemons",
    "UPDATE leadership SET holder = NULL",
    "UPDATE deployments SET claimed_by = NULL WHERE claimed_by IS NOT NULL",
)


@dataclass(frozen=True, slots=True)
class Written:
    """A backup, and how many bytes it takes."""

    backup: Backup
    size: int


def back_up(database: Database, file: Path, made_at: datetime, made_by: str, *, overwrite: bool = False) -> Written:
    """Write a backup, durable when this returns. Raises NotSo, StoreError; then nothing is left of it."""
    if os.path.lexists(file):
        if not overwrite:
            raise _taken(file)
        with _writing(file):
            if not _is_backup(file):
                raise _foreign(file)
    parts.sweep(file.parent, made_at)
    with _part_of(file) as part:
        _copy(database, part, file)
        with _writing(file):
            written = _described(part, _about(database, made_at, made_by))
        _same(written, examine(part, links=False))  # the chain has just been computed from this very file
        with _writing(file):
            _take_name(part, file, overwrite=overwrite)
            return Written(written, file.stat().st_size)


def sqlite_store(file: Path) -> Database:
    """The store in a SQLite file, whatever characters its name has."""
    return Database(URL.create("sqlite", database=str(file.absolute())))


def into_one_file(file: Path) -> None:
    """Let everything of a SQLite file that nobody has open be in the file itself, with nothing beside it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")


def durable(file: Path) -> None:
    """Wait until a file is on the disk."""
    for path, how in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(path, how)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def aside(database: Database, file: Path) -> Database:
    """A SQLite store as it is at this moment, as another one in a new file that nobody else knows. Raises StoreError.

    Quicker than a backup: its pages as they are, in one step, which sees one state however many write meanwhile.
    """
    with database.read() as source, closing(sqlite3.connect(file)) as target:
        opened: Any = source.connection.dbapi_connection
        opened.backup(target)
    return sqlite_store(file)


def _taken(file: Path) -> NotSo:
    return NotSo(f"{file} is there already", "name another file, or write over it with --force; nothing was changed")


def _foreign(file: Path) -> NotSo:
    return NotSo(f"{file} is no backup, and only a backup is written over", "name another file; nothing was changed")


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, exc.DBAPIError) as error:
        said = error.strerror if isinstance(error, OSError) else getattr(error, "orig", error)
        raise NotSo(
            f"the backup {file} cannot be written: {said}",
            "see to the rights and the space there, or name another place; nothing is left of it",
        ) from error


@contextmanager
def _part_of(file: Path) -> Iterator[Path]:
    """A file beside the backup, which only its owner may read; it is gone afterwards, however it ends."""
    with ExitStack() as stack:
        with _writing(file):
            part = stack.enter_context(parts.part_in(file.parent))
        yield part


def _copy(database: Database, part: Path, file: Path) -> None:
    """Raises StoreError when the store does not answer, NotSo when the copy cannot be written."""
    if database.is_shared:
        with database.read() as source, _writing(file):
            _copy_tables(source, part)
        return
    try:
        with database.engine.connect() as source:
            source.exec_driver_sql("VACUUM INTO ?", (str(part.absolute()),))
    except exc.DBAPIError as error:
        if any(word in str(error.orig) for word in ("malformed", "not a database", "corrupt")):
            where = database.engine.url.render_as_string(hide_password=True)
            raise StoreError(f"the store at {where} cannot be read: {error.orig}") from error
        with _writing(file):
            raise


def _copy_tables(source: Connection, part: Path) -> None:
    copied = sqlite_store(part)
    try:
        _made(copied)
        with copied.engine.begin() as target:
            target.exec_driver_sql("BEGIN IMMEDIATE")
            found = copy_rows(source, target)
    finally:
        copied.close()
    into_one_file(part)
    with closing(sqlite3.connect(part)) as connection:
        there = counts(connection)
    if there != found:
        raise NotSo("the backup lacks rows of what was read", "type this again; nothing is left of it")


def _made(copied: Database) -> None:
    """The tables of a copy. What its disk says is about the copy, and not about the store."""
    try:
        migrate(copied)
    except StoreError as error:
        if isinstance(error.__cause__, exc.DBAPIError | sqlite3.Error):
            raise error.__cause__ from error
        raise


def _about(database: Database, made_at: datetime, made_by: str) -> Backup:
    source = database.engine.dialect.name
    return Backup(made_at=made_at, made_by=made_by, source=source, schema=HEAD, counts={}, head="", commit=None)


def _described(part: Path, about: Backup) -> Backup:
    """Write down in the copy what must be in it."""
    with reading(part) as connection:
        chain, place = ledger.verify(connection), repository.followed(connection)
    if chain.broken_after is not None:
        raise NotSo(
            f"the store's ledger was changed after it was written: nothing after entry {chain.broken_after} is "
            "vouched for",
            "`reconciler audit verify` says so too; such a store has no backup: copy its file to keep it as it is",
        )
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN")
        for statement in _FORGET_DAEMONS:
            connection.execute(statement)
        there = counts(connection)
        made_of = digests(connection, there)
        found = replace(about, counts=there, digests=made_of, head=chain.head, commit=place.head if place else None)
        connection.execute(TABLE)
        connection.execute("INSERT INTO backup VALUES (?, ?)", (FORMAT, found.row()))
        connection.execute("COMMIT")
        connection.execute(f"PRAGMA application_id = {APPLICATION:d}")
    return found


def _same(written: Backup, found: Backup) -> None:
    if written != found:
        raise NotSo("what was written is not what is read", "see to the disk, and type this again; nothing is left")


def _is_backup(file: Path) -> bool:
    """Whether a file, or what is left of one, was written as a backup."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as opened:
        head = opened.read(72)
    return not head or (head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4, "big"))


def _take_name(part: Path, file: Path, *, overwrite: bool) -> None:
    durable(part)
    if overwrite:
        if os.path.lexists(file) and not _is_backup(file):
            raise _foreign(file)
        os.replace(part, file)
    else:
        try:
            os.link(part, file)  # a name that somebody took meanwhile stays theirs
        except FileExistsError:
            raise _taken(file) from None
        except OSError:
            if os.path.lexists(file):
                raise _taken(file) from None
            os.rename(part, file)  # a disk without links
    durable(file)
