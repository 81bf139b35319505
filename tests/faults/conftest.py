"""Worlds for faults: those of `e2e`, whose daemon is a process of its own, and a PostgreSQL server to end and start."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import live, nursery, typed  # noqa: F401 - fixtures
from tests.faults.postgres import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server for a module. It runs as another user, whom pytest shuts out of its directories."""
    place = Path(tempfile.mkdtemp(prefix="reconciler-"))
    made = Server(place)
    yield made
    made.close()
    shutil.rmtree(place)
