"""The worlds that stories are told in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.daemon import Live, Nursery
from tests.faults.postgres import Server
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A reconciler in this process, with a clock that the test turns."""
    return World(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server for a module. It runs as another user, whom pytest shuts out of its directories."""
    place = Path(tempfile.mkdtemp(prefix="reconciler-"))
    made = Server(place)
    yield made
    made.close()
    shutil.rmtree(place)


@pytest.fixture
def live(tmp_path: Path, nursery: Nursery) -> Iterator[Live]:
    """A reconciler whose daemon is a process of its own; it must end without a fault."""
    made = Live(tmp_path, nursery)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Live]:
    """The same, started by typing the command, with all that this takes."""
    made = Live(tmp_path)
    try:
        yield made
    finally:
        made.close()
