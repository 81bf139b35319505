"""Does a store that was lost come back from git's history alone, whatever that history is?"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy import Connection, select

from reconciler.cli.rebuild import rebuild_into
from reconciler.config import SETTINGS
from reconciler.store import ledger, tables
from reconciler.store.backing import sqlite_store
from reconciler.store.installing import install
from tests.playing import Player, Recorded, recorded
from tests.strategies import ORDINARY, PINNING, ROUGH, TIMED, Commit, Step, Wait, examples, histories

pytestmark = pytest.mark.timeout(300)
KINDS = (*ORDINARY, *PINNING, *TIMED, *ROUGH, "both")
MINUTE = timedelta(minutes=1)


def live_through(player: Player, history: list[Step]) -> None:
    """Every commit is pushed and taken in at the moment at which it is made, and the daemon wakes when it wants to."""
    world = player.world
    for made in player.desk.write(history):
        if isinstance(made, Commit):
            world.now += MINUTE
            world.repo.now = world.now
            player.commit(made)
            player.settle()
        elif isinstance(made, Wait):
            until = world.now + made.by
            while (wakes := player.settle().wake_at) is not None and wakes <= until:
                world.now = wakes
            world.now = until
    player.settle()


def rows(connection: Connection, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(
        (tuple(getattr(row, name) for name in columns) for row in connection.execute(select(table))), key=repr
    )


def told(connection: Connection) -> dict[str, Any]:
    """What follows from the history alone."""
    content = ("id", "app", "number", "name", "commit", "position", "created_at", "message", "partial")
    return {
        "versions": rows(connection, tables.versions, *content),
        "touches": rows(
            connection, tables.touches, "position", "app", "environment", "before", "after", "look", "reverts"
        ),
        "withdrawals": rows(connection, tables.withdrawals, "version", "position", "commit", "reverts", "restores"),
        "placements": rows(connection, tables.placements, "app", "environment", "declared", "entry", "touch", "look"),
        "commits": rows(connection, tables.commits, "position", "id", "direction"),
    }


def currents(found: Recorded) -> dict[tuple[str, str], Any]:
    """Number, cause, traffic and commit of what runs where."""
    last = {place: [d for d in several if d.status == "completed"] for place, several in found.deployments.items()}
    return {
        place: (d[-1].id, d[-1].number, d[-1].cause, d[-1].traffic, d[-1].config, d[-1].commit, d[-1].reason)
        for place, d in last.items()
        if d
    }


def lose_and_rebuild(player: Player, directory: Path) -> Any:
    """The store is gone; what a rebuild says of targets."""
    player.end()
    url = player.world.settings["state"]["url"]
    made = directory / "state" / "made.db"
    store = sqlite_store(made)
    try:
        _, adopted = rebuild_into(store, SETTINGS.validate_python(player.world.settings), player.world.now)
    finally:
        store.close()
    assert install(made, url, player.world.now) is not None
    return adopted


@examples(5)
@given(histories(*KINDS))
def test_git_alone_gives_back_versions_numbers_causes_and_what_runs(history: list[Step]) -> None:
    with tempfile.TemporaryDirectory(prefix="rebuilt-") as place, Player(Path(place)) as player:
        live_through(player, history)
        before = recorded(player)
        with player.found.database.read() as connection:
            expected = told(connection)
        adopted = lose_and_rebuild(player, Path(place))
        after = recorded(player)
        with player.found.database.read() as connection:
            assert told(connection) == expected
            assert ledger.verify(connection).broken_after is None
        assert after.versions == before.versions
        assert after.withdrawn == before.withdrawn
        assert currents(after) == currents(before)
        assert (adopted.others, adopted.unknown, adopted.same) == ([], [], len(currents(before)))
        player.settle()
        assert currents(recorded(player)) == currents(before), "nothing is released anew"
        assert recorded(player).deployments == after.deployments
