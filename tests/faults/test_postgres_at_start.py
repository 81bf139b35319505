"""What does a daemon do that finds no PostgreSQL when it starts?"""

from __future__ import annotations

import json

import pytest
from sqlalchemy.engine import URL

from tests.e2e.daemon import Live
from tests.faults import aftermath
from tests.faults.postgres import Server


@pytest.fixture
def database(live: Live, server: Server) -> URL:
    """The daemon's store is to be a database of its own."""
    url = server.database()
    address(live, url)
    live.start_repository()
    return url


def address(live: Live, url: URL) -> None:
    live.settings["state"]["url"] = url.render_as_string(hide_password=False)


def test_it_waits_with_pauses_that_grow_and_starts_when_the_database_is_there(
    live: Live, server: Server, database: URL
) -> None:
    server.stop()
    try:
        live.start()
        live.wait_for(lambda: len(aftermath.said(live, "start.failed")) >= 3, "it is said more than once")
        aftermath.growing(live, "start.failed")
        said = aftermath.said(live, "start.failed")
        assert "does not answer" in said[0]["error"]
        assert [one["next"] for one in said[:3]] == ["again in 0.5 s", "again in 1 s", "again in 2 s"]
    finally:
        server.start()
    live.wait_for(lambda: live.runs("live") == "one", "it starts by itself")
    live.wait_for(lambda: live.everywhere("one"), "all is recorded")


def test_it_ends_in_peace_while_it_waits(live: Live, server: Server, database: URL) -> None:
    server.stop()
    try:
        live.start()
        live.wait_for(lambda: len(aftermath.said(live, "start.failed")) == 4, "it waits for some seconds")
        live.terminate()
        assert "ended" in live.log.splitlines()[-1]
        assert len(aftermath.said(live, "start.failed")) == 4, "its pause of 4 s was not waited for"
    finally:
        server.start()


def test_a_single_settling_waits_for_nothing(live: Live, server: Server, database: URL) -> None:
    live.config.write_text(json.dumps(live.settings))
    server.stop()
    try:
        done = aftermath.command(live, "run", "--once")
    finally:
        server.start()
    assert done.status == 1
    assert "does not answer" in done.err


@pytest.mark.parametrize("what", ["database", "user", "password"])
def test_what_a_person_has_to_correct_ends_it(live: Live, server: Server, database: URL, what: str) -> None:
    if what == "database":
        address(live, database.set(database="nowhere"))
    elif what == "user":
        address(live, database.set(username="nobody"))
    else:
        server.tell("CREATE ROLE ann LOGIN PASSWORD 'right'")
        server.require_password("ann")
        address(live, database.set(username="ann", password="wr0ng"))
    live.start()
    assert live.ended() == 1
    assert "does not let us in" in live.log
    assert "state.url" in live.log
    assert "wr0ng" not in live.log
