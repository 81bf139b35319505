"""A backup that was killed leaves a part beside its place: who removes it, and what is never taken for one?"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import Told

FILE = "now.backup"
# Stops where the copy is written and has no name yet.
STOPPING = (
    "import sys, time, reconciler.store.backing as backing\n"
    "def stay(*a, **k): print('written', flush=True); time.sleep(600)\n"
    "backing._take_name = stay\n"
    "from reconciler.cli.main import attempt; sys.exit(attempt(sys.argv[1:]))"
)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    return made


def parts(told: Told) -> list[str]:
    return sorted(path.name for path in told.directory.iterdir() if path.name.startswith(".reconciler-"))


@contextmanager
def writing(told: Told) -> Iterator[subprocess.Popen[str]]:
    """While a backup is being written; it is killed at the end."""
    command = [sys.executable, "-c", STOPPING, "backup", FILE]
    with subprocess.Popen(command, cwd=told.directory, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()


def aged(told: Told, hours: float = 2) -> None:
    """All parts have rested so long."""
    then = time.time() - hours * 3600
    for name in parts(told):
        os.utime(told.directory / name, (then, then), follow_symlinks=False)


def test_what_a_killed_backup_left_is_removed_by_the_next_one(told: Told) -> None:
    with writing(told):
        pass
    assert len(parts(told)) == 1
    (told.directory / (parts(told)[0] + "-journal")).write_text("x")
    assert told.type("backup", "early.backup").status == 0
    assert len(parts(told)) == 2  # it has not rested long
    aged(told)
    done = told.type("backup", FILE)
    assert (done.status, parts(told)) == (0, [])


def test_what_is_being_written_is_left_alone_however_long_it_takes(told: Told) -> None:
    with writing(told):
        aged(told)
        (part,) = parts(told)
        assert told.type("backup", FILE).status == 0
        assert parts(told) == [part]


@pytest.mark.parametrize("name", [".reconciler-abcdefg.part", "reconciler-abcdefgh.part", ".reconciler-abcdefgh.parts"])
def test_what_has_another_name_is_nobodys_business(told: Told, name: str) -> None:
    (told.directory / name).write_text("mine")
    os.utime(told.directory / name, (0, 0))
    assert told.type("backup", FILE).status == 0
    assert (told.directory / name).read_text() == "mine"


def test_what_is_locked_by_anybody_and_what_is_no_file_stays(told: Told) -> None:
    held, link, deep = (told.directory / f".reconciler-{name}.part" for name in ("aaaaaaaa", "bbbbbbbb", "cccccccc"))
    held.write_text("held")
    link.symlink_to(told.directory / "shop.yaml")
    deep.mkdir()
    aged(told)
    with held.open() as opened:
        fcntl.flock(opened, fcntl.LOCK_SH)
        assert told.type("backup", FILE).status == 0
    assert len(parts(told)) == 3
