"""Does `reconciler health` know whether what runs here is well, whatever the settings say of HTTP?"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.telemetry import vitals
from tests.commands import Done, Told, typed
from tests.e2e.daemon import PATIENCE, ROOT, Live


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A world whose settings have HTTP off."""
    return Told(tmp_path)


def health(at: Path) -> Done:
    return typed("health", at=at)


def test_without_http_it_goes_by_the_daemon(told: Told) -> None:
    state = told.directory / "state"
    state.mkdir()
    assert health(told.directory).status == 1
    assert "no daemon runs" in health(told.directory).err
    begun = told.now - timedelta(hours=1)
    vitals.write(state / vitals.FILE, begun, told.now)
    assert health(told.directory) == Done(0, "the daemon lives; api.listen is off\n", "")
    vitals.write(state / vitals.FILE, begun, told.now - timedelta(seconds=90))
    done = health(told.directory)
    assert done.status == 1
    assert re.search(r"no life for (89|9\d) s", done.err)


def test_a_daemon_without_http_is_well_until_it_ends(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    (live.directory / "reconciler.yaml").write_text(json.dumps(live.settings))
    assert health(live.directory).status == 0
    live.terminate()
    assert health(live.directory).status == 1


@pytest.fixture
def served(told: Told) -> Iterator[Told]:
    """The same with HTTP, over a store that is not there yet."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    settings = {**told.settings, "api": {"listen": f"0.0.0.0:{port}"}}
    (told.directory / "reconciler.yaml").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "reconciler", "serve"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, cwd=told.directory, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield told
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_with_http_it_goes_by_whether_that_is_ready(served: Told) -> None:
    until = time.monotonic() + 3 * PATIENCE
    while "nothing answers" in (done := health(served.directory)).err:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert done.status == 1  # nothing has been recorded
    assert "not ready: 503" in done.err
    served.start_repository()
    served.settle()
    done = health(served.directory)
    assert (done.status, done.err) == (0, "")
