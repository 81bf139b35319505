"""The pages of a world over a real socket, as a browser asks for them, at the moment that the world's clock says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from reconciler.config import SETTINGS
from reconciler.engine import clock
from reconciler.facing import application
from reconciler.model import access
from reconciler.store import tokens
from reconciler.store.database import Database
from tests.world import World

NAME = "priya@example.org"


@dataclass(frozen=True, slots=True)
class Served:
    """Where it is served, and a token that may do everything there."""

    url: str
    token: str
    made: FastAPI


@contextmanager
def served(world: World) -> Iterator[Served]:
    """The application over a world's store, until the block ends. A daemon is said to run."""
    made = application(SETTINGS.validate_python(world.settings))
    made.state.context.now = lambda: world.now
    made.state.context.daemon_runs = lambda _connection: True
    server = uvicorn.Server(uvicorn.Config(made, log_config=None, lifespan="on", timeout_graceful_shutdown=1))
    made.state.watch.stopping = lambda: server.should_exit
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Served(f"http://{host}:{port}", token(world), made)
        finally:
            server.should_exit = True
            thread.join(10)


def token(world: World, *scopes: access.Scope, name: str = NAME) -> str:
    """A new token over a world's store; with all scopes unless some are named."""
    written = access.Written(clock.identifier(), clock.secret())
    made = tokens.Token(
        id=written.id,
        name=name,
        scopes=scopes or access.SCOPES,
        roles=("qa",),
        created_at=world.now,
        created_by="the tests",
    )
    store = Database(world.settings["state"]["url"])
    try:
        with store.write() as transaction:
            tokens.make(transaction, made, access.digest(written.secret))
    finally:
        store.close()
    return written.text
