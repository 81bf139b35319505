"""What does a command import that finds nothing to do? Told by names: how long it takes, depends on the machine.

A short command is mostly imports, so one that comes in somewhere far below is felt with every line that is typed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.commands import Told

NEVER = {
    "alembic": "the store is at the present schema",
    "apprise": "nobody is told anything",
    "apscheduler": "nothing stays to be woken",
    "git": "nothing is fetched; GitPython is for that",
    "holidays": "no season is declared by one",
    "httpx2": "nothing is sent",
    "icalendar": "no feed is asked for",
    "multiprocessing": "there is no history to read",
    "reconciler.engine.advancing": "no commit has arrived",
    "reconciler.engine.intake": "no commit has arrived",
    "reconciler.manifest.judging": "no manifest is read",
    "reconciler.manifest.parse": "no manifest is read",
    "starlette": "nothing is served",
    "uvicorn": "nothing is served",
    "watchfiles": "nothing is watched",
}
"""Modules that no command needs that ends at once and finds nothing new, and why."""
LOOKS = {
    "rich": "nobody looks at a terminal",
    "structlog": "nothing is logged",
    "reconciler.engine.cycle": "no turn is taken",
    "reconciler.targets.process": "no target is reached",
}
"""What those do without besides that only look."""
PLANS = {
    "reconciler.engine.playing": "nothing is due",
    "reconciler.engine.unfolding": "nobody asks about the future",
    "reconciler.planner.plan": "nothing is due",
    "reconciler.views.planning": "nothing is due",
}
"""What a dry run does without besides."""
RESTS = {
    "reconciler.engine.arriving": "no commit has arrived",
    "reconciler.git.objects": "nothing is read from git",
    "reconciler.model.deployment": "no deployment is looked at",
    "reconciler.model.plan": "nothing is due",
    "reconciler.model.version": "no version is looked at",
    "reconciler.store.backing": "nothing is copied",
    "reconciler.store.deployments": "no deployment is looked at",
}
"""And `plan` itself, which most often shows that there is nothing to do."""
SETTLES = {
    "rich": "logs are lines of JSON",
    "reconciler.model.output": "nobody wants to know of changes to come",
    "reconciler.views.forecast": "nobody wants to know of changes to come",
    "reconciler.views.planning": "nothing is due",
    "reconciler.views.ways_back": "nobody wishes to go back",
}
"""What a run does without that finds everything settled."""
STATIC = {
    "asyncio": "",
    "email": "",
    "pydantic": "",
    "sqlalchemy": "",
    "yaml": "",
    "subprocess": "",
    "reconciler.config": "",
}
"""What answers without that need neither settings nor store."""
RUN = """
import sys
from reconciler.cli.main import attempt
status = attempt(sys.argv[1].split())
print(*sorted(set(sys.argv[2].split()) & sys.modules.keys()), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One app that was released everywhere, and nothing to come."""
    told = Told(tmp_path_factory.mktemp("imports"))
    told.start_repository(config={"greeting": "Hello"})
    told.settle()
    return told


def imported(words: str, names: set[str], at: Path) -> set[str]:
    """Which of these modules a command in a process of its own has imported at its end."""
    command = [sys.executable, "-c", RUN, words, " ".join(names)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=at)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("words", "without"),
    [
        ("--version", NEVER | LOOKS | STATIC),
        ("--help", NEVER | LOOKS | STATIC),
        ("plan --help", NEVER | LOOKS | STATIC),
        ("plan", NEVER | LOOKS | PLANS | RESTS),
        ("plan -o json", NEVER | LOOKS | PLANS | RESTS),
        ("status", NEVER | LOOKS),
        ("status -o json", NEVER | LOOKS),
        ("versions list shop", NEVER | LOOKS | PLANS),
        ("deployments list", NEVER | LOOKS | PLANS),
        ("audit verify", NEVER | LOOKS | PLANS),
        ("run --once", NEVER | SETTLES),
        ("run --once --check-drift", NEVER | SETTLES),
    ],
)
def test_a_command_with_nothing_to_do_leaves_out(words: str, without: dict[str, str], shop: Told) -> None:
    assert imported(words, set(without), shop.directory) == set()


def test_what_is_left_out_is_there_and_comes_with_the_first_commit(tmp_path: Path) -> None:
    """Or the names above would say nothing, once a module is called something else."""
    names = NEVER | LOOKS | PLANS | RESTS | SETTLES
    assert [name for name in names if find_spec(name) is None] == []
    told = Told(tmp_path)
    told.start_repository(config={"greeting": "Hello"})
    ours = {name for name in names if name.startswith("reconciler.")}
    elsewhere = {"engine.cycle", "engine.unfolding", "store.backing", "targets.process", "views.forecast"}
    needed = ours - {f"reconciler.{name}" for name in elsewhere | {"model.output", "views.ways_back"}}
    assert imported("plan", ours, tmp_path) >= needed


def test_what_lines_of_json_do_without_is_there_for_who_wants_it() -> None:
    """rich is kept from structlog alone, and not from what shows something on a terminal later on."""
    code = """
import sys
from reconciler import telemetry
telemetry.set_up(json=True)
telemetry.logger("room").info("begun", facts=1)
assert "rich" not in sys.modules
from rich.console import Console
telemetry.set_up(json=False)
telemetry.logger("room").info("shown")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    begun, shown = done.stderr.splitlines()
    assert json.loads(begun).items() >= {"event": "begun", "room": "room", "facts": 1, "level": "info"}.items()
    assert "shown" in shown
    assert not shown.startswith("{")
