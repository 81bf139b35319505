"""Does a deployment to a directory bear being killed at any line, a full disk and a disk that may not be written?

Each test runs a process of its own, since limits, rights and SIGKILL meet whole processes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

KILLER = Path(__file__).with_name("directory_killer.py")

FULL_DISK = """
import resource, sys
from pathlib import Path
from reconciler.errors import AttemptFailed
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version

base = Path(sys.argv[1])
target = DirectoryTarget("live", {"path": str(base)}, base)
target.deploy(release("d1", version(1)), Rehearsal().work())
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
for large in (version(2, bundle="large"), version(2, config={"long": "x" * 200_000})):
    try:
        target.deploy(release("d2", large), Rehearsal(bundles={"plain": {}, "large": {"video": "x" * 200_000}}).work())
    except AttemptFailed as wrong:
        print(wrong.message)
    print(target.observe("booking").deployment, [path.name for path in (base / "booking" / "releases").iterdir()])
"""

NO_RIGHTS = """
import os, sys
from pathlib import Path
from reconciler.errors import TryAgainLater
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import Rehearsal, release, version

base = Path(sys.argv[1])
target = DirectoryTarget("live", {"path": str(base)}, base)
target.deploy(release("d1", version(1)), Rehearsal().work())
os.chmod(base / "booking" / "releases", 0o555)
if os.geteuid() == 0:
    os.seteuid(65534)  # nobody: root may write everywhere
try:
    target.deploy(release("d2", version(2)), Rehearsal().work())
except TryAgainLater as wrong:
    print(wrong.message)
print(target.observe("booking").deployment)
"""


def run(*command: str) -> list[str]:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_killed_at_any_line_what_ran_before_runs_on_and_the_next_start_finishes(tmp_path):
    kills = int(run(str(KILLER), str(tmp_path), "4")[-1])
    assert kills > 100


def test_a_full_disk_fails_the_attempt_with_reason_and_place_and_leaves_what_runs(tmp_path):
    assert run("-c", FULL_DISK, str(tmp_path)) == [
        "File too large at booking/releases/.d2",
        "d1 ['d1']",
        "File too large at booking/releases/.d2/.reconciler.json",
        "d1 ['d1']",
    ]


def test_a_directory_without_rights_fails_the_attempt_with_reason_and_place():
    # Not below pytest's own directory, which only its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        assert run("-c", NO_RIGHTS, folder) == ["Permission denied at booking/releases/.d2", "d1"]
