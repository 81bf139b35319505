"""Does a restored store come to what was before the disaster, wherever in a history the backup was taken?"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.cli.restore import brought_up
from reconciler.config import SETTINGS
from reconciler.store import ledger
from reconciler.store.backing import Written, back_up, sqlite_store
from reconciler.store.database import Database
from reconciler.store.installing import install
from tests.playing import Player, placed, recorded
from tests.properties.test_history_rebuilt import MINUTE
from tests.strategies import ORDINARY, PINNING, ROUGH, TIMED, Commit, Step, Wait, examples, histories
from tests.world import CHAIN

pytestmark = pytest.mark.timeout(300)
KINDS = (*ORDINARY, *PINNING, *TIMED, *ROUGH, "both")


def live_through(player: Player, history: list[Step], backup_at: int, file: Path) -> Written:
    """Play a history with a backup after so many of its commits, or at its end; what was backed up."""
    world, taken, count = player.world, None, 0
    for made in player.desk.write(history):
        if isinstance(made, Commit):
            world.now += MINUTE
            player.commit(made)
            player.settle()
            count += 1
            if count == backup_at:
                taken = back(player, file)
        elif isinstance(made, Wait):
            world.now += made.by
            player.settle()
    return taken or back(player, file)


def back(player: Player, file: Path) -> Written:
    return back_up(player.found.database, file, player.world.now, "test")


def restore(player: Player, written: Written, file: Path) -> None:
    """The store is gone, and the backup takes its place."""
    player.end()
    url = player.world.settings["state"]["url"]
    place = Database.file(url)
    assert place is not None
    place.unlink()
    store = sqlite_store(file)
    try:
        with store.write() as transaction:
            transaction.connection.exec_driver_sql("DROP TABLE backup")
        chosen = SETTINGS.validate_python(player.world.settings)
        brought_up(store, chosen, written.backup, player.world.now)
    finally:
        store.close()
    install(file, url, player.world.now)


def on_disk(player: Player) -> dict[tuple[str, str], Any]:
    """What targets run: deployment, versions and settings."""
    found = {}
    for app in player.desk.apps:
        for name in CHAIN:
            record = player.world.released(name, app) / ".reconciler.json"
            if record.exists():
                found[app, name] = json.loads(record.read_text())
    return found


@examples(6)
@given(histories(*KINDS), st.integers(1, 8))
@example([Step("content"), Step("revert")], 2)
def test_after_a_restore_the_same_runs_as_before_the_disaster(history: list[Step], backup_at: int) -> None:
    with tempfile.TemporaryDirectory(prefix="restored-") as place, Player(Path(place)) as player:
        file = Path(place) / "now.backup"
        written = live_through(player, history, backup_at, file)
        expected, ran, here = recorded(player), on_disk(player), placed(player)
        restore(player, written, file)
        player.settle()
        found = recorded(player)
        assert on_disk(player) == ran, "nothing is released anew"
        assert found.versions == expected.versions
        assert found.withdrawn == expected.withdrawn
        ended, before = found.running(), expected.running()
        assert {at: what for at, what in ended.items() if at in here} == {
            at: what for at, what in before.items() if at in here
        }
        assert not [d for several in found.deployments.values() for d in several if d.active]
        for several in found.deployments.values():
            assert [d.number for d in several] == list(range(1, len(several) + 1))
        with player.found.database.read() as connection:
            assert ledger.verify(connection).broken_after is None
