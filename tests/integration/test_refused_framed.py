"""What does a person read who is refused before anything is looked up? A page in the frame; programs a document."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from httpx2 import Response
from sqlalchemy import Connection, event

from reconciler.api.connections import LARGEST_HEAD, bounded
from reconciler.config import SETTINGS
from reconciler.facing import application
from tests.http_asking import PROBLEM, served
from tests.world import World

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
HTML = "text/html; charset=utf-8"
PATIENCE = 60.0


def is_framed(answer: Response, status: int) -> str:
    """The text of a page that says why; it has the frame, whatever every answer says, and its links are whole."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    for part in ('<a class="brand" href="/ui/">', '<nav class="nav"', '<main id="main">', "To the matrix", "</html>"):
        assert part in answer.text
    assert "the store does not answer" not in answer.text
    return answer.text


def test_who_asks_for_pages_too_often(world: World) -> None:
    found = served(world, reads=2, writes=1)
    with found.client:
        assert [found.get("/ui/", Accept=BROWSER).status_code for _ in range(2)] == [200, 200]
        refused = found.get("/ui/?q=shop", Accept=BROWSER)
        page = is_framed(refused, 429)
        assert "More than 2 requests came from this address within a minute." in page
        assert refused.headers["retry-after"] == "5"
        # One retry, of what was asked for; and it may be taken, so nothing of it is kept.
        assert page.count('<a class="btn primary" href="">Try again</a>') == 1
        assert 'data-theme="dark"' in found.get("/ui/ledger", Accept=BROWSER, Cookie="theme=dark").text
        for path, accept in (("/ui/", "*/*"), ("/ui/live/matrix", "text/event-stream"), ("/status", BROWSER)):
            assert found.get(path, Accept=accept).headers["content-type"] == PROBLEM, path
        sent = [found.client.post("/ui/theme", data={"theme": "dark"}, headers={"Accept": BROWSER}) for _ in range(2)]
        assert "Try again" not in is_framed(sent[1], 429)


def test_a_flood_asks_the_store_nothing(world: World) -> None:
    found = served(world, reads=1)
    asked: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with found.client:
        found.get("/ui/", Accept=BROWSER)
        engine = found.made.state.context.store.engine
        event.listen(engine, "before_cursor_execute", note)
        assert {found.get("/ui/", Accept=BROWSER).status_code for _ in range(5)} == {429}
        event.remove(engine, "before_cursor_execute", note)
    assert asked == []


def test_other_refusals_at_pages(world: World) -> None:
    found = served(world)
    with found.client:
        large = found.client.post("/ui/sign-in", content=b" " * ((1 << 20) + 1), headers={"Accept": BROWSER})
        assert "larger than 1048576 bytes" in is_framed(large, 413)
        assert large.headers["connection"] == "close"
        assert "nothing is served by the name" in is_framed(found.get("/ui/", Accept=BROWSER, Host="a.b"), 421).lower()
        assert "HOST:PORT" in is_framed(found.get("/ui/", Accept=BROWSER, Host="a b"), 400)
        elsewhere = {"Accept": BROWSER, "Sec-Fetch-Site": "cross-site"}
        sent = found.client.post("/ui/theme", data={"theme": "dark"}, headers=elsewhere)
        assert "did not come from a page of the reconciler" in is_framed(sent, 403)


@contextmanager
def listening() -> Iterator[int]:
    """A port at which an application is served that has pages and no store."""
    made = application(SETTINGS.validate_python({"repository": {"url": "nowhere.git"}}))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        config = uvicorn.Config(made, http=bounded(8, made), ws="none", lifespan="off", log_config=None, loop="uvloop")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [("/ui/?q=1", BROWSER, HTML), ("/ui/", "*/*", PROBLEM), ("/status", BROWSER, PROBLEM)],
)
def test_a_head_that_is_too_large(path: str, accept: str, media_type: str) -> None:
    """A browser with too many cookies."""
    with listening() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as asks:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\nCookie: {'a' * LARGEST_HEAD}\r\n\r\n"
        asks.sendall(head.encode())
        found = b""
        while more := asks.recv(1 << 16):
            found += more
    begun, _, body = found.decode().partition("\r\n\r\n")
    assert begun.startswith("HTTP/1.1 431 ")
    assert f"content-type: {media_type}" in begun
    assert f"content-length: {len(body.encode())}" in begun
    assert "remove the cookies of this host" in body
    assert ("</html>" in body) == (media_type == HTML)
