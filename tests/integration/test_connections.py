"""What can a connection take that never asks anything in earnest? Little, and not for long; others notice nothing."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from reconciler.api.connections import KEPT_BACK, LARGEST_HEAD, Bounded, Open, bounded
from reconciler.config import SETTINGS
from reconciler.facing import application

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
PATIENCE = 60.0


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads its body, and tells how many headers and bytes have come."""
    size, more = 0, scope["method"] == "POST"
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = json.dumps({"headers": len(scope["headers"]), "body": size}).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Quick(Bounded):
    opened = Open(16, most_of_one=8)
    within: ClassVar[dict[str, float]] = {"head": 0.3, "body": 0.3}


@pytest.fixture(scope="module")
def serving() -> Iterator[Callable[[type[Bounded]], int]]:
    """The port at which somebody listens who speaks as told."""
    running: list[tuple[uvicorn.Server, threading.Thread, socket.socket]] = []
    ports: dict[type[Bounded], int] = {}

    def start(protocol: type[Bounded]) -> int:
        if protocol not in ports:
            listening = socket.create_server(("127.0.0.1", 0))
            config = uvicorn.Config(told, http=protocol, ws="none", lifespan="off", log_config=None, loop="uvloop")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            running.append((server, thread, listening))
            ports[protocol] = listening.getsockname()[1]
        return ports[protocol]

    yield start
    for server, thread, listening in running:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()


