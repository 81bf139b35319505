"""A session of a server costs as much as many statements: is one kept, whatever became of those before it?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from reconciler.errors import StoreError
from reconciler.store.database import Database
from tests.postgres import empty_database


@pytest.fixture
def store(postgresql: str) -> Iterator[Database]:
    made = Database(empty_database(postgresql))
    yield made
    made.close()


def session(store: Database) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_after_a_daemon_has_got_its_name(store: Database) -> None:
    session(store)
    store.call("one")
    assert len({session(store) for _ in range(3)}) == 1


def test_after_a_session_was_cut(store: Database) -> None:
    with pytest.raises(StoreError), store.read() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert len({session(store) for _ in range(3)}) == 1


def test_one_in_use_while_the_store_is_closed_ends_when_it_is_given_back(store: Database) -> None:
    with store.read() as connection:
        driver = connection.connection.dbapi_connection
        store.close()
        assert not driver.closed
    assert driver.closed
