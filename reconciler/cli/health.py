"""`reconciler health`: do daemon and HTTP live on this machine? For whoever starts a container anew that does not.

Asked every few seconds, so it looks at two things: the daemon's own word, and HTTP, which asks the store.
What is wrong besides, and what helps, is `doctor`'s question.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from http.client import HTTPConnection, HTTPException

from reconciler.cli import asking, endings, opened, printing
from reconciler.config import OFF, Settings
from reconciler.errors import NotSo
from reconciler.words import host_and_port

PATIENCE = 8.0
"""Seconds within which HTTP has to have answered, from the first byte to the last."""
STANDS_STILL = 60.0
"""A daemon that has written nothing for so many seconds, which it does every five, stands still."""
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where somebody else listens


@asking.verb
def command() -> int:
    """Say whether what `run` or `serve` started here is well; the exit status is 1 where it is not.

    Where a daemon runs, it has to have shown life within the last minute. Unless api.listen is off, HTTP there is
    asked for /readyz too, which answers when the store does.
    """
    settings = opened.settings()
    lives = _daemon(settings)
    if settings.api.listen != OFF:
        printing.echo(_http(settings.api.listen))
    elif lives:
        printing.echo("the daemon lives; api.listen is off")
    else:
        raise NotSo(f"no daemon runs on {settings.place}", "start `reconciler run`")
    return endings.DONE


def silent_for(settings: Settings) -> float | None:
    """For how many seconds the daemon that runs here has shown no life; None where none runs, or has not begun."""
    from reconciler.engine import clock
    from reconciler.engine.alone import somebody_runs
    from reconciler.telemetry import vitals

    if not somebody_runs(settings.place):  # it was killed, whatever it wrote before
        return None
    written = (vitals.read(settings.place) or {}).get("written")
    return clock.system().timestamp() - written if isinstance(written, int | float) else None


def _daemon(settings: Settings) -> bool:
    """Whether a daemon runs and shows life. Raises NotSo where one runs that stands still."""
    age = silent_for(settings)
    if age is not None and age > STANDS_STILL:
        raise NotSo(f"the daemon has shown no life for {age:.0f} s", "it stands still: start it anew")
    return age is not None


def _http(listen: str) -> str:
    """What HTTP says. Raises NotSo."""
    host, port = host_and_port(listen) or ("", 0)
    try:
        status = _within(_HERE.get(host, host), port)
    except (OSError, HTTPException) as error:
        said = str(error) or f"nothing whole came within {PATIENCE:.0f} s"
        raise NotSo(f"nothing answers at {listen}: {said}", "the log says why, if anything runs") from error
    if status != 200:
        remedy = "`reconciler doctor` looks at the store; where that is well and very many read, raise api.connections"
        raise NotSo(f"HTTP at {listen} is not ready: {status}", remedy)
    return f"HTTP is ready at {listen}"


def _within(host: str, port: int) -> int:
    """The status of /readyz. Raises OSError, TimeoutError where it is not there in time, and HTTPException."""
    asked: Future[int] = Future()

    def ask() -> None:
        try:
            asked.set_result(_status(host, port))
        except (OSError, HTTPException) as error:
            asked.set_exception(error)

    # The connection's own limit is for each reading: who sends a byte now and then would hold us for ever.
    threading.Thread(target=ask, name="health", daemon=True).start()
    return asked.result(PATIENCE)


def _status(host: str, port: int) -> int:
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    finally:
        connection.close()
