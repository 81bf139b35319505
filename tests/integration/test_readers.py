"""Do several processes read a first commit as one would, also when one of them ends early?"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.readers import ENOUGH, Readers
from reconciler.engine.reading import Piece, piece
from reconciler.git.objects import Objects
from reconciler.git.shapes import Change
from reconciler.store import declared, written
from tests.gitrepo import Repo
from tests.world import ENVIRONMENTS, World, app_manifest

COUNT = ENOUGH * 4


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    """A repository with manifests, one of them broken, and a set."""
    repo = Repo.create(tmp_path / "work")
    files = {f"app-{n:03d}.yaml": app_manifest(f"app-{n:03d}") for n in range(COUNT)}
    files["app-003.yaml"] = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: x, name: y}\n"
    repo.write(files).commit("Begin")
    with Objects(tmp_path / "work" / ".git") as found:
        yield found


def changes(objects: Objects) -> list[list[Change]]:
    """Pieces of one file each."""
    tree = objects.commit("HEAD").tree
    return [[Change(one.path, "000000", one.mode, "0" * 40, one.id, "A")] for one in objects.tree(tree)]


def gathered(pieces: list[Piece]) -> tuple[list[str], list[str]]:
    """What was read, whatever the order."""
    rows = sorted(str(row) for one in pieces for row in (*one.files, *one.rows))
    broken = sorted(path for one in pieces for path in one.broken)
    return rows, broken


def children() -> set[int]:
    """Processes that this one started and that live."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(pid) for pid in found}


def test_other_processes_read_the_same(objects: Objects):
    several = changes(objects)
    before = children()
    with Readers(objects.git_dir, len(several)) as readers:
        read = list(readers.read(several, lambda one: piece(objects, one)))
    assert gathered(read) == gathered([piece(objects, one) for one in several])
    assert gathered(read)[1] == ["app-003.yaml"]
    assert len(children() - before) <= 2  # git's own, which stay open for the next question


def test_a_process_that_is_killed_costs_nothing_that_it_was_to_read(objects: Objects):
    several = changes(objects)
    list(objects.blobs([several[0][0].new_id]))
    before = children()
    with Readers(objects.git_dir, len(several)) as readers:
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)
        read = list(readers.read(several, lambda one: piece(objects, one)))
    assert gathered(read) == gathered([piece(objects, one) for one in several])


def test_apps_that_are_kept_as_they_were_read_are_the_same_as_those_that_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = []
    for kept in (0, 4, 100):
        monkeypatch.setattr("reconciler.engine.beginning.KEPT", kept)
        monkeypatch.setattr("reconciler.engine.beginning.AT_ONCE", 3)
        world = World(tmp_path / f"{kept}")
        files = {f"apps/app-{n}/app.yaml": app_manifest(f"app-{n}", bundle=None, config={"SIZE": n}) for n in range(12)}
        files |= {"apps/app-3/app.yaml": app_manifest("app-3", bundle="nowhere"), "environments.yaml": ENVIRONMENTS}
        files |= {f"apps/app-{n}/inside.yaml": app_manifest(f"inside-{n}", bundle="there") for n in (5, 6)}
        files |= {"apps/app-6/there/index.html": "six"}
        world.commit("Begin", files)
        with world.running() as running:
            running.daemon.settle()
            with running.database.read() as connection:
                columns = ("name", "content", "tree", "complaints", "document", "depends")
                rows = written.apps(connection, declared.known_names(connection)).values()
                found.append(sorted([getattr(row, one) for one in columns] for row in rows))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 10
    assert [row[0] for row in found[0] if row[1] is None] == ["app-3", "inside-5"]
