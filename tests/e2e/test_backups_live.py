"""Backups of a daemon that is at work: each is one moment of it, and nobody waits for one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from reconciler.store.backups import examine
from tests import stores
from tests.commands import typed
from tests.e2e.daemon import Live
from tests.world import CHAIN

PUSHES = 6


def whole(file: Path) -> tuple[int, int, int]:
    """Counts of a backup, in which everything that is named is there."""
    examine(file)
    with closing(sqlite3.connect(file)) as connection:

        def one(query: str) -> Any:
            return connection.execute(query).fetchone()[0]

        commits, position = one("SELECT count(*) FROM commits"), one("SELECT position FROM repository")
        assert commits == position
        assert one("SELECT count(*) FROM versions WHERE position > (SELECT max(position) FROM commits)") == 0
        assert (
            one("SELECT count(*) FROM deployments WHERE id NOT IN (SELECT subject FROM ledger WHERE subject NOTNULL)")
            == 0
        )
        noted = one("SELECT count(*) FROM ledger WHERE kind = 'deployment.completed'")
        assert noted == one("SELECT count(*) FROM deployments WHERE status = 'completed'")
        return commits, one("SELECT count(*) FROM versions"), one("SELECT count(*) FROM deployments")


def test_backups_under_a_stream_of_commits_are_whole_and_the_last_one_is_restored(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs")
    taken = []
    for number in range(PUSHES):
        live.commit(f"Say {number}", {"shop/index.html": f"{number}"})
        done = typed("backup", f"{number}.backup", at=live.directory)
        assert done.status == 0, done.err
        taken.append(whole(live.directory / f"{number}.backup"))
    live.wait_for(lambda: live.everywhere(f"{PUSHES - 1}"), "the last version runs")
    assert taken == sorted(taken)
    assert "turn.failed" not in live.log
    done = typed("restore", f"{PUSHES - 1}.backup", "--force", at=live.directory)
    assert (done.status, "another reconciler runs" in done.err) == (1, True)
    live.kill()
    ran = {name: live.facts(name) for name in CHAIN}
    live.forget_store()
    stores.lose(live.settings["state"], live.directory)
    live.config.write_text(json.dumps(live.settings))
    done = typed("restore", f"{PUSHES - 1}.backup", at=live.directory)
    assert done.status == 0, done.err
    live.start()
    live.commit("Say the end", {"shop/index.html": "the end"})
    live.wait_for(lambda: live.everywhere("the end"), "it goes on")
    for name in CHAIN:
        several = live.history(environment=name)
        assert [d.number for d in several] == list(range(1, len(several) + 1))
        assert {d.status for d in several} <= {"completed", "aborted"}
        assert ran[name]["deployment"] in [d.id for d in several], "what ran before the disaster is known"
