"""Is a difference laid out with every gap, every line number and the very letters that changed?"""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.dashboard.patches import MOST_LINES, Piece, marks, patches
from reconciler.model.comparison import FileChange

LINE = st.text(alphabet="ab @+-\\d", max_size=6)


def diffed(before: str, after: str, directory: Path) -> str:
    for name, text in (("old", before), ("new", after)):
        (directory / name).write_text(text)
    command = ["git", "diff", "--no-index", "--no-color", "old", "new"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False).stdout


@given(before=st.lists(LINE, max_size=30), after=st.lists(LINE, max_size=30))
def test_both_sides_come_back_from_what_is_laid_out(
    before: list[str], after: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    old, new = "".join(f"{line}\n" for line in before), "".join(f"{line}\n" for line in after)
    text = diffed(old, new, tmp_path_factory.mktemp("diff"))
    if not text:
        return
    (found,) = patches(text, [FileChange(path="new", kind="changed")])
    for side, lines in (("old", before), ("new", after)):
        shown = {
            getattr(line, side): "".join(one.text for one in line.pieces) for line in found.lines if getattr(line, side)
        }
        assert shown == {number: lines[number - 1] for number in shown}
    # What is not shown is the same on both sides, and counted.
    skipped = sum(line.skipped for line in found.lines)
    assert len([line for line in found.lines if line.old]) + skipped <= len(before)
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert bool(changed) == any(line.sign in "+-" for line in found.lines)


def test_a_gap_says_how_many_lines_it_stands_for(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(1, 61)]
    changed = [*lines]
    changed[9], changed[39] = "another 10", "another 40"
    text = diffed("\n".join(lines) + "\n", "\n".join(changed), tmp_path)
    (found,) = patches(text, [FileChange(path="new", kind="changed")])
    gaps = [line for line in found.lines if line.sign == "…"]
    assert [line.skipped for line in gaps] == [6, 23, 13, 0]
    assert "no line end" in gaps[-1].pieces[0].text


def test_several_files_are_told_apart_whatever_their_lines_say() -> None:
    text = (
        "diff --git a/one b/one\n--- a/one\n+++ b/one\n@@ -1 +1 @@\n-diff --git a/x b/x\n+@@ -1 +1 @@\n"
        "diff --git a/two b/two\nBinary files a/two and b/two differ\n"
    )
    one, two = patches(text, [FileChange(path="one", kind="changed"), FileChange(path="two", kind="changed")])
    assert [(line.sign, line.pieces[0].text) for line in one.lines] == [
        ("-", "diff --git a/x b/x"),
        ("+", "@@ -1 +1 @@"),
    ]
    assert two.lines == ()


def test_what_is_too_long_is_cut_and_says_so() -> None:
    body = "".join(f"+{number}\n" for number in range(MOST_LINES + 50))
    text = f"diff --git a/one b/one\n@@ -0,0 +1,{MOST_LINES + 50} @@\n{body}"
    (found,) = patches(text, [FileChange(path="one", kind="added")])
    assert (len(found.lines), found.cut) == (MOST_LINES, True)


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ("timeout: 5000", "timeout: 8000", "5000", "8000"),
        ("a(b, c)", "a(b, d, c)", "", "d, "),
        ("5s", "8s", None, None),
        ("nothing alike", "42", None, None),
    ],
)
def test_the_words_that_changed_are_marked(before: str, after: str, old: str | None, new: str | None) -> None:
    found = marks(before, after)
    if old is None or new is None:
        assert found is None
        return
    assert found is not None
    for pieces, text, part in ((found[0], before, old), (found[1], after, new)):
        assert "".join(one.text for one in pieces) == text
        assert "".join(one.text for one in pieces if one.changed) == part
    assert Piece("") not in (*found[0], *found[1])
