"""Do the commands of the pages print what the pages say that they print?"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.docs.shown import Shown, agree, shown, typed
from tests.e2e.test_quickstart import FRESH, quickstart

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("reconciler")
# The shop's clock: what comes next depends on the day on which somebody looks.
OF_THE_DAY = ("reconciler calendar",)


@pytest.mark.timeout(300)
def test_what_the_readme_shows_is_what_a_newcomer_sees(tmp_path: Path) -> None:
    state = tmp_path / "state"
    page = (ROOT / "README.md").read_text()
    story = page.partition("## Quickstart")[2].partition("## Use it for real")[0].partition("make run\n")[2]
    with quickstart(state):
        blocks = [block for block in shown(story) if not any("http.server" in line for line in block.commands)]
        define = f'reconciler() {{ {PROGRAM} --config {state}/reconciler.yaml "$@"; }}'
        compared = 0
        for block in blocks:
            here = [line.replace("state/quickstart", str(state)) for line in block.commands]
            lines = [line.replace("+1 minute", "+15 seconds") for line in here if not line.startswith("reconciler()")]
            printed = [] if block.commands[-1] in OF_THE_DAY else block.printed
            typed(Shown(lines, printed), ROOT, define, environ=FRESH)
            compared += bool(printed)
    assert compared == 7


def test_what_the_page_about_recovery_shows_is_what_happens(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "recovery.md").read_text()
    blocks = {block.commands[0]: block for block in shown(page) if block.printed}
    (backup,), (restore,), (rebuild,) = (
        [block for first, block in blocks.items() if first.startswith(f"reconciler {verb}")]
        for verb in ("backup", "restore", "rebuild")
    )
    desired = tmp_path / "desired"
    define = f'reconciler() {{ {shlex.quote(str(PROGRAM))} "$@"; }}'

    def type_in(*lines: str, place: Path = desired) -> None:
        typed(Shown(list(lines), []), place, define, environ=os.environ)

    def release(number: int) -> None:
        change = f"git commit --quiet --all --message 'Version {number}'"
        type_in(f"echo {number} >> hello/index.html", f"git add --all && {change}", "reconciler run --once")

    type_in("reconciler init desired", place=tmp_path)
    type_in("reconciler run --once")
    release(2)
    release(3)
    typed(backup, desired, define, environ=os.environ)
    release(4)
    type_in("rm state/reconciler.db*")
    typed(restore, desired, define, environ=os.environ)
    type_in("rm state/reconciler.db*")
    typed(rebuild, desired, define, environ=os.environ)


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        (["a  v1  2026-11-21 10:09:19 UTC  41 s"], ["a v1 2027-01-02 11:10:20 UTC 2 min"], True),
        (["a  v1"], ["a  v2"], False),
        (["a", "…", "c"], ["a", "b", "b", "c"], True),
        (["a", "…", "d"], ["a", "b", "c"], False),
        (["a"], ["a", "b"], False),
    ],
)
def test_only_what_varies_is_not_compared(said: list[str], printed: list[str], same: bool) -> None:
    assert agree(said, printed) is same
