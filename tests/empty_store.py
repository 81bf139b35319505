"""An empty store at the present schema, laid where a world's own will be: migrating costs more than many tests do.

It is what the migrations make of nothing, once for each process of the tests, and copied from then on. Migrations
themselves are tested on stores that are made without it, and by commands as people type them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from reconciler.store.database import Database
from reconciler.store.migrate import migrate


def lay_out(url: str) -> None:
    """Put it there if it is to be a file and there is none yet. What hinders that is for the reconciler to meet."""
    file = Database.file(url)
    if file is None or file.is_symlink() or file.exists() or any(file.parent.glob(f"{file.name}-*")):
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            whole.write_bytes(_content())
            os.link(whole, file)  # never over one that somebody has made meanwhile
        finally:
            whole.unlink(missing_ok=True)


@cache
def _content() -> bytes:
    place = Path(tempfile.mkdtemp(prefix="reconciler-empty-"))
    try:
        made = Database(f"sqlite:///{place}/empty.db")
        try:
            migrate(made)
        finally:
            made.close()
        return (place / "empty.db").read_bytes()
    finally:
        shutil.rmtree(place)
