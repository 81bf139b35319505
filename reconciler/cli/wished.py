"""How is what a person asks for recorded from the command line, and told back? What may be asked for is in `wishes`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.cli import opened, printing

if TYPE_CHECKING:
    from reconciler.model.wish import Recorded
    from reconciler.store.database import Transaction


def record(ask: Callable[[Transaction, datetime], Recorded], form: str) -> None:
    """Record it, have the daemon that runs here look, and print what was recorded, as text or as JSON.

    Raises what `ask` raises, which is given the present moment (UTC).
    """
    from reconciler.engine import clock
    from reconciler.model.wish import recorded_json
    from reconciler.schedule import rfc3339

    settings = opened.settings()
    with opened.store(settings) as store, store.write() as transaction:
        done = ask(transaction, clock.system())
    settings.nudge()
    if form == "json":
        printing.as_json(recorded_json(done))
        return
    said = done.detail if done.until is None else done.detail.replace(rfc3339(done.until), printing.when(done.until))
    printing.echo(said)
    for warning in done.warnings:
        printing.echo(f"mind that {warning}", "warning")
