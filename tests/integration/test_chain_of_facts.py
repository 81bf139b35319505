"""Can anybody who has the exported facts compute the chain that the store keeps, and is every change of a fact seen?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from reconciler.model.canonical import canonical
from reconciler.store import ledger
from reconciler.store.ledger import GENESIS
from tests.world import World

BODIES = [
    {},
    {"z": 1, "a": [None, True, 1.0, 1e300, -0.0, 2**70], "text": 'quoted "so" \\ and\nbroken'},
    {"emoji": "\U0001f600", "separator": "\u2028", "nested": {"b": {"a": []}, "a": b"\x00".hex()}},
]


def sealed(world: World) -> None:
    with world.running() as found, found.database.write() as transaction:
        for number, body in enumerate(BODIES):
            transaction.note("test.noted", world.now, body, app="shop", subject=f"s{number}", actor="Änn")
        transaction.flush()
        ledger.seal(transaction, world.now)


def test_the_chain_is_that_of_the_exported_facts(tmp_path: Path):
    world = World(tmp_path)
    sealed(world)
    with world.running() as found, found.database.read() as connection:
        chained = GENESIS
        for entry in ledger.export(connection):
            chained = hashlib.sha256(f"{chained}\n{canonical(entry)}".encode()).hexdigest()
        verified = ledger.verify(connection)
        assert [one["body"] for one in ledger.export(connection)][-len(BODIES) :] == BODIES
    assert (verified.head, verified.broken_after, verified.unsealed) == (chained, None, 0)


@pytest.mark.parametrize(
    ("column", "value"), [("body", '{"z":2}'), ("body", " {}"), ("actor", "Ann"), ("app", None), ("at", 0)]
)
def test_a_fact_that_was_changed_is_seen(tmp_path: Path, column: str, value: str | int | None):
    world = World(tmp_path)
    sealed(world)
    with world.running() as found:
        with found.database.write() as transaction:
            last = ledger.newest(transaction.connection)
            transaction.connection.execute(
                text(f"UPDATE ledger SET {column} = :value WHERE sequence = :last"), {"value": value, "last": last}
            )
        with found.database.read() as connection:
            assert ledger.verify(connection).broken_after is not None


def test_hashes_that_were_all_made_anew_are_told_by_one_that_was_kept_elsewhere(tmp_path: Path):
    world = World(tmp_path)
    sealed(world)
    with world.running() as found:
        with found.database.read() as connection:
            kept = ledger.verify(connection).head
        with found.database.write() as transaction:
            transaction.connection.execute(text("UPDATE ledger SET actor = 'Ann' WHERE kind = 'test.noted'"))
            transaction.connection.execute(text("DELETE FROM seals"))
            ledger.seal(transaction, world.now)
        with found.database.read() as connection:
            verified = ledger.verify(connection)
    assert verified.broken_after is None  # who can change all of it leaves no trace here
    assert verified.head != kept
