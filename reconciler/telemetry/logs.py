"""How does a process say what it does?

Structured logs to standard error: one line an event, readable on a terminal, JSON elsewhere. Nothing below the
edges logs. What each event means is in docs/logs.md.
"""

from __future__ import annotations

import logging
import sys
from typing import Any


def set_up(*, json: bool | None = None, verbose: bool = False) -> None:
    """Send logs to standard error: coloured on a terminal, JSON lines in a pipe unless told otherwise."""
    import structlog

    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries speak only when something is wrong.
    for name in ("apscheduler", "watchfiles", "git", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Whatever a database does to a connection comes to us as an exception; its pool would tell it again, at length.
    logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL)
    # What breaks in a request is told by `request.broke`; the server would tell it again, in another form.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)


class Log:
    """The log of a room, with a method for each level: `info`, `warning`, `exception` …"""

    __slots__ = ("_room",)

    def __init__(self, room: str) -> None:
        self._room = room

    def __getattr__(self, level: str) -> Any:
        import structlog

        return getattr(structlog.get_logger(room=self._room), level)


def logger(room: str) -> Log:
    """The log of a room."""
    return Log(room)
