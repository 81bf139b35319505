"""What is followed: another path, branch or address on a store that there is, and a repository that lacks them."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from reconciler.schedule import rfc3339
from reconciler.store import repository
from tests.commands import Done, Told
from tests.gitrepo import Repo
from tests.world import ENVIRONMENTS, World, app_manifest

JOINED = "daemon.joined"
"""In PostgreSQL each settling but the first is another life of the daemon, which says so."""


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Two directories that could be followed, `one` and `two`, with an app of their own in each."""
    made = Told(tmp_path)
    files: dict[str, str | bytes | None] = {}
    for name in ("one", "two"):
        files[f"{name}/environments.yaml"] = ENVIRONMENTS
        files[f"{name}/shop.yaml"] = app_manifest(f"shop-{name}", bundle="page")
        files[f"{name}/page/index.html"] = name
    made.commit("Begin", files)
    return made


def follow(told: Told, **repository: Any) -> None:
    """Change settings of the repository."""
    told.set(repository={**told.settings["repository"], **repository})


def events(done: Done) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]


def named(done: Done, *names: str) -> list[dict[str, Any]]:
    """What was logged under these names."""
    return [one for one in events(done) if one["event"] in names]


def place(told: World) -> repository.Followed:
    """What the store follows."""
    with told.running() as found, found.database.read() as connection:
        known = repository.followed(connection)
    assert known is not None
    return known


def test_another_path_is_refused_with_the_way_out_and_nothing_is_removed(told: Told) -> None:
    follow(told, path="one")
    assert told.type("run", "--once").status == 0
    assert told.runs("live", app="shop-one") == "one"
    follow(told, path="two")
    for words in (["run"], ["run", "--once"], ["plan"]):
        refused = told.type(*words)
        assert refused.status == 1
        assert "this store follows the path one of the repository, not two" in refused.err
        assert "another `data` directory and another `state.url`" in refused.err
    assert [(row["app"], row["in_sync"]) for row in told.json("status")] == [("shop-one", True)] * 3
    follow(told, path="./one/")
    assert told.type("run", "--once").out.endswith("nothing to do\n")
    assert (place(told).root, place(told).branch, place(told).url) == ("one", "main", str(told.home.path))


def test_the_way_out_follows_the_other_path(told: Told) -> None:
    follow(told, path="one")
    told.type("run", "--once")
    follow(told, path="two")
    told.set(data=str(told.directory / "second"), state={"url": f"sqlite:///{told.directory}/second/reconciler.db"})
    assert told.type("run", "--once").status == 0
    assert {row["app"] for row in told.json("status")} == {"shop-two"}


def test_another_branch_is_refused_before_anything_is_done(told: Told) -> None:
    told.type("run", "--once")
    told.repo.git("push", "--quiet", "origin", "HEAD:refs/heads/other")
    follow(told, branch="other")
    for words in (["run"], ["run", "--once"]):
        refused = told.type(*words)
        assert (refused.status, refused.out) == (1, "")
        assert "follows the branch main of the repository, not other" in refused.err


@pytest.mark.parametrize("path", ["three", "one/shop.yaml", "../one", "one/page/index.html/x"])
def test_a_path_that_is_not_there_is_said_to_be_missing(told: Told, path: str) -> None:
    follow(told, path=path)
    done = told.type("run", "--once")
    assert done.status == 1
    assert "has no directory" in done.err
    assert "correct repository.path" in done.err
    assert done.out.startswith("not settled")
    assert told.type("plan").status == 1
    assert "has no directory" in told.type("status").out
    # Nothing was taken in: the right path can still be given.
    follow(told, path="one")
    assert told.type("run", "--once").status == 0
    assert "has no directory" not in told.type("status").out


def test_a_path_that_vanishes_removes_nothing_until_it_is_back(told: Told) -> None:
    follow(told, path="one")
    told.type("run", "--once")
    told.commit("All gone", {"one": None})
    gone = told.type("run", "--once")
    assert gone.status == 1
    assert "has no directory one" in gone.err
    assert "push it again" in gone.err
    assert [(row["orphaned"], row["deployment"]["status"]) for row in told.json("status")] == [(False, "completed")] * 3
    told.repo.revert("HEAD")
    told.repo.push()
    assert told.type("run", "--once").status == 0
    assert place(told).head == told.repo.head
    assert len(told.history("shop-one")) == 3


def test_another_address_with_the_same_history_goes_on(told: Told) -> None:
    told.type("run", "--once")
    moved = told.home.path.with_name("moved.git")
    told.home.path.rename(moved)
    told.repo.git("remote", "set-url", "origin", str(moved))
    follow(told, url=str(moved))
    told.commit("Two", {"one/page/index.html": "1"})
    done = told.type("run", "--once")
    assert done.status == 0
    assert [one["is"] for one in named(done, "repository.moved")] == [str(moved)]
    assert told.runs("live", app="shop-one") == "1"
    assert place(told).url == str(moved)
    assert not named(told.type("run", "--once"), "repository.moved")


def test_another_address_with_an_unrelated_history_is_held_until_it_is_accepted(told: Told) -> None:
    told.type("run", "--once")
    stranger = Repo.create(told.directory / "stranger")
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "strange"}
    head = stranger.write(files).commit("Elsewhere")
    noted = place(told).head
    follow(told, url=str(stranger.path))
    done = told.type("run", "--once")
    assert f"reconciler accept {head[:10]}" in done.err
    assert [one["head"] for one in named(done, "branch.held")] == [head]
    assert not named(told.type("run", "--once"), "branch.held"), "said once"
    assert (place(told).held_head, place(told).head) == (head, noted)
    assert {row["app"] for row in told.json("status") if not row["orphaned"]} == {"shop-one", "shop-two"}
    assert f"{head} is held since" in told.type("status").out
    assert {row["repository"]["held_head"] for row in told.json("status")} == {head}
    assert told.type("accept", head, "--actor", "ann@example.org", "--reason", "moved").status == 0
    accepted = told.type("run", "--once")
    assert named(accepted, "branch.accepted")
    assert told.runs("live") == "strange"
    assert {row["orphaned"] for row in told.json("status") if row["app"] != "shop"} == {True}


