"""Does a person's choice of versions hold: a pin, a split, a scheduled version, a name for a content?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.daemon import Live, refused
from tests.world import ENVIRONMENTS, World, app_manifest


def entries(**live: Any) -> dict[str, Any]:
    """The three environments, with an entry of its own for live."""
    return {"sandbox": {}, "pre-release": {}, "live": live}


def pin(world: World, message: str, **live: Any) -> str:
    """A commit that changes the entry for live and nothing else."""
    return world.commit(message, {"shop.yaml": app_manifest(environments=entries(**live))})


def released(world: World, *texts: str) -> None:
    """A repository whose content has been each of the texts, each of them released."""
    for text in texts:
        world.start_repository() if text == texts[0] else world.commit(text, {"shop/index.html": text})
        world.settle()


def test_a_pin_moves_back_as_a_rollback_and_forward_as_a_release(world: World) -> None:
    released(world, "one", "two")
    back = pin(world, "Too new", version="v1")
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == ("two", "one")
    world.commit("Three", {"shop/index.html": "three"})
    world.settle()
    assert (world.runs("pre-release"), world.runs("live")) == ("three", "one")
    pin(world, "Go on", version="v3")
    world.settle()
    assert world.runs("live") == "three"
    assert [cause for cause, _, _ in world.story("live")] == ["promotion", "promotion", "rollback", "release"]
    moved = world.history("shop", "live")[2]
    assert moved.reason == f"{back[:10]} moves back to v1: Too new"
    assert moved.rolled_back_from == world.history("shop", "live")[1].id
    assert len(world.versions()) == 3


def test_a_pin_may_be_a_number_a_digest_a_commit_or_a_name(world: World) -> None:
    world.start_repository(version="1.0.0")
    first = world.repo.head
    world.settle()
    world.commit("Two", {"shop.yaml": app_manifest(version="2.0.0"), "shop/index.html": "two"})
    world.settle()
    digest = world.versions()[0].id.removeprefix("sha256:")[:12]
    for reference in ("v1", digest, f"commit:{first}", "1.0.0"):
        world.commit(
            f"Pin {reference}", {"shop.yaml": app_manifest(version="2.0.0", environments=entries(version=reference))}
        )
        world.settle()
        assert world.runs("live") == "one", reference
        world.commit("Unpin", {"shop.yaml": app_manifest(version="2.0.0")})
        world.settle()
        assert world.runs("live") == "two", reference


def test_a_pin_to_a_version_that_does_not_exist_is_refused_and_nothing_moves(world: World) -> None:
    released(world, "one")
    pin(world, "Nonsense", version="v7")
    world.settle()
    assert world.runs("live") == "one"
    ((rule, detail),) = refused(world, "live")
    assert rule == "version"
    assert "no version v7" in detail


def test_a_split_is_written_where_a_proxy_reads_it(live: Live) -> None:
    live.start_repository()
    live.commit("Two", {"shop/index.html": "two"})
    live.start()
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    pin(live, "A tenth", traffic=[{"version": "v1", "percent": 90}, {"version": "v2", "percent": 10}])
    place = live.released("live").parent

    def shares() -> list[tuple[int, float]]:
        return [(part["number"], part["percent"]) for part in json.loads((place / "traffic.json").read_text())]

    live.wait_for(lambda: shares() == [(1, 90), (2, 10)] and live.runs("live") == "one", "the split is live")
    directories = [place / part["directory"] for part in json.loads((place / "traffic.json").read_text())]
    assert [(directory / "index.html").read_text() for directory in directories] == ["one", "two"]
    pin(live, "All of it")
    live.wait_for(lambda: shares() == [(2, 100)] and live.runs("live") == "two", "all goes to the newest")


def test_a_version_name_never_means_two_contents(live: Live) -> None:
    first = live.commit(
        "Begin",
        {
            "environments.yaml": ENVIRONMENTS,
            "shop.yaml": app_manifest(version="1.4.0"),
            "shop/index.html": "one",
            "other.yaml": app_manifest("other"),
            "other/index.html": "one",
        },
    )
    live.start()
    live.wait_for(lambda: live.everywhere("one", "shop", "other"), "both run everywhere")
    live.commit("Reuse", {"shop/index.html": "two", "other/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two", "other"), "the other app goes on")
    (complaint,) = live.complaints()
    assert complaint.startswith("shop.yaml:1:")
    assert "1.4.0 already means other content" in complaint
    assert first[:10] in complaint
    assert live.everywhere("one")
    live.commit("Rename", {"shop.yaml": app_manifest(version="1.5.0")})
    live.wait_for(lambda: live.everywhere("two"), "a new name is taken")
    assert live.complaints() == []
    assert [version.name for version in live.versions()] == ["1.4.0", "1.5.0"]


def test_a_scheduled_version_runs_from_its_moment_on(world: World) -> None:
    released(world, "one", "two")
    moment = (world.now + timedelta(hours=2)).isoformat()
    planned = pin(world, "Back at two", schedule=[{"at": moment, "version": "v1"}])
    world.settle()
    assert world.runs("live") == "two"
    assert len(world.history("shop", "live")) == 2
    world.later(hours=2, seconds=5)
    world.settle()
    assert world.runs("live") == "one"
    newest = world.history("shop", "live")[-1]
    assert (newest.cause, newest.commit, newest.late_by_seconds) == ("schedule", planned, 5)


def test_the_daemon_wakes_by_itself_for_a_scheduled_version(live: Live) -> None:
    live.start_repository()
    live.commit("Two", {"shop/index.html": "two"})
    live.start()
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    moment = datetime.now(UTC) + timedelta(seconds=1.5)
    pin(live, "Soon", schedule=[{"at": moment.isoformat(), "version": "v1"}])
    live.wait_for(lambda: live.runs("live") == "one", "the moment has come")
    assert datetime.now(UTC) >= moment
    live.wait_for(lambda: live.story("live")[-1] == ("schedule", "completed", [1]), "it is recorded")
    late = live.history("shop", "live")[-1].late_by_seconds
    assert late is not None
    assert late < 1
