"""Is a file in a bundle content, whichever came first, and a manifest again once nobody names its directory?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.store import tables
from tests.world import ENVIRONMENTS, World, app_manifest

TEMPLATE = "apiVersion: reconciler/v1\nkind: App\n{{ helm }}\n"
INNER = {"apps/two/inner.yaml": app_manifest("inner", bundle="b"), "apps/two/b/index.html": "inner"}


def app_set(*directories: str, bundle: str | None = ".") -> str:
    """A set that makes apps of the directories."""
    spec = {"environments": ["sandbox"], **({"bundle": bundle} if bundle else {"config": {"A": 1}})}
    body = {"directories": directories, "template": {"spec": spec}}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": "all"}, "spec": body})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world in which a set makes the app `one`."""
    made = World(tmp_path)
    made.commit("Begin", {"environments.yaml": ENVIRONMENTS, "set.yaml": app_set("apps/*"), "apps/one/index.html": "1"})
    made.settle()
    return made


def apps(world: World) -> list[str]:
    """The apps that git declares."""
    with world.running() as found:
        found.daemon.settle()
        with found.database.read() as connection:
            names = select(tables.apps.c.name).where(tables.apps.c.removed.is_(False))
            return sorted(connection.execute(names).scalars())


def test_what_comes_with_a_directory_of_a_set_is_content(world: World) -> None:
    world.commit("More", {**INNER, "apps/two/template.yaml": TEMPLATE})
    assert apps(world) == ["one", "two"]
    assert world.complaints() == []
    assert world.runs("sandbox", "b/index.html", app="two") == "inner"
    world.commit("Edited", {"apps/two/inner.yaml": app_manifest("other", bundle="b")})
    assert apps(world) == ["one", "two"]
    assert len(world.versions("two")) == 2


def test_what_was_a_manifest_leaves_when_a_set_takes_its_directory(world: World) -> None:
    world.commit("Beside", {"more/deep/in.yaml": app_manifest("in", bundle="b"), "more/deep/b/index.html": "in"})
    assert apps(world) == ["in", "one"]
    taken = world.commit("Taken", {"set.yaml": app_set("apps/*", "more/*")})
    assert apps(world) == ["deep", "one"]
    world.repo.revert(taken)
    world.repo.push()
    assert apps(world) == ["in", "one"]
    world.commit("Taken again", {"set.yaml": app_set("apps/*", "more/*")})
    world.commit("Neither", {"set.yaml": app_set("apps/*"), "more": None})
    assert apps(world) == ["one"]


def test_a_directory_that_a_set_names_no_more_holds_manifests_again(world: World) -> None:
    world.commit("More", {**INNER, "set.yaml": app_set("apps/*", "others/*")})
    assert apps(world) == ["one", "two"]
    # Of two directories of one name a set makes no app.
    world.commit("Two of them", {"others/two/index.html": "2"})
    assert apps(world) == ["inner", "one"]
    world.commit("One again", {"others": None})
    assert apps(world) == ["one", "two"]
    world.commit("Without the set", {"set.yaml": None})
    assert apps(world) == ["inner"]


def test_a_directory_that_moves_takes_its_content_along(world: World) -> None:
    world.commit("More", INNER)
    moved = {path.replace("apps/two", "apps/three"): text for path, text in INNER.items()}
    world.commit("Moved", {"apps/two": None, **moved})
    assert apps(world) == ["one", "three"]
    out = {path.replace("apps/two", "two"): text for path, text in INNER.items()}
    world.commit("Moved out", {"apps/three": None, **out})
    assert apps(world) == ["inner", "one"]


def test_content_takes_no_other_file_out_of_force(world: World) -> None:
    outer = {"c/outer.yaml": app_manifest("outer", bundle="b"), "c/b/index.html": "outer"}
    smuggled = {"apps/two/inner.yaml": app_manifest("inner", bundle="../../c")}
    world.commit("All", {**outer, **smuggled})
    assert apps(world) == ["one", "outer", "two"]
    fresh = World(world.directory / "fresh")
    fresh.commit(
        "All at once",
        {"environments.yaml": ENVIRONMENTS, "set.yaml": app_set("apps/*"), "apps/one/x": "1", **outer, **smuggled},
    )
    assert apps(fresh) == ["one", "outer", "two"]


def test_what_an_app_declared_twice_names_the_second_time_is_content_too(world: World) -> None:
    world.commit("Twice", {"a.yaml": app_manifest("x", bundle="a"), "b.yaml": app_manifest("x", bundle="b")})
    world.commit("Inside", {"b/inner.yaml": app_manifest("inner", bundle="b"), "b/b/x": "1", "a/x": "1"})
    assert apps(world) == ["one", "x"]
    world.commit("Once", {"a.yaml": None})
    assert apps(world) == ["one", "x"]
    assert world.complaints() == []


@pytest.mark.parametrize("together", [True, False])
def test_beside_the_bundle_of_a_template_there_may_be_manifests(tmp_path: Path, together: bool) -> None:
    world = World(tmp_path)
    base = {"environments.yaml": ENVIRONMENTS, "set.yaml": app_set("apps/*", bundle="src")}
    more = {"apps/two/src/index.html": "2", "apps/two/src/in.yaml": TEMPLATE, **INNER}
    for files in [{**base, **more}] if together else [base, more]:
        world.commit("More", files)
        world.settle()
    assert apps(world) == ["inner", "two"]
    assert world.complaints() == []


def test_of_manifests_that_name_each_other_s_directories_the_first_stands(tmp_path: Path) -> None:
    world = World(tmp_path)
    circle = {"a/x.yaml": app_manifest("x", bundle="../b"), "b/y.yaml": app_manifest("y", bundle="../a")}
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, **circle})
    assert apps(world) == ["x"]
    world.commit("Without it", {"a/x.yaml": None, "a/index.html": "1"})
    assert apps(world) == ["y"]


@pytest.mark.parametrize("later", [True, False])
def test_a_directory_whose_name_is_no_text_becomes_no_app_and_stops_nothing(tmp_path: Path, later: bool) -> None:
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, "set.yaml": app_set("*/*"), "a/one/index.html": "1"})
    if later:
        world.settle()
    place = os.fsencode(world.repo.path) + b"/b\xff/two"
    os.makedirs(place)
    Path(os.fsdecode(place), "index.html").write_text("2")
    world.commit("No text", {})
    assert apps(world) == ["one"]


def test_a_broken_file_in_a_directory_that_is_freed_is_told(world: World) -> None:
    world.commit("More", {"apps/two/template.yaml": TEMPLATE})
    assert apps(world) == ["one", "two"]
    world.commit("Freed", {"set.yaml": app_set("apps/one")})
    assert apps(world) == ["one"]
    assert [one.partition(":")[0] for one in world.complaints()] == ["apps/two/template.yaml"]
    with world.running() as found, found.database.read() as connection:
        told = connection.execute(select(tables.ledger.c.kind).where(tables.ledger.c.kind == "manifest.broken"))
        assert len(told.all()) == 1
