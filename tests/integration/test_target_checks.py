"""Does a check run as people are told it does, and is its answer understood? With real processes and real git."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import GitUnreachable
from reconciler.git.objects import Objects
from reconciler.git.unpack import unpack
from reconciler.model.app import Binding
from reconciler.model.gates import Check
from reconciler.model.release import Release, ReleasedVersion
from reconciler.targets import process
from reconciler.targets.base import Work
from reconciler.targets.checks import CheckResult, run_check
from reconciler.targets.output import KEPT
from reconciler.targets.rehearsal import REFERENCE, SECRET, Link, Rehearsal, release, version
from tests.gitrepo import Repo
from tests.processes import runs
from tests.waiting import stop_after, until


class Stage:
    """Where checks run, and what they run on."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.lent = Rehearsal()
        self.stop = threading.Event()

    @property
    def work(self) -> Work:
        return self.lent.work(stop=self.stop)

    def run(self, *command: str, on: Release | None = None, timeout: str | None = None, **more: str) -> CheckResult:
        check = Check(name="smoke", run=command, **({"timeout": timeout} if timeout else {}))
        return run_check(check, on or release("d1", version(1)), self.work, self.data, **more)

    def script(self, script: str, **how: object) -> CheckResult:
        return self.run("/bin/sh", "-c", script, **how)

    @property
    def left(self) -> list[Path]:
        return list((self.data / "checks").iterdir())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "data")


# --- its answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "verdict", "message", "output"),
    [
        ("echo fine", "passed", "sh passed", "fine\n"),
        ("echo warming up; exit 75", "later", "sh does not know yet", "warming up\n"),
        ("echo 3 of 4; exit 1", "failed", "sh ended with status 1: 3 of 4", "3 of 4\n"),
        ("exit 74", "failed", "sh ended with status 74", ""),
        ("kill -SEGV $$", "failed", "sh was ended by SIGSEGV", ""),
    ],
)
def test_its_exit_status_is_the_answer(stage, script, verdict, message, output):
    assert stage.script(script) == CheckResult("smoke", verdict, message, output)
    assert stage.lent.said == []
    assert stage.left == []


def test_a_time_limit_ends_it_as_a_failure(stage):
    found = stage.script("echo begun; sleep 600", timeout="1s")
    assert found == CheckResult(
        "smoke", "failed", "sh took longer than 1s and was ended (see why, or allow a longer timeout)", "begun\n"
    )


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["no-such-program"], "'no-such-program' cannot be started: No such file or directory (write it as ./name"),
        (["./missing.sh"], "'./missing.sh' cannot be started: No such file or directory"),
        (["./index.html"], "Permission denied (make it executable"),
        ([""], "the check names no program (write a program"),
        (["../../../bin/sh", "-c", "true"], "../../../bin/sh leads out of the bundle (write ./name of a file"),
        (["./static/../../smoke"], "leads out of the bundle"),
    ],
)
def test_a_command_that_cannot_be_run_fails_with_what_to_do(stage, command, says):
    found = stage.run(*command)
    assert found.verdict == "failed"
    assert says in found.message
    assert str(stage.data) not in found.message


def test_a_missing_secret_fails_before_anything_runs(stage, tmp_path):
    found = stage.script(f"touch {tmp_path}/started", on=release("d1", version(1, secret="env:MISSING")))
    assert found.verdict == "failed"
    assert "API_KEY (from env:MISSING): the variable is not set (set it where the daemon runs" in found.message
    assert not (tmp_path / "started").exists()


# --- what it finds ----------------------------------------------------------------------------------------


def test_it_gets_the_variables_of_a_deployment_and_its_own_name(stage, tmp_path):
    stage.lent.environ |= {"HOME": "/nowhere", "UNRELATED": "x"}
    part = version(7, name="1.4.0", config={"greeting": "Grüße"}, secret=REFERENCE)
    fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
    fields["bindings"] = (Binding(name="CALENDAR", type="kv", resource="calendar"),)
    full = ReleasedVersion(**fields)
    assert stage.script(f"env -0 > {tmp_path}/env; pwd > {tmp_path}/pwd", on=release("d1", full)).verdict == "passed"
    found = dict(item.split("=", 1) for item in (tmp_path / "env").read_text().split("\0") if item)
    found.pop("PWD")  # the shell's own
    assert json.loads(found.pop("RECONCILER_TRAFFIC"))[0]["number"] == 7
    assert json.loads(found.pop("RECONCILER_CONFIG")) == {"greeting": "Grüße"}
    assert json.loads(found.pop("RECONCILER_BINDINGS")) == [{"name": "CALENDAR", "type": "kv", "resource": "calendar"}]
    assert found == {
        "RECONCILER_APP": "booking",
        "RECONCILER_ENVIRONMENT": "live",
        "RECONCILER_DEPLOYMENT": "d1",
        "RECONCILER_DEPLOYMENT_NUMBER": "1",
        "RECONCILER_FENCE": "0",
        "RECONCILER_LINEAGE": "",
        "RECONCILER_VERSION": part.version,
        "RECONCILER_VERSION_NUMBER": "7",
        "RECONCILER_VERSION_NAME": "1.4.0",
        "RECONCILER_BUNDLE": (tmp_path / "pwd").read_text().strip(),
        "RECONCILER_CAUSE": "release",
        "RECONCILER_COMMIT": "c" * 40,
        "RECONCILER_CHECK": "smoke",
        "API_KEY": SECRET,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }


