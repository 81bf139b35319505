"""`reconciler health`: do daemon and HTTP live on this machine? For whoever starts a container anew that does not.

Asked every few seconds, so it looks at one thing: HTTP, which asks the store, or without HTTP the daemon's own word.
What is wrong besides, and what helps, is `doctor`'s question.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

from reconciler.cli import asking, endings, opened, printing
from reconciler.config import OFF, Settings
from reconciler.errors import NotSo
from reconciler.words import host_and_port

PATIENCE = 8.0
"""Seconds within which HTTP has to answer."""
STANDS_STILL = 60.0
"""A daemon that has written nothing for so many seconds, which it does every five, stands still."""
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where somebody else listens


@asking.verb
def command() -> int:
    """Say whether what `run` or `serve` started here is well; the exit status is 1 where it is not.

    It asks HTTP at api.listen for /readyz, which answers when the store does. Where api.listen is off, it looks
    whether the daemon has shown life within the last minute.
    """
    settings = opened.settings()
    printing.echo(_daemon(settings) if settings.api.listen == OFF else _http(settings.api.listen))
    return endings.DONE


def _http(listen: str) -> str:
    """What HTTP says. Raises NotSo."""
    host, port = host_and_port(listen) or ("", 0)
    connection = HTTPConnection(_HERE.get(host, host), port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise NotSo(f"nothing answers at {listen}: {error}", "the log says why, if anything runs") from error
    finally:
        connection.close()
    if status != 200:
        raise NotSo(f"HTTP at {listen} is not ready: {status}", "`reconciler doctor` says what is wrong")
    return f"HTTP is ready at {listen}"


def _daemon(settings: Settings) -> str:
    """What the daemon last wrote of itself. Raises NotSo."""
    from reconciler.engine import clock
    from reconciler.telemetry import vitals

    written = (vitals.read(settings.place) or {}).get("written")
    if not isinstance(written, int | float):
        raise NotSo(f"no daemon runs on {settings.place}", "start `reconciler run`")
    age = clock.system().timestamp() - written
    if age > STANDS_STILL:
        raise NotSo(f"the daemon has shown no life for {age:.0f} s", "it was killed or stands still: start it anew")
    return "the daemon lives; api.listen is off"
