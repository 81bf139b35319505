"""Git holds paths of any length, and keys of PostgreSQL some 2,700 bytes: what comes of longer ones?"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.postgres import empty_database
from tests.world import World, app_manifest

DICE = random.Random(7)
LETTERS = "abcdefghijklmnopqrstuvwxyzäöü"


def deep(segments: int) -> str:
    """A directory whose name cannot be packed into fewer bytes."""
    return "/".join("".join(DICE.choices(LETTERS, k=100)) for _ in range(segments))


@pytest.fixture
def world(tmp_path: Path, postgresql: str) -> World:
    made = World(tmp_path)
    made.settings["state"]["url"] = empty_database(postgresql)
    return made.begun()


def test_a_manifest_far_down_is_complained_about_and_everything_else_goes_on(world: World) -> None:
    place = deep(30)
    files = {f"{place}/{name}.yaml": app_manifest(name, bundle="/shop") for name in ("two", "three")}
    world.commit("Far down", {**files, "shop/index.html": "two"})
    world.settle()
    said = sorted(world.complaints())
    assert len(said) == 2
    assert all(len(one) < 300 and "the file's path has more than 2000 bytes" in one for one in said)
    assert all(one.startswith(place[:200]) for one in said)
    assert world.runs("live") == "two"
    world.commit("Nearer", dict.fromkeys(files))
    world.settle()
    assert world.complaints() == []


def test_a_bundle_far_down_holds_its_app_and_everything_else_goes_on(world: World) -> None:
    place = deep(15)
    bundle = f"{deep(5)}/site"
    far = {f"{place}/{bundle}/index.html": "far", f"{place}/far.yaml": app_manifest("far", bundle=bundle)}
    world.commit("Far down", {**far, "shop/index.html": "two"})
    world.settle()
    assert ["is nested too deep" in one for one in world.complaints()] == [True]
    assert world.runs("live") == "two"
    assert world.runs("live", app="far") is None


def test_directories_far_down_of_which_a_set_makes_apps(world: World) -> None:
    place = deep(24)
    made = '{"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": "sites"}, "spec": {"directories": '
    made += f'["{"/".join("*" * 25)}"], "template": {{"spec": {{"bundle": ".", "environments": ["live"]}}}}}}}}'
    world.commit("Far down", {"sites.yaml": made, f"{place}/site/index.html": "far", "shop/index.html": "two"})
    world.settle()
    assert world.runs("live") == "two"
    assert world.versions("site") == []  # `validate` and `status` say why
