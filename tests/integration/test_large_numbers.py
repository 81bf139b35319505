"""Do numbers that no column holds do harm, wherever a commit or a person writes one?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.planner.noting import MOST_ALLOWED, allowed_changes
from tests.commands import Told
from tests.world import app_manifest


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    return made


@pytest.mark.parametrize("count", ["99999999999999999999", "9" * 5_000, "3000000000", "\u0663" * 30])
def test_more_changes_than_anybody_has_are_acknowledged(told: Told, count: str) -> None:
    told.settle()
    told.commit(f"Say two\n\nAllow-Mass-Change: {count}", {"shop/index.html": "two"})
    told.settle()
    assert told.runs("live") == "two"
    assert allowed_changes([("Allow-Mass-Change", count)]) == MOST_ALLOWED
    assert allowed_changes([("Allow-Mass-Change", "0012")]) == 12


@pytest.mark.parametrize("number", ["v2611221030", "v3000000000", "v9999999999"])
def test_a_version_of_a_number_that_is_too_large_is_none(told: Told, number: str) -> None:
    told.settle()
    pinned = app_manifest(environments={"sandbox": {}, "live": {"version": number}})
    told.commit("Pin", {"shop.yaml": pinned})
    told.settle()
    assert [(one["environment"], one["rule"]) for one in told.json("plan")["refused"]] == [("live", "version")]
    done = told.type("versions", "show", "shop", number)
    assert done.status == 1
    assert number in done.err
    assert "does not answer" not in done.err
