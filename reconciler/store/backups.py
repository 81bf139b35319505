"""Is a file a backup, is it whole, and what does it hold?

A backup is one SQLite file, whichever database it was taken from: the tables of the store, and a table `backup` that
says when it was made and what must be in it. Any SQLite tool reads it. Nothing here writes to one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, exc, pool

from reconciler.errors import NotSo
from reconciler.store import ledger
from reconciler.store.migrate import HEAD, known_revisions
from reconciler.store.types import EPOCH

FORMAT = 1
APPLICATION = 0x52436273
"""What stands in the file's header, where other programs write numbers of their own."""
TABLE = "CREATE TABLE backup (format INTEGER NOT NULL, about TEXT NOT NULL)"
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_OF_ONE_PROCESS = frozenset({"backup", "alembic_version"})
_ANOTHER = "name the file that `reconciler backup` wrote"
_DAMAGED = "take another backup: what this one holds cannot be vouched for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup says of itself."""

    made_at: datetime
    made_by: str
    """The version of the reconciler that made it."""
    source: str
    """Which database it was taken from: sqlite or postgresql."""
    schema: str
    """The migration that its tables are at."""
    counts: Mapping[str, int]
    """How many rows each table has."""
    head: str
    """The hash that all facts of its ledger add up to."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """What the rows of each table besides the ledger add up to; nothing in a backup that was made before there were
    any."""
    commit: str | None
    """The newest commit that was noted."""

    @property
    def facts(self) -> int:
        """How many facts its ledger has."""
        return self.counts.get("ledger", 0)

    def row(self) -> str:
        """As it is kept in the table `backup`."""
        about = {
            "made_at": (self.made_at - EPOCH) // timedelta(microseconds=1),
            "made_by": self.made_by,
            "source": self.source,
            "schema": self.schema,
            "counts": dict(self.counts),
            "digests": dict(self.digests),
            "head": self.head,
            "commit": self.commit,
        }
        return json.dumps(about, sort_keys=True)


def examine(file: Path, *, links: bool = True) -> Backup:
    """What a backup holds, once every page, row and link of its ledger has been looked at. Changes nothing.

    Without `links` neither the ledger's chain nor the tables' digests are computed, which takes longest. Raises NotSo
    for what is no backup, is damaged, or was made by a newer reconciler.
    """
    _look_at_file(file)
    try:
        with closing(_opened(file)) as connection:
            found = _about(file, connection)
            _look_inside(file, connection, found)
            if links:
                _look_at_ledger(file, found)
                _look_at_rows(file, connection, found)
    except (sqlite3.Error, exc.DBAPIError, UnicodeDecodeError) as error:
        said = str(getattr(error, "orig", error))
        raise NotSo(f"the backup {file} is damaged: {said}", _DAMAGED) from error
    return found


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table of the store has in a SQLite file."""
    asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY name"
    names = [str(row[0]) for row in connection.execute(asked) if row[0] not in _OF_ONE_PROCESS]
    quoted = {name: name.replace('"', '""') for name in names}
    return {name: connection.execute(f'SELECT count(*) FROM "{quoted[name]}"').fetchone()[0] for name in names}  # noqa: S608


def digests(connection: sqlite3.Connection, tables: Iterable[str]) -> dict[str, str]:
    """What the rows of these tables add up to in a SQLite file, besides the ledger: that is a chain of its own."""
    return {name: _digest(connection, name) for name in tables if name != "ledger"}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    found = hashlib.sha256()
    quoted = table.replace('"', '""')
    # As they lie in the table: no index has them in another order, and nothing is sorted.
    for row in connection.execute(f'SELECT * FROM "{quoted}" NOT INDEXED'):  # noqa: S608
        found.update(repr(row).encode())
    return found.hexdigest()


