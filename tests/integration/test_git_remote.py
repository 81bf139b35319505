"""Does the mirror follow a repository over the network, and keep its password to itself?"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.errors import GitUnreachable
from reconciler.git.mirror import Mirror
from tests.gitrepo import Repo

PASSWORD = "s3cret-w0rd"


@pytest.fixture
def work(tmp_path: Path) -> Repo:
    """A work tree with one commit, and a bare repository beside it."""
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app.yaml": "kind: App\n"}).commit("First")
    repo.bare()
    repo.push()
    return repo


class Backend(BaseHTTPRequestHandler):
    """git over HTTP, with a password."""

    root: Path
    seen: list[str]

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _serve(self, body: bytes) -> None:
        given = self.headers.get("Authorization", "")
        self.seen.append(given)
        if given != "Basic " + base64.b64encode(f"deploy:{PASSWORD}".encode()).decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        parts = urlsplit(self.path)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "deploy",
        }
        answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in lines if name == "Status"), 200)
        self.send_response(status)
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    handler = type("Handler", (Backend,), {"root": tmp_path, "seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_remote_repository_with_a_password(work: Repo, tmp_path: Path, server: str) -> None:
    mirror = Mirror.open(f"http://deploy:{PASSWORD}@{server}/desired.git", tmp_path / "mirror", "main")
    assert not mirror.is_local
    assert mirror.watch_paths() == []
    assert mirror.remote_head() == mirror.fetch() == work.head
    second = work.write({"b": "2"}).commit("Second")
    work.push()
    assert mirror.remote_head() == second != mirror.head()
    assert mirror.fetch() == second
    written = [file.read_bytes() for file in mirror.git_dir.rglob("*") if file.is_file()]
    assert not any(PASSWORD.encode() in content for content in written), "never on the disk"
    assert PASSWORD not in repr(vars(mirror))


@pytest.mark.parametrize("secret", [f"deploy:{PASSWORD}wrong", PASSWORD, f"{PASSWORD}:x-oauth"])
def test_a_refused_password_is_not_repeated(work: Repo, tmp_path: Path, server: str, secret: str) -> None:
    mirror = Mirror.open(f"http://{secret}@{server}/desired.git", tmp_path / "mirror", "main")
    for attempt in (mirror.fetch, mirror.remote_head):
        with pytest.raises(GitUnreachable) as caught:
            attempt()
        assert PASSWORD not in str(caught.value)
        assert "credentials" in str(caught.value)
        assert server in str(caught.value)


def test_nobody_is_asked_for_a_password(work: Repo, tmp_path: Path, server: str) -> None:
    with pytest.raises(GitUnreachable, match="credentials"):
        Mirror.open(f"http://{server}/desired.git", tmp_path / "mirror", "main").fetch()


def test_a_remote_repository_that_is_not_there(work: Repo, tmp_path: Path, server: str) -> None:
    mirror = Mirror.open(f"http://deploy:{PASSWORD}@{server}/other.git", tmp_path / "mirror", "main")
    with pytest.raises(GitUnreachable, match="no repository at this address"):
        mirror.fetch()
    closed = Mirror.open("http://127.0.0.1:9/x.git", tmp_path / "closed", "main")
    with pytest.raises(GitUnreachable, match="does not answer"):
        closed.fetch()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    """The address is a program that reads and says nothing, as a hung server does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mirror = Mirror.open(f"http://127.0.0.1:{port}/x.git", tmp_path / "mirror", "main", timeout=0.01)
        with pytest.raises(GitUnreachable, match="did not answer in time"):
            mirror.fetch()
