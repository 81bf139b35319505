"""Which settings hold, and where is the store? What every verb that reads or asks needs first.

A verb that only looks makes nothing: no directory, no database, no migration. That is `run`'s business.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import asking
from reconciler.errors import NotSo, StoreError

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.store.database import Database

_SET_URL = "set state.url to the path of a file, such as sqlite:///state/reconciler.db"


def settings() -> Settings:
    """The settings in force. Raises WrongUse with every mistake."""
    from reconciler import config

    return config.load(asking.config_file(), os.environ)


@contextmanager
def store(chosen: Settings) -> Iterator[Database]:
    """The store as it is. Raises NotSo where nothing has been recorded yet, StoreError where it does not fit."""
    found = existing_store(chosen)
    if found is None:
        raise nothing_yet(chosen)
    try:
        yield found
    finally:
        found.close()


def nothing_yet(chosen: Settings) -> NotSo:
    """The error where nothing has been recorded yet."""
    return NotSo(
        f"nothing has been recorded yet: there is no store at {shown_address(chosen)}",
        "start `reconciler run` here, or name other settings with --config",
    )


def existing_store(chosen: Settings) -> Database | None:
    """The store, or None where there is none yet. Raises StoreError for what cannot be one, or has another schema."""
    from reconciler.store.database import Database
    from reconciler.store.migrate import HEAD, known_revisions, revision, tables_there

    file = Database.file(chosen.state.url)
    if file is not None and not is_there(file, chosen):
        return None
    found = Database(chosen.state.url)
    try:
        with found.read() as connection:
            at = revision(connection)
            if at is None:
                # Nothing there, or nothing that can be read: the second is an error, and this raises it.
                tables_there(connection)
    except StoreError:
        found.close()
        raise
    if at == HEAD:
        return found
    found.close()
    if at is None:
        return None
    raise StoreError(
        f"the store at {shown_address(chosen)} is at the schema {at}, and this reconciler knows {HEAD}",
        "start `reconciler run` with this version, which brings an older store up to date"
        if at in known_revisions()
        else "a newer reconciler has written it: use that version",
    )


def is_there(file: Path, chosen: Settings) -> bool:
    """Whether there is a file. Raises StoreError for what cannot be the file of a store."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"the store at {shown_address(chosen)} cannot be reached: {said}", _SET_URL) from error
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "no file"
        raise StoreError(f"there can be no store at {shown_address(chosen)}: that is {what}", _SET_URL)
    return True


def shown_address(chosen: Settings) -> str:
    """The store's address without its password."""
    from reconciler.store.database import shown

    return shown(chosen.state.url)
