"""`reconciler serve`: the HTTP API, the dashboard and the webhooks over the store, without a daemon."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path

import click

from reconciler.cli import asking, endings, opened

NICE = 15
"""How far a face beside a daemon stands back when processors are scarce."""


@asking.verb
@click.option("--beside", type=int, hidden=True, help="A pipe whose end means that the daemon beside it is gone.")
@click.option("--busy", type=int, hidden=True, help="Memory in which the daemon beside it says that it is at work.")
def command(beside: int | None, busy: int | None) -> int:
    """Serve the HTTP API, the dashboard and webhooks at api.listen, until TERM or Ctrl-C.

    `reconciler run` serves them too, unless api.listen is off. This is for a machine on which no daemon runs: it reads
    and writes the same store.
    """
    from reconciler import telemetry
    from reconciler.api import serving
    from reconciler.config import OFF
    from reconciler.errors import WrongUse
    from reconciler.facing import application
    from reconciler.telemetry.busy import Busy

    settings = opened.settings()
    if settings.api.listen == OFF:
        raise WrongUse("api.listen is off", "set it to HOST:PORT, such as 127.0.0.1:8080")
    telemetry.set_up()
    listening = serving.bound(settings.api.listen)
    if beside is not None:
        _stand_back()
    made = application(settings, Busy(busy) if busy is not None else None)
    gc.freeze()  # what was made for the start stays: nobody looks for garbage in it
    serving.serve(made, listening, beside)
    return endings.DONE


def _stand_back() -> None:
    """Take processors only where nobody else wants them.

    Linux may share them among sessions first, and by how nice each is only among the processes of one: git works in
    sessions of its own. What is said of this session counts then, where it can be said.
    """
    os.nice(NICE)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")
