"""Does a command run as people are told it does: its surroundings, its answers, its end, its output?"""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import Aborted, AttemptFailed, PersonNeeded, TargetError, TryAgainLater
from reconciler.model.app import Binding
from reconciler.targets import process
from reconciler.targets.base import Observed, Running, Work
from reconciler.targets.exec import ExecTarget
from reconciler.targets.output import AT_MOST, KEPT
from reconciler.targets.rehearsal import REFERENCE, SECRET, Link, Rehearsal, release, version
from tests.processes import runs
from tests.waiting import stop_after, until


class Stage:
    """An exec target over a shell script, and what was heard of it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.lent = Rehearsal()
        self.stop = threading.Event()

    def target(self, script: str, **settings: object) -> ExecTarget:
        return ExecTarget("live", {"command": ["/bin/sh", "-c", script], **settings}, self.data)

    def deploy(self, script: str, part=None, deployment: str = "d1", **settings: object) -> str:
        """Everything that was said, on lines."""
        wanted = release(deployment, part or version(1), number=4, fence=2, lineage="first")
        self.target(script, **settings).deploy(wanted, self.lent.work(stop=self.stop))
        return "\n".join(self.lent.said)

    def fails(self, kind: type[TargetError], script: str, part=None, **settings: object) -> TargetError:
        with pytest.raises(kind) as raised:
            self.deploy(script, part, **settings)
        return raised.value


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "data")


# --- what the command finds -------------------------------------------------------------------------------


def test_it_gets_exactly_the_documented_variables(stage, tmp_path):
    stage.lent.environ |= {"DEPLOY_HOST": "h1", "HOME": "/nowhere", "UNRELATED": "x"}
    part = version(7, name="1.4.0", config={"greeting": "Grüße"}, secret=REFERENCE)
    full = type(part)(
        **{
            **{name: getattr(part, name) for name in part.__dataclass_fields__},
            "bindings": (Binding(name="CALENDAR", type="kv", resource="calendar"),),
        }
    )
    stage.deploy(f"/usr/bin/env -0 > {tmp_path}/env; pwd > {tmp_path}/pwd", full, env=["DEPLOY_HOST", "NOT_SET"])
    found = dict(item.split("=", 1) for item in (tmp_path / "env").read_text().split("\0") if item)
    found.pop("PWD")  # the shell's own
    folder = (tmp_path / "pwd").read_text().strip()
    assert json.loads(found.pop("RECONCILER_TRAFFIC")) == [
        {
            "version": part.version,
            "number": 7,
            "name": "1.4.0",
            "percent": 100,
            "image": None,
            "tags": ["HOTFIX"],
            "created_at": "2026-11-20T09:00:00Z",
        }
    ]
    assert json.loads(found.pop("RECONCILER_CONFIG")) == {"greeting": "Grüße"}
    assert json.loads(found.pop("RECONCILER_BINDINGS")) == [{"name": "CALENDAR", "type": "kv", "resource": "calendar"}]
    assert found == {
        "RECONCILER_APP": "booking",
        "RECONCILER_ENVIRONMENT": "live",
        "RECONCILER_DEPLOYMENT": "d1",
        "RECONCILER_DEPLOYMENT_NUMBER": "4",
        "RECONCILER_FENCE": "2",
        "RECONCILER_LINEAGE": "first",
        "RECONCILER_VERSION": part.version,
        "RECONCILER_VERSION_NUMBER": "7",
        "RECONCILER_VERSION_NAME": "1.4.0",
        "RECONCILER_BUNDLE": folder,
        "RECONCILER_CAUSE": "release",
        "RECONCILER_COMMIT": "c" * 40,
        "API_KEY": SECRET,
        "DEPLOY_HOST": "h1",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }


def test_it_runs_in_the_bundle_of_the_largest_version_which_is_gone_afterwards(stage, tmp_path):
    stage.lent.bundles = {"b1": {"which": "one"}, "b2": {"which": "two", "deploy.sh": "#!/bin/sh\ncat which; pwd\n"}}
    parts = version(1, 30, bundle="b1"), version(2, 70, bundle="b2")
    target = ExecTarget("live", {"command": ["./deploy.sh"]}, stage.data)
    target.deploy(release("d1", *parts), stage.lent.work())
    which, _, folder = stage.lent.said[0].partition("/")
    assert which == "two"
    assert not Path("/" + folder).exists()
    assert [path for path in (stage.data / "work").rglob("*") if path.is_file()] == []


def test_input_is_empty_and_nothing_waits_for_it(stage):
    assert stage.deploy("cat; echo end") == "end"


def test_an_app_without_files_gets_an_empty_directory(stage):
    assert stage.deploy("ls -A | wc -l", version(1, bundle=None)).strip() == "0"


def test_no_word_passes_through_a_shell(stage, tmp_path):
    target = ExecTarget("live", {"command": ["echo", "$(touch pwned)", "; touch pwned", "*"]}, stage.data)
    target.deploy(release("d1", version(1)), stage.lent.work())
    assert stage.lent.said == ["$(touch pwned) ; touch pwned *"]


def test_a_link_out_of_the_bundle_stops_it_before_it_starts(stage, tmp_path):
    stage.lent.bundles["plain"] = {"link": Link("/etc/passwd")}
    wrong = stage.fails(PersonNeeded, f"touch {tmp_path}/started")
    assert "link" in wrong.message
    assert not (tmp_path / "started").exists()


# --- what its end means -----------------------------------------------------------------------------------


def test_exit_0_is_done(stage):
    stage.deploy("exit 0")
    assert stage.target("").observe("booking") == Observed("d1", (Running(version(1).version, 100),))


def test_exit_75_asks_to_be_tried_again(stage):
    wrong = stage.fails(TryAgainLater, "echo busy; exit 75")
    assert wrong.output == "busy\n"
    assert stage.target("").observe("booking") is None


def test_any_other_exit_is_a_failure_with_the_last_lines(stage):
    wrong = stage.fails(AttemptFailed, "echo one; echo two; echo three; echo four >&2; exit 3")
    assert wrong.message == "sh ended with status 3: two / three / four"
    assert wrong.output == "one\ntwo\nthree\nfour\n"


def test_a_signal_is_a_failure_by_name(stage):
    assert stage.fails(AttemptFailed, "kill -SEGV $$").message == "sh was ended by SIGSEGV"


@pytest.mark.parametrize(
    ("command", "files", "says"),
    [
        (["no-such-program"], {}, "'no-such-program' cannot be started: No such file or directory (write it as ./name"),
        (["./deploy.sh"], {}, "'./deploy.sh' cannot be started: No such file or directory"),
        (["./deploy.sh"], {"deploy.sh": "echo"}, "'./deploy.sh' cannot be started: Permission denied (make it exec"),
        (["./deploy.sh"], {"deploy.sh": "#!/no/such\n"}, "it is there, but the interpreter that its first line names"),
        (["./deploy.sh"], {"deploy.sh": "#!\n"}, "'./deploy.sh' cannot be started: Exec format error (begin it with"),
        (["./bin"], {"bin/x": ""}, "'./bin' cannot be started: Permission denied"),
    ],
    ids=["unknown", "not in the bundle", "not executable", "no interpreter", "no format", "directory"],
)
def test_a_command_that_cannot_be_started_needs_a_person(stage, command, files, says):
    stage.lent.bundles["plain"] = files
    with pytest.raises(PersonNeeded) as raised:
        ExecTarget("live", {"command": command}, stage.data).deploy(release("d1", version(1)), stage.lent.work())
    assert says in str(raised.value)
    assert str(stage.data) not in str(raised.value)


def test_a_file_that_still_counts_as_being_written_is_tried_until_it_does_not(stage):
    """Another thread's new process holds an unpacked file open until its own program begins."""
    stage.lent.bundles["plain"] = {"deploy.sh": "#!/bin/sh\necho done\n"}
    work = stage.lent.work()

    def unpack(tree: str, folder: Path) -> None:
        work.unpack(tree, folder)
        writing = os.open(folder / "deploy.sh", os.O_WRONLY)
        threading.Timer(0.1, os.close, [writing]).start()

    target = ExecTarget("live", {"command": ["./deploy.sh"]}, stage.data)
    target.deploy(release("d1", version(1)), Work(unpack, work.stop, work.say, work.environ))
    assert stage.lent.said == ["done"]


