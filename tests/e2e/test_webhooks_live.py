"""Does a webhook bring a push to what runs at once, and does nothing that is sent to it put the process out?"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from tests import webhooks
from tests.e2e.daemon import PATIENCE, ROOT, Live
from tests.e2e.test_http_live import free_port, wait_for
from tests.faults.postgres import Server
from tests.faults.proxy import far
from tests.webhooks import GITHUB_PUSH, SECRET

BAD = 10_000
TORN = 300
_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d)")


def hooked(live: Live) -> httpx2.Client:
    """Asks the face beside the daemon, which takes webhooks of GitHub and looks at its repository once an hour."""
    port = free_port()
    secret = live.directory / "secret"
    secret.write_text(SECRET)
    live.settings["api"] = {"listen": f"127.0.0.1:{port}", "writes": 10_000_000}
    live.settings["webhooks"] = {"github": f"file:{secret}"}
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False)


def push(client: httpx2.Client, about: str) -> int:
    body = GITHUB_PUSH + about.encode()
    return client.post("/webhooks/github", content=body, headers=webhooks.github(body)).status_code


def test_a_push_is_released_at_once(live: Live) -> None:
    with far(live), hooked(live) as client:
        live.settings["repository"]["interval"] = "1h"
        live.start_repository()
        live.start()
        live.wait_for(lambda: live.everywhere("one"), "the first version runs")
        wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
        for number in ("two", "three"):
            live.commit(number, {"shop/index.html": number})
            assert push(client, number) == 202
            live.wait_for(lambda number=number: live.everywhere(number), f"{number} runs everywhere")
        live.commit("four", {"shop/index.html": "four"})
        assert client.post("/webhooks/github", content=GITHUB_PUSH).status_code == 401
        live.pause_for(1.0)
        assert live.runs("sandbox") == "three"


@contextmanager
def elsewhere(live: Live) -> Iterator[httpx2.Client]:
    """A face in a process of its own with another data directory, as on another machine, over the same store."""
    with hooked(live) as client:
        settings = {**live.settings, "data": str(live.directory / "another")}
        config = live.directory / "elsewhere.yaml"
        config.write_text(json.dumps(settings))
        live.settings["api"] = {"listen": "off"}
        command = [sys.executable, "-m", "reconciler", "serve", "--config", str(config)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield client
            finally:
                process.terminate()


def test_a_webhook_that_another_machine_takes(live: Live, server: Server) -> None:
    live.settings["state"]["url"] = server.database().render_as_string(hide_password=False)
    with far(live), elsewhere(live) as client:
        live.settings["repository"]["interval"] = "1h"
        live.start_repository()
        live.start()
        live.wait_for(lambda: live.everywhere("one"), "the first version runs")
        wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
        live.commit("two", {"shop/index.html": "two"})
        assert push(client, "two") == 202
        live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")


class Fuzz:
    """Bad bodies and headers, the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(20260601)

    def body(self) -> bytes:
        """Bytes, JSON that is broken, or JSON that is too much."""
        chance = self._random
        match chance.randrange(6):
            case 0:
                return chance.randbytes(chance.randrange(400))
            case 1:
                changed = bytearray(GITHUB_PUSH[: chance.randrange(1, 600)])
                for _ in range(3):
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
                return bytes(changed)
            case 2:
                return b"[" * chance.randrange(2_000)
            case 3:
                return b'{"ref": "' + chance.choice([b"\\ud800", b"\0", b"\xff", b"';--", b"../" * 9]) + b'"}'
            case 4:
                return b"payload=" + chance.randbytes(50)
            case _:
                return b""

    def headers(self, body: bytes) -> list[bytes]:
        """Signatures that are none, and some that are right: then the body is all that is bad."""
        chance = self._random
        if chance.random() < 0.02:
            return [b"X-Hub-Signature-256: sha256=" + webhooks.mac(body).encode()]
        choices = [
            b"X-Hub-Signature-256: sha256=" + webhooks.mac(body, "wrong").encode(),
            b"X-Hub-Signature-256: " + chance.randbytes(9).hex().encode(),
            b"X-Hub-Signature-256: \xff\xfe\xc3",
            b"X-Hub-Signature-256:",
            b"Authorization: Bearer \xe9",
            b"Content-Type: application/json; charset=utf-7",
            b"Content-Encoding: gzip",
            b"X-GitHub-Delivery: " + b"a" * chance.randrange(500),
        ]
        return chance.sample(choices, chance.randrange(4))

    def request(self, forge: bytes, *, chunked: bool) -> bytes:
        """A request that is whole."""
        body = self.body()
        lines = [b"POST /webhooks/" + forge + b" HTTP/1.1", b"Host: 127.0.0.1", *self.headers(body)]
        if chunked and body:
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b"%x" % len(body), body, b"0", b"", b""])
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])

    def torn(self) -> bytes:
        """Something that is hardly a request: what is announced does not come, or what comes was not announced."""
        chance = self._random
        whole = self.request(b"github", chunked=chance.random() < 0.5)
        match chance.randrange(5):
            case 0:
                return whole[: chance.randrange(len(whole))]
            case 1:
                return whole.replace(b"Content-Length: ", b"Content-Length: -", 1)
            case 2:
                return whole.replace(b"Content-Length: ", b"Content-Length: 99999999999999999999", 1)
            case 3:
                return whole.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 1)
            case _:
                return chance.randbytes(300)


def answers(address: tuple[str, int], requests: list[bytes], most: int) -> list[int]:
    """The statuses of the answers to requests that are sent one after another through one connection."""
    found = b""
    with socket.create_connection(address, timeout=PATIENCE) as raw:
        raw.sendall(b"".join(requests))
        while len(_STATUS.findall(found)) < most and (piece := raw.recv(1 << 16)):
            found += piece
    return [int(status) for status in _STATUS.findall(found)]


def torn(address: tuple[str, int], request: bytes) -> list[int]:
    """The same of a request that is not whole, by somebody who hangs up then."""
    with suppress(ConnectionError), socket.create_connection(address, timeout=PATIENCE) as raw:
        raw.sendall(request)
        raw.shutdown(socket.SHUT_WR)
        return [int(status) for status in _STATUS.findall(raw.recv(1 << 16))]
    return []


@pytest.mark.timeout(300)
def test_ten_thousand_bad_bodies(live: Live) -> None:
    live.start_repository()
    with hooked(live) as client:
        live.start()
        live.wait_for(lambda: live.everywhere("one"), "the first version runs")
        wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
        address = (str(client.base_url.host), int(client.base_url.port or 0))
        fuzz, seen = Fuzz(), []
        for _ in range(BAD // 50):
            forges = (b"github", b"github", b"gitlab", b"%00", b"generic?x=%ff")
            requests = [fuzz.request(forges[number % 5], chunked=number % 3 == 0) for number in range(50)]
            seen += answers(address, requests, len(requests))
        for _ in range(TORN):
            seen += torn(address, fuzz.torn())
        counted = {status: seen.count(status) for status in sorted(set(seen))}
        assert len(seen) >= BAD, counted
        assert max(counted) < 500, counted
        # What is signed is taken, whatever it says; the same twice is not; the others are not heard.
        assert {202, 401, 403, 409} <= set(counted), counted
        assert client.get("/healthz").status_code == 200
        assert push(client, "still there") == 202
        assert live.process is not None
        assert os.path.exists(f"/proc/{live.process.pid}")
    assert SECRET not in live.log
