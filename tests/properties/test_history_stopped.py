"""What a person or a revert stops: does it stay stopped and the rest go on, even when the daemon is killed over it?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import StoreError
from reconciler.model.deployment import Deployment
from reconciler.store import due, interventions
from reconciler.store.interventions import Wish
from tests.playing import Player, everything_again, recorded
from tests.strategies import BAD, Step

AFTER_FIRST_TURN = 3
"""The fourth step at which a reconciler can be killed: its life has begun, intents are written, no target has heard of
them."""


def wish(player: Player, kind: interventions.Kind, about: Deployment) -> None:
    """A person asks for something."""
    with player.found.database.write() as transaction:
        asked = Wish(kind=kind, actor="ann@example.com", app=about.app, environment=about.environment, subject=about.id)
        interventions.record(transaction, asked, player.world.now)
        due.mark(transaction, [about.app], player.world.now)


def under_way(player: Player) -> dict[str, Deployment]:
    """What is still to end, by status."""
    return {d.status: d for several in recorded(player).deployments.values() for d in several if d.active}


def kinds(player: Player, app: str, environment: str = "sandbox") -> list[tuple[str, str, list[int]]]:
    """Cause, status and versions of each deployment."""
    several = recorded(player).deployments.get((app, environment), [])
    return [(d.cause, d.status, [part.number for part in d.traffic]) for d in several]


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Player]:
    """One worker: the daemon was killed when `mail` had its turn and `shop`, whose season is to come, had not."""
    with Player(tmp_path) as player:
        player.world.settings["workers"] = 1
        player.write(Step("season", "shop", "sandbox", b=4))
        player.found.following.begin(player.world.now)
        player.killed(AFTER_FIRST_TURN)
        yield player


def test_what_was_stopped_before_its_turn_stays_stopped_and_its_season_still_comes(narrow: Player):
    waiting = under_way(narrow)["pending"]
    wish(narrow, "abort", waiting)
    turn = narrow.found.daemon.settle()
    assert kinds(narrow, waiting.app) == [("release", "aborted", [1])]
    assert turn.wake_at == narrow.world.now + timedelta(hours=4)


def test_what_was_stopped_while_the_daemon_was_dead_ends(narrow: Player):
    begun = under_way(narrow)["started"]
    wish(narrow, "abort", begun)
    narrow.found.daemon.settle()
    assert kinds(narrow, begun.app) == [("release", "aborted", [1])]
    everything_again(narrow)
    assert kinds(narrow, begun.app) == [("release", "aborted", [1])]


def test_a_person_stops_it_and_the_daemon_is_killed_before_the_target_answers(narrow: Player):
    begun = under_way(narrow)["started"]
    wish(narrow, "abort", begun)
    narrow.killed(AFTER_FIRST_TURN)
    narrow.settle()
    assert kinds(narrow, begun.app) == [("release", "aborted", [1])]


def test_a_revert_that_arrives_while_the_daemon_is_dead_stops_what_it_had_begun(tmp_path: Path):
    with Player(tmp_path, apps=["shop"]) as player:
        player.write()
        player.settle()
        player.write(Step("content"))
        player.killed(AFTER_FIRST_TURN)
        player.write(Step("revert"))
        player.settle()
        assert kinds(player, "shop") == [
            ("release", "completed", [1]),
            ("release", "aborted", [2]),
            ("rollback", "completed", [1]),
        ]


def test_what_waits_for_a_stopped_app_goes_on(tmp_path: Path):
    with Player(tmp_path, needs={"mail": ["shop"]}) as player:
        player.write()
        player.settle()
        player.write(Step("both"))
        player.killed(AFTER_FIRST_TURN)
        wish(player, "abort", under_way(player)["started"])
        player.settle()
        assert kinds(player, "shop")[-1] == ("release", "aborted", [2])
        assert under_way(player) == {}


def test_a_wish_to_try_again_does_not_outlive_the_next_commit(tmp_path: Path):
    with Player(tmp_path, apps=["shop"], picky=["sandbox"]) as player:
        player.write(Step("becomes", a=BAD))
        player.settle()
        failed = recorded(player).deployments["shop", "sandbox"][-1]
        assert failed.status == "failed"
        player.write(Step("becomes", a=2))
        wish(player, "retry", failed)
        player.settle()
        player.write(Step("becomes", a=BAD))
        player.settle()
        assert [cause for cause, _, _ in kinds(player, "shop")] == ["release", "release"]


@pytest.mark.parametrize("step", range(5))
def test_a_season_begins_although_the_store_fails_just_then(tmp_path: Path, step: int):
    with Player(tmp_path, apps=["shop"]) as player:
        player.write(Step("season", "shop", "sandbox", b=4))
        player.settle()
        player.world.later(hours=5)
        player.trouble = StoreError
        player.settle(iter([step]))
        assert kinds(player, "shop") == [("release", "completed", [1]), ("season-start", "completed", [1])]
