"""Does the planner keep its promises where new versions come by steps, whatever comes in between?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import Tracked
from reconciler.model.deployment import LEGAL, ROLLBACKS
from reconciler.model.plan import Abort, Advance
from reconciler.planner import rollouts
from tests.builders import chain
from tests.noted import SHOP
from tests.simulated import Simulated, refuses_bad
from tests.strategies import ORDINARY, PINNING, ROUGH, TIMED, Commit, Desk, Step, Wait, examples, histories
from tests.world import CHAIN

MANY = examples(40)
KINDS = (*ORDINARY, *PINNING, *ROUGH)
ALL = histories(*KINDS, *TIMED, apps=[SHOP], most=10)
ROLLOUT = {"steps": [10, 50, 100], "interval": "10m", "bake": "30m", "checks": [{"name": "smoke", "run": ["true"]}]}
MOMENTS = st.lists(st.integers(0, 12), min_size=10, max_size=10)
"""How many turns are taken after each step of a history, and so in the midst of which rollouts the next one comes."""
ROUNDS = 600


def interrupted(history: list[Step], moments: list[int], where: set[str]) -> Iterator[Simulated]:
    """A history whose commits come in the midst of rollouts; the state after each turn."""
    found = Simulated(chain(rollout=ROLLOUT))
    how = refuses_bad(found, where)
    for number, made in enumerate(Desk([SHOP]).write(history)):
        match made:
            case Commit():
                found.note(made)
            case Wait(by=by):
                found.now += by
        for _ in range(moments[number % len(moments)]):
            found.turn(how)
            yield found
            found.now += timedelta(minutes=3)
    found.settle(how, ROUNDS)
    yield found


PLACES = st.sets(st.sampled_from(CHAIN))


@MANY
@given(ALL, MOMENTS, PLACES)
def test_it_always_comes_to_an_end(history: list[Step], moments: list[int], where: set[str]):
    *_, found = interrupted(history, moments, where)
    assert found.plan().empty
    assert not found.active()


@MANY
@given(ALL, MOMENTS, PLACES)
def test_a_plan_that_was_carried_out_is_empty(history: list[Step], moments: list[int], where: set[str]):
    for found in interrupted(history, moments, where):
        found.carry(found.plan())
        again = found.plan()
        # What was stopped at once makes room: that is the next turn's business.
        assert not any(isinstance(action, Advance) for action in again.actions)
        assert all(isinstance(action, Abort) for action in again.actions) or not found.active(), found.told()


@MANY
@given(ALL, MOMENTS, PLACES)
def test_every_move_is_legal_and_every_split_whole(history: list[Step], moments: list[int], where: set[str]):
    for found in interrupted(history, moments, where):
        for identifier, moves in found.moves.items():
            assert all(after in LEGAL[before] for before, after in pairwise(moves)), identifier
        for one in found.active():
            split = rollouts.split(one)
            assert sum(part.percent for part in split) == pytest.approx(100 if one.traffic else 0)


@MANY
@given(ALL, MOMENTS)
def test_shares_only_grow_and_what_goes_back_takes_no_steps(history: list[Step], moments: list[int]):
    seen: dict[str, int] = {}
    for found in interrupted(history, moments, set()):
        for one in found.active():
            if one.rollout is not None:
                assert one.cause not in ROLLBACKS
                assert one.rollout.percent >= seen.get(one.id, 0)
                seen[one.id] = one.rollout.percent


@MANY
@given(ALL, MOMENTS)
def test_a_rollout_of_what_was_taken_back_does_not_outlive_the_next_turns(history: list[Step], moments: list[int]):
    for found in interrupted(history, moments, set()):
        taken_back = [
            one
            for name, wanted in found.desired().items()
            for one in found.active()
            if one.environment == name
            and one.resting
            and one.cause == "promotion"
            and isinstance(wanted.choice, Tracked)
            and any(part.version in found.withdrawn for part in one.traffic)
            and any(
                d.status == "completed"
                and d.grounds.chosen_by != "season"
                and d.traffic
                and not {part.version for part in d.traffic} & set(found.withdrawn)
                for d in found.deployments[name]
            )
        ]
        if not found.complaints:
            stopped = [action.deployment for action in found.plan().actions if isinstance(action, Abort)]
            assert all(one.id in stopped for one in taken_back), found.told()


@MANY
@given(histories("content", "extra", "setting", apps=[SHOP], most=8), MOMENTS)
def test_what_runs_in_the_end_is_what_runs_without_steps(history: list[Step], moments: list[int]):
    *_, found = interrupted(history, moments, set())
    plain = Simulated(chain())
    for made in Desk([SHOP]).write(history):
        if isinstance(made, Commit):
            plain.note(made)
    plain.settle()
    for name in CHAIN:
        one, other = found.runs(name), plain.runs(name)
        assert (one and one.subject) == (other and other.subject), found.told()
