"""What is no sound backup is refused, with what is wrong, before anything is touched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.store.migrate import HEAD
from tests.commands import Told, typed

FILE = "now.backup"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound backup, beside the store that it was taken from."""
    told = Told(tmp_path_factory.mktemp("sound"))
    told.start_repository()
    told.settle()
    told.commit("Two", {"shop/index.html": "two"})
    told.settle()
    assert told.type("backup", FILE).status == 0
    return told.directory / FILE


CHANGES = {
    "newer": f'UPDATE backup SET about = replace(about, \'"schema": "{HEAD}"\', \'"schema": "9999"\')',
    "form": "UPDATE backup SET format = 2",
    "rows": "DELETE FROM versions WHERE number = 1",
    "ledger": "UPDATE ledger SET actor = 'somebody' WHERE sequence = 3",
    "resealed": "UPDATE ledger SET actor = 'x' WHERE sequence = 3; DELETE FROM seals; "
    "UPDATE backup SET about = replace(about, '\"seals\": 2', '\"seals\": 0')",
    "trigger": "CREATE TRIGGER t AFTER INSERT ON ledger BEGIN DELETE FROM versions; END",
    "value": "UPDATE versions SET message = 'nothing to see' WHERE number = 1",
    "pause": "UPDATE apps SET due_at = NULL; UPDATE placements SET look = 'reverted' WHERE environment = 'live'",
    "silent": "UPDATE backup SET about = '[1]'",
}
"""What somebody did to the backup with SQL."""


def torn(content: bytearray) -> bytes:
    """The beginning of every page behind the first ones is gone."""
    for at in range(4096 * 6, len(content), 4096):
        content[at : at + 64] = b"\xee" * 64
    return content


BYTES = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "text": lambda content: b"not a backup\n" * 1000,
    "page": torn,
}
"""What the disk did to it."""


def damaged(sound: Path, directory: Path, how: str) -> None:
    """A file that is no sound backup."""
    file = directory / FILE
    if how in CHANGES:
        shutil.copyfile(sound, file)
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(CHANGES[how])
    elif how in BYTES:
        file.write_bytes(BYTES[how](bytearray(sound.read_bytes())))
    elif how == "other":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE photos (name TEXT)")
    elif how == "store":
        shutil.copyfile(sound.with_name("state") / "reconciler.db", file)
    elif how == "directory":
        file.mkdir()
    elif how == "fifo":
        os.mkfifo(file)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("truncated", "breaks off"),
        ("empty", "it is empty"),
        ("text", "it is no SQLite file"),
        ("page", "is damaged"),
        ("other", "it is another SQLite file"),
        pytest.param("store", "it is another SQLite file", marks=pytest.mark.sqlite_only("the store is a file")),
        ("directory", "it is a directory"),
        ("missing", "there is no file"),
        ("fifo", "it is no file"),
        ("newer", "a newer reconciler"),
        ("form", "has the format 2"),
        ("rows", "versions has 1 rows and not 2"),
        ("ledger", "is vouched for"),
        ("resealed", "adds up to another hash"),
        ("trigger", "which no reconciler put there"),
        ("value", "the rows of versions are others than it says"),
        ("pause", "the rows of placements are others than it says"),
        ("silent", "does not say what it holds"),
    ],
)
def test_a_file_that_is_no_sound_backup_is_refused_before_anything_is_touched(
    sound: Path, tmp_path: Path, how: str, said: str
) -> None:
    damaged(sound, tmp_path, how)
    before = list(tmp_path.iterdir())
    for options in (["--force"], ["--check"]):
        done = typed("restore", FILE, *options, at=tmp_path)
        assert (done.status, done.out) == (1, "")
        assert said in done.err
        assert len(done.err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == before


def test_one_that_was_made_before_there_were_digests_is_taken(sound: Path, tmp_path: Path) -> None:
    shutil.copyfile(sound, tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("UPDATE backup SET about = json_remove(about, '$.digests')")
        connection.commit()
    assert typed("restore", FILE, "--check", at=tmp_path).status == 0


def test_a_sound_one_is_taken(sound: Path, tmp_path: Path) -> None:
    shutil.copyfile(sound, tmp_path / FILE)
    assert typed("restore", FILE, "--check", at=tmp_path).status == 0


@pytest.mark.sqlite_only("the store is on the disk that is full")
@pytest.mark.parametrize("arguments", [["restore", FILE, "--force"], ["rebuild", "--force"]])
def test_a_disk_that_is_full_is_told_and_the_store_stays(sound: Path, arguments: list[str]) -> None:
    store = sound.with_name("state") / "reconciler.db"
    before, there = store.read_bytes(), sorted(store.parent.iterdir())
    done = on_a_small_disk(arguments, sound.parent)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) <= 2
    assert "space" in done.stderr
    assert (store.read_bytes(), sorted(store.parent.iterdir())) == (before, there)


def on_a_small_disk(arguments: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """A command to which no file may be larger than 64 KiB."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
        "from reconciler.cli.main import attempt; sys.exit(attempt(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=directory)
