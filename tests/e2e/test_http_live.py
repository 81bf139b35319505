"""Is HTTP served beside the daemon, as a process of its own, for as long as the daemon lives?"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from reconciler.cli.serve import NICE
from reconciler.telemetry.busy import Busy
from tests.e2e.daemon import PATIENCE, ROOT, Live


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 3 * PATIENCE  # a face stands back behind everything else that runs
    while True:
        try:
            if condition():
                return
        except httpx2.HTTPError:
            pass
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def client(live: Live) -> Iterator[httpx2.Client]:
    """Asks the face beside the daemon of `live`, which is started by the test."""
    port = free_port()
    live.settings["api"] = {"listen": f"127.0.0.1:{port}"}
    live.start_repository()
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as found:
        yield found


def completed(client: httpx2.Client) -> list[str]:
    answer = client.get("/deployments?status=completed&limit=1000")
    return [one["environment"] for one in answer.json()] if answer.status_code == 200 else []


def test_what_happens_is_told_while_it_happens(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: len(completed(client)) == 3, "the first release is told")
    assert completed(client) == ["live", "pre-release", "sandbox"]
    known = client.get("/status")
    assert client.get("/status", headers={"If-None-Match": known.headers["etag"]}).status_code == 304
    shown = [(row["daemon"]["running"], row["daemon"]["next_step"], row["daemon"]["error"]) for row in known.json()]
    assert shown == [(True, "", None)] * 3
    live.commit("Two", {"shop/index.html": "two"})
    wait_for(lambda: len(completed(client)) == 6, "the second release is told")
    assert client.get("/status", headers={"If-None-Match": known.headers["etag"]}).status_code == 200
    assert client.get("/docs").headers["content-type"].startswith("text/html")
    assert client.get("/calendar.ics").text.startswith("BEGIN:VCALENDAR")


def test_the_face_comes_back_and_ends_with_its_daemon(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
    first = serving(live)
    os.kill(first, 9)
    wait_for(lambda: client.get("/healthz").status_code == 200 and serving(live) != first, "it is served again")
    live.kill()
    wait_for(lambda: not served(client), "the face ends with the daemon")


def test_the_face_knows_when_reconciling_is_at_work(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: len(completed(client)) == 3, "the first release is told")
    assert live.process is not None
    daemon = f"/proc/{live.process.pid}/fd"
    shared = next(
        f"{daemon}/{one}" for one in os.listdir(daemon) if "reconciler-busy" in os.readlink(f"{daemon}/{one}")
    )
    assert "reconciler-busy" in Path(f"/proc/{serving(live)}/maps").read_text()
    busy = Busy(os.open(shared, os.O_RDWR))
    wait_for(lambda: not busy.left(), "it rests")
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(busy.left, "it is at work")
    wait_for(lambda: len(completed(client)) == 6, "the second release is told")
    wait_for(lambda: not busy.left(), "it rests again")
    busy.close()


def test_the_face_stands_back_behind_whatever_the_daemon_starts(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
    face = serving(live)
    assert os.getpriority(os.PRIO_PROCESS, face) == NICE
    # Where Linux shares processors among sessions, git would have no more than the face: it has its own, as nice as it.
    assert live.process is not None
    assert os.getsid(face) == face != os.getsid(live.process.pid)
    session = Path(f"/proc/{face}/autogroup")
    assert not session.exists() or session.read_text() in ("", f"/autogroup-{_number(session)} nice {NICE}\n")


def test_nothing_is_encrypted_here(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: served(client), "it is served")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port)) as plain, pytest.raises(ssl.SSLError), trusting.wrap_socket(plain):
        pass


def _number(session: Path) -> str:
    return session.read_text().removeprefix("/autogroup-").partition(" ")[0]


def serving(live: Live) -> int:
    """The process that serves beside the daemon."""
    assert live.process is not None
    children = Path(f"/proc/{live.process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    faces = [pid for pid in pids if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    return faces[0] if faces else 0


def served(client: httpx2.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def test_a_request_line_of_ten_megabytes_is_refused(live: Live, client: httpx2.Client) -> None:
    live.start()
    wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
    address = (client.base_url.host, int(client.base_url.port or 0))
    with socket.create_connection(address, timeout=PATIENCE) as raw:
        answer = b""
        try:
            raw.sendall(b"GET /deployments?app=" + b"a" * (10 << 20) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = raw.recv(1_000)
        except OSError:  # it hangs up before it has read everything
            pass
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    assert client.get("/healthz").status_code == 200


def test_serving_without_a_daemon(live: Live, client: httpx2.Client) -> None:
    live.config.write_text(json.dumps(live.settings))
    command = [sys.executable, "-m", "reconciler", "serve", "--config", str(live.config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
            answer = client.get("/status")
            assert (answer.status_code, answer.json()["title"]) == (503, "Service Unavailable")
            live.settle()
            wait_for(lambda: client.get("/status").status_code == 200, "the store is found once it is there")
            daemon = client.get("/status").json()[0]["daemon"]
            assert (daemon["running"], daemon["next_step"]) == (False, "start it with `reconciler run`")
        finally:
            process.terminate()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode in (0, -signal.SIGTERM), said
    assert "Traceback" not in said
