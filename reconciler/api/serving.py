"""How is the application served, and when does that end?

By uvicorn in this process, until it is told to stop; beside a daemon, until that daemon is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler import telemetry
from reconciler.api import problems
from reconciler.api.connections import bounded
from reconciler.api.shielding import said
from reconciler.errors import NotSo, WrongUse
from reconciler.words import host_and_port

log = telemetry.logger("api")
_GRACE = 5
"""Seconds that requests under way get to end; streams of events are cut."""


def address(listen: str) -> tuple[str, int]:
    """Host and port of `api.listen`. Raises WrongUse."""
    found = host_and_port(listen)
    if found is None:
        raise WrongUse(f"api.listen: {listen[:100]!r} is no address", "write HOST:PORT, such as 127.0.0.1:8080, or off")
    return found


def bound(listen: str) -> socket.socket:
    """A socket that listens there. Raises WrongUse, NotSo where the address cannot be had."""
    host, port = address(listen)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        said = error.strerror or str(error)
        raise NotSo(
            f"nothing can listen at {listen}: {said}", "set api.listen to an address that is free, or to off"
        ) from error


def serve(application: FastAPI, listening: socket.socket, parent: int | None = None) -> None:
    """Serve until TERM or Ctrl-C; beside a daemon, until `parent`, a pipe that the daemon holds, comes to its end."""
    config = uvicorn.Config(
        Ending(application),
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
        http=bounded(application.state.context.terms.connections, application),
        ws="none",
        proxy_headers=False,
    )
    _listen_to_uvicorn()
    server = uvicorn.Server(config)
    # Streams of events would hold the end up.
    application.state.watch.stopping = lambda: server.should_exit
    if parent is not None:
        _end_with(parent, lambda: setattr(server, "should_exit", True))
    where = listening.getsockname()
    log.info("api.serving", address=f"http://{_shown(where[0])}:{where[1]}")
    server.run(sockets=[listening])


class Ending:
    """Tells those whose answer is not there when this process ends that it does: it is no fault of anybody."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._application(scope, receive, sending)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not begun:
                await _ends(scope)(scope, receive, send)


def _ends(scope: Scope) -> Response:
    # What goes on in a thread is not stopped, and may be recorded yet.
    found = problems.response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "this process ends before there is an answer",
        "ask again in a moment; whether what was to be changed is recorded, the ledger tells",
        retry_after=5.0,
    )
    if "app" in scope:
        found = problems.at_once(scope, found)
    found.raw_headers.extend(said(scope["path"]))
    return found


class _Trouble(logging.Handler):
    """What uvicorn says is wrong, as an event of our log. Requests that make no sense are no event: anybody can send
    as many as they like."""

    def emit(self, record: logging.LogRecord) -> None:
        if "without completing response" not in record.getMessage():  # whoever asked has hung up
            log.error("api.trouble", error=record.getMessage()[:500], exc_info=record.exc_info or None)


def _listen_to_uvicorn() -> None:
    for name in ("uvicorn.error", "uvicorn.asgi", "asyncio"):
        found = logging.getLogger(name)
        found.setLevel(logging.ERROR)
        found.propagate = False
        found.handlers = [_Trouble()]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _end_with(parent: int, end: Callable[[], None]) -> None:
    """Call `end` when the other side of the pipe is closed, however the daemon came to its end."""

    def wait() -> None:
        while os.read(parent, 1):
            pass
        end()

    threading.Thread(target=wait, name="parent", daemon=True).start()
