"""Does what we hand out hold everything it needs, and nothing of the machine it was made on?"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import reconciler

ROOT = Path(__file__).parents[2]
LOCKS = tuple(f"requirements{kind}.lock" for kind in ("", "-dev", "-fuzz", "-mutants", "-bench"))

# Put together from pieces, so that this file does not hold what it looks for.
MACHINE_PATHS = r"(?<![\w.~-])/(?:" + "|".join(["work", "root", "home", "Users", "tmp"]) + r")/\w"
WHEEL_ROOMS = r"/opt/(?:" + "|".join(["wheels", "pypi", "npm"]) + r")\b"
INDEX_ADDRESSES = "|".join([r"(?:pypi|pythonhosted)\.org", r"registry\.npmjs"])
FORBIDDEN = re.compile(f"{MACHINE_PATHS}|{WHEEL_ROOMS}|{INDEX_ADDRESSES}")


def project_files() -> list[Path]:
    """Every file that is in git or would be added to it."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def pins(lock: str) -> dict[str, str]:
    """Project name to exact version, as a lock file has them."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def hand_written() -> dict[str, list[str]]:
    """The dependencies that pyproject.toml asks for, by extra; `run` is what has none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"run": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [re.split(r"[\[<>=~!; ]", one)[0].lower() for one in group] for extra, group in groups.items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_locked_has_an_exact_version_and_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    # A project may be locked twice, for an older Python and for a newer one.
    assert [entry.splitlines()[0] for entry in entries if not re.match(r"[a-z0-9._-]+==\S", entry)] == []
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_hold_all_that_pyproject_asks_for() -> None:
    wanted = hand_written()
    for extra in ("run", "postgres", "build"):
        assert set(wanted[extra]) <= pins("requirements.lock").keys()
    assert set(wanted["dev"]) <= pins("requirements-dev.lock").keys()


def test_tests_run_with_the_versions_that_run() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_no_file_names_a_path_of_this_machine_or_a_package_index() -> None:
    found = []
    for file in project_files():
        content = file.read_bytes()
        # Paths within a container are not those of this machine.
        if b"\0" in content or file.is_relative_to(ROOT / "tests" / "image"):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if FORBIDDEN.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_installed_version_is_that_of_the_code() -> None:
    assert version("reconciler") == reconciler.__version__


def test_built_in_targets_come_through_the_entry_points() -> None:
    targets = {point.name: point.load() for point in entry_points(group="reconciler.targets")}
    assert {name: target.__name__ for name, target in targets.items()} == {
        "directory": "DirectoryTarget",
        "exec": "ExecTarget",
    }


def test_the_wheel_holds_every_file_of_the_package_and_no_other(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [str(file.relative_to(ROOT)) for file in project_files()]
    assert packed == {name for name in files if name.startswith("reconciler/")}
    assert "reconciler/py.typed" in packed
