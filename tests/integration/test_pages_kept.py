"""Does a page that was given before say what one that is made anew says, whatever happened; and is it made anew only
where something happened that it shows?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.api.dashboard.keeping import Pages
from reconciler.api.dashboard.pages import app as app_page
from reconciler.store.database import Database
from reconciler.views import remembering
from tests.bearers import bearer, header
from tests.http_asking import Face, face
from tests.world import ENVIRONMENTS, World, app_manifest, season_manifest

GATED = ENVIRONMENTS.replace("spec: {track: pre-release", "spec: {gates: {approvals: 1}, track: pre-release")
FREEZE = """\
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: fair}
spec: {environments: [live], from: "2026-06-01T11:00", until: "2026-06-02T20:00", timezone: UTC, reason: the fair}
"""
BROKEN = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: cart}\nspec: {}\n"
PAGES = (
    "/ui/apps/shop",
    "/ui/apps/shop?env=sandbox",
    "/ui/apps/shop?cause=promotion",
    "/ui/apps/cart",
    "/ui/apps/search",
    "/ui/apps/elsewhere",
    "/ui/",
    "/deployments",
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    files: dict[str, str | bytes | None] = {"environments.yaml": ENVIRONMENTS}
    for name, more in (("shop", {}), ("cart", {"depends_on": ["shop"]}), ("search", {})):
        files |= {f"{name}.yaml": app_manifest(name, **more), f"{name}/index.html": "one"}
    made.commit("Begin", files)
    made.settle()
    return made


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


class Story:
    """Things that happen, after each of which every page is what a face that remembers nothing answers."""

    def __init__(self, world: World, asked: Face) -> None:
        self.world, self.asked = world, asked
        self.token = bearer(
            world.settings["state"]["url"], "report", "approve", "operate", now=world.now, name="ann@example.org"
        )
        self.seen = self._look(asked)

    def _look(self, of: Face) -> dict[str, tuple[int, str]]:
        answers = {address: of.get(address) for address in PAGES}
        return {address: (answer.status_code, answer.text) for address, answer in answers.items()}

    def after(self, what: str, *changed: str) -> None:
        """`changed` are pages that say something else now than when that was said the last time."""
        with face(self.world) as fresh:
            wanted = self._look(fresh)
        for _ in range(2):  # what is made of the change, and what is given again
            found = self._look(self.asked)
            assert found == wanted, what
        for address in changed:
            assert found[address] != self.seen[address], (what, address)
        self.seen = found if changed else self.seen

    def commit(self, what: str, files: dict[str, str | bytes | None], *changed: str) -> None:
        """A commit, noted and carried out."""
        self.world.commit(what, files)
        self.world.settle()
        self.after(what, *changed)

    def wish(self, kind: Any, *changed: str, **what: Any) -> None:
        """What a person asks for, before anybody acts on it and after."""
        self.world.wish(kind, **what)
        self.after(f"{kind} is asked for")
        self.world.settle()
        self.after(kind, *changed)

    def post(self, address: str, body: dict[str, Any], *changed: str) -> None:
        """Something is told to another face of the same store."""
        with face(self.world) as other:
            answer = other.client.post(address, json=body, headers=header(self.token))
        assert answer.status_code < 300, answer.text
        self.after(address, *changed)
        self.world.settle()
        self.after(f"{address}, settled")


def test_pages_are_right_after_releases_and_what_is_declared_for_all(world: World, asked: Face) -> None:
    story = Story(world, asked)
    story.commit("The app itself", {"search/index.html": "two"}, "/ui/apps/search", "/ui/apps/shop", "/ui/")
    story.commit("What another needs", {"shop/index.html": "two"}, "/ui/apps/shop", "/ui/apps/cart")
    story.commit("A gate", {"environments.yaml": GATED}, "/ui/apps/shop")
    story.commit("It waits", {"shop/index.html": "three"}, "/ui/apps/shop")
    story.post("/approvals", {"id": "shop/live"}, "/ui/apps/shop")
    story.commit("A freeze", {"freeze.yaml": FREEZE}, "/ui/apps/search")
    story.commit("It is frozen", {"environments.yaml": ENVIRONMENTS, "cart/index.html": "two"}, "/ui/apps/cart")
    story.commit("It is over", {"freeze.yaml": None}, "/ui/apps/cart")


def test_pages_are_right_after_what_people_ask_for_and_what_goes_wrong(world: World, asked: Face) -> None:
    story = Story(world, asked)
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    until = world.now + timedelta(hours=1)
    story.wish("pause", "/ui/apps/cart", app="cart", environment="live", reason="the fair", until=until)
    story.wish("rollback", "/ui/apps/shop", app="shop", environment="live", reason="it is slow")
    story.wish("release", "/ui/apps/shop", app="shop", environment="live", reason="it is not")
    story.commit("It breaks", {"cart.yaml": BROKEN}, "/ui/apps/cart")
    # The line at the top of every page tells of it.
    new = BROKEN.replace("name: cart", "name: brandnew")
    story.commit("A new one is broken", {"brandnew.yaml": new}, "/ui/apps/shop", "/ui/apps/search", "/ui/")
    story.commit("It leaves git", {"search.yaml": None}, "/ui/apps/search")
    event = {"product_name": "shop", "environment_name": "sandbox", "version": "9", "status": "started"}
    story.post("/deployment-events/", event, "/ui/apps/shop")
    story.post("/deployment-events/", {**event, "product_name": "elsewhere"}, "/ui/apps/elsewhere")
    world.home.path.rename(world.home.path.with_suffix(".gone"))
    world.later(seconds=1)
    world.settle()
    story.after("The branch cannot be read")


def test_pages_are_right_at_the_edges_of_time(world: World, asked: Face) -> None:
    story = Story(world, asked)
    world.now = world.now.replace(second=10)
    start = world.now.replace(minute=5, second=30)
    season = season_manifest("fair", f"{start:%FT%T}", "2026-06-01T20:00", config={"a": 1})
    story.commit("A season ahead", {"season.yaml": season}, "/ui/apps/shop")
    world.now = start - timedelta(seconds=15)
    story.after("It begins in this minute")
    world.now = start + timedelta(seconds=5)
    story.after("It has begun in the midst of a minute, though nobody has looked yet", "/ui/apps/shop")
    world.settle()
    story.after("It holds", "/ui/apps/shop")
    world.later(hours=9)
    story.after("It has ended, though nobody has looked yet", "/ui/apps/shop")
    world.settle()
    story.after("It is over", "/ui/apps/shop")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The apps whose pages are made anew."""
    found: list[str] = []
    make: Callable[..., Any] = app_page.made

    def noted(app: str, *given: Any) -> Any:
        found.append(app)
        return make(app, *given)

    monkeypatch.setattr(app_page, "made", noted)
    return found


