"""Is the daemon's own end harmless: TERM, `--once`, and being killed at any moment?"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from reconciler.errors import StoreError
from reconciler.store import ledger
from tests.commands import typed as type_command
from tests.e2e.daemon import PATIENCE, ROOT, Live, environment_manifest, exec_target
from tests.processes import runs
from tests.world import CHAIN, app_manifest

SLOW = """
echo $$ >> {place}/pids
echo "$RECONCILER_DEPLOYMENT" >> {place}/begun
while ! test -e {place}/go; do sleep 0.02; done
"""


def slow(live: Live) -> None:
    """One environment whose command waits for a file."""
    target = exec_target(SLOW.format(place=live.directory))
    live.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("live", "latest", target=target),
            "shop.yaml": app_manifest(environments=["live"]),
            "shop/index.html": "one",
        },
    )


def begun(live: Live) -> list[str]:
    place = Path(live.directory / "begun")
    return place.read_text().splitlines() if place.exists() else []


def test_once_does_all_that_can_be_done_now_and_ends(typed: Live) -> None:
    typed.start_repository()
    typed.start("--once")
    assert typed.ended() == 0
    assert typed.everywhere("one")
    typed.start("--once")
    assert typed.ended() == 0
    assert len(typed.history()) == 3


def test_term_lets_a_running_deployment_come_to_its_end(typed: Live) -> None:
    slow(typed)
    typed.start()
    typed.wait_for(lambda: begun(typed), "the command runs")
    assert typed.process is not None
    typed.process.send_signal(signal.SIGTERM)
    (typed.directory / "go").touch()
    assert typed.ended() == 0
    assert typed.story("live") == [("release", "completed", [1])]


def test_what_takes_longer_than_the_drain_is_taken_up_at_the_next_start(live: Live) -> None:
    live.settings["drain"] = "1s"
    slow(live)
    live.start()
    live.wait_for(lambda: begun(live), "the command runs")
    live.terminate()
    assert live.story("live") == [("release", "started", [1])]
    (live.directory / "go").touch()
    live.start()
    live.wait_for(lambda: live.story("live") == [("release", "completed", [1])], "it is taken up")
    assert len(set(begun(live))) == 1


STUBBORN = """
trap '' TERM
(trap '' TERM; echo $$ >> {place}/pids; exec sleep 600) &
echo $! >> {place}/pids
echo "$RECONCILER_DEPLOYMENT" >> {place}/begun
while :; do sleep 0.02; done
"""


def test_a_second_term_stops_what_runs_and_ends_at_once(live: Live) -> None:
    target = exec_target(STUBBORN.format(place=live.directory))
    files = {"environments.yaml": environment_manifest("live", "latest", target=target)}
    live.commit("Begin", {**files, "shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"})
    live.start()
    live.wait_for(lambda: begun(live) and len(running(live)) == 2, "the command and its child run")
    assert live.process is not None
    live.process.send_signal(signal.SIGTERM)
    live.wait_for(lambda: said(live, "stopping"), "it says that it ends")
    (first,) = said(live, "stopping")
    assert first["waits_for"] == ["shop in live, deployment 1"]
    assert first["at_most"] == "30s"
    began = time.monotonic()
    live.process.send_signal(signal.SIGTERM)
    assert live.ended() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 20, "long before the drain is over"
    assert running(live) == []
    (second,) = said(live, "stopped.at-once")
    assert (second["left"], second["commands_ended"]) == (["shop in live, deployment 1"], 1)
    # A command that was ended so says nothing about the deployment: the next start takes it up.
    assert live.story("live") == [("release", "started", [1])]
    assert "attempt-failed" not in live.log


def said(live: Live, event: str) -> list[dict[str, object]]:
    """What the daemon logged under a name."""
    lines = (json.loads(line) for line in live.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def test_what_runs_when_the_drain_is_over_is_named(live: Live) -> None:
    live.settings["drain"] = "1s"
    slow(live)
    live.start()
    live.wait_for(lambda: begun(live), "the command runs")
    live.terminate()
    (left,) = said(live, "drain.over")
    assert left["left"] == ["shop in live, deployment 1"]
    assert running(live) == []


def test_term_while_it_starts_ends_it_in_peace(live: Live) -> None:
    live.start_repository()
    live.config.write_text(json.dumps(live.settings))
    command = [sys.executable, "-m", "reconciler", "run", "--config", str(live.config)]
    for number in (signal.SIGTERM, signal.SIGINT):
        # As early as anything of ours runs: when the command line begins to be imported.
        tracer = f"import sys,os,signal\nclass _Early:\n def find_spec(self, name, *_):\n  if name == 'click':\n   \
sys.meta_path.remove(self)\n   os.kill(os.getpid(), {int(number)})\nsys.meta_path.insert(0, _Early())\n"
        place = live.directory / f"early-{int(number)}"
        place.mkdir()
        (place / "sitecustomize.py").write_text(tracer)
        ended = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(place)}, capture_output=True, timeout=PATIENCE
        )
        assert ended.returncode == (0 if number == signal.SIGTERM else 130)
        assert b"Traceback" not in ended.stderr


def test_status_says_whether_a_daemon_runs_after_it_was_killed(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "it runs")
    words = ("status", "--config", live.config)
    assert "no daemon runs" not in type_command(*words, at=live.directory).out
    shown = type_command(*words, "-o", "json", at=live.directory).json
    assert {row["daemon"]["running"] for row in shown} == {True}
    live.kill()
    start = f"start it with `reconciler run --config {live.config}`"
    live.wait_for(lambda: start in type_command(*words, at=live.directory).out, "it is told how to start one")
    shown = type_command(*words, "-o", "json", at=live.directory).json
    assert {row["daemon"]["running"] for row in shown} == {False}


def test_a_command_that_outlived_its_killed_daemon_is_ended_before_it_is_begun_again(live: Live) -> None:
    slow(live)
    live.start()
    live.wait_for(lambda: begun(live), "the command runs")
    (pid,) = running(live)
    live.kill()
    assert running(live) == [pid]
    live.start()
    live.wait_for(lambda: len(begun(live)) == 2, "the command runs again")
    assert pid not in running(live)
    (live.directory / "go").touch()
    live.wait_for(lambda: live.story("live") == [("release", "completed", [1])], "it is done")
    assert len(set(begun(live))) == 1


def running(live: Live) -> list[int]:
    """Process ids of the commands that run."""
    pids = [int(line) for line in (live.directory / "pids").read_text().split()]
    return [pid for pid in pids if runs(pid)]


def test_two_daemons_do_not_run_on_one_data_directory(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first daemon runs")
    first = live.process
    live.start("--once")
    assert live.ended() == 1
    assert "another reconciler runs" in live.log
    live.process = first


def test_twelve_kills_in_a_row_lose_nothing_and_double_nothing(live: Live) -> None:
    chance = random.Random()  # when a kill hits cannot be repeated anyway
    files: dict[str, str | bytes | None] = {
        "environments.yaml": "\n---\n".join(
            environment_manifest(name, track, target={"type": "directory", "path": f"releases/{name}", "keep": 1000})
            for name, track in (("sandbox", "latest"), ("pre-release", "sandbox"), ("live", "pre-release"))
        )
    }
    apps = [f"app-{number}" for number in range(4)]
    for name in apps:
        files |= {f"{name}.yaml": app_manifest(name), f"{name}/index.html": "0"}
    live.start_repository()
    live.commit("Apps", files)
    for round_number in range(1, 13):
        live.start()
        for name in chance.sample(apps, 2):
            live.commit(f"Round {round_number} of {name}", {f"{name}/index.html": str(round_number)})
        if round_number % 4 == 0:
            live.repo.revert("HEAD")
            live.repo.push()
        if round_number % 3:  # else it is killed while it starts
            known = facts(live)
            live.wait_for(lambda known=known: facts(live) > known, "it has begun to work")
        live.pause_for(chance.uniform(0, 0.15))
        live.kill()
    live.start()
    for name in apps:
        live.commit(f"Last of {name}", {f"{name}/index.html": "last"})
    live.wait_for(lambda: live.everywhere("last", *apps) and live.everywhere("one"), "all is in sync")
    for name in [*apps, "shop"]:
        assert [v.number for v in live.versions(name)] == list(range(1, len(live.versions(name)) + 1))
        for environment in CHAIN:
            check(live, name, environment)
    with live.store.read() as connection:
        assert ledger.verify(connection).broken_after is None
        ended = Counter(
            entry["subject"]
            for entry in ledger.export(connection)
            if entry["kind"] in ("deployment.completed", "deployment.failed", "deployment.aborted")
        )
    assert set(ended.values()) == {1}


def facts(live: Live) -> int:
    """How much has been recorded so far."""
    try:
        with live.store.read() as connection:
            return sum(1 for _ in ledger.export(connection))
    except StoreError:
        return 0


def check(live: Live, app: str, environment: str) -> None:
    """Numbers without gaps, every deployment ended, and one directory for each that completed."""
    history = live.history(app, environment)
    assert [deployment.number for deployment in history] == list(range(1, len(history) + 1))
    assert {deployment.status for deployment in history} <= {"completed", "aborted"}
    releases = live.released(environment, app).parent / "releases"
    found = {path.name for path in releases.iterdir()}
    completed = [deployment.id for deployment in history if deployment.status == "completed"]
    assert found <= {deployment.id for deployment in history}
    assert set(completed) <= found
    assert live.released(environment, app).resolve().name == completed[-1]
    facts = json.loads((live.released(environment, app) / ".reconciler.json").read_text())
    assert facts["deployment"] == completed[-1]
