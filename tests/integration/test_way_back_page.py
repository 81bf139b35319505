"""Does the command that an app's page names lead in git where the page says that the environment goes back to?"""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import pytest

from reconciler.model.access import TokenScope
from tests.bearers import bearer
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


@pytest.mark.parametrize("by_itself", [True, False])
def test_what_a_forced_push_left_behind_names_no_command(world: World, *, by_itself: bool) -> None:
    world.settings["repository"]["allow_rewrites"] = by_itself
    say(world, "two")
    _, before = back(world)
    assert before
    two = world.repo.head
    say(world, "three")
    world.repo.force(f"{two}~1")
    forced = world.commit("Say four", {"shop/index.html": "four"}, push=False)
    world.repo.force(forced)
    world.settle()
    if not by_itself:
        world.wish("accept", subject=forced)
        world.settle()
    assert world.runs("live") == "four"
    said, command = back(world)
    # What ran before is on the branch no more: nothing that is reverted leads there.
    assert "goes back to v3 from v4" in said
    assert command == ""
    say(world, "five")
    said, command = back(world)
    assert "goes back to v4 from v5" in said
    assert carried_out(world, command) == "four"


def offered(world: World, scope: TokenScope) -> list[str]:
    """Where the dialog lets somebody go back to."""
    with face(world) as asked:
        given = bearer(world.settings["state"]["url"], scope, now=world.now)
        asked.client.post("/ui/sign-in", data={"token": given}, follow_redirects=False)
        dialog = asked.get("/ui/apps/shop?env=live").text.partition('<select name="to">')[2].partition("</select>")[0]
    return re.findall(r"<option[^>]*>(v[0-9]+)", dialog)


def test_only_versions_to_which_a_way_is_open_are_offered(world: World) -> None:
    say(world, "two")
    three = say(world, "three")
    world.repo.revert(three)
    world.repo.push()
    world.settle()
    say(world, "four")
    say(world, "five")
    # v5 runs, and v3 was taken back.
    assert offered(world, "operate") == ["v4", "v2", "v1"]
    assert offered(world, "approve") == []