def test_of_a_rollout_it_is_about_the_version_that_is_named(stage):
    stage.lent.bundles = {"old": {"which": "old"}, "new": {"which": "new"}}
    old, new = version(1, 90, bundle="old"), version(2, 10, bundle="new", secret=REFERENCE)
    mixed = release("d1", old, new)
    script = 'echo $(cat which) $RECONCILER_VERSION_NUMBER "${API_KEY:+secret}"'
    assert stage.script(script, on=mixed, version=new.version).output == "new 2 secret\n"
    assert stage.script(script, on=mixed).output == "old 1 \n"
    found = stage.script(script, on=mixed, version="sha256:other")
    assert (found.verdict, found.output) == ("failed", "")
    assert "sha256:other is not part of the release" in found.message


def test_a_version_without_files_is_checked_in_an_empty_directory(stage):
    assert stage.script("ls -A | wc -l", on=release("d1", version(1, bundle=None))).output.strip() == "0"


def test_no_word_passes_through_a_shell(stage):
    assert stage.run("echo", "$(touch pwned)", "; touch pwned", "*").output == "$(touch pwned) ; touch pwned *\n"


@pytest.mark.parametrize("name", ["../up", "a/b", "", "x" * 101, "-rf"])
def test_a_name_that_is_no_name_goes_no_further(stage, name):
    found = stage.run("true", on=release("d1", version(1), app=name))
    assert found.verdict == "failed"
    assert "cannot be the name of a directory" in found.message
    assert not stage.data.exists()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    files = {"app/checks/smoke.sh": "#!/bin/sh\ncat page && echo checked > made\n", "app/page": "hello\n"}
    repo = Repo.create(tmp_path / "desired").write(files)
    (repo.path / "app/checks/smoke.sh").chmod(0o755)
    repo.link("app/checks/linked.sh", "smoke.sh")
    return repo


@pytest.fixture
def from_git(repo: Repo, stage: Stage) -> Iterator[Callable[..., CheckResult]]:
    with Objects(repo.path / ".git") as objects:

        def run(*command: str) -> CheckResult:
            lent = stage.work
            work = Work(partial(unpack, objects), lent.stop, lent.say, lent.environ)
            part = version(1, bundle=repo.tree(repo.commit("Add app"), "app"))
            return run_check(Check(name="smoke", run=command), release("d1", part), work, stage.data)

        yield run


@pytest.mark.parametrize("program", ["./checks/smoke.sh", "checks/smoke.sh", "./checks/../checks/linked.sh"])
def test_a_program_of_the_bundle_runs_from_git_and_leaves_nothing(from_git, stage, program):
    assert from_git(program) == CheckResult("smoke", "passed", f"{Path(program).name} passed", "hello\n")
    assert stage.left == []


def test_a_link_out_of_the_bundle_is_never_followed(from_git, repo, tmp_path):
    outside = tmp_path / "outside.sh"
    outside.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    outside.chmod(0o755)
    repo.link("app/out.sh", str(outside))
    for program in ("./out.sh", "./checks/smoke.sh"):
        found = from_git(program)
        assert found.verdict == "failed"
        assert "the symbolic link out.sh leads out of the bundle" in found.message
    assert not (tmp_path / "started").exists()


def test_a_repository_that_does_not_answer_is_no_failure_of_the_check(stage):
    def unpack(tree: str, folder: Path) -> None:
        raise GitUnreachable("The repository cannot be fetched: no answer", "It is tried again.")

    work = Work(unpack, stage.stop, stage.work.say, {})
    found = run_check(Check(name="smoke", run=("true",)), release("d1", version(1)), work, stage.data)
    assert found == CheckResult("smoke", "later", "The repository cannot be fetched: no answer (It is tried again.)")
    assert stage.left == []


