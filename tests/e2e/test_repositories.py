"""Does the daemon cope with what repositories are like: empty, old, packed, moved about, broken in one place?"""

from __future__ import annotations

import json

from tests.e2e.daemon import Live, environment_manifest, refused
from tests.world import CHAIN, ENVIRONMENTS, World, app_manifest


def test_a_repository_without_a_commit_is_waited_for(live: Live) -> None:
    live.start()
    live.wait_for(lambda: live.store, "the daemon runs")
    live.start_repository()
    live.wait_for(lambda: live.everywhere("one"), "the first push runs everywhere")


def test_a_push_into_packed_references_is_seen_at_once(live: Live) -> None:
    live.settings["repository"]["interval"] = "1h"
    live.start_repository()
    live.home.git("pack-refs", "--all")
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    for text in ("two", "three"):
        live.commit(text, {"shop/index.html": text})
        live.home.git("pack-refs", "--all")
        live.wait_for(lambda text=text: live.everywhere(text), f"{text} runs everywhere")


def test_a_repository_with_a_history_is_numbered_from_it_and_only_its_head_is_deployed(world: World) -> None:
    world.start_repository()
    change = world.commit("Two", {"shop/index.html": "two"})
    world.repo.revert(change)
    world.commit("Three", {"shop/index.html": "three"})
    world.settle()
    assert [(version.number, version.message) for version in world.versions()] == [
        (1, "Begin"),
        (2, "Two"),
        (3, "Three"),
    ]
    assert world.story("sandbox") == [("release", "completed", [3])]
    assert world.runs("live") == "three"
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    assert world.story("sandbox")[-1] == ("rollback", "completed", [1])
    assert world.runs("sandbox") == "one"


def test_only_the_followed_path_counts(world: World) -> None:
    world.settings["repository"]["path"] = "desired"
    world.commit(
        "Begin",
        {
            "desired/environments.yaml": ENVIRONMENTS,
            "desired/shop.yaml": app_manifest(),
            "desired/shop/index.html": "one",
            "elsewhere/other.yaml": app_manifest("other"),
            "elsewhere/broken.yaml": "apiVersion: reconciler/v1\nkind: Nonsense\n",
        },
    )
    world.settle()
    assert world.runs("live") == "one"
    assert world.history("other") == []
    assert world.complaints() == []


def test_moving_an_app_to_another_file_and_directory_changes_nothing(world: World) -> None:
    world.start_repository()
    world.settle()
    moved = {
        "shop.yaml": None,
        "apps/shop.yaml": app_manifest(bundle="page"),
        "shop": None,
        "apps/page/index.html": "one",
    }
    world.commit("Move", moved)
    world.settle()
    assert len(world.versions()) == 1
    assert len(world.history()) == 3
    world.commit("Two", {"apps/page/index.html": "two"})
    world.settle()
    assert world.runs("live") == "two"


def test_a_broken_environments_file_leaves_its_environments_as_they_were(world: World) -> None:
    world.start_repository()
    world.settle()
    world.commit("Break", {"environments.yaml": ENVIRONMENTS + "---\noops: [\napiVersion: reconciler/v1\n"})
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert [world.runs(environment) for environment in CHAIN] == ["two"] * 3
    assert world.complaints()[0].startswith("environments.yaml:")


def test_an_app_in_an_environment_that_is_missing_waits_for_it(world: World) -> None:
    world.start_repository()
    world.settle()
    everywhere = [*CHAIN, "moon"]
    world.commit("To the moon", {"shop.yaml": app_manifest(environments=everywhere), "shop/index.html": "two"})
    world.settle()
    (complaint,) = world.complaints()
    assert "moon" in complaint
    assert world.runs("live") == "one"
    world.commit("Build it", {"moon.yaml": environment_manifest("moon", "live")})
    world.settle()
    assert world.complaints() == []
    assert (world.runs("live"), world.runs("moon")) == ("two", "two")


def test_an_app_declared_twice_is_held_and_told_with_both_places(world: World) -> None:
    world.start_repository()
    world.settle()
    world.commit("Copy", {"copy.yaml": app_manifest(bundle="copied"), "copied/index.html": "copy"})
    world.settle()
    (complaint,) = world.complaints()
    assert "copy.yaml" in complaint
    assert "shop.yaml" in complaint
    assert world.runs("live") == "one"
    world.commit("Remove the copy", {"copy.yaml": None, "shop/index.html": "two"})
    world.settle()
    assert world.complaints() == []
    assert world.runs("live") == "two"


def test_an_appset_makes_an_app_of_each_directory(world: World) -> None:
    sites = {
        "apiVersion": "reconciler/v1",
        "kind": "AppSet",
        "metadata": {"name": "sites"},
        "spec": {"directories": ["sites/*"], "template": {"spec": {"bundle": ".", "environments": list(CHAIN)}}},
    }
    world.commit(
        "Begin",
        {
            "environments.yaml": ENVIRONMENTS,
            "sites.yaml": json.dumps(sites),
            "sites/a/index.html": "a",
            "sites/b/index.html": "b",
        },
    )
    world.settle()
    assert [world.runs("live", app=name) for name in "ab"] == ["a", "b"]
    world.commit("Third", {"sites/c/index.html": "c", "sites/a/index.html": "a2"})
    world.settle()
    assert [world.runs("live", app=name) for name in "abc"] == ["a2", "b", "c"]
    assert [len(world.versions(name)) for name in "abc"] == [2, 1, 1]
    world.commit("Less", {"sites/b": None})
    world.settle()
    assert world.runs("live", app="b") == "b"
    assert len(world.history("b")) == 3


def test_the_revert_of_what_failed_leaves_no_suspicion_behind(world: World) -> None:
    fails = {"type": "exec", "command": ["/bin/sh", "-c", "! test -e broken"]}
    world.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("live", "latest", target=fails, retry={"limit": 0}),
            "shop.yaml": app_manifest(environments=["live"]),
            "shop/index.html": "one",
        },
    )
    world.settle()
    change = world.commit("Break", {"shop/broken": ""})
    world.settle()
    assert refused(world, "live")[0][0] == "suspect"
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert refused(world, "live") == []
    assert world.story("live") == [
        ("release", "completed", [1]),
        ("release", "failed", [2]),
        ("auto-rollback", "completed", [1]),
    ]


def test_a_commit_that_is_no_text_is_noted_all_the_same(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    live.repo.write({"shop/index.html": "two"})
    live.repo.git("add", ".")
    live.repo.git(
        "-c",
        "i18n.commitEncoding=latin-1",
        "commit",
        "--quiet",
        "--author=Zo\\xe9 \x01 <zo@example.org>",
        "--file=-",
        stdin=b"gar\xe7on \x1b[31m\n\n" + b"x" * 100_000,
    )
    live.repo.push()
    live.wait_for(lambda: live.everywhere("two"), "it runs everywhere")
    live.repo.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message=")
    live.commit("Three", {"shop/index.html": "three"})
    live.wait_for(lambda: live.everywhere("three"), "what follows runs everywhere")
    assert "\x1b" not in live.log