def of_sqlite(tmp_path: Path) -> World:
    """Kept pages are looked at again in SQLite alone."""
    world = World(tmp_path)
    world.settings["state"] = {"url": f"sqlite:///{tmp_path}/state/own.db"}
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "cart.yaml": app_manifest("cart")}
    world.commit("Begin", {**files, "shop/index.html": "one", "cart/index.html": "one"})
    world.settle()
    return world


def test_a_page_is_not_made_anew_for_what_concerns_another_app(tmp_path: Path, made: list[str]) -> None:
    world = of_sqlite(tmp_path)
    with face(world) as asked:
        before = asked.get("/ui/apps/shop")
        head = world.commit("Another", {"cart/index.html": "two"})
        world.settle()
        made.clear()
        after = asked.get("/ui/apps/shop")
        assert head[:7] in after.text
        assert head[:7] not in before.text
        assert made == []
        # Whoever has it, line and all, is told so; a write that no page shows changes nothing at all.
        assert asked.get("/ui/apps/shop", If_None_Match=after.headers["etag"]).status_code == 304
        _write_something(world)
        assert asked.get("/ui/apps/shop", If_None_Match=after.headers["etag"]).status_code == 304
        assert asked.get("/ui/apps/shop").headers["etag"] == after.headers["etag"]
        assert made == []
        assert "v2" in asked.get("/ui/apps/cart").text
        assert made == ["cart"]


def test_a_page_is_made_anew_with_the_next_minute(tmp_path: Path, made: list[str]) -> None:
    world = of_sqlite(tmp_path)
    with face(world) as asked:
        asked.get("/ui/apps/shop")
        world.later(minutes=1)
        asked.get("/ui/apps/shop")
        assert made == ["shop", "shop"]


def _write_something(world: World) -> None:
    store = Database(world.settings["state"]["url"])
    try:
        with store.write() as transaction:
            transaction.note("token.used", world.now, {}, actor="nobody")
    finally:
        store.close()


def test_kept_pages_take_no_more_than_they_may(tmp_path: Path) -> None:
    world = of_sqlite(tmp_path)
    with face(world) as asked:
        pages: Pages = asked.made.state.pages
        pages.most_bytes = 200_000
        for number in range(40):
            assert asked.get(f"/ui/apps/shop?own={number:x}").status_code == 200
        assert 100_000 < pages._bytes <= 200_000
        assert pages._bytes == sum(one.size for one in pages._held.values())
        assert sum(len(one.body) for one in pages._held.values()) > pages._bytes / 4


def test_pages_of_different_readers_are_not_mixed_up(world: World, asked: Face) -> None:
    names = ("ann@example.org", "quinn@example.org")
    url = world.settings["state"]["url"]
    tokens = [bearer(url, "operate", now=world.now, name=name) for name in names]
    seen = [asked.client.get("/ui/apps/shop", headers=header(token)) for token in tokens for _ in range(2)]
    assert [answer.status_code for answer in seen] == [200] * 4
    assert (seen[0].content, seen[2].content) == (seen[1].content, seen[3].content)
    dark = asked.get("/ui/apps/shop", Cookie="theme=dark").text
    assert 'data-theme="dark"' in dark
    assert 'data-theme="dark"' not in asked.get("/ui/apps/shop").text


def test_rows_of_the_matrix_take_no_more_than_they_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = of_sqlite(tmp_path)
    with face(world) as asked:
        first = asked.get("/ui/").text
        memory = asked.made.state.context.memory
        (one, other) = (size for *_, size in memory._rows.values())
        assert memory._bytes == one + other
    monkeypatch.setattr(remembering, "MOST_BYTES", max(one, other))
    with face(world) as asked:
        assert asked.get("/ui/").text == first
        memory = asked.made.state.context.memory
        assert 0 < memory._bytes == sum(size for *_, size in memory._rows.values()) <= max(one, other)
