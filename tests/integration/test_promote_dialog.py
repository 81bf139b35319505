"""Does the dialog that promotes write nothing when something else stands there than its reader was looking at?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response

from tests.bearers import bearer
from tests.http_asking import Face, face
from tests.world import World

_FORM = re.compile(r'<form[^>]*action="/ui/apps/shop/promote".*?</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Page:
    """The page of an app as somebody has it open who has signed in."""

    def __init__(self, world: World, asked: Face) -> None:
        self.world, self._asked = world, asked
        token = bearer(world.settings["state"]["url"], "operate", now=world.now)
        assert asked.client.post("/ui/sign-in", data={"token": token}, follow_redirects=False).status_code == 303
        found = _FORM.search(asked.get("/ui/apps/shop").text)
        assert found is not None
        self.hidden: dict[str, list[str]] = {}
        for name, value in _HIDDEN.findall(found[0]):
            self.hidden.setdefault(name, []).append(html.unescape(value))

    def promote(self, environment: str, version: str = "") -> Response:
        """Send the form."""
        body = {**self.hidden, "environment": environment, "version": version}
        return self._asked.client.post("/ui/apps/shop/promote", data=body, follow_redirects=False)

    def branches(self) -> list[str]:
        """What has been written."""
        found = self.world.home.git("for-each-ref", "--format=%(refname:short)", "refs/heads/reconciler")
        return found.split()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    with face(world) as asked:
        yield Page(world, asked)


def newer(world: World) -> None:
    world.commit("Three", {"shop/index.html": "three"})
    world.settle()


def test_nothing_is_written_where_something_else_stands_by_now(page: Page) -> None:
    newer(page.world)
    answer = page.promote("live", "v1")
    assert answer.status_code == 409
    assert "has changed meanwhile" in html.unescape(answer.text)
    assert page.branches() == []


def test_nothing_is_written_of_what_has_reached_the_environment_before_it_meanwhile(page: Page) -> None:
    page.world.wish("pause", app="shop", environment="live", reason="the fair", until=page.world.now.replace(year=2030))
    newer(page.world)
    answer = page.promote("live")
    assert answer.status_code == 409
    assert "hop in pre-release has changed meanwhile" in html.unescape(answer.text)
    assert page.branches() == []


def test_what_stands_as_it_was_seen_is_promoted(page: Page) -> None:
    newer_elsewhere = {"blog.md": "nothing of this app"}
    page.world.commit("Elsewhere", newer_elsewhere)
    page.world.settle()
    answer = page.promote("live", "v1")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/ui/apps/shop?done=promote-")
    assert len(page.branches()) == 1


@pytest.mark.parametrize("version", ["", "v1"])
@pytest.mark.parametrize("stands", [[], ["live"], ["live="], ["live=what?"], ["pre-release=none"]])
def test_nothing_is_written_where_the_form_does_not_say_what_was_seen(
    page: Page, stands: list[str], version: str
) -> None:
    page.hidden["stands"] = stands
    answer = page.promote("live", version)
    assert answer.status_code == 422, answer.text
    assert page.branches() == []


def test_nothing_is_written_where_the_form_is_silent_about_the_environment_before_it(page: Page) -> None:
    page.hidden["stands"] = [one for one in page.hidden["stands"] if one.startswith("live=")]
    answer = page.promote("live")
    assert answer.status_code == 422
    assert "does not say what stood in pre-release" in html.unescape(answer.text)
    assert page.branches() == []
