"""Whom does a proxy speak for, and is that believed of those alone that the settings name?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from tests.bearers import bearer
from tests.http_asking import served
from tests.world import World

OURS = "10.0.0.7"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("proxies")).begun()


Client = Callable[..., TestClient]


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """Somebody who connects from an address; two requests of an address are answered in a minute."""
    with ExitStack() as opened:

        def connected(came_from: str, **api: object) -> TestClient:
            made = served(world, **{"read": "anyone", "reads": 2, "proxies": [OURS, "10.1.0.0/16"], **api}).made
            by = TestClient(
                made, base_url="http://127.0.0.1", client=(came_from, 50_000), raise_server_exceptions=False
            )
            return opened.enter_context(by)

        yield connected


def asked(by: TestClient, *forwarded: str, times: int = 1) -> list[int]:
    """How each of these requests is answered; what is forwarded is a header each time that it stands there."""
    headers = [("X-Forwarded-For", one) for one in forwarded]
    return [by.get("/apps", headers=headers).status_code for _ in range(times)]


def test_behind_a_proxy_each_visitor_is_counted_alone(client: Client) -> None:
    by = client(OURS)
    assert asked(by, "192.0.2.1", times=3) == [200, 200, 429]
    assert asked(by, "192.0.2.2", times=3) == [200, 200, 429]
    # With the port that some proxies tell, and written in another way, it is the same one.
    assert asked(by, "192.0.2.1:4711") == [429]
    # Where the proxy says nothing it asks for itself.
    assert asked(by, times=3) == [200, 200, 429]


def test_hop_by_hop_from_the_right_the_first_that_is_no_proxy_asks(client: Client) -> None:
    by = client(OURS)
    # What a visitor has written there before stands on the left, and changes nothing.
    several = [asked(by, f"198.51.100.{made_up}, 192.0.2.1, 10.1.2.3")[0] for made_up in range(3)]
    assert several == [200, 200, 429]
    assert asked(by, "198.51.100.9, 192.0.2.1", "10.1.2.3") == [429], "several headers are one list"
    assert asked(by, "10.1.2.3, 192.0.2.3", times=3) == [200, 200, 429]


@pytest.mark.parametrize("came_from", ["192.0.2.9", "10.0.0.8", "10.2.0.1", "::1"])
def test_nobody_else_is_believed(client: Client, came_from: str) -> None:
    by = client(came_from)
    assert [asked(by, f"198.51.100.{made_up}")[0] for made_up in range(3)] == [200, 200, 429]


def test_unless_the_settings_say_so_no_proxy_is_believed(client: Client) -> None:
    by = client(OURS, proxies=[])
    assert [asked(by, f"192.0.2.{one}")[0] for one in range(3)] == [200, 200, 429]


def test_what_is_nonsense_breaks_nothing(client: Client) -> None:
    by = client(OURS, reads=1_000)
    for nonsense in (
        "",
        ",",
        "unknown",
        "[::1",
        "a" * 8_000,
        '"; drop',
        "[2001:db8::1]:x",
        "1.2.3.4:99999999",
    ):
        assert asked(by, nonsense) == [200]


def test_only_x_forwarded_for_is_read(client: Client) -> None:
    # A proxy that writes one header lets the visitor write the other.
    by = client(OURS)
    told = [by.get("/apps", headers={"Forwarded": f"for=192.0.2.{one}"}).status_code for one in range(3)]
    assert told == [200, 200, 429]


@pytest.mark.parametrize(("came_from", "secure"), [(OURS, True), ("192.0.2.9", False)])
def test_a_cookie_stays_on_https_where_the_proxy_ends_it(
    client: Client, world: World, came_from: str, secure: bool
) -> None:
    token = bearer(world.settings["state"]["url"], "operate", now=world.now)
    by = client(came_from)
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    answer = by.post("/ui/sign-in", data={"token": token}, headers=headers, follow_redirects=False)
    assert (answer.status_code, "; Secure" in answer.headers["set-cookie"]) == (303, secure)


def test_who_asks_through_a_proxy_is_not_only_this_machine(client: Client) -> None:
    assert asked(client("127.0.0.1", read="auto", proxies=[])) == [200]
    assert asked(client("127.0.0.1", read="auto", proxies=["127.0.0.1"]), "192.0.2.1") == [401]
