"""Is it told how much of a change was taken back?"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.undoing import Evidence, File, Touched, compare, share_taken_back


def file(name: str) -> File:
    return ("100644", name)


def step(before: str | None, after: str | None) -> Touched:
    return Touched(file(before) if before else None, file(after) if after else None)


def lines(text: str) -> Counter[bytes]:
    return Counter(text.encode())


@pytest.mark.parametrize(
    ("targets", "commit", "elsewhere", "shares", "content", "exact"),
    [
        ({"a": step("1", "2")}, {"a": step("2", "1")}, {}, {}, "full", True),
        ({"a": step(None, "2")}, {"a": step("2", None)}, {}, {}, "full", True),
        ({"a": step("1", None)}, {"a": step(None, "1")}, {}, {}, "full", True),
        ({"a": step("1", "2")}, {"a": step("3", "1")}, {}, {}, "full", True),
        ({"a": step("1", "2")}, {"a": step("2", "1"), "x": step("1", "2")}, {}, {}, "full", True),
        ({"a": step("1", "2"), "b": step("1", "2")}, {"a": step("2", "1")}, {"b": file("2")}, {}, "partial", False),
        ({"a": step("1", "2"), "b": step("1", "2")}, {"a": step("2", "1")}, {"b": file("1")}, {}, "full", True),
        ({"a": step("1", "2"), "b": step(None, "2")}, {"a": step("2", "1")}, {"b": None}, {}, "full", True),
        ({"a": step("1", "2")}, {"a": step("3", "4")}, {}, {"a": 1.0}, "full", False),
        ({"a": step("1", "2")}, {"a": step("3", "4")}, {}, {"a": 0.6}, "partial", False),
        # Half is what any other text for the one line that was changed comes to.
        ({"a": step("1", "2")}, {"a": step("3", "4")}, {}, {"a": 0.5}, "none", False),
        ({"a": step("1", "2")}, {"a": step("3", "4")}, {}, {"a": 0.4}, "none", False),
        ({"a": step("1", "2")}, {"x": step("3", "4")}, {"a": file("2")}, {}, "none", False),
        ({"a": step("1", "2")}, {"x": step("3", "4")}, {"a": file("1")}, {}, "none", False),
        ({"a": step("1", "2")}, {}, {"a": file("2")}, {}, "none", False),
        ({}, {"a": step("1", "2")}, {}, {}, "none", False),
    ],
)
def test_how_much_was_taken_back(
    targets: dict[str, Touched],
    commit: dict[str, Touched],
    elsewhere: dict[str, File | None],
    shares: dict[str, float],
    content: str,
    exact: bool,
) -> None:
    evidence = compare(targets, commit, elsewhere, shares)
    assert (evidence.content, evidence.exact) == (content, exact)


def test_every_path_is_accounted_for() -> None:
    targets = {name: step("1", "2") for name in "abcd"}
    commit = {"a": step("2", "1"), "b": step("3", "4"), "c": step("3", "4"), "x": step("1", "2")}
    assert compare(targets, commit, {"d": file("2")}, {"b": 0.7, "c": 0.1}) == Evidence(
        "partial", exact=False, restored=("a",), inverse=("b",), left=("b", "c", "d"), beyond=("x",)
    )


def test_a_mode_is_part_of_a_file() -> None:
    runs = {"run": Touched(("100644", "1"), ("100755", "1"))}
    assert compare(runs, {"run": Touched(("100755", "1"), ("100644", "1"))}, {}, {}).content == "full"
    assert compare(runs, {"run": Touched(("100755", "1"), ("100755", "2"))}, {}, {}).content == "none"


@pytest.mark.parametrize(
    ("before", "after", "found", "made", "share"),
    [
        ("abc", "abxc", "abxcz", "abcz", 1.0),
        ("abc", "ac", "acz", "abcz", 1.0),
        ("abc", "axc", "axcz", "abcz", 1.0),
        ("abc", "axc", "axcz", "acz", 0.5),
        ("aab", "b", "bz", "abz", 0.5),
        ("abc", "axc", "axcz", "axc", 0.0),
        ("abc", "abc", "x", "y", 0.0),
    ],
)
def test_the_share_of_lines(before: str, after: str, found: str, made: str, share: float) -> None:
    assert share_taken_back(lines(before), lines(after), lines(found), lines(made)) == share


@given(st.text("abcd", max_size=8), st.text("abcd", max_size=8), st.text("wxyz", max_size=8))
def test_what_came_in_between_does_not_matter(before: str, after: str, between: str) -> None:
    share = share_taken_back(lines(before), lines(after), lines(after + between), lines(before + between))
    assert share == (1.0 if sorted(before) != sorted(after) else 0.0)