class Raw:
    """A connection, byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def rest(self) -> tuple[int, dict[str, Any]]:
        """Status and body of all that comes until the other side ends; (0, {}) where that is nothing."""
        found = b""
        while more := self.socket.recv(1 << 16):
            found += more
        head, _, body = found.partition(b"\r\n\r\n")
        if not found:
            return 0, {}
        if int(head.split()[1]) >= 400:
            assert b"application/problem+json" in head
            assert b"x-content-type-options: nosniff" in head
            assert b"connection: close" in head
        return int(head.split()[1]), json.loads(body)

    def answer(self) -> tuple[int, dict[str, Any]]:
        """One answer of a connection that goes on."""
        found = self.socket.recv(1 << 16)
        head, _, body = found.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)


@pytest.fixture
def raw(serving: Callable[[type[Bounded]], int]) -> Iterator[Raw]:
    with Raw(serving(Bounded)) as found:
        yield found


@pytest.fixture
def quick(serving: Callable[[type[Bounded]], int]) -> Iterator[Raw]:
    with Raw(serving(Quick)) as found:
        yield found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET + b"X: " + b"a" * LARGEST_HEAD + b"\r\n\r\n", 431),
        (GET + b"X: " + b"a" * LARGEST_HEAD, 431),
        (GET + b"a" * LARGEST_HEAD, 431),
        (GET + b"".join(b"X-%d: 1\r\n" % number for number in range(101)) + b"\r\n", 431),
        (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"\r\n" * LARGEST_HEAD, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: " + b"a" * (1 << 20), 431),
        (b"no request at all\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_complete(raw: Raw, sent: bytes, status: int) -> None:
    for begin in range(0, len(sent), 8_000):
        raw.send(sent[begin : begin + 8_000])
    found, said = raw.rest()
    assert (found, said["status"]) == (status, status)
    assert said["detail"]
    assert said["next_step"]


def test_of_a_header_without_end_no_more_is_read_than_is_allowed(raw: Raw) -> None:
    raw.send(GET + b"X: ")
    assert hangs_up(raw, [b"a" * (1 << 20)] * 65)


def test_what_is_large_but_not_too_large_is_taken(raw: Raw) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 250) for number in range(99))
    for _ in range(3):
        raw.send(GET + many + b"\r\n")
        assert raw.answer() == (200, {"headers": 100, "body": 0})
    body = b"b" * 200_000
    raw.send(POST + b"Content-Length: 200000\r\n\r\n" + body)
    assert raw.answer() == (200, {"headers": 2, "body": 200_000})
    raw.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000 + b"0\r\nX-Late: 1\r\n\r\n")
    assert raw.answer() == (200, {"headers": 2, "body": 50_000})


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"", 0),
        (b"\r\n", 408),
        (b"GE", 408),
        (GET, 408),
        (POST + b"Content-Length: 5\r\n\r\nabc", 408),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", 408),
    ],
)
def test_who_does_not_go_on_is_not_waited_for(quick: Raw, begun: bytes, status: int) -> None:
    if begun:
        quick.send(begun)
    found, said = quick.rest()
    assert found == status
    assert not said or said["next_step"]


def test_a_second_head_that_does_not_go_on_is_not_waited_for_either(quick: Raw) -> None:
    quick.send(GET + b"\r\n")
    assert quick.answer()[0] == 200
    quick.send(GET)
    assert quick.rest()[0] == 408


def test_dripping_does_not_help(quick: Raw) -> None:
    quick.send(GET + b"X: ")
    assert hangs_up(quick, [b"a"] * 400, 0.02)


def hangs_up(raw: Raw, pieces: Sequence[bytes], every: float = 0.0) -> bool:
    """Whether the other side ends before it has all of them, one after so many seconds."""
    for piece in pieces:
        try:
            raw.send(piece)
            if select.select([raw.socket], [], [], every)[0]:
                return True  # an answer, which ends the connection
        except OSError:
            return True
    return False


def test_one_address_holds_its_share_and_gets_it_back(serving: Callable[[type[Bounded]], int]) -> None:
    port = serving(Quick)
    held = [Raw(port) for _ in range(8)]
    for one in held:
        one.send(GET + b"\r\n")
        assert one.answer()[0] == 200
    with Raw(port) as more:
        status, said = more.rest()
        assert (status, said["retry_after"]) == (503, 5.0)
    for one in held:
        one.socket.close()
    deadline = threading.Event()
    for _ in range(200):
        with Raw(port) as more:
            more.send(GET + b"\r\n")
            if more.answer()[0] == 200:
                return
        deadline.wait(0.01)
    raise AssertionError("its connections have ended, and it is still refused")


def test_the_settings_say_how_large_a_share_is(serving: Callable[[type[Bounded]], int]) -> None:
    settings = SETTINGS.validate_python({"repository": {"url": "nowhere.git"}, "api": {"connections": 2}})
    protocol = bounded(application(settings).state.context.terms.connections)
    port = serving(protocol)
    held = [Raw(port) for _ in range(2)]
    for one in held:
        one.send(GET + b"\r\n")
        assert one.answer()[0] == 200
    with Raw(port) as more:
        status, said = more.rest()
        assert (status, said["details"]) == (503, {"limit": 2})
        assert "api.connections" in said["next_step"]
    for one in held:
        one.socket.close()


def test_how_it_fares_is_answered_beyond_the_share_and_nothing_else(
    serving: Callable[[type[Bounded]], int],
) -> None:
    port = serving(bounded(2))
    held = [Raw(port) for _ in range(2)]
    for one in held:
        one.send(GET + b"\r\n")
        assert one.answer()[0] == 200
    for path in (b"/readyz", b"/healthz", b"/readyz?x=1"):
        with Raw(port) as more:
            more.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert more.rest()[0] == 200  # and it ends: nobody keeps what was kept back
    for path in (b"/", b"/readyzz", b"/status?/readyz", b"http://a/readyz"):
        with Raw(port) as more:
            more.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert more.rest()[0] == 503
    silent = [Raw(port) for _ in range(KEPT_BACK)]
    with Raw(port) as more:  # these are few too
        assert more.rest()[0] == 503
    for one in silent:
        status, said = one.rest()
        assert (status, said["details"]) == (503, {"limit": 2})
    for one in (*held, *silent):
        one.socket.close()


def test_all_together_hold_fewer_than_there_may_be_files() -> None:
    held = Open(3, most_of_one=2)
    assert [held.enter(one) for one in ("a", "a", "a", "b", "c")] == [True, True, False, False, False]
    for one in ("a", "a", "c"):
        held.leave(one)
    assert held.enter("b")