def test_a_branch_that_is_deleted_is_an_error_and_what_was_noted_stays(told: Told) -> None:
    told.type("run", "--once")
    told.home.git("update-ref", "-d", "refs/heads/main")
    gone = told.type("run", "--once")
    assert gone.status == 1
    assert gone.out.startswith("not settled at ")
    assert "has no branch main any more" in gone.err
    assert f"push it again; until then {told.repo.head[:10]} stays in force" in gone.err
    assert len(named(gone, "branch.missing")) == 1
    status = told.type("status").out
    assert "has no branch main any more, since " in status
    assert f"by the commit {told.repo.head[:10]}" in status
    (shown,) = {json.dumps(row["repository"]) for row in told.json("status")}
    assert "no branch main" in json.loads(shown)["error"]
    assert json.loads(shown)["error_since"] is not None
    told.repo.push()
    assert told.type("run", "--once").status == 0
    assert "no branch" not in told.type("status").out
    assert told.json("status")[0]["repository"]["error"] is None


def test_git_that_does_not_answer_is_told_once_with_since_when(world: World) -> None:
    world.start_repository()
    world.settle()
    away = world.home.path.with_name("away.git")
    with world.running() as found:
        world.home.path.rename(away)
        began = world.now
        with structlog.testing.capture_logs() as logs:
            for _ in range(5):
                found.daemon.settle()
                world.later(minutes=10)
        (said,) = [one for one in logs if one["log_level"] == "warning"]
        assert said["event"] == "git.unreachable"
        assert said["again_at"] == rfc3339(began + timedelta(seconds=2))
        with found.database.read() as connection:
            known = repository.followed(connection)
    assert known is not None
    assert known.trouble is not None
    assert (known.trouble.since, known.trouble.again_at > began) == (began, True)
    # The next start knows since when.
    with world.running() as found:
        found.daemon.settle()
        assert found.following.looking.trouble is not None
        assert found.following.looking.trouble.since == began
        away.rename(world.home.path)
        found.following.looking.ask()
        with structlog.testing.capture_logs() as logs:
            found.daemon.settle()
        said = [one["event"] for one in logs if one["log_level"] == "info" and one["event"] != JOINED]
        assert said == ["git.answers"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_push_to_an_empty_repository_is_seen_at_once(world: World) -> None:
    with world.running() as found:
        with structlog.testing.capture_logs() as logs:
            for _ in range(20):
                found.daemon.settle()
        logs = [one for one in logs if one["event"] != JOINED]
        assert [one["event"] for one in logs] == ["branch.missing"]
        assert "any more" not in logs[0]["error"]
        world.start_repository()
        found.daemon.settle()  # at the very same moment: no pause is waited for
        assert world.runs("live") == "one"
        assert found.following.looking.trouble is None


def test_a_daemon_that_waits_for_the_first_push_rests(tmp_path: Path) -> None:
    empty = Told(tmp_path)
    turns = 0
    with empty.running() as found:
        original = found.cycle.turn

        def counted(now: Any) -> Any:
            nonlocal turns
            turns += 1
            return original(now)

        found.cycle.turn = counted  # type: ignore[method-assign]
        running = threading.Thread(target=found.daemon.run)
        running.start()
        running.join(0.5)
        found.daemon.stop()
        running.join(10)
        assert not running.is_alive()
    assert turns < 10


def test_a_manifest_that_breaks_and_is_mended_is_told_once_each(world: World) -> None:
    world.start_repository()
    world.commit("More", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    with world.running() as found:
        found.daemon.settle()
        with structlog.testing.capture_logs() as logs:
            world.commit("Typo", {"shop.yaml": app_manifest(bundlee="shop")})
            found.daemon.settle()
            world.commit("Something else", {"other/index.html": "two"})
            found.daemon.settle()
            found.daemon.settle()
        (broken,) = (one for one in logs if one["event"].startswith("manifest."))
        assert broken["event"] == "manifest.broken"
        assert broken["log_level"] == "warning"
        assert broken["file"].startswith("shop.yaml:1:")
        assert "bundlee" in broken["error"]
        assert broken["apps"] == ["shop"]
        assert "stay as they are" in broken["next"]
    # It is still broken after a start: nothing new.
    with world.running() as found, structlog.testing.capture_logs() as logs:
        found.daemon.settle()
        world.commit("Lost directory", {"other.yaml": app_manifest("other", bundle="nowhere")})
        found.daemon.settle()
        world.commit("Mend", {"shop.yaml": app_manifest()})
        found.daemon.settle()
    told = [(one["event"], one["file"].split(":")[0], one["apps"]) for one in logs if "manifest" in one["event"]]
    assert told == [("manifest.broken", "other.yaml", ["other"]), ("manifest.mended", "shop.yaml", ["shop"])]


def test_a_store_that_has_noted_nothing_may_follow_anything(world: World) -> None:
    world.settle()
    world.settings["repository"]["branch"] = "other"
    world.settle()
    with world.running() as found, found.database.read() as connection:
        known = repository.followed(connection)
    assert known is not None
    assert known.branch == "other"
