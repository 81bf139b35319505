"""Do two Environments with one directory ever let an ungated version appear where the other one's apps run?"""

from __future__ import annotations

from pathlib import Path

import structlog

from tests.commands import typed
from tests.world import ENVIRONMENTS, World, app_manifest

SAME = ENVIRONMENTS.replace("path: releases/sandbox", "path: ./releases//live")


def test_validate_says_where_and_whose_directory_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    files = {"environments.yaml": SAME, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    world.repo.write(files)
    done = typed("validate", at=world.repo.path)
    assert done.status == 1
    assert "environments.yaml:14:" in done.out
    assert "releases/live is the directory of the environment sandbox too" in done.out
    assert "1 error" in done.out
    world.repo.write({"shop.yaml": app_manifest(environments=["live"])})
    assert "1 error" in typed("validate", at=world.repo.path).out


def test_apps_are_held_from_the_first_commit_on_until_it_is_mended(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": SAME, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    world.settle()
    assert (world.history(), world.runs("live")) == ([], None)
    (said,) = world.complaints()
    assert said.startswith("environments.yaml:14:")
    world.commit("Apart", {"environments.yaml": ENVIRONMENTS})
    world.settle()
    assert (world.complaints(), world.runs("sandbox"), world.runs("live")) == ([], "one", "one")


def test_a_target_that_moves_into_another_ones_holds_what_runs_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    world.commit("Another", {"blog.yaml": app_manifest("blog", environments=["live"]), "blog/index.html": "blog"})
    world.settle()
    with world.running() as found, structlog.testing.capture_logs() as logs:
        world.commit("Move", {"environments.yaml": SAME, "shop/index.html": "two", "blog/index.html": "blog two"})
        found.daemon.settle()
    assert world.runs("live") == "one"
    assert world.runs("live", app="blog") == "blog two"  # nothing else is put where it lies
    (broken,) = (one for one in logs if one["event"] == "manifest.broken")
    assert (broken["file"].split(":")[0], broken["apps"]) == ("environments.yaml", ["shop"])
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    assert (world.complaints(), world.runs("sandbox")) == ([], "one")


def test_a_new_environment_inside_an_apps_directory_holds_that_app(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository(environments=["sandbox"])
    world.settle()
    inside = "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: inner}\n"
    inside += "spec: {target: {path: releases/sandbox/shop}}\n"
    world.commit("Inside", {"inner.yaml": inside, "shop/index.html": "two"})
    world.settle()
    assert world.runs("sandbox") == "one"
    assert "lies inside" in world.complaints()[0]
    world.commit("Without", {"inner.yaml": None})
    world.settle()
    assert (world.complaints(), world.runs("sandbox")) == ([], "two")


def test_what_waits_to_be_tried_again_is_not_put_there_either(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    failing = 'target: {type: exec, command: ["/bin/false"]}, retry: {limit: 1, backoff: 1h}'
    own = "target: {type: directory, path: releases/sandbox}"
    world.commit("Two", {"environments.yaml": ENVIRONMENTS.replace(own, failing), "shop/index.html": "two"})
    world.settle()
    world.commit("Move", {"environments.yaml": SAME})
    for _ in range(3):
        world.later(hours=2)
        world.settle()
        assert world.runs("live") == "one"
    world.commit("Apart", {"environments.yaml": ENVIRONMENTS})
    world.later(hours=2)
    world.settle()
    assert (world.runs("sandbox"), world.runs("live")) == ("two", "two")
