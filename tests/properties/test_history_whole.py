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
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import update

from reconciler.errors import StoreError
from reconciler.model.deployment import LEGAL, Deployment
from reconciler.store import ledger, tables
from tests.playing import Killed, Player, Recorded, everything_again, on_disk, placed, recorded
from tests.strategies import APPS, ORDINARY, PINNING, ROUGH, TIMED, Step, examples, histories
from tests.world import CHAIN

pytestmark = pytest.mark.timeout(300)  # examples are whole reconcilers; a busy machine takes its time
FEW = examples(4)
NEEDS = {"mail": ["shop"]}
KINDS = (*ORDINARY, *PINNING, *TIMED, *ROUGH, "push", "push", "both")
COMMITS = (*ORDINARY, "both", "break", "mend", "remove", "return")
FILE = "index.html"
# `mail` needs `shop`, which leaves while mail changes and comes back at the end.
CHANGES = (Step("both"), Step("content"), Step("content", "mail"))
LEAVES_WHILE_NEEDED = [*CHANGES, Step("remove"), Step("return", "mail"), Step("both")]

PICKY = ["pre-release"]
PLACES = [(app, name) for app in APPS for name in CHAIN]
SANDBOX_FIRST = sorted(PLACES, key=lambda place: CHAIN.index(place[1]))
SANDBOX_LAST = SANDBOX_FIRST[::-1]
WORKERS = st.sampled_from([1, 2, 16])
FIRST = st.permutations(PLACES)
# Bad content fails in pre-release and is given up; shop leaves git and comes back by a revert. That is a newer word
# about what failed: pre-release tries what sandbox still runs, while sandbox itself goes back to the first version.
GOES_WRONG_AGAIN = [
    Step("both", a=1, b=1),
    Step("wait"),
    Step("content"),
    Step("remove"),
    Step("wait"),
    Step("revert"),
]


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


def check_suspects(found: Recorded) -> None:
    """What failed by itself and did not do well since is suspect, and nothing is that never failed."""
    for place, several in found.deployments.items():
        last = {part.version: d for d in several if d.status in ("completed", "failed") for part in d.traffic}
        alone = {version for version, d in last.items() if d.status == "failed" and len(d.traffic) == 1}
        failed = {part.version for d in several if d.status == "failed" for part in d.traffic}
        assert alone <= found.suspects.get(place, set()) <= failed, place


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
    with directory() as place, Player(place, picky=PICKY, needs=NEEDS) as player:
        for _ in player.play(history):
            check_settled(player)
        check_lifecycle(recorded(player))


@FEW
@given(histories(*KINDS, most=7), st.lists(st.integers(0, 9), min_size=1, max_size=4), WORKERS, FIRST)
@example(GOES_WRONG_AGAIN, [0], 1, SANDBOX_FIRST)
@example(GOES_WRONG_AGAIN, [0], 16, SANDBOX_LAST)
def test_the_end_does_not_depend_on_where_it_was_killed(
    history: list[Step], kills: list[int], workers: int, first: list[tuple[str, str]]
):
    same_story(history, kills, Killed, workers, first)


@FEW
@given(histories(*KINDS, most=7), st.lists(st.integers(0, 14), min_size=1, max_size=5), WORKERS, FIRST)
def test_the_end_does_not_depend_on_when_the_store_did_not_answer(
    history: list[Step], failures: list[int], workers: int, first: list[tuple[str, str]]
):
    same_story(history, failures, StoreError, workers, first)


def same_story(
    history: list[Step],
    troubles: list[int],
    trouble: type[BaseException],
    workers: int,
    first: list[tuple[str, str]],
) -> None:
    """Where targets answer in the same order, trouble changes nothing of what is recorded."""
    with directory() as place:
        with Player(place / "calm", picky=PICKY, first=first) as calm:
            calm.world.settings["workers"] = workers
            list(calm.play(history))
            expected = recorded(calm)
        with Player(place / "shaken", picky=PICKY, first=first) as shaken:
            shaken.world.settings["workers"] = workers
            shaken.trouble = trouble
            list(shaken.play(history, troubles))
            check_settled(shaken)
            found = recorded(shaken)
        assert found.ending() == expected.ending()
        assert found.suspects == expected.suspects
        assert found.story() == expected.story()
        check_lifecycle(found)


@FEW
@given(
    histories(*KINDS, most=7),
    st.lists(st.integers(0, 9), max_size=4),
    WORKERS,
    st.lists(st.integers(0, 5), min_size=1, max_size=20) | st.none(),
)
@example(GOES_WRONG_AGAIN, [0], 1, [0])
@example(GOES_WRONG_AGAIN, [], 16, [0])
@example(GOES_WRONG_AGAIN, [0], 16, None)
def test_the_end_does_not_depend_on_the_order_of_answers(
    history: list[Step], kills: list[int], workers: int, order: list[int] | None
):
    with directory() as place:
        with Player(place / "calm", picky=PICKY, first=SANDBOX_FIRST) as calm:
            list(calm.play(history))
            expected = recorded(calm)
        with Player(place / "other", picky=PICKY, order=order) as other:
            other.world.settings["workers"] = workers
            list(other.play(history, kills))
            check_settled(other)
            found = recorded(other)
        assert found.ending() == expected.ending()
        check_lifecycle(found)
        check_suspects(found)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (SANDBOX_FIRST, [("aborted", "promotion", 2), ("completed", "rollback", 1)]),
        (SANDBOX_LAST, [("failed", "promotion", 2), ("completed", "auto-rollback", 1)]),
    ],
)
def test_what_is_tried_again_fails_or_is_stopped_by_what_comes_next_and_the_same_runs(
    tmp_path: Path, first: list[tuple[str, str]], told: list[tuple[str, str, int]]
):
    with Player(tmp_path, picky=PICKY, first=first) as player:
        list(player.play(GOES_WRONG_AGAIN))
        found = recorded(player)
    several = found.deployments["shop", "pre-release"]
    assert [(d.status, d.cause, d.traffic[0].number) for d in several[3:]] == told
    assert {place: split[0][1] for place, (split, _) in found.running().items()} == dict.fromkeys(PLACES, 1) | {
        ("mail", "sandbox"): 2
    }
    bad = {id for number, id, _ in found.versions["shop"] if number == 2}
    assert found.suspects["shop", "pre-release"] == bad
    assert set(found.held) == {("mail", "pre-release")}


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


@examples(4)
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
