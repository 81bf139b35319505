"""Is what hinders the following told when it is so, as what it is, and since when?"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from tests.commands import Done, Told
from tests.world import World, app_manifest

REFUSED = "señal\nin.yaml"
"""A name that no manifest may have, since it has two lines."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    return made


def events(done: Done) -> list[str]:
    """The names of what was logged."""
    return [json.loads(line)["event"] for line in done.err.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("first", [True, False])
def test_a_manifest_whose_name_is_refused_is_logged_with_its_letters(world: World, first: bool) -> None:
    world.start_repository()
    if not first:
        world.settle()
    with world.running() as found, structlog.testing.capture_logs() as logs:
        world.commit("Refused", {REFUSED: app_manifest("other", bundle="shop")})
        found.daemon.settle()
        found.daemon.settle()
        world.commit("Gone", {REFUSED: None})
        found.daemon.settle()
    named = [(one["event"], one["file"].split(":")[0]) for one in logs if one["event"].startswith("manifest.")]
    assert named == [("manifest.broken", "señal\\nin.yaml"), ("manifest.mended", "señal\\nin.yaml")]
    assert world.complaints() == []


def test_settings_that_run_refuses_are_told_by_status(told: Told) -> None:
    assert told.type("run", "--once").status == 0
    right = told.settings["repository"]
    assert "settings were changed" not in told.type("status").out
    for setting, now, was in (("path", "shop", "."), ("branch", "other", "main")):
        told.set(repository={**right, setting: now})
        shown = told.type("status")
        assert shown.status == 0
        assert f"this store follows the {setting} {was} of the repository, not {now}" in shown.out
        assert f"set repository.{setting} back to {was}" in shown.out
    told.set(repository={**right, "path": "./"})
    assert "settings were changed" not in told.type("status").out


def test_nothing_is_started_that_is_refused(told: Told) -> None:
    # On a store that several daemons can share it is said first who is there.
    assert next(one for one in events(told.type("run", "--once")) if one != "daemon.joined") == "started"
    told.set(repository={**told.settings["repository"], "branch": "other"})
    for words in (["run"], ["run", "--once"]):
        assert events(told.type(*words)) == []


def test_since_when_is_of_this_trouble_and_not_of_the_one_before(world: World) -> None:
    world.start_repository()
    world.settings["repository"]["path"] = "nowhere"
    began = world.now
    assert since(world) == began
    world.later(minutes=10)
    world.commit("The same path is missing at another commit", {"shop/index.html": "two"})
    assert since(world) == began
    world.later(minutes=10)
    world.settings["repository"] |= {"branch": "nob"}
    assert since(world) == world.now
    other = world.now
    world.later(minutes=10)
    assert since(world) == other
    world.home.path.rename(world.directory / "away.git")
    assert since(world) == world.now


def test_one_daemon_tells_since_when_the_branch_is_gone(world: World) -> None:
    world.start_repository()
    with world.running() as found:
        found.daemon.settle()
        world.home.path.rename(world.directory / "away.git")
        found.daemon.settle()
        world.later(minutes=10)
        (world.directory / "away.git").rename(world.home.path)
        world.home.git("update-ref", "-d", "refs/heads/main")
        found.following.looking.ask()
        found.daemon.settle()
        assert found.following.looking.trouble is not None
        assert "has no branch main any more" in found.following.looking.trouble.error.message
        assert found.following.looking.trouble.since == world.now


def since(world: World) -> datetime | None:
    """Since when there is trouble, as a start at this moment tells."""
    with world.running() as found:
        found.daemon.settle()
        trouble = found.following.looking.trouble
    return trouble.since if trouble else None
