"""Is a backup whole, durable, the same for every database, and never in the place of something else?"""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.store import tables
from reconciler.store.backups import examine
from reconciler.store.database import Database
from tests.commands import Told, typed
from tests.integration.test_restore_refused import on_a_small_disk
from tests.postgres import empty_database


@pytest.fixture(params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Told:
    """A world with two versions, on either database."""
    made = Told(tmp_path)
    if request.param == "postgresql":
        made.set(state={"url": empty_database(request.getfixturevalue("postgresql"))})
    made.start_repository()
    made.settle()
    made.commit("Say two – «zwei»", {"shop/index.html": "two"})
    made.settle()
    return made


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that outlives the daemons."""
    store = Database(url)
    try:
        with store.read() as connection:
            return {
                name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for name, table in tables.metadata.tables.items()
                if name not in ("daemons", "leadership")
            }
    finally:
        store.close()


def test_everything_that_is_recorded_is_in_one_file(told: Told) -> None:
    done = told.type("backup", "now.backup")
    assert done.status == 0, done.err
    file = told.directory / "now.backup"
    first, second, third = done.out.splitlines()
    assert first.startswith("now.backup: 2 commits, 2 versions, 6 deployments, ")
    assert f"up to commit {told.repo.head[:10]}" in second
    before, after = everything(told.settings["state"]["url"]), everything(f"sqlite:///{file}")
    claimed = [column.name for column in tables.deployments.columns].index("claimed_by")
    for rows in (before, after):
        rows["deployments"] = [(*row[:claimed], *row[claimed + 1 :]) for row in rows["deployments"]]
    assert after == before
    assert examine(file).head == third.split()[-1]
    assert [path.name for path in file.parent.glob("*backup*")] == ["now.backup"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_it_wrote_is_said_as_json(told: Told) -> None:
    said = told.json("backup", "now.backup")
    found = examine(told.directory / "now.backup")
    assert said["counts"] == dict(found.counts)
    assert said["counts"]["versions"] == 2
    assert (said["head"], said["commit"], said["facts"]) == (found.head, told.repo.head, found.facts)
    assert said["size"] == (told.directory / "now.backup").stat().st_size


def test_it_is_read_with_any_tool_and_says_what_it_is(told: Told) -> None:
    told.type("backup", "now.backup")
    with closing(sqlite3.connect(told.directory / "now.backup")) as connection:
        assert connection.execute("SELECT subject FROM commits ORDER BY position DESC").fetchone() == (
            "Say two – «zwei»",
        )
        (about,) = connection.execute("SELECT about FROM backup").fetchone()
        assert connection.execute("SELECT count(*) FROM daemons").fetchone() == (0,)
    assert json.loads(about)["source"] in ("sqlite", "postgresql")


def test_nothing_is_written_over_unless_it_is_asked_for(told: Told) -> None:
    file = told.directory / "now.backup"
    assert told.type("backup", file).status == 0
    before = file.stat().st_ino
    done = told.type("backup", file)
    assert (done.status, file.stat().st_ino) == (1, before)
    assert "is there already" in done.err
    assert told.type("backup", file, "--force").status == 0
    assert file.stat().st_ino != before
    assert examine(file).facts > 0


@pytest.mark.parametrize("name", ["notes.txt", "state/mirror.git/HEAD"])
def test_what_is_no_backup_is_never_written_over(told: Told, name: str) -> None:
    file = told.directory / name
    if not file.exists():
        file.write_text("precious")
    before = file.read_bytes()
    done = told.type("backup", file, "--force")
    assert (done.status, file.read_bytes()) == (1, before)
    assert "only a backup is written over" in done.err


def test_a_store_whose_ledger_was_changed_is_not_called_backed_up(told: Told) -> None:
    store = Database(told.settings["state"]["url"])
    with store.write() as transaction:
        transaction.connection.execute(tables.ledger.update().values(actor="somebody else"))
    store.close()
    done = told.type("backup", "now.backup")
    assert done.status == 1
    assert "ledger was changed" in done.err
    assert not list(told.directory.glob("*backup*"))


@pytest.fixture
def small(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    return made


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (".", 2, "is a directory"),
        ("nowhere/now.backup", 2, "there is no directory nowhere"),
        pytest.param(
            "state/reconciler.db", 2, "is the store itself", marks=pytest.mark.sqlite_only("the store is a file")
        ),
        ("/proc/now.backup", 1, "cannot be written"),
        ("x" * 300, 1, "too long"),
        ("/dev/full", 1, "is no backup, and only a backup is written over"),
        ("link", 1, "is no backup, and only a backup is written over"),
    ],
)
def test_a_place_that_cannot_take_it_is_told_and_stays(small: Told, file: str, status: int, said: str) -> None:
    (small.directory / "link").symlink_to("elsewhere")
    done = small.type("backup", file, "--force")
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert len(done.err.splitlines()) <= 2
    assert not (small.directory / "elsewhere").exists()
    assert not list(small.directory.glob(".reconciler-*"))


def test_without_a_store_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = typed("backup", "now.backup", at=tmp_path)
    assert (done.status, list(tmp_path.iterdir())) == (1, [])
    assert "nothing has been recorded yet" in done.err


def test_a_disk_that_is_full_is_told_and_nothing_is_left(small: Told) -> None:
    done = on_a_small_disk(["backup", "now.backup"], small.directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the backup now.backup cannot be written" in done.stderr
    assert "space" in done.stderr
    assert not [path for path in small.directory.iterdir() if "backup" in path.name or ".part" in path.name]


@pytest.mark.sqlite_only("its pages are damaged")
def test_a_store_that_is_damaged_is_told(small: Told) -> None:
    file = small.directory / "state" / "reconciler.db"
    content = bytearray(file.read_bytes())
    content[4096 : 4096 * 12] = b"\xee" * 4096 * 11
    file.write_bytes(content)
    done = small.type("backup", "now.backup")
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) <= 2
    assert not list(small.directory.glob("*backup*"))
