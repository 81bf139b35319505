"""Fixed seeds, a few new ones, and that a seed is always the same world."""

import os
import secrets
import subprocess
import sys

import pytest

from reconciler.engine.pool import Pool
from tests.simulation.trial import trial

DAYS = 4
FIXED = (1, 3, 7, 9, 11, 17, 20)
NEW = 3
MANY = range(1, 30)
ONE = f"from tests.simulation.trial import trial; print(trial(7, {DAYS}).digest)"


@pytest.mark.parametrize("seed", FIXED)
def test_all_laws_hold_whatever_goes_wrong(seed):
    verdict = trial(seed, DAYS)

    assert not verdict.wrong, verdict.words
    assert verdict.commits
    assert verdict.deployments
    assert verdict.faults


def test_apps_that_are_retired_wait_for_their_turn_without_a_storm():
    # Two environments that prune, and a target that hangs while an app leaves git.
    verdict = trial(7021, 10)

    assert not verdict.wrong, verdict.words


def test_all_laws_hold_in_worlds_that_nobody_has_seen():
    for _ in range(NEW):
        verdict = trial(secrets.randbelow(1_000_000), DAYS)
        assert not verdict.wrong, verdict.words


def test_a_seed_gives_the_same_world_in_every_process():
    answers = {
        subprocess.run(
            [sys.executable, "-c", ONE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert answers == {f"{trial(7, DAYS).digest}\n"}


def test_a_mistake_in_the_daemon_is_found_and_told_with_its_seed(monkeypatch):
    monkeypatch.setattr(Pool, "recorded", lambda pool, answers: None)  # it takes all for busy that ever was

    found = next(one for one in (trial(seed, DAYS) for seed in MANY) if one.wrong)

    assert "Not so:" in found.words
    assert f'make simulate ARGS="--seed {found.sort.seed} --days {DAYS}"' in found.words
