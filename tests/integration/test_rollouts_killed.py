"""Does a rollout end the same, wherever the reconciler is killed over it and whenever its store does not answer?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import StoreError
from reconciler.store import deployments
from tests.playing import Killed, Player, recorded
from tests.strategies import Step

CHECKED = {"name": "smoke", "run": ["sh", "-c", "test $RECONCILER_CHECK = smoke"]}
ROLLOUT = {"steps": [10, 50, 100], "interval": "10m", "bake": "10m", "checks": [CHECKED]}
MINUTES = (0, 10, 20, 30)
"""When the first step, the second, the last and the end come."""


def told(player: Player) -> list[tuple[str, str]]:
    """The events of the rollout that came last, without what checks printed."""
    last = recorded(player).deployments["shop", "sandbox"][-1]
    with player.found.database.read() as connection:
        return [(event.status, event.message) for event in deployments.events(connection, last.id)]


def shares(player: Player) -> dict[int, float]:
    place = player.world.directory / "state" / "releases" / "sandbox" / "shop" / "traffic.json"
    return {part["number"]: part["percent"] for part in json.loads(place.read_text())}


def rolled_out(directory: Path, step: int | None, trouble: type[BaseException] = Killed) -> tuple[Any, ...]:
    """A rollout with the same trouble at each of its steps; what came of it."""
    with Player(directory, apps=["shop"], rollout=ROLLOUT) as player:
        player.trouble = trouble
        player.write()
        player.settle()
        player.world.later(minutes=10)
        player.settle()
        player.write(Step("content"))
        seen, began = [], player.world.now
        for minutes in MINUTES:
            player.world.later(minutes=minutes - (player.world.now - began).total_seconds() / 60)
            player.settle(iter([] if step is None else [step]))
            seen.append(shares(player))
        return seen, recorded(player).story()["shop", "sandbox"], told(player)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    return rolled_out(tmp_path_factory.mktemp("calm"), None)


def test_undisturbed(calm: tuple[Any, ...]):
    seen, story, events = calm
    assert seen == [{1: 90, 2: 10}, {1: 50, 2: 50}, {2: 100}, {2: 100}]
    assert [(number, status) for number, status, *_ in story] == [(1, "completed"), (2, "completed")]
    assert [what for what, _ in events].count("check") == 4


@pytest.mark.parametrize("step", range(8))
def test_killed(tmp_path: Path, step: int, calm: tuple[Any, ...]):
    seen, story, events = rolled_out(tmp_path, step)
    assert (seen, story) == calm[:2]
    # What was not recorded is done again, and told then.
    steps = [event for event in events if event[0] in ("step", "held", "watched", "completed")]
    assert steps == [event for event in calm[2] if event[0] in ("step", "held", "watched", "completed")]


@pytest.mark.parametrize("step", range(14))
def test_the_store_does_not_answer(tmp_path: Path, step: int, calm: tuple[Any, ...]):
    assert rolled_out(tmp_path, step, StoreError)[:2] == calm[:2]
