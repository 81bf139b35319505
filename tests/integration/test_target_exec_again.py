"""Does a command run once for a deployment, whatever happens in between; and which settings make no sense?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import AttemptFailed, PersonNeeded
from reconciler.model.app import Triggers
from reconciler.targets.base import Observed, Running
from reconciler.targets.exec import ExecTarget
from reconciler.targets.rehearsal import release, version
from tests.integration.test_target_exec import Stage, runs, until


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "data")


def test_a_failure_in_between_makes_the_earlier_deployment_run_again(stage, tmp_path):
    """After a failed attempt nobody knows what runs: the last good deployment is not taken for granted."""
    log = tmp_path / "log"
    script = f"echo $RECONCILER_DEPLOYMENT >> {log}; test $RECONCILER_DEPLOYMENT != d2"
    stage.deploy(script)
    stage.deploy(script)
    with pytest.raises(AttemptFailed):
        stage.deploy(script, deployment="d2")
    assert stage.target("").observe("booking") == Observed("d1", (Running(version(1).version, 100),))
    stage.deploy(script)
    assert log.read_text().split() == ["d1", "d2", "d1"]


def test_a_damaged_receipt_runs_the_command_again_rather_than_not(stage, tmp_path):
    log = tmp_path / "log"
    for damage in ("{", "[]", '{"completed": {"deployment": "d1"}}', "\0"):
        stage.deploy(f"echo x >> {log}")
        (stage.data / "exec/live/booking.json").write_text(damage)
    stage.deploy(f"echo x >> {log}")
    assert len(log.read_text().split()) == 5


KILLED_DAEMON = """
import sys
from pathlib import Path
from reconciler.targets.exec import ExecTarget
from reconciler.targets.rehearsal import Rehearsal, release, version
ExecTarget("live", {"command": ["/bin/sh", "-c", sys.argv[2]]}, Path(sys.argv[1])).deploy(
    release("d1", version(1)), Rehearsal().work())
"""


def test_what_a_killed_daemon_left_running_is_ended_before_it_runs_again(stage, tmp_path):
    log = tmp_path / "log"
    # What it prints would meet a pipe that nobody reads.
    first = (
        f"exec >&- 2>&-; trap 'echo first ended >> {log}; exit 1' TERM; echo $$ > {log}; while :; do sleep 0.01; done"
    )
    daemon = subprocess.Popen([sys.executable, "-c", KILLED_DAEMON, str(stage.data), first])
    until(lambda: log.exists() and log.read_text().strip())
    command = int(log.read_text())
    daemon.kill()
    daemon.wait()
    assert runs(command)
    said = stage.deploy(f"echo second >> {log}")
    assert not runs(command)
    assert log.read_text().split("\n")[1:] == ["first ended", "second", ""]
    assert "of an attempt that nobody waited for" in said
    assert stage.target("").observe("booking") == Observed("d1", (Running(version(1).version, 100),))


def test_an_app_is_taken_away_by_its_own_command(stage, tmp_path):
    target = stage.target("true", retire=["/bin/sh", "-c", f"env > {tmp_path}/env; ls -A > {tmp_path}/ls"])
    target.deploy(release("d1", version(1)), stage.lent.work())
    target.retire(release("d2"), stage.lent.work())
    found = (tmp_path / "env").read_text().splitlines()
    assert {"RECONCILER_DEPLOYMENT=d2", "RECONCILER_TRAFFIC=[]", "RECONCILER_VERSION="} <= set(found)
    assert (tmp_path / "ls").read_text() == ""
    assert target.observe("booking") is None


def test_an_app_that_cannot_be_taken_away_still_runs(stage):
    target = stage.target("true", retire=["false"])
    target.deploy(release("d1", version(1)), stage.lent.work())
    with pytest.raises(AttemptFailed, match="false ended with status 1"):
        target.retire(release("d2"), stage.lent.work())
    assert target.observe("booking") is not None


def test_triggers_go_to_their_own_command(stage, tmp_path):
    target = stage.target("true", triggers=["/bin/sh", "-c", f'printf %s "$RECONCILER_TRIGGERS" > {tmp_path}/out'])
    target.triggers("booking", Triggers(routes=("a/*",), crons=("0 9 * * *",)), stage.lent.work())
    assert json.loads((tmp_path / "out").read_text()) == {"routes": ["a/*"], "domains": [], "crons": ["0 9 * * *"]}


def test_without_such_commands_nothing_happens(stage):
    target = stage.target("exit 1")
    target.retire(release("d1"), stage.lent.work())
    target.triggers("booking", Triggers(routes=("a",)), stage.lent.work())
    assert stage.lent.said == []


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, "command is missing"),
        ({"command": []}, "command is empty (add one)"),
        ({"command": "ls"}, "command takes a list, not a text (write [ls])"),
        ({"command": ["sleep", 5]}, "entry 2 of command takes a text, not a number (quote it)"),
        ({"command": "deploy.sh --all"}, "command takes a list, not a text (write [deploy.sh, --all])"),
        ({"command": "sh -c 'a b'"}, "command takes a list, not a text (write each entry in a line"),
        ({"command": [""]}, "command: it names no program"),
        ({"command": ["a\0b"]}, "command: it names no program, or a word holds a NUL"),
        ({"command": ["a"], "kommand": ["a"]}, "kommand is unknown: did you mean command?"),
        ({"command": ["a"], "timeout": "15 minutes"}, "timeout: '15 minutes' is not a duration"),
        ({"command": ["a"], "timeout": "0s"}, "timeout: this is no time limit (give 1s to 1d)"),
        ({"command": ["a"], "env": ["A B"]}, "entry 1 of env is no name of a variable (use letters"),
    ],
)
def test_wrong_settings_are_complained_about(settings, complaint, tmp_path):
    (found,) = ExecTarget.check(settings)
    assert found.startswith(complaint)
    with pytest.raises(PersonNeeded) as raised:
        ExecTarget("live", settings, tmp_path)
    assert found in str(raised.value)
