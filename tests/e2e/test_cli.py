"""Does the command line do in real processes what a person at a terminal, a script and an init system expect?"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.daemon import Live
from tests.world import ENVIRONMENTS, app_manifest

PATIENCE = 60.0
RECONCILER = [sys.executable, "-m", "reconciler"]


def typed(*arguments: str, at: Path, status: int = 0) -> str:
    """Type a command; what it prints. It must end with this exit status, and without a traceback."""
    done = subprocess.run([*RECONCILER, *arguments], cwd=at, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr if status else done.stdout


@contextmanager
def started(*arguments: str, at: Path, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to end."""
    process = subprocess.Popen([*RECONCILER, *arguments], cwd=at, text=True, **streams)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def test_from_nothing_to_a_release_in_four_commands(tmp_path: Path) -> None:
    assert "cd demo" in typed("init", "demo", at=tmp_path)
    demo = tmp_path / "demo"
    assert "no mistakes" in typed("validate", at=demo)
    assert "2 completed" in typed("run", "--once", at=demo)
    rows = json.loads(typed("status", "-o", "json", at=demo))
    assert [(row["environment"], row["in_sync"]) for row in rows] == [("sandbox", True), ("live", True)]
    page = demo / "state" / "releases" / "live" / "hello" / "current" / "index.html"
    assert page.read_text() == "<h1>Hello</h1>\n"
    assert subprocess.run(["git", "status", "--short"], cwd=demo, capture_output=True, check=True).stdout == b""


def test_a_daemon_hears_wishes_and_ends_politely(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first release")
    assert "another reconciler runs" in typed(
        "run", "--once", "--config", str(live.config), at=live.directory, status=1
    )
    doctor = json.loads(typed("doctor", "--config", str(live.config), "-o", "json", at=live.directory))
    assert {one["check"]: one["status"] for one in doctor}["daemon"] == "good"

    pause = ["pause", "shop", "live", "--reason", "the fair", "--until", "1h", "--actor", "ann@example.org"]
    typed(*pause, "--config", str(live.config), at=live.directory)
    live.commit("Change", {"shop/index.html": "two"})
    live.wait_for(lambda: live.runs("pre-release") == "two", "the change in pre-release")
    assert live.runs("live") == "one"
    typed("resume", "shop", "--actor", "ann@example.org", "live", "--config", str(live.config), at=live.directory)
    live.wait_for(lambda: live.everywhere("two"), "the change everywhere")
    live.terminate()
    assert "ended" in live.log


def test_a_second_signal_ends_at_once(live: Live) -> None:
    slow = ENVIRONMENTS.replace(
        "{track: latest, target: {type: directory, path: releases/sandbox}}",
        '{track: latest, target: {type: exec, command: ["/bin/sh", "-c", "sleep 600"]}}',
    )
    live.commit("Begin", {"environments.yaml": slow, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    live.start()
    assert live.process is not None
    live.wait_for(lambda: [d.status for d in live.history()] == ["started"], "a deployment is under way")
    live.process.send_signal(signal.SIGTERM)
    live.wait_for(lambda: '"stopping"' in live.log, "it has heard it")
    assert live.process.poll() is None, "it waits for what is under way"
    live.process.send_signal(signal.SIGINT)
    assert live.process.wait(timeout=20) == 128 + signal.SIGINT, "long before the drain is over"


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.config.write_text(json.dumps(live.settings))
    live.start_repository()
    live.settle()
    seen = on_terminal(["status"], tmp_path)
    assert "\x1b[" in seen
    assert "in sync" in seen


def on_terminal(arguments: list[str], at: Path) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    process = subprocess.Popen(
        [*RECONCILER, *arguments], cwd=at, stdout=theirs, stdin=theirs, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert process.wait(timeout=PATIENCE) == 0
    return seen.decode()


def test_watching_shows_what_changes_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.config.write_text(json.dumps(live.settings))
    live.start_repository()
    live.settle()
    with started("status", "--watch", at=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        assert "APP" in watch.stdout.readline()
        live.commit("Change", {"shop/index.html": "two"})
        live.settle()
        for line in watch.stdout:
            if line.split()[:3] == ["shop", "live", "v2"]:
                break
        # In its pause: in the midst of a page Python may have more to say about being interrupted.
        live.wait_for(lambda: _line(Path(f"/proc/{watch.pid}/status"), "State") == "S", "it has shown everything")
        watch.send_signal(signal.SIGINT)
        _, said = watch.communicate(timeout=PATIENCE)
        assert (watch.returncode, said) == (0, "")


def test_a_daemon_that_is_told_to_end_while_it_starts_ends_well(live: Live) -> None:
    live.start_repository()
    live.start()
    assert live.process is not None
    handlers = Path(f"/proc/{live.process.pid}/status")
    # TERM is the fifteenth bit of the signals that the process catches.
    live.wait_for(lambda: int(_line(handlers, "SigCgt"), 16) & 1 << 14, "it hears signals")
    live.terminate()


def _line(file: Path, name: str) -> str:
    return next(line.split()[1] for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
