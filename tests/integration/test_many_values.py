"""A commit may change more apps than a statement of a database takes parameters: are all of them looked at?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.store import declared, due, tables, versions
from reconciler.store.database import Database
from reconciler.store.migrate import migrate
from tests.postgres import empty_database
from tests.world import NOON

NAMES = [f"app-{number:06d}" for number in range(70_000)]
KNOWN = NAMES[::10_000]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A store with a few of the apps."""
    sqlite = f"sqlite:///{tmp_path}/store.db"
    made = Database(sqlite if request.param == "sqlite" else empty_database(request.getfixturevalue("postgresql")))
    migrate(made)
    blank = {"path": "a.yaml", "ordinal": 0, "document": {}, "removed": False}
    with made.write() as transaction:
        transaction.connection.execute(tables.apps.insert(), [{"name": name, **blank} for name in KNOWN])
    yield made
    made.close()


def test_many_are_asked_about(store: Database) -> None:
    with store.read() as connection:
        assert set(declared.apps(connection, NAMES)) == set(KNOWN)
        assert versions.standing(connection, NAMES, NAMES) == (set(), {})


def test_many_are_changed(store: Database) -> None:
    with store.write() as transaction:
        due.mark(transaction, NAMES, NOON)
    with store.read() as connection:
        marked = connection.execute(select(tables.apps.c.name).where(tables.apps.c.due_at == NOON)).scalars()
        assert sorted(marked) == KNOWN
