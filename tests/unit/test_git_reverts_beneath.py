"""What do squashed pull requests, merges and hostile messages claim to revert?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.reverts import look, verdict
from tests.unit.test_git_reverts import A, B, commits, titles

# Squashed pull requests

SQUASHED = f"""* Hang a lamp

* Revert "Hang a lamp"

This reverts commit {A}.

* Hang a better lamp

and say why

Revert "say why"

This reverts commit {B}.
"""


def test_what_a_squashed_branch_did_inside_is_not_what_the_commit_does() -> None:
    assert look(f"Hang a lamp (#12)\n\n{SQUASHED}") == ()
    assert commits(look(f'Revert "Dim it" (#12)\n\n{SQUASHED}')) == []


def test_the_squashed_commit_that_says_the_same_as_the_title_counts() -> None:
    body = (
        f'* Revert "Dim the lamp (#12)"\n\nThis reverts commit {A}.\n\n* format\n\n---------\n\nCo-authored-by: G <g@h>'
    )
    assert commits(look(f'Revert "Dim the lamp" (#13)\n\n{body}')) == [A]
    several = f'{body}\n\n* Revert "Something of the branch"\n\nThis reverts commit {B}.'
    assert commits(look(f'Revert "Dim the lamp" (#13)\n\n{several}')) == [A]


# Behind merges


def test_messages_behind_a_merge_count() -> None:
    behind = [f'Revert "Dim the lamp"\n\nThis reverts commit {A}.', "Paint the hall"]
    claims = look("Merge branch 'main' of git.example.org:lamps", 2, behind)
    assert commits(claims) == [A]
    assert all(claim.merged for claim in claims)
    assert verdict(claims, "full").kind == "revert"


def test_only_titles_and_declarations_behind_a_merge_count() -> None:
    assert look("Merge branch 'x'", 2, ["Paint\n\nWhile here, reverting the colour of the door."]) == ()
    assert look("Merge branch 'x'", 2, ["Roll back the paint"]) != ()


def test_what_came_and_went_inside_the_branch_is_not_taken_back() -> None:
    behind = [f'Revert "Dim the lamp"\n\nThis reverts commit {A}.', "Dim the lamp"]
    assert titles(look("Merge branch 'x'", 2, behind)) == []


# Hostile messages

WORDS = [
    "Revert ",
    "revert: ",
    '"',
    "'",
    "…",
    "(#12)",
    "\n",
    "* ",
    "- ",
    "This reverts commit ",
    A,
    "a1b2c3d ",
    "and ",
    "Merge ",
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=60).map("".join), st.integers(0, 3))
def test_no_message_is_too_odd(message: str, parents: int) -> None:
    claims = look(message, parents, [message])
    verdict(claims, "full")
    assert all(claim.depth >= 1 for claim in claims)
    assert all(len(commit) >= 7 for commit in commits(claims))


@pytest.mark.parametrize("piece", [*WORDS, "revert ", "roll a ", "( ", "a/", "a-", "x" * 40 + "!", "reverted by "])
def test_no_message_is_too_long(piece: str) -> None:
    started = time.process_time()
    look(piece * (200_000 // len(piece)))
    look("Lamp\n\n" + piece * (200_000 // len(piece)), 2, [piece * 1000] * 3)
    assert time.process_time() - started < 4
