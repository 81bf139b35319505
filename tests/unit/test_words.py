"""Are words from outside shown safely, and is the right word found that was meant?"""

from __future__ import annotations

import pytest

from reconciler import words


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("depends-on", ["depends_on", "config"], "depends_on"),
        ("Repositroy", ["repository"], "repository"),
        ("EUROPE/PARIS", ["Europe/Paris"], "Europe/Paris"),
        ("moon", ["live", "sandbox"], None),
        ("", ["live"], None),
        ("l" * 1_000_000, ["live"], None),
        ("live", [], None),
    ],
)
def test_the_nearest_word_is_found_whatever_joins_its_parts(word: str, known: list[str], found: str | None) -> None:
    assert words.nearest(word, known) == found


def test_a_remedy_names_the_nearest_word_or_all_that_there_are() -> None:
    assert words.instead("lvie", ["sandbox", "live"]) == "did you mean live?"
    assert words.instead("moon", ["sandbox", "live", "earth"]) == "there are earth, live and sandbox"
    assert words.instead("moon", []) == "there are none"
    assert words.meant("moon", ["live"], "look up") == "look up"


def test_what_does_not_print_is_spelled_out() -> None:
    assert words.plain("a\x1b[2J\n\u202eb") == "a\\x1b[2J\\n\\u202eb"
    assert words.quoted("x" * 100) == repr("x" * 60) + "…"
