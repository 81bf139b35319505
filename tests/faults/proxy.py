"""A way to a server that can be cut: it passes on what comes over TCP, drops what is open, and refuses what is new."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.world import World

_PIECE = 1 << 16


class Proxy:
    """Passes on to a Unix socket (a path) or to a TCP port."""

    def __init__(self, target: str | tuple[str, int]) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._all: list[socket.socket] = [self._listening]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._lock = threading.Lock()
        self._passing = threading.Event()
        self._passing.set()
        self.refusing = False
        """Whether what is new is dropped at once."""
        self.connections = 0
        self._threads[0].start()

    def cut(self) -> int:
        """Drop every connection; how many there were."""
        with self._lock:
            dropped, self._open = self._open, set()
        for one in dropped:
            _drop(one)
        return len(dropped) // 2

    def hush(self) -> None:
        """Pass on nothing any more, though connections stay open and new ones are taken: the worst of networks."""
        self._passing.clear()

    def speak(self) -> None:
        """Pass on again, what came meanwhile too."""
        self._passing.set()

    def close(self) -> None:
        """No way through any more."""
        _drop(self._listening)
        self.speak()
        self._threads[0].join()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for one in self._all:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                self.connections += 1
                if self.refusing:
                    here.close()
                    continue
                self._join(here)

    def _join(self, here: socket.socket) -> None:
        there = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
        try:
            there.connect(self._target)
        except OSError:
            here.close()
            there.close()
            return
        with self._lock:
            self._open |= {here, there}
        self._all += [here, there]
        for source, sink in ((here, there), (there, here)):
            self._threads.append(threading.Thread(target=self._pass_on, args=(source, sink), daemon=True))
            self._threads[-1].start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self._passing.wait()
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _drop(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def far(world: World) -> Iterator[Proxy]:
    """The repository of a world is behind a network that can be cut."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--listen=127.0.0.1", f"--port={port}", "--reuseaddr", "--export-all", "--enable=receive-pack"]
    command = ["git", "daemon", *options, f"--base-path={world.directory}"]
    daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    proxy = Proxy(("127.0.0.1", port))
    world.settings["repository"]["url"] = f"git://127.0.0.1:{proxy.port}/desired.git"
    world.settings["repository"]["interval"] = "1s"
    try:
        yield proxy
    finally:
        proxy.close()
        daemon.terminate()
        daemon.wait()
