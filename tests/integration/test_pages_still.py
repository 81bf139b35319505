"""Does what people write stay where it stands on a page, whatever letters it holds?"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.words import still
from tests.e2e.daemon import environment_manifest
from tests.http_asking import face
from tests.world import World, app_manifest

SUBJECT = "Say \x1b[31mtwo\x1b[0m \u202ednuor yaw rehto eht\u2066"
MOVES = "\x1b\x07\u202e\u2066"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    files = {
        "environments.yaml": environment_manifest("live", "latest"),
        "shop.yaml": app_manifest(environments=["live"]),
        "shop/index.html": "one",
    }
    made.commit("Say one", files)
    made.settle()
    made.commit(SUBJECT, {"shop/index.html": "two"})
    made.settle()
    made.wish("pause", app="shop", environment="live", reason="a \u202eriaf\x07", until=made.now.replace(year=2030))
    made.settle()
    return made


def test_nothing_moves_what_stands_around_it(world: World) -> None:
    newest = world.history("shop", "live")[-1].id
    with face(world) as asked:
        for address in (
            "/ui/",
            "/ui/apps/shop",
            "/ui/ledger",
            f"/ui/deployments/{newest}",
            "/ui/apps/shop/versions/v2",
            "/ui/apps/shop/compare?a=v1&b=v2",
            "/ui/apps/a%E2%80%AEb",
        ):
            page = asked.get(address).text
            assert not set(page) & set(MOVES), address
        said = asked.get("/ui/apps/shop").text
    assert r"Say \x1b[31mtwo\x1b[0m \u202ednuor yaw rehto eht\u2066" in said
    assert r"a \u202eriaf\x07" in said


@pytest.mark.parametrize("text", ["two\nlines\tand a tab\r\n", "👩\u200d💻 \u00a0", "שלום", "", "plain"])
def test_lines_tabs_and_every_writing_stay(text: str) -> None:
    assert still(text) == text
