"""Does each sentence of docs/security.md name a test that there is?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
SENTENCES = [line for line in PAGE.partition("\n## Git\n")[2].splitlines() if line.startswith("- ")]


def names_in(path: Path) -> set[str]:
    """The tests that a module has, those of its classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence[2:60])
def test_each_sentence_has_its_test(sentence: str) -> None:
    named = NAMED.findall(sentence)
    assert named, sentence
    for place, name in named:
        assert (ROOT / place).is_file(), place
        assert name in names_in(ROOT / place), f"{place} has no {name}"


def test_no_name_of_a_test_is_written_otherwise() -> None:
    assert PAGE.count("`tests/") == len(NAMED.findall(PAGE))
    assert len(SENTENCES) > 40
