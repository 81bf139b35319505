"""Does everything end the same, whichever of its writes the reconciler is killed at?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import ROOT
from tests.stores import IN_POSTGRESQL

SHARES = 8
"""So many tests do all of it together."""
SPREAD = 101 if IN_POSTGRESQL else 37
"""In PostgreSQL, whoever goes on first waits until the lease of the one that was killed is over."""
MEMORY = Path("/dev/shm")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, if there is one: what is killed here is a process and no machine."""
    made = Path(tempfile.mkdtemp(prefix="reconciler-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    yield made
    shutil.rmtree(made)


def killed(place: Path, every: int, first: int) -> dict[str, Any]:
    """Kill it at every so many writes; none may come to another end."""
    command = [sys.executable, "-m", "tests.faults.every_write", str(place), str(every), str(first)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["wrong"] == [], json.dumps(told["wrong"][:3], indent=2)
    return told


@pytest.mark.timeout(300)
def test_killed_at_writes_spread_over_everything(place: Path) -> None:
    told = killed(place, SPREAD, 1)
    points = sum(told["writes"].values())
    assert points > 300
    assert told["kills"] == len(range(0, points, SPREAD))


@pytest.mark.long
@pytest.mark.timeout(2400 if IN_POSTGRESQL else 900)
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_killed_at_every_single_write(place: Path, share: int) -> None:
    assert killed(place, SHARES, share)["kills"] > 30
