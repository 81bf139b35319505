"""What does a command import that finds nothing to do? Told by names: how long it takes, depends on the machine.

A short command is mostly imports, so one that comes in somewhere far below is felt with every line that is typed.
"""

from __future__ import annotations

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
        ("plan", NEVER | LOOKS | PLANS),
        ("plan -o json", NEVER | LOOKS | PLANS),
        ("status", NEVER | LOOKS),
        ("status -o json", NEVER | LOOKS),
        ("versions list shop", NEVER | LOOKS | PLANS),
        ("deployments list", NEVER | LOOKS | PLANS),
        ("audit verify", NEVER | LOOKS | PLANS),
        ("run --once", NEVER),
        ("run --once --check-drift", NEVER),
    ],
)
def test_a_command_with_nothing_to_do_leaves_out(words: str, without: dict[str, str], shop: Told) -> None:
    assert imported(words, set(without), shop.directory) == set()


def test_what_is_left_out_is_there_and_comes_with_the_first_commit(tmp_path: Path) -> None:
    """Or the names above would say nothing, once a module is called something else."""
    names = NEVER | LOOKS | PLANS
    assert [name for name in names if find_spec(name) is None] == []
    told = Told(tmp_path)
    told.start_repository(config={"greeting": "Hello"})
    ours = {name for name in names if name.startswith("reconciler.")}
    needed = ours - {"reconciler.engine.cycle", "reconciler.engine.unfolding", "reconciler.targets.process"}
    assert imported("plan", ours, tmp_path) >= needed
