"""Does a newcomer who types what `make run` prints see a release, a rollback and a season?

The commands are taken from what the script printed, so that what is printed is what works.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("sandbox", "pre-release", "live")
APPS = ("booking-agent", "careers", "imprint", "payments", "press", "storefront")
HEADING = "<h1>Bowls, cups and plates</h1>"
# A fresh machine: git knows nobody.
FRESH = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}


def test_what_the_quickstart_prints_works_as_it_is_printed(tmp_path: Path) -> None:
    state = tmp_path / "a state"
    with quickstart(state) as printed:
        until(lambda: all(release(state, e, app) for e in ENVIRONMENTS for app in APPS), "all apps run everywhere")
        look, change, revert, season = steps(printed())

        table = typed(look, look[:1])
        assert all(name in table for name in (*APPS, *ENVIRONMENTS))
        assert HEADING in page(state, "live")
        first = release(state, "live", "storefront")

        typed(change, look[:1])
        until(lambda: "<h1>Spring is here</h1>" in page(state, "live"), "the change is live")
        second = release(state, "live", "storefront")
        assert second["number"] == first["number"] + 1
        assert second["message"] == "Spring in the window"
        assert second["cause"] == "promotion"

        typed(revert, look[:1])
        until(lambda: all(HEADING in page(state, e) for e in ENVIRONMENTS), "it is rolled back everywhere")
        third = release(state, "live", "storefront")
        assert third["version"] == first["version"]
        assert third["cause"] == "rollback"

        typed([line.replace("+1 minute", "+4 seconds") for line in season], look[:1])
        until(lambda: release(state, "live", "storefront")["cause"] == "season-end", "the flash sale is over")
        fourth, fifth = releases(state, "live", "storefront")[-2:]
        assert (fourth["cause"], fourth["config"]["discount_percent"]) == ("season-start", 50)
        assert fourth["version"] == fifth["version"] == first["version"]
        assert fifth["config"] == first["config"]
    assert head(state / "desired.git") == head(state / "desired")

    with quickstart(state) as printed:
        until(lambda: '"started"' in (state / "log").read_text(), "it has started again")
        assert any(" pull " in line for line in steps(printed())[1])
    assert head(state / "desired.git") == head(state / "desired"), "the second start kept what was pushed"


def test_a_second_start_says_that_one_runs_and_nothing_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with quickstart(state):
        until(lambda: '"started"' in (state / "log").read_text(), "it has started")
        command = [sys.executable, "tools/quickstart.py", "--state", str(state)]
        second = subprocess.run(command, cwd=ROOT, env=FRESH, capture_output=True, text=True, timeout=60)
    assert (second.returncode, second.stdout) == (1, "")
    assert "another reconciler runs" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_the_dashboard_is_where_it_is_said_to_be_though_its_port_is_taken(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ExitStack() as held:
        with suppress(OSError):  # somebody else has it: as good
            held.enter_context(socket.create_server(("127.0.0.1", 8080)))
        with quickstart(state) as printed:
            until(lambda: "/ui/" in printed(), "it says where")
            (address,) = re.findall(r"http://127\.0\.0\.1:\d+/ui/", printed())
            assert ":8080/" not in address
            until(lambda: "storefront" in answered(address), "the dashboard shows the shop")


def test_the_dashboard_is_where_a_variable_puts_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with quickstart(tmp_path / "state", RECONCILER_API__LISTEN=f"127.0.0.1:{port}") as printed:
        until(lambda: "Ctrl-C" in printed(), "it says where")
        assert re.findall(r"http://[^/]+/ui/", printed()) == [f"http://127.0.0.1:{port}/ui/"]
        until(lambda: "storefront" in answered(f"http://127.0.0.1:{port}/ui/"), "the dashboard shows the shop")
    with quickstart(tmp_path / "state", RECONCILER_API__LISTEN="off") as printed:
        until(lambda: "Ctrl-C" in printed(), "it says that there is none")
        assert "There is no dashboard: api.listen is off." in printed()
        assert "/ui/" not in printed()
        until(lambda: '"started"' in (tmp_path / "state" / "log").read_text(), "it has started")


def test_the_readme_has_the_commands_that_the_quickstart_prints() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    state = Path("state/quickstart")
    printed = script().instructions(state, state / "reconciler.yaml", Path(".venv/bin/reconciler"))
    commands = [line for step in steps(printed) for line in step]
    pull = "git -C state/quickstart/desired pull --quiet"  # takes the place of the clone in a checkout that has one
    missing = [line for line in commands if line not in readme and line != pull]
    assert not missing


def script() -> ModuleType:
    """The quickstart as a module."""
    spec = spec_from_file_location("quickstart", ROOT / "tools" / "quickstart.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def quickstart(state: Path, **variables: str) -> Iterator[Callable[[], str]]:
    """The script as `make run` starts it, ended by TERM; what it has printed so far."""
    state.mkdir(exist_ok=True)
    command = [sys.executable, "tools/quickstart.py", "--state", str(state)]
    with (state / "out").open("w") as out, (state / "log").open("w") as log:
        daemon = subprocess.Popen(command, cwd=ROOT, env=FRESH | variables, stdout=out, stderr=log)
    try:
        yield (state / "out").read_text
        assert daemon.poll() is None, (state / "log").read_text()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=60) == 0, (state / "log").read_text()
    finally:
        daemon.kill()
        daemon.wait()


def steps(printed: str) -> list[list[str]]:
    """The commands of each numbered step, but for the web server, which does not end."""
    parts = re.split(r"(?m)^\d\. ", printed)[1:]
    return [
        [line.strip() for line in part.splitlines() if line.startswith("     ") and "http.server" not in line]
        for part in parts
    ]


def typed(lines: list[str], before: list[str]) -> str:
    """What a shell in the checkout prints for these lines; each must succeed."""
    script = "\n".join(["set -eu", *before, *lines])
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=FRESH, capture_output=True, text=True)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def release(state: Path, environment: str, app: str) -> dict[str, Any]:
    """What the release that runs says of itself; nothing before there is one."""
    try:
        text = (state / "releases" / environment / app / "current" / ".reconciler.json").read_text()
    except FileNotFoundError:
        return {}
    found: dict[str, Any] = json.loads(text)
    return found


def page(state: Path, environment: str) -> str:
    return (state / "releases" / environment / "storefront" / "current" / "index.html").read_text()


def releases(state: Path, environment: str, app: str) -> list[dict[str, Any]]:
    """What all releases that are kept say of themselves, the oldest first."""
    records = (state / "releases" / environment / app / "releases").glob("*/.reconciler.json")
    return [json.loads(one.read_text()) for one in sorted(records, key=lambda path: path.stat().st_mtime_ns)]


def answered(address: str) -> str:
    """The page there; nothing before it is served."""
    try:
        with urlopen(address, timeout=60) as answer:
            text: str = answer.read().decode()
    except OSError:
        return ""
    return text


def head(repository: Path) -> str:
    git = ["git", "-C", str(repository), "rev-parse", "main"]
    return subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()


def until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
