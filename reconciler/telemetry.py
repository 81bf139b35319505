"""How does the daemon say what it does?

Structured logs to standard error: one line an event, readable on a terminal, JSON elsewhere. Nothing below the
edges logs.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def set_up(*, json: bool | None = None, verbose: bool = False) -> None:
    """Send logs to standard error: coloured on a terminal, JSON lines in a pipe unless told otherwise."""
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


def logger(room: str) -> Any:
    """The log of a room."""
    return structlog.get_logger(room=room)
