"""Does a person's word count: stop, pause, resume, accept?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from reconciler.store import due, interventions
from tests.e2e.daemon import Live, environment_manifest, exec_target, refused, waiting
from tests.world import World, app_manifest

SLOW = 'echo "$RECONCILER_VERSION_NUMBER" >> {place}/begun; test -e slow && sleep 60; echo done >> {place}/ended'


def begin(world: World, **spec: object) -> None:
    """The app in one environment; content with a file `slow` takes a minute."""
    target = exec_target(SLOW.format(place=world.directory))
    world.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("live", "latest", target=target, **spec),
            "shop.yaml": app_manifest(environments=["live"]),
            "shop/index.html": "one",
        },
    )


def lines(world: World, name: str) -> list[str]:
    place = Path(world.directory / name)
    return place.read_text().splitlines() if place.exists() else []


def test_a_person_stops_a_running_deployment_and_it_stays_stopped(live: Live) -> None:
    begin(live)
    live.start()
    live.wait_for(lambda: live.story("live") == [("release", "completed", [1])], "the first version is deployed")
    live.commit("Slow", {"shop/slow": ""})
    live.wait_for(lambda: lines(live, "begun") == ["1", "2"], "the second runs")
    running = live.history()[-1]
    live.wish("abort", app="shop", environment="live", subject=running.id, reason="too slow")
    live.wait_for(lambda: live.history()[1].status == "aborted", "it is stopped")
    assert lines(live, "ended") == ["done"]
    assert refused(live, "live")[0][0] == "suspect"
    live.terminate()
    live.start("--once")
    assert live.ended() == 0
    assert live.story("live")[1:] == [("release", "aborted", [2])]
    live.start()
    live.commit("Quick", {"shop/slow": None, "shop/index.html": "two"})
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [3]), "a newer commit goes on")


def test_a_revert_stops_a_running_rollout_and_rolls_back_at_once(live: Live) -> None:
    begin(live)
    live.start()
    live.wait_for(lambda: live.story("live") == [("release", "completed", [1])], "the first version is deployed")
    change = live.commit("Slow", {"shop/slow": ""})
    live.wait_for(lambda: lines(live, "begun") == ["1", "2"], "the second runs")
    live.repo.revert(change)
    live.repo.push()
    live.wait_for(lambda: live.story("live")[-1] == ("rollback", "completed", [1]), "it is rolled back")
    assert live.story("live")[1] == ("release", "aborted", [2])
    assert live.history()[2].rolled_back_from == live.history()[1].id


def test_a_newer_commit_waits_for_a_running_rollout(live: Live) -> None:
    begin(live)
    live.start()
    live.wait_for(lambda: live.story("live") == [("release", "completed", [1])], "the first version is deployed")
    live.commit("Slow", {"shop/slow": ""})
    live.wait_for(lambda: lines(live, "begun") == ["1", "2"], "the second runs")
    live.commit("Quick", {"shop/slow": None, "shop/index.html": "two"})
    live.wait_for(lambda: len(live.versions()) == 3, "the third is known")
    assert [status for _, status, _ in live.story("live")] == ["completed", "started"]
    assert waiting(live, "live")[0][0] == "deployment"
    live.kill()


def test_a_pause_holds_what_is_new_until_it_expires(world: World) -> None:
    world.start_repository()
    world.settle()
    until = world.now + timedelta(hours=2)
    world.wish("pause", app="shop", environment="live", reason="stocktaking", until=until)
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert (world.runs("pre-release"), world.runs("live")) == ("two", "one")
    assert waiting(world, "live") == [("pause", "paused by ann@example.com: stocktaking")]
    world.later(hours=2)
    world.settle()
    assert world.runs("live") == "two"


def test_a_pause_does_not_hold_a_rollback_and_ends_when_somebody_resumes(world: World) -> None:
    world.start_repository()
    world.settle()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    until = world.now + timedelta(days=2)
    world.wish("pause", app="shop", reason="stocktaking", until=until)
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert world.runs("live") == "one"
    world.commit("Three", {"shop/index.html": "three"})
    world.settle()
    assert world.runs("sandbox") == "one"
    with world.running() as found, found.database.write() as transaction:
        assert interventions.resume(transaction, "shop", None, "bob@example.com", world.now) == 1
        due.mark(transaction, ["shop"], world.now)
    world.settle()
    assert world.runs("live") == "three"


def test_a_pause_in_the_manifest_holds_and_names_its_reason(world: World) -> None:
    world.start_repository()
    world.settle()
    pause = {"by": "ann@example.com", "reason": "audit", "until": (world.now + timedelta(hours=1)).isoformat()}
    entries = {"sandbox": {}, "pre-release": {}, "live": {"pause": pause}}
    world.commit("Two", {"shop.yaml": app_manifest(environments=entries), "shop/index.html": "two"})
    world.settle()
    assert world.runs("live") == "one"
    assert waiting(world, "live") == [("pause", "paused by ann@example.com: audit")]
    world.later(hours=1)
    world.settle()
    assert world.runs("live") == "two"
