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
    as_json = not sys.stderr.isatty() if json is None else json
    structlog = _plain() if as_json else _coloured()
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


def _coloured() -> Any:
    import structlog

    return structlog


def _plain() -> Any:
    """structlog without rich, which it would import at once, for tracebacks on a terminal: a line of JSON needs none,
    and a short command would spend a tenth of its time on it."""
    modules: dict[str, Any] = sys.modules
    if "structlog" not in modules and "rich" not in modules:
        modules["rich"] = None  # which Python takes for not installed
        try:
            return _coloured()
        finally:
            del modules["rich"]
    return _coloured()


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
