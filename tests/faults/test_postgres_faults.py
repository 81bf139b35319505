"""What happens while PostgreSQL is started again, stopped, ends sessions, or the way to it is cut?"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL

from tests.e2e.daemon import Live
from tests.faults import aftermath
from tests.faults.postgres import Server
from tests.faults.proxy import Proxy


@pytest.fixture
def database(live: Live, server: Server) -> URL:
    """The daemon's store is a database of its own."""
    url = server.database()
    live.settings["state"]["url"] = url.render_as_string(hide_password=False)
    (live.directory / "state").mkdir()
    (live.directory / "state" / "reconciler.db").touch()  # where the test looks whether there is a store yet
    return url


@pytest.fixture
def way(live: Live, server: Server, database: URL) -> Iterator[Proxy]:
    """The daemon comes to its store through a network that can be cut."""
    with server.proxy() as proxy:
        url = database.difference_update_query(["host"]).set(host="127.0.0.1", port=proxy.port)
        live.settings["state"]["url"] = url.render_as_string(hide_password=False)
        yield proxy


def begin(live: Live) -> None:
    """The first version runs everywhere."""
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")


def go_on(live: Live, text: str = "two") -> None:
    live.wait_for(lambda: live.everywhere(text), "what was pushed meanwhile runs everywhere")
    live.commit("After", {"shop/index.html": "after"})
    live.wait_for(lambda: live.everywhere("after"), "what is pushed afterwards runs everywhere")
    aftermath.check(live)


def test_the_server_is_started_again(live: Live, server: Server, database: URL) -> None:
    begin(live)
    server.control("-m", "fast", "restart")
    live.commit("Two", {"shop/index.html": "two"})
    go_on(live)


def test_the_server_is_stopped_at_once_and_comes_back(live: Live, server: Server, database: URL) -> None:
    begin(live)
    server.stop()
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: len(aftermath.said(live, "turn.failed")) >= 3, "it is said more than once")
    aftermath.growing(live, "turn.failed")
    assert "does not answer" in aftermath.said(live, "turn.failed")[0]["error"]
    server.start()
    go_on(live)


def test_sessions_are_ended_again_and_again(live: Live, server: Server, database: URL) -> None:
    begin(live)
    stop = threading.Event()

    def end_them() -> None:
        while not stop.wait(0.05):
            server.end_sessions(str(database.database))

    ending = threading.Thread(target=end_them)
    ending.start()
    for number in range(6):
        live.commit(f"Change {number}", {"shop/index.html": str(number)})
        live.pause_for(0.2)
    stop.set()
    ending.join()
    live.commit("Two", {"shop/index.html": "two"})
    go_on(live)


def test_the_server_is_not_there_at_the_start(live: Live, way: Proxy) -> None:
    way.refusing = True
    live.start_repository()
    live.start()
    live.wait_for(lambda: aftermath.said(live, "start.failed"), "it says that it cannot begin")
    assert "does not answer" in live.log
    way.refusing = False
    live.wait_for(lambda: live.everywhere("one"), "it begins when it can")
    aftermath.check(live)


def test_the_way_to_the_server_is_cut(live: Live, way: Proxy) -> None:
    begin(live)
    way.refusing = True
    assert way.cut() > 0
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: len(aftermath.said(live, "turn.failed")) >= 3, "it is said more than once")
    aftermath.growing(live, "turn.failed")
    way.refusing = False
    go_on(live)


def test_nothing_comes_through_for_a_while_and_then_the_way_is_cut(live: Live, way: Proxy) -> None:
    begin(live)
    way.hush()
    live.commit("Two", {"shop/index.html": "two"})
    live.pause_for(1)
    way.cut()
    way.speak()
    go_on(live)