def test_a_configuration_too_large_for_a_variable_needs_a_person(stage):
    wrong = stage.fails(PersonNeeded, "true", version(1, config={"long": "x" * 3_000_000}))
    assert "too large for an environment variable" in wrong.message


# --- its end before its time --------------------------------------------------------------------------------


def test_an_abort_ends_it_with_everything_it_started(stage, tmp_path):
    script = f"sleep 600 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/leader; wait"
    stopped = stop_after(tmp_path / "leader", stage.stop)
    wrong = stage.fails(Aborted, script)
    assert time.monotonic() - stopped[0] < process.GRACE
    assert wrong.message == "sh was stopped"
    until(lambda: not runs(int((tmp_path / "child").read_text())))
    assert stage.target("").observe("booking") is None


def test_an_abort_lets_it_clean_up(stage, tmp_path):
    script = f"trap 'echo cleaned > {tmp_path}/up; exit 0' TERM; touch {tmp_path}/on; while :; do sleep 0.01; done"
    stop_after(tmp_path / "on", stage.stop)
    stage.fails(Aborted, script)
    assert (tmp_path / "up").read_text() == "cleaned\n"


def test_what_ignores_term_is_killed_after_the_grace(tmp_path):
    script = f"trap '' TERM; touch {tmp_path}/on; echo $$ > {tmp_path}/leader; while :; do sleep 0.01; done"
    stop = threading.Event()
    threading.Thread(target=lambda: (until((tmp_path / "leader").exists), stop.set())).start()
    started = time.monotonic()
    ran = process.run(
        ["/bin/sh", "-c", script],
        cwd=str(tmp_path),
        environ={"PATH": os.defpath},
        timeout=timedelta(minutes=1),
        stop=stop,
        grace=0.3,
    )
    assert (ran.cut_short, ran.exit) == ("stopped", -signal.SIGKILL)
    assert 0.3 < time.monotonic() - started < 50
    assert not runs(int((tmp_path / "leader").read_text()))


