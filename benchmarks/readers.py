"""python -m benchmarks.readers: fifty readers in a process of their own, as if on other machines.

Each has one connection that it keeps, from an address of its own in 127.0.0.0/8, and asks again as soon as it was
answered: so many requests as can be answered at all; or after a pause, if it is told to. They have nothing in hand
(`If-None-Match`), and take gzip, as browsers do. Lines come in: JSON of `Wanted` begins, an empty one
ends, and a line of JSON tells how it went.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from benchmarks.children import ROOT

CLIENTS = 50
_FEW = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What they ask for: one after another, each reader beginning at another place."""

    port: int
    paths: Sequence[str]
    clients: int = CLIENTS
    pause: float = 0.0
    """Seconds for which each of them reads what it got before it asks again."""


@dataclass(frozen=True, slots=True)
class Read:
    """How it went. Times in seconds."""

    requests: int
    errors: int
    """Other answers than 200, and connections that ended."""
    seconds: float
    median: float
    p99: float
    cpu: float
    """Of the readers' own processor."""
    sizes: dict[str, int]
    """How large the last answer for each path was, as it was sent; of the first paths, where there are many."""

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.requests / self.seconds

    @property
    def busy(self) -> float:
        """Which part of the time the readers themselves worked: near 1 they are what is measured."""
        return self.cpu / self.seconds


class Readers:
    """The other process, from this side."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.readers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.communicate()

    def begin(self, wanted: Wanted) -> None:
        """Ask from now on."""
        self._say(json.dumps(asdict(wanted)))

    def end(self) -> Read:
        """Ask no more; how it went."""
        self._say("")
        assert self._process.stdout is not None
        return Read(**json.loads(self._process.stdout.readline()))

    def during(self, wanted: Wanted, seconds: float) -> Read:
        """Ask for so long."""
        self.begin(wanted)
        time.sleep(seconds)
        return self.end()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()


class _Told:
    """What all readers saw."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.errors = 0
        self.sizes: dict[str, int] = {}
        self.going = True


class _Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, wanted: Wanted, number: int, told: _Told) -> None:
        self._paths, self._told = wanted.paths, told
        self._next = number * len(wanted.paths) // wanted.clients + number
        self._pause, self._first_pause = wanted.pause, wanted.pause * number / wanted.clients
        self._head, self._missing, self._size, self._ok = b"", -1, 0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._ask_after(self._first_pause)

    def _ask_after(self, pause: float) -> None:
        if pause:
            asyncio.get_running_loop().call_later(pause, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if not self._told.going:
            self._transport.close()
            return
        self._path = self._paths[self._next % len(self._paths)]
        self._next += 1
        self._begun = time.perf_counter()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._ok = head.startswith(b"HTTP/1.1 200")
            self._size = self._missing = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
            self._head, data = b"", body
        self._missing -= len(data)
        if self._missing == 0:
            self._missing = -1
            self._answered()

    def _answered(self) -> None:
        told = self._told
        told.times.append(time.perf_counter() - self._begun)
        told.errors += not self._ok
        if len(told.sizes) < _FEW:
            told.sizes[self._path] = self._size
        self._ask_after(self._pause)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._told.errors += self._told.going


async def _read(wanted: Wanted, lines: asyncio.StreamReader) -> Read:
    loop, told = asyncio.get_running_loop(), _Told()
    worked, begun = time.process_time(), time.perf_counter()
    for number in range(wanted.clients):
        here = (f"127.0.1.{number + 1}", 0)
        await loop.create_connection(
            lambda number=number: _Reader(wanted, number, told), "127.0.0.1", wanted.port, local_addr=here
        )
    await lines.readline()
    told.going = False
    seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    times = sorted(told.times) or [seconds]
    return Read(
        len(told.times),
        told.errors,
        seconds,
        times[len(times) // 2],
        times[min(round(len(times) * 0.99), len(times) - 1)],
        cpu,
        told.sizes,
    )


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).strip():
        print(json.dumps(asdict(await _read(Wanted(**json.loads(line)), lines))), flush=True)


if __name__ == "__main__":
    import uvloop

    os.nice(19)
    with suppress(OSError):  # Linux may ask first how nice a session is
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    uvloop.run(_serve())
