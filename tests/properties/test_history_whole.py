"""Does a whole reconciler come to the same end however its commits arrive and wherever it is killed?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from reconciler.errors import StoreError
from reconciler.model.deployment import LEGAL, Deployment
from reconciler.store import ledger, tables
from tests.playing import Player, Recorded, everything_again, on_disk, placed, recorded
from tests.strategies import APPS, ORDINARY, PINNING, ROUGH, TIMED, Step, histories
from tests.world import CHAIN

pytestmark = pytest.mark.timeout(300)  # examples are whole reconcilers; a busy machine takes its time
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
NEEDS = {"mail": ["shop"]}
KINDS = (*ORDINARY, *PINNING, *TIMED, *ROUGH, "push", "push", "both")
COMMITS = (*ORDINARY, "both", "break", "mend", "remove", "return")
FILE = "index.html"
# `mail` needs `shop`, which leaves while mail changes and comes back at the end.
CHANGES = (Step("both"), Step("content"), Step("content", "mail"))
LEAVES_WHILE_NEEDED = [*CHANGES, Step("remove"), Step("return", "mail"), Step("both")]


@contextmanager
def directory() -> Iterator[Path]:
    """A directory for one example."""
    with tempfile.TemporaryDirectory(prefix="history-") as made:
        yield Path(made)


def check_lifecycle(found: Recorded) -> None:
    """Every deployment moved as the table of legal moves allows, and none is missing or double."""
    moves: dict[str, list[str]] = {}
    for fact in found.facts:
        status = fact["kind"].removeprefix("deployment.")
        if fact["kind"].startswith("deployment.") and status in LEGAL:
            moves.setdefault(fact["subject"], []).append(status)
    for place, several in found.deployments.items():
        assert [d.number for d in several] == list(range(1, len(several) + 1)), place
        for deployment in several:
            steps = moves[deployment.id]
            assert steps[0] == "pending"
            assert all(after in LEGAL[before] for before, after in pairwise(steps)), steps
            assert steps[-1] == deployment.status
    for app, several in found.versions.items():
        assert [number for number, _, _ in several] == list(range(1, len(several) + 1)), app


def check_settled(player: Player) -> None:
    """Planning once more gives nothing to do, and nothing is under way."""
    before = recorded(player)
    everything_again(player)
    after = recorded(player)
    assert after.facts == before.facts
    assert not [d for several in after.deployments.values() for d in several if d.active]
    for place, (number, facts) in _disk(player).items():
        last = [d for d in after.deployments[place] if d.status == "completed"][-1]
        assert (facts["deployment"], number) == (last.id, max(_shares(last))[1]), place


def _disk(player: Player) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
    places = [(app, name) for app in player.desk.apps for name in CHAIN]
    return {place: there for place in places if (there := on_disk(player, *place)) is not None}


def _shares(deployment: Deployment) -> list[tuple[float, int]]:
    return [(part.percent, part.number) for part in deployment.traffic]


@FEW
@given(histories(*KINDS))
def test_settling_ends_and_settling_again_changes_nothing(history: list[Step]):
    with directory() as place, Player(place, picky=["pre-release"], needs=NEEDS) as player:
        for _ in player.play(history):
            check_settled(player)
        check_lifecycle(recorded(player))


@FEW
@given(histories(*KINDS, most=7), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.sampled_from([1, 16]))
def test_the_end_does_not_depend_on_where_it_was_killed(history: list[Step], kills: list[int], workers: int):
    with directory() as place:
        with Player(place / "calm", picky=["pre-release"]) as calm:
            list(calm.play(history))
            expected = recorded(calm)
        with Player(place / "killed", picky=["pre-release"]) as killed:
            killed.world.settings["workers"] = workers
            list(killed.play(history, kills))
            check_settled(killed)
            found = recorded(killed)
        assert found.versions == expected.versions
        assert found.story() == expected.story()
        check_lifecycle(found)


@FEW
@given(histories(*KINDS, most=7), st.lists(st.integers(0, 14), min_size=1, max_size=5))
def test_the_end_does_not_depend_on_when_the_store_did_not_answer(history: list[Step], failures: list[int]):
    with directory() as place:
        with Player(place / "calm", picky=["pre-release"]) as calm:
            list(calm.play(history))
            expected = recorded(calm)
        with Player(place / "shaken", picky=["pre-release"]) as shaken:
            shaken.trouble = StoreError
            list(shaken.play(history, failures))
            check_settled(shaken)
            found = recorded(shaken)
        assert found.versions == expected.versions
        assert found.story() == expected.story()
        check_lifecycle(found)


@FEW
@given(
    histories(*COMMITS, most=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.lists(st.integers(0, 9), max_size=3),
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
@example(LEAVES_WHILE_NEEDED, [False, False, True, False, False, False], [0, 7], [1, 0])
@example(LEAVES_WHILE_NEEDED, [False] * 6, [], [0, 1])
def test_the_end_does_not_depend_on_how_commits_were_pushed_nor_on_the_order_of_answers(
    history: list[Step], pushes: list[bool], kills: list[int], order: list[int]
):
    last = [Step(kind, app) for app in APPS for kind in ("return", "mend")]
    pushed = [step for one, now in zip(history, pushes, strict=False) for step in (one, Step("push"))[: 1 + now]]
    with directory() as place:
        with Player(place / "single", needs=NEEDS, order=[0]) as single:
            list(single.play([*history, *last], each=True))
            expected = recorded(single)
        with Player(place / "grouped", needs=NEEDS, order=order) as grouped:
            grouped.play_on([*pushed, *last], kills)
            check_settled(grouped)
            found, here = recorded(grouped), placed(grouped)
            for app in APPS:
                assert grouped.world.runs("sandbox", app=app) == (grouped.world.repo.path / app / FILE).read_text()
        assert found.versions == expected.versions
        assert _only(found.running(), here) == _only(expected.running(), here)
        check_lifecycle(found)


def _only(running: dict[tuple[str, str], Any], places: set[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    return {place: what for place, what in running.items() if place in places}


@FEW
@given(histories(*ORDINARY, *PINNING, *TIMED, *TIMED), st.floats(0, 1, exclude_max=True))
def test_the_daemon_wakes_before_anything_changes(history: list[Step], part: float):
    with directory() as place, Player(place) as player:
        for turn in player.play(history):
            now, before = player.world.now, recorded(player)
            until = turn.wake_at or now + timedelta(days=400)
            player.world.now = min(now + (until - now) * part, until - timedelta(microseconds=1))
            everything_again(player)
            assert recorded(player).facts == before.facts, (turn.wake_at, player.world.now)
            player.world.now = now


@settings(FEW, max_examples=6)
@given(histories(*KINDS, most=6), st.data())
def test_the_ledger_vouches_for_every_fact_and_finds_the_one_that_was_changed(history: list[Step], data: st.DataObject):
    with directory() as place, Player(place) as player:
        for _ in player.play(history):
            with player.found.database.write() as transaction:
                ledger.seal(transaction, player.world.now)
        with player.found.database.read() as connection:
            assert ledger.verify(connection) == ledger.Verified(len(recorded(player).facts), 0, None)
        fact = data.draw(st.sampled_from(recorded(player).facts))
        with player.found.database.write() as transaction:
            row = tables.ledger.c.sequence == fact["sequence"]
            transaction.connection.execute(update(tables.ledger).where(row).values(actor="somebody else"))
        with player.found.database.read() as connection:
            found = ledger.verify(connection)
        assert found.broken_after is not None
        assert found.broken_after < fact["sequence"]
