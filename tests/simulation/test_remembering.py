"""Does whoever looks again and again see what is so, whatever happens meanwhile?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.trial import simulated
from tests.simulation.world import sort_of

DAYS, LOOKS_A_DAY = 2, 150


@pytest.mark.parametrize("seed", [30, 31, pytest.param(32, marks=pytest.mark.long)])
def test_the_matrix_remembers_nothing_that_is_not_so(seed: int) -> None:
    verdict = simulated(replace(sort_of(seed, DAYS), looks_a_day=LOOKS_A_DAY, twin=False))

    assert not verdict.wrong, verdict.words