def test_a_disk_that_refuses_is_no_failure_of_the_check(stage):
    stage.data.write_text("a file where the directory should be")
    found = stage.run("true")
    assert found.verdict == "later"
    assert found.message.endswith("(make room or correct the rights)")
    assert str(stage.data.parent) not in found.message


# --- its end before its time, and afterwards ----------------------------------------------------------------


def test_a_stop_ends_it_with_everything_it_started(stage, tmp_path):
    script = f"sleep 600 & echo $! > {tmp_path}/child; echo begun; touch {tmp_path}/ready; wait"
    stopped = stop_after(tmp_path / "ready", stage.stop)
    assert stage.script(script) == CheckResult("smoke", "stopped", "sh was stopped", "begun\n")
    assert time.monotonic() - stopped[0] < process.GRACE
    until(lambda: not runs(int((tmp_path / "child").read_text())))
    assert stage.left == []


def test_what_is_stopped_before_it_begins_does_not_begin(stage, tmp_path):
    stage.stop.set()
    assert stage.script(f"touch {tmp_path}/started").verdict == "stopped"
    assert not (tmp_path / "started").exists()


def test_its_output_is_bounded_and_tells_no_secret(stage):
    found = stage.script(
        'echo "key=$API_KEY."; head -c 1048576 /dev/zero | tr "\\0" x; exit 1',
        on=release("d1", version(1, secret=REFERENCE)),
    )
    assert found.output.startswith("key=***.\nxxx")
    assert "bytes left out" in found.output
    assert len(found.output.encode()) < KEPT + 100
    assert SECRET not in f"{found!r}"
    telling = stage.script('echo "$API_KEY"; exit 1', on=release("d1", version(1, secret=REFERENCE)))
    assert telling.message == "sh ended with status 1: ***"


def test_what_it_left_read_only_is_removed_too(stage, tmp_path):
    stage.script(f"mkdir -p cache/deep; touch cache/deep/file; ln -s {tmp_path} cache/out; chmod -R 500 cache")
    assert stage.left == []
    assert tmp_path.exists()


KILLED_DAEMON = """
import sys
from pathlib import Path
from reconciler.model.gates import Check
from reconciler.targets.checks import run_check
from reconciler.targets.rehearsal import Rehearsal, release, version
run_check(Check(name="smoke", run=("/bin/sh", "-c", sys.argv[2])), release("d1", version(1)),
    Rehearsal().work(), Path(sys.argv[1]))
"""


def begin(stage: Stage, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", KILLED_DAEMON, str(stage.data), script])


def test_what_a_killed_daemon_left_is_swept_by_the_next_check_of_any_app(stage, tmp_path):
    leader = tmp_path / "leader"
    daemon = begin(stage, f"exec >&- 2>&-; echo $$ > {leader}.new; mv {leader}.new {leader}; sleep 600")
    until(leader.exists)
    daemon.kill()
    daemon.wait()
    command = int(leader.read_text())
    assert runs(command)
    assert len(stage.left) == 1
    assert stage.run("true", on=release("d2", version(1), app="other")).verdict == "passed"
    assert not runs(command)
    assert stage.left == []


def test_what_another_process_checks_is_left_alone(stage, tmp_path):
    leader, go_on = tmp_path / "leader", tmp_path / "go"
    os.mkfifo(go_on)
    other = begin(stage, f"echo $$ > {leader}.new; mv {leader}.new {leader}; read word < {go_on}; ls > {tmp_path}/ls")
    until(leader.exists)
    assert stage.run("true").verdict == "passed"
    assert runs(int(leader.read_text()))
    assert len(stage.left) == 1
    go_on.write_text("on\n")
    assert other.wait() == 0
    assert "index.html" in (tmp_path / "ls").read_text().split()
    assert stage.left == []


def test_many_at_once_do_not_take_each_other_away(stage):
    found: list[CheckResult] = []
    threads = [
        threading.Thread(target=lambda: found.extend(stage.script("cat index.html") for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.output for one in found} == {"<h1>hello</h1>"}
    assert {one.verdict for one in found} == {"passed"}
    assert len(found) == 40
    assert stage.left == []


def test_a_bundle_of_awkward_names_is_checked_and_removed(stage):
    files = {"-rf": "x", "a b\nc": "x", b"\xff\xfe": "x", "inside": Link("./-rf"), "loop": Link("loop")}
    stage.lent.bundles["plain"] = files
    assert stage.script("ls -A | wc -l").verdict == "passed"
    assert stage.left == []


def test_a_child_that_lives_on_hangs_nobody(stage, tmp_path):
    started = time.monotonic()
    assert stage.script(f"sleep 600 & echo $! > {tmp_path}/child").verdict == "passed"
    assert time.monotonic() - started < 60
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
