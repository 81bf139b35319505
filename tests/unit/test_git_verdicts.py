"""Does what a message claims lead to the right commit, the right direction and the right verdict?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.reverts import Candidate, Direction, direction, look, resolve, verdict

A = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"
B = "b0c1d2e3f405162738495a6b7c8d9e0f11223344"
C = "c9d8e7f60a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"


# Direction


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f'Revert "Dim"\n\nThis reverts commit {A}.', "back"),
        (f'Revert "Revert "Dim""\n\nThis reverts commit {A}.', "forth"),
        (f'Revert "Revert "Revert "Dim"""\n\nThis reverts commit {A}.', "back"),
        (f'Reapply "Dim"\n\nThis reverts commit {A}.', "forth"),
        (f'Revert^2 "Dim"\n\nThis reverts commit {A}.', "forth"),
        (f'Revert^3 "Dim"\n\nThis reverts commit {A}.', "back"),
        ("Reapply the dimming", "forth"),
        ("Un-revert the dimming", "forth"),
        ("Revert the revert of the dimming", "forth"),
        ("Dim\n\nReverted in #12, the hum is gone.", "forth"),
        (f"Dim (take 2)\n\nThis reverts commit {A}.", "forth"),
        (f"Dim, attempt 3\n\nThis reverts commit {A}.", "forth"),
        (f'Revert "Attempt 2 at dimming"\n\nThis reverts commit {A}.', "back"),
        (f"Dim\n\nThis reverts {A[:9]}, re-applying {B[:9]}.", "forth"),
        (f"Dim\n\nTried in {A}, reverted in {B}.", "forth"),
        (f"Dim\n\nAgain, after it had to be reverted because of the hum ({B}).", "forth"),
    ],
)
def test_the_words_tell_the_direction_when_nothing_else_does(message: str, expected: Direction) -> None:
    assert direction(look(message)) == expected


def test_the_chain_knows_better_than_the_words() -> None:
    trailer = look(f"Bright\n\nThis reverts commit {A}.")
    assert direction(trailer, ["back"]) == "forth"
    assert direction(trailer, ["forth"]) == "back"
    assert direction(trailer, [None]) == "back"
    nested = look(f'Revert "Revert "Dim""\n\nThis reverts commit {A}.')
    assert direction(nested, ["forth"]) == "back"
    assert direction(nested, ["back", None]) == "forth", "a chain that says both leaves it to the words"


# Verdicts


def test_content_decides() -> None:
    declaration = look(f'Revert "Dim"\n\nThis reverts commit {A}.')
    hint, naming = look("Roll back the lamp"), look(f"Lamp\n\nReverts what came in {A[:9]}.")
    assert verdict(declaration, "none").kind == "ordinary", "a title alone proves nothing"
    assert verdict((), "full").kind == "restore"
    assert verdict((), "partial").kind == verdict((), "none").kind == "ordinary"
    assert (verdict(hint, "full").kind, verdict(hint, "partial").kind) == ("revert", "ordinary")
    assert verdict(naming, "partial").kind == "revert"
    full, partial = verdict(declaration, "full"), verdict(declaration, "partial")
    assert (full.kind, full.direction, full.partial) == ("revert", "back", False)
    assert (partial.kind, partial.partial) == ("revert", True)
    assert verdict(declaration, "full", ["back"]).direction == "forth"
    assert verdict((), "full").direction is None


# Targets


class Branch:
    """Earlier commits, oldest first: id, subject, number of the pull request."""

    def __init__(self, *commits: tuple[str, str, int | None]) -> None:
        self.newest_first = commits[::-1]

    def by_id_prefix(self, prefix: str) -> list[Candidate]:
        return [Candidate(one, (title,)) for one, title, _ in self.newest_first if one.startswith(prefix)]

    def by_pull_request(self, number: int) -> list[Candidate]:
        return [Candidate(one, (title,)) for one, title, known in self.newest_first if known == number]

    def by_title_prefix(self, prefix: str) -> list[Candidate]:
        return [Candidate(one, (title,)) for one, title, _ in self.newest_first if title.startswith(prefix)]


BRANCH = Branch((A, "Dim the lamp (#12)", 12), (B, "Dim the lamp in the hall", None), (C, "Paint the hall (#14)", 14))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"x\n\nThis reverts commit {B}.", [B]),
        (f"x\n\nThis reverts commits {C[:8]} and {A[:8]}.", [C, A]),
        (f'Revert "Dim the lamp (#12)" (#13)\n\nThis reverts commit {"d" * 40}.', [A]),
        ('Revert "Dim the lamp" (#13)', [A]),
        ('Revert "Dim the lamp in t…"', [B]),
        ('Revert "Dim the lamp i"', []),
        (f'Revert "Paint the hall"\n\nThis reverts commit {"d" * 40}.', [C]),
        ("Merge pull request #15 from ada/revert-14-paint", [C]),
        ("revert: Dim the lamp in the hall", [B]),
        (f'Revert "Paint the hall"\n\nThe lamp was dimmed by {A}.', [C]),
        ("Roll back the paint", []),
        ("", []),
    ],
)
def test_the_target_is_found_by_id_then_number_then_title(message: str, expected: list[str]) -> None:
    assert list(resolve(look(message), BRANCH)) == expected


def test_a_short_id_of_two_commits_names_neither() -> None:
    twins = Branch((A, "One", None), (A[:12] + B[12:], "Two", None))
    assert resolve(look(f'Revert "Two"\n\nThis reverts commit {A[:10]}.'), twins) == (A[:12] + B[12:],)
    assert resolve(look(f"x\n\nThis reverts commit {A[:10]}."), twins) == ()


def test_the_newest_of_one_title_is_meant() -> None:
    twice = Branch((A, "Bump lamp", None), (B, "Bump lamp", None))
    assert resolve(look('Revert "Bump lamp"'), twice) == (B,)


PIECES = ["Revert ", '"', "Dim the lamp", "…", "(#12)", "\n\n", "reverts ", A[:7], "\\", "%"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_is_claimed_can_be_looked_up(message: str) -> None:
    assert set(resolve(look(message), BRANCH)) <= {A, B, C}