def _look_at_file(file: Path) -> None:
    """Raises NotSo for what cannot be a SQLite file of ours, by its first bytes and its size."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "no file"
            raise NotSo(f"{file} is no backup: it is {what}", _ANOTHER)
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except FileNotFoundError:
        raise NotSo(f"there is no file {file}", _ANOTHER) from None
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise NotSo(f"{file} cannot be read: {said}", "see to its name and the rights on it") from error
    if not header.startswith(_MAGIC):
        what = "it is empty" if not header else "it is no SQLite file"
        raise NotSo(f"{file} is no backup: {what}", _ANOTHER)
    if len(header) < _HEADER:
        raise NotSo(f"the backup {file} breaks off after {len(header)} bytes", _DAMAGED)
    page = int.from_bytes(header[16:18], "big")
    whole = (65_536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    ours = int.from_bytes(header[68:72], "big") == APPLICATION
    if not ours:
        raise NotSo(
            f"{file} is no backup: it is another SQLite file",
            f"{_ANOTHER}; a store's own file becomes one by `reconciler backup` with state.url set to it",
        )
    if found.st_size < whole:
        raise NotSo(f"the backup {file} breaks off: it has {found.st_size} of {whole} bytes", _DAMAGED)


def _opened(file: Path) -> sqlite3.Connection:
    """Opened so that not even a lock or a file beside it is made."""
    connection = sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _about(file: Path, connection: sqlite3.Connection) -> Backup:
    try:
        form, text = connection.execute("SELECT format, about FROM backup").fetchone()
        if form != FORMAT:
            raise NotSo(
                f"the backup {file} has the format {form}, and this reconciler knows {FORMAT}",
                "restore it with the version that made it, or with a newer one",
            )
        about = json.loads(text)
        made_at = EPOCH + timedelta(microseconds=about["made_at"])
        found = {str(name): int(count) for name, count in about["counts"].items()}
        adds_up = {str(name): str(digest) for name, digest in about.get("digests", {}).items()}
        texts = {name: str(about[name]) for name in ("made_by", "source", "schema", "head")}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise NotSo(f"the backup {file} does not say what it holds", _DAMAGED) from error
    if texts["schema"] != HEAD and texts["schema"] not in known_revisions():
        raise NotSo(
            f"the backup {file} is at the unknown migration {texts['schema']}: a newer reconciler ({texts['made_by']}) "
            "made it",
            "restore it with that version",
        )
    return Backup(made_at=made_at, counts=found, digests=adds_up, commit=about.get("commit"), **texts)


def _look_inside(file: Path, connection: sqlite3.Connection, found: Backup) -> None:
    said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
    if said != ["ok"]:
        raise NotSo(f"the backup {file} is damaged: {said[0].splitlines()[-1] if said else 'no answer'}", _DAMAGED)
    alien = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if alien is not None:
        raise NotSo(f"the backup {file} holds {alien[0]!a}, which no reconciler put there", _DAMAGED)
    (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
    if schema != found.schema:
        raise NotSo(f"the backup {file} was changed: it is at the schema {schema} and not {found.schema}", _DAMAGED)
    there = counts(connection)
    for name in sorted({*there, *found.counts}):
        if there.get(name) != found.counts.get(name):
            said_so, is_so = found.counts.get(name, "none"), there.get(name, "none")
            raise NotSo(f"the backup {file} was changed: {name} has {is_so} rows and not {said_so}", _DAMAGED)


def _look_at_rows(file: Path, connection: sqlite3.Connection, found: Backup) -> None:
    for name, digest in digests(connection, found.digests).items():
        if digest != found.digests[name]:
            raise NotSo(f"the backup {file} was changed: the rows of {name} are others than it says", _DAMAGED)


def _look_at_ledger(file: Path, found: Backup) -> None:
    with reading(file) as connection:
        chain = ledger.verify(connection)
    if chain.broken_after is not None:
        raise NotSo(
            f"the backup {file} was changed: nothing after entry {chain.broken_after} of its ledger is vouched for",
            _DAMAGED,
        )
    if found.head and chain.head != found.head:
        raise NotSo(f"the backup {file} was changed: its ledger adds up to another hash than it says", _DAMAGED)


@contextmanager
def reading(file: Path) -> Iterator[Connection]:
    """A connection that reads a backup."""
    engine = create_engine("sqlite://", creator=lambda: _opened(file), poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
