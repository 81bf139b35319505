"""Does `reconciler health` know whether what runs here is well, whatever the settings say of HTTP?"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli import health as verb
from reconciler.engine.alone import alone
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
    with alone(state):
        assert health(told.directory) == Done(0, "the daemon lives; api.listen is off\n", "")
        vitals.write(state / vitals.FILE, begun, told.now - timedelta(seconds=90))
        stands_still(told)


def stands_still(told: Told) -> None:
    """The daemon here has been silent for a minute and a half: all who look say so."""
    done = health(told.directory)
    assert done.status == 1
    assert re.search(r"no life for (89|9\d) s", done.err)
    said = {one["check"]: one for one in json.loads(told.type("doctor", "-o", "json").out)}["daemon"]
    assert said["status"] == "bad"
    assert "shown no life" in said["detail"]
    assert said["remedy"]


def test_who_was_killed_is_gone_at_once(told: Told) -> None:
    state = told.directory / "state"
    state.mkdir()
    with alone(state):
        vitals.write(state / vitals.FILE, told.now - timedelta(hours=1), told.now)
        assert health(told.directory).status == 0
    done = health(told.directory)  # the lock went with it, what it wrote did not
    assert done.status == 1
    assert "no daemon runs" in done.err


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
    state = served.directory / "state"
    with alone(state):
        vitals.write(state / vitals.FILE, served.now - timedelta(hours=1), served.now - timedelta(seconds=90))
        stands_still(served)
    assert health(served.directory).status == 0  # HTTP alone, beside what a daemon left behind


def test_who_answers_in_drops_is_not_waited_for(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        told.set(api={"listen": f"127.0.0.1:{listening.getsockname()[1]}"})
        over = threading.Event()

        def drip() -> None:
            other, _ = listening.accept()
            with other, suppress(OSError):
                other.sendall(b"HTTP/1.1 200 OK\r\n")
                for number in range(50):
                    if over.wait(0.1):
                        return
                    other.sendall(b"X-%d: 1\r\n" % number)
                other.sendall(b"Content-Length: 0\r\n\r\n")

        dripping = threading.Thread(target=drip)
        dripping.start()
        done = health(told.directory)
        over.set()
        dripping.join(PATIENCE)
    assert done.status == 1
    assert "nothing whole came" in done.err
