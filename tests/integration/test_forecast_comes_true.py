"""Does what was foretold come true, with cause, versions and moment, through years of all that depends on time?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.foretelling import Stretch, Year


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.long)])
def test_a_year_comes_as_it_was_foretold(tmp_path: Path, seed: int) -> None:
    causes = lived(tmp_path, seed, commits=16)
    assert causes["promotion"] >= 5
    assert causes["season-start"] + causes["season-end"] + causes["schedule"] >= 2


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_years_come_as_they_were_foretold(tmp_path: Path, seed: int) -> None:
    lived(tmp_path, seed, commits=40)


def lived(directory: Path, seed: int, commits: int) -> Counter[str]:
    """Live through a year; how often each cause came."""
    found: Counter[str] = Counter()
    year = Year(directory, seed, commits)
    for stretch in year.live():
        assert sorted(map(repr, stretch.foretold)) == sorted(map(repr, stretch.lived))
        assert stretch.extra == 0
        comes_as_the_calendar_says(stretch, by_steps=year.by_steps)
        found.update(one.cause for one in stretch.lived)
    return found


def comes_as_the_calendar_says(stretch: Stretch, *, by_steps: bool) -> None:
    """What holds at a season's edges, and what is deployed then; and no such deployment comes at another moment."""
    begun = {(one.at, one.app, one.environment, one.name) for one in stretch.edges if one.cause == "season-start"}
    made = {(one.at, one.app, one.environment): one.cause for one in stretch.lived}
    for edge in stretch.edges:
        standing = stretch.stood.get(edge.at, {}).get((edge.app, edge.environment))
        if standing is None:
            continue
        if edge.cause == "season-start":
            assert edge.name in standing.seasons
        if edge.cause == "season-end" and (edge.at, edge.app, edge.environment, edge.name) not in begun:
            assert edge.name not in standing.seasons
        if edge.cause in ("season-start", "season-end", "schedule", "experiment-end") and standing.deployment:
            came = (edge.at, edge.app, edge.environment) in made
            held = bool(standing.waiting or standing.refused)
            assert came or held or "nothing changes" in edge.detail or standing.in_sync
    for one in stretch.lived:
        if one.cause in ("season-start", "season-end", "schedule") and not by_steps:
            # At its own edge, or when what held it back has ended.
            here = {edge.at for edge in stretch.edges if edge.environment == one.environment}
            assert one.at in here
