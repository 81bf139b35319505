"""Is what never changes part of a statement's text, so that a database need not make its plan anew for each value?"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from reconciler.store import deployments, due, holds, interventions
from reconciler.store.ahead import ahead
from reconciler.store.database import Database
from reconciler.store.migrate import migrate
from reconciler.store.traces import Trace, traced
from tests.world import NOON

pytestmark = pytest.mark.sqlite_only("it is SQLite that makes plans anew")


def asked_in_a_turn(connection: Connection) -> Trace:
    """Questions of every turn, with the values that they are asked with."""

    def ask() -> None:
        deployments.started(connection)
        deployments.recent(connection, ["shop"], 25)
        deployments.ran_at(connection, ["shop"], NOON)
        deployments.numbers_and_retries(connection, ["shop"])
        due.next_work(connection)
        interventions.open_ways(connection)
        interventions.open_for(connection, ["shop"])
        holds.of(connection, ["shop"])
        ahead(connection)

    _, trace = traced(connection, ask)
    assert trace is not None
    return trace


def test_only_what_differs_from_time_to_time_is_given_beside_the_text(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/store.db")
    migrate(store)
    with store.read() as connection:
        trace = asked_in_a_turn(connection)
    store.close()
    assert {one for _, values in trace.questions for one in values if isinstance(one, str)} == {"shop"}
    assert any("'started'" in statement for statement, _ in trace.questions)
