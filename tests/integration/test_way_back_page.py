"""Does the command that an app's page names lead in git where the page says that the environment goes back to?"""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.daemon import environment_manifest
from tests.http_asking import face
from tests.world import World, app_manifest

_BACK = re.compile(r'<div class="body" id="back">(.*?)</div>', re.DOTALL)
_COMMAND = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    files = {
        "environments.yaml": environment_manifest("live", "latest"),
        "shop.yaml": app_manifest(environments=["live"]),
    }
    say(made, "one", files)
    return made


def say(world: World, text: str, files: dict[str, str] | None = None) -> str:
    made = world.commit(f"Say {text}", {**(files or {}), "shop/index.html": text})
    world.settle()
    return made


def back(world: World) -> tuple[str, str]:
    """What the page says of the way back, and the command that it names."""
    with face(world) as asked:
        found = _BACK.search(asked.get("/ui/apps/shop?env=live").text)
    assert found is not None
    command = _COMMAND.search(found[1])
    return html.unescape(found[1]), html.unescape(command[1]) if command else ""


def carried_out(world: World, command: str) -> str:
    """What stands in git once somebody has typed that."""
    reverting, then, pushing = command.partition(" && ")
    assert (then, pushing) == (" && ", "git push")
    world.repo.git(*shlex.split(reverting)[1:])
    return (world.repo.path / "shop/index.html").read_text()


def test_the_last_change(world: World) -> None:
    two = say(world, "two")
    said, command = back(world)
    assert "goes back to v1 from v2" in said
    assert command == f"git revert --no-edit {two[:10]} && git push"
    assert carried_out(world, command) == "one"


def test_further_back_after_something_was_taken_back(world: World) -> None:
    say(world, "two")
    three = say(world, "three")
    world.repo.revert(three)
    world.repo.push()
    world.settle()
    said, command = back(world)
    assert "goes back to v1 from v2" in said
    assert carried_out(world, command) == "one"


def test_past_what_never_ran_there(world: World) -> None:
    world.commit("Broken", {"shop.yaml": app_manifest(environments=["live"], bundl="x"), "shop/index.html": "two"})
    world.settle()
    say(world, "three", {"shop.yaml": app_manifest(environments=["live"])})
    said, command = back(world)
    assert "goes back to v1 from v2" in said
    assert carried_out(world, command) == "one"


def test_a_merge(world: World) -> None:
    world.repo.checkout("branch", "HEAD").write({"shop/index.html": "two"}).commit("Say two")
    world.repo.checkout("main").merge("branch")
    world.repo.push()
    world.settle()
    _, command = back(world)
    assert command.startswith("git revert --no-edit -m 1 ")
    assert carried_out(world, command) == "one"


def test_what_no_single_command_takes_back_names_none(world: World) -> None:
    say(world, "two")
    world.repo.checkout("branch", "HEAD").write({"shop/index.html": "three"}).commit("Say three")
    world.repo.checkout("main").merge("branch")
    world.repo.revert("HEAD")
    world.repo.push()
    world.settle()
    said, command = back(world)
    assert "goes back to v1 from v2" in said
    assert command == ""