def test_what_is_said_may_fail_and_leaves_nothing_running(stage, tmp_path):
    """The store may refuse a line: the command must not go on without anybody who waits for it."""

    def refuse(line: str) -> None:
        raise RuntimeError(line)

    work = stage.lent.work()
    with pytest.raises(RuntimeError):
        stage.target(f"echo $$ > {tmp_path}/leader; echo hello; sleep 600").deploy(
            release("d1", version(1)), Work(work.unpack, work.stop, refuse, work.environ)
        )
    assert not runs(int((tmp_path / "leader").read_text()))


def test_a_time_limit_ends_it_as_a_failure(stage):
    wrong = stage.fails(AttemptFailed, "echo begun; sleep 600", timeout="1s")
    assert wrong.message == "sh took longer than 1s and was ended"
    assert wrong.output == "begun\n"


def test_a_flood_of_output_does_not_hide_an_abort(stage):
    threading.Timer(0.2, stage.stop.set).start()
    wrong = stage.fails(Aborted, "yes")
    assert len(wrong.output.encode()) <= KEPT + 100


def test_a_child_that_holds_the_output_open_hangs_nobody_and_lives_on(stage, tmp_path):
    started = time.monotonic()
    said = stage.deploy(f"sleep 600 & echo $! > {tmp_path}/child; echo done")
    assert time.monotonic() - started < 60
    child = int((tmp_path / "child").read_text())
    assert runs(child)
    os.kill(child, signal.SIGKILL)
    assert said == "done"


def test_a_command_that_closes_its_output_is_waited_for(stage, tmp_path):
    stage.deploy(f"exec >&- 2>&-; sleep 0.2; echo end > {tmp_path}/end")
    assert (tmp_path / "end").exists()


# --- its output -------------------------------------------------------------------------------------------


