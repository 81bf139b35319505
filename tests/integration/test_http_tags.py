"""Does a reader who has the newest answer learn that without anything being looked up, and never an old one?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.counting import counted
from tests.http_asking import Face, face
from tests.world import World

TAGGED = [
    "/apps",
    "/apps/shop",
    "/status",
    "/environments",
    "/versions?app=shop",
    "/deployments",
    "/apps/shop/environments/live/why",
    "/ledger",
    "/drift",
    "/calendar",
    "/figures",
]


def tag(asked: Face, address: str) -> str:
    found: str = asked.get(address).headers["etag"]
    return found


@pytest.mark.parametrize("address", TAGGED)
def test_what_is_known_is_not_sent_again(asked: Face, address: str) -> None:
    known = tag(asked, address)
    answer = asked.get(address, If_None_Match=f'"other", {known}')
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", known)
    assert asked.get(address, If_None_Match='"other"').status_code == 200


def test_a_release_is_news_to_every_list_that_shows_it(world: World, asked: Face) -> None:
    about = [address for address in TAGGED if address not in ("/environments", "/drift", "/calendar")]
    known = {address: asked.get(address) for address in about}
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    world.later(minutes=1)
    for address in about:
        answer = asked.get(address, If_None_Match=known[address].headers["etag"])
        assert answer.status_code == 200, address
        assert answer.content != known[address].content or address == "/apps"


def test_a_pause_that_ends_by_itself_is_news(world: World, asked: Face) -> None:
    until = world.now.replace(minute=30)
    world.wish("pause", app="shop", environment="live", until=until, reason="stock-taking")
    world.settle()
    known = asked.get("/status")
    assert known.json()[2]["paused"]
    world.now = until
    answer = asked.get("/status", If_None_Match=known.headers["etag"])
    assert answer.status_code == 200
    assert answer.json()[2]["paused"] is None


def test_an_alert_to_the_branch_is_news(world: World, asked: Face) -> None:
    known = asked.get("/status")
    world.home.path.rename(world.home.path.with_suffix(".gone"))
    world.later(seconds=1)
    world.settle()
    answer = asked.get("/status", If_None_Match=known.headers["etag"])
    assert answer.status_code == 200
    assert answer.json()[0]["repository"]["error"]


def test_addresses_and_pages_have_tags_of_their_own(asked: Face) -> None:
    addresses = ["/deployments", "/deployments?limit=2", "/deployments?limit=3", "/deployments?app=shop", "/ledger"]
    assert len({tag(asked, address) for address in addresses}) == len(addresses)


def test_nothing_is_looked_up_for_what_is_known(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.settings["state"] = {"url": f"sqlite:///{tmp_path}/state/counted.db"}  # whose statements can be counted
    world.start_repository()
    world.settle()
    with face(world) as asked:
        known = tag(asked, "/status")
        with counted(asked.made.state.context.store) as again:
            assert asked.get("/status").status_code == 200
        with counted(asked.made.state.context.store) as work:
            assert asked.get("/status", If_None_Match=known).status_code == 304
    tables = ("FROM deployments WHERE deployments.app", "FROM placements", "FROM declarations")
    for statements in (again.statements, work.statements):
        assert not [one for one in statements if any(table in one for table in tables)]
        assert len(statements) < 12, statements


def test_the_kept_answers_stay_within_their_bounds(asked: Face) -> None:
    ready = asked.made.state.ready
    for limit in range(1, 1_000):
        if limit > ready.most + 20:
            break
        asked.get(f"/ledger?limit={limit}")
    assert len(ready._held) <= ready.most
    assert ready._bytes == sum(len(body) for body, _ in ready._held.values()) <= ready.most_bytes
