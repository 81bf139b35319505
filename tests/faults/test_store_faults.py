"""What happens while a SQLite store is locked by somebody else, is gone, is another one, or is damaged?"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.commands import typed as type_command
from tests.e2e.daemon import Live
from tests.faults import aftermath


def begin(live: Live) -> None:
    """The first version runs everywhere."""
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")


def file(live: Live) -> Path:
    return live.directory / "state" / "reconciler.db"


@contextmanager
def locked(live: Live) -> Iterator[None]:
    """Somebody else has the store to himself."""
    with closing(sqlite3.connect(file(live), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_the_store_is_locked_for_a_moment(live: Live) -> None:
    begin(live)
    with locked(live):
        live.commit("Two", {"shop/index.html": "two"})
        live.pause_for(1)
        assert len(live.versions()) == 1
    live.wait_for(lambda: live.everywhere("two"), "it goes on when it may")
    assert "turn.failed" not in live.log
    aftermath.check(live)


@pytest.mark.long
def test_the_store_is_locked_for_longer_than_anybody_waits(live: Live) -> None:
    begin(live)
    with locked(live):
        live.commit("Two", {"shop/index.html": "two"})
        live.pause_for(32)
    assert "database is locked" in aftermath.said(live, "turn.failed")[0]["error"]
    live.wait_for(lambda: live.everywhere("two"), "it goes on when it may")
    aftermath.check(live)


def test_the_store_is_deleted_under_the_daemon_and_put_back(live: Live) -> None:
    begin(live)
    aside = live.directory / "aside"
    aside.mkdir()
    live.store.close()
    for path in file(live).parent.glob("reconciler.db*"):
        path.rename(aside / path.name)
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: aftermath.said(live, "turn.failed"), "it is said that the store is gone")
    assert "is not the file that was opened" in aftermath.said(live, "turn.failed")[0]["error"]
    assert live.runs("sandbox") == "one"
    for path in aside.iterdir():
        path.rename(file(live).parent / path.name)
    live.wait_for(lambda: live.everywhere("two"), "it goes on with the store that was put back")
    assert aftermath.said(live, "turns.go-on")[0]["failed"] >= 1
    aftermath.check(live)


def told_to_people(live: Live) -> None:
    """`status`, `doctor` and the pages do not only say that a daemon runs: they say that it gets nothing done."""
    words = ("--config", live.config)
    said = "is not the file that was opened"
    live.wait_for(lambda: said in type_command("status", *words, at=live.directory).out, "status says so")
    shown = type_command("status", *words, "-o", "json", at=live.directory).json[0]["daemon"]
    assert shown["running"]
    assert said in shown["error"]
    assert shown["next_step"]
    assert shown["error_since"] < shown["again_at"]
    found = {row["check"]: row for row in type_command("doctor", *words, "-o", "json", at=live.directory).json}
    assert said in found["daemon"]["detail"]


def test_the_store_is_replaced_under_the_daemon(live: Live) -> None:
    begin(live)
    older = live.directory / "older.db"
    with closing(sqlite3.connect(file(live))) as source, closing(sqlite3.connect(older)) as copy:
        source.backup(copy)
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    live.store.close()
    older.replace(file(live))
    for name in ("reconciler.db-wal", "reconciler.db-shm"):
        file(live).with_name(name).unlink(missing_ok=True)
    live.commit("Three", {"shop/index.html": "three"})
    live.wait_for(lambda: aftermath.said(live, "turn.failed"), "it is said that the store is another one")
    told_to_people(live)
    live.terminate()
    live.start()
    live.wait_for(lambda: live.everywhere("three"), "the next start goes on with what the file holds")
    live.wait_for(lambda: aftermath.ended(live, "shop"), "every deployment has ended")
    # What the older store knows nothing of lies in the targets still; all else is as ever.
    aftermath.versions_of_commits(live, "shop")
    live.wait_for(lambda: aftermath.verified(live), "the ledger is sound and sealed")
    aftermath.nothing_to_do(live)
    aftermath.doctor(live)
    aftermath.no_storm(live)


def damaged(live: Live) -> None:
    """Zeros in every page but the first."""
    with closing(sqlite3.connect(file(live))) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = store.execute("PRAGMA page_size").fetchone()[0]
    with file(live).open("r+b") as content:
        pages = file(live).stat().st_size // size
        for page in range(1, pages):
            content.seek(page * size)
            content.write(b"\xff" * size)


def test_a_damaged_store_is_named_and_a_backup_in_its_place_goes_on(live: Live) -> None:
    begin(live)
    live.terminate()
    live.store.close()
    backup = live.directory / "backup.db"
    shutil.copy(file(live), backup)
    damaged(live)
    done = aftermath.command(live, "doctor")
    assert done.status == 1
    assert "malformed" in done.out or "damaged" in done.out
    assert "put a backup in its place" in done.out
    live.start()
    assert live.ended() == 1
    assert "malformed" in live.log
    assert "put a backup in its place" in live.log
    backup.replace(file(live))
    live.start()
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "it goes on with the backup")
    aftermath.check(live)


def test_a_store_that_is_damaged_under_the_daemon_starts_no_storm(live: Live) -> None:
    begin(live)
    live.terminate()
    backup = live.directory / "backup.db"
    live.store.close()
    shutil.copy(file(live), backup)
    live.start()
    live.wait_for(lambda: live.log.count('"started"') == 2, "it runs again")
    live.store.close()
    damaged(live)
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: len(aftermath.said(live, "turn.failed")) >= 3, "it is said more than once")
    assert "malformed" in aftermath.said(live, "turn.failed")[0]["error"]
    aftermath.growing(live, "turn.failed")
    live.kill()
    for path in file(live).parent.glob("reconciler.db*"):
        path.unlink()
    backup.replace(file(live))
    live.start()
    live.wait_for(lambda: live.everywhere("two"), "it goes on with the backup")
    aftermath.check(live)