def test_ten_megabytes_of_output_are_kept_from_both_ends(stage):
    wrong = stage.fails(AttemptFailed, "echo first; head -c 10485760 /dev/zero | tr '\\0' x; echo; echo last; exit 1")
    assert wrong.output.startswith("first\nxxx")
    assert wrong.output.endswith("xxx\nlast\n")
    assert "bytes left out …" in wrong.output
    assert KEPT < len(wrong.output.encode()) < KEPT + 100
    assert len(wrong.message) < 400


def test_few_lines_are_said_as_they_come(stage):
    assert stage.deploy("echo one; echo two") == "one\ntwo"
    assert stage.lent.said == ["one", "two"]


def test_of_many_lines_some_are_said_and_all_are_kept_at_the_end(stage):
    stage.deploy("seq 1 5000")
    *lines, whole = stage.lent.said
    assert lines[:3] == ["1", "2", "3"]
    assert len(lines) <= AT_MOST
    assert whole == "".join(f"{number}\n" for number in range(1, 5001))


def test_what_only_a_terminal_understands_is_left_out(stage):
    assert stage.deploy(r"printf '\033[31mred\033[0m\r\n\0bell\007 \377\n'") == "red\nbell \ufffd"


# --- secrets ----------------------------------------------------------------------------------------------

MANY_LINES = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----"


@pytest.mark.parametrize("status", [0, 1, 75])
@pytest.mark.parametrize(
    ("secret", "prints"),
    [
        (SECRET, 'echo "key=$API_KEY."'),
        (SECRET, 'echo "$API_KEY" >&2'),
        (SECRET, 'printf %s "$API_KEY" | base64'),
        (SECRET, 'for part in correct -horse -battery -staple; do printf %s "$part"; sleep 0.02; done; echo'),
        (SECRET, r"printf 'correct\033[1m-horse-battery-staple\n'"),
        (SECRET, 'head -c 65530 /dev/zero | tr "\\0" "."; echo "$API_KEY"'),
        (SECRET, "env"),
        (MANY_LINES, 'echo "$API_KEY"'),
        (MANY_LINES, 'echo "$API_KEY" | sed "s/^/    /"'),
        ('with "quotes" & more', "env"),
        ("pâsswörd", 'echo "$API_KEY"'),
    ],
)
def test_a_secret_is_never_seen(stage, secret, prints, status):
    stage.lent.environ["REHEARSED"] = secret
    try:
        stage.deploy(f"{prints}; exit {status}", version(1, secret=REFERENCE))
        seen = ""
    except TargetError as wrong:
        seen = f"{wrong} {wrong!r} {wrong.output}"
    seen += "\n".join(stage.lent.said)
    assert "***" in seen
    telling = [line for line in secret.splitlines() if len(line) > 3]
    assert [line for line in telling if line in seen] == []
    assert base64.b64encode(secret.encode()).decode() not in seen
    stored = [path.read_bytes() for path in stage.data.rglob("*") if path.is_file()]
    assert [content for content in stored if secret.encode() in content] == []


def test_with_a_secret_too_short_to_blank_no_output_is_kept(stage):
    stage.lent.environ["REHEARSED"] = "abc"
    wrong = stage.fails(AttemptFailed, 'echo "it is $API_KEY"; exit 1', version(1, secret=REFERENCE))
    assert "it is" not in wrong.output
    assert wrong.output == "(not kept: the secret API_KEY is too short to be blanked out)"
    assert stage.lent.said == []


def test_what_is_passed_on_as_a_token_is_blanked_too(stage):
    stage.lent.environ |= {"DEPLOY_TOKEN": "tok-123456789", "REGION": "europe-west"}
    assert stage.deploy("echo $DEPLOY_TOKEN $REGION", env=["DEPLOY_TOKEN", "REGION"]) == "*** europe-west"


def test_a_secret_without_a_value_needs_a_person_before_anything_runs(stage, tmp_path):
    wrong = stage.fails(PersonNeeded, f"touch {tmp_path}/started", version(1, secret="env:MISSING"))
    assert "API_KEY (from env:MISSING): the variable is not set" in wrong.message
    assert not (tmp_path / "started").exists()
