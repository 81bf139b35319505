"""Is what a group says of its members the work of its size, and not of the square of it?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from reconciler.planner import groups
from reconciler.planner.joint import Joint
from reconciler.planner.plan import plan
from reconciler.planner.recorded import RecordedApp
from tests.builders import app, desires, group, suspicion
from tests.plans import PLACES, TWO
from tests.unit.test_groups_told import NOW, facts, live, pause

FEW, MANY = 20, 80


def named(count: int) -> tuple[str, ...]:
    return tuple(f"app-{number:03}" for number in range(count))


def members(told: Mapping[str, RecordedApp]) -> dict[str, groups.Member]:
    found = {}
    for name, each in told.items():
        one, here = app(name), replace(each, app=name)
        wanted = desires(one, PLACES, NOW, ())
        found[name] = groups.Member(wanted=wanted, recorded=here, plan=plan(one, wanted, PLACES, here, NOW))
    return found


def all_follow_one(count: int) -> dict[str, RecordedApp]:
    """The first failed, and all entered with it."""
    bad, *others = names = named(count)
    failed = live(2, 2, move="m", names=names, status="failed")
    there = facts(failed, live(1, 1), suspicions=suspicion(TWO, failed))
    return {bad: there} | {name: facts(live(2, 2, move="m", names=names), live(1, 1)) for name in others}


def all_are_back(count: int) -> dict[str, RecordedApp]:
    """The first failed, all went back with it, and it has nothing new."""
    bad, *others = names = named(count)
    entered = live(2, 2, move="m", names=names)
    failed = live(2, 2, move="m", names=names, status="failed")
    back = live(3, 1, cause="auto-rollback", rolled_back_from=entered.id)
    there = facts(back, failed, live(1, 1), suspicions=suspicion(TWO, failed))
    return {bad: there} | {name: facts(back, entered, live(1, 1)) for name in others}


def half_hold_the_rest(count: int) -> dict[str, RecordedApp]:
    """All stand in one move and have something new, and every second one is paused."""
    names = named(count)
    stands = live(1, 1, move="m", names=names)
    return {name: facts(stands, pauses=pause(12) if at % 2 else ()) for at, name in enumerate(names)}


def some_are_on_their_way(count: int) -> dict[str, RecordedApp]:
    """Half of a move stand in it, and the other half are still to enter."""
    names = named(count)
    return {
        name: facts(live(2, 2, move="m", names=names), live(1, 1)) if at % 2 else facts(live(1, 1))
        for at, name in enumerate(names)
    }


def steps(ask: Callable[[], Any]) -> tuple[Any, int]:
    """What is answered, and how many instructions of Python that took."""
    count = 0

    def step(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += what == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        return ask(), count
    finally:
        sys.settrace(before)


Said = dict[str, dict[str, Joint]]


@pytest.mark.parametrize(
    ("world", "goes"),
    [
        (all_follow_one, lambda said: sum(words["live"].back is not None for words in said.values()) == len(said)),
        (all_are_back, lambda said: all(words["live"].fallen for words in said.values())),
        (half_hold_the_rest, lambda said: all(words["live"].waiting is not None for words in said.values())),
        (some_are_on_their_way, lambda said: {words["live"].move for words in said.values()} == {"m"}),
    ],
)
def test_what_a_group_says_is_the_work_of_its_size(
    world: Callable[[int], dict[str, RecordedApp]], goes: Callable[[Said], bool]
) -> None:
    taken = []
    for count in (FEW, MANY):
        found, known = members(world(count)), [group(*named(count))]
        said, work = steps(lambda found=found, known=known: groups.joint(found, known, PLACES, NOW))  # type: ignore[misc]
        assert len(said) >= count // 2 - 1
        assert goes(said)
        taken.append(work)
    few, many = taken
    assert many <= few * (MANY / FEW) * 1.1
