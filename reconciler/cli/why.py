"""`reconciler why`: the chain from the commit and the manifest's line to what runs, and what a person can do."""

from __future__ import annotations

import re
from datetime import datetime

import click

from reconciler.cli import asking, opened, printing

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("environment", type=asking.ENVIRONMENT)
@asking.output_option()
def command(app: str, environment: str, form: str) -> None:
    """Explain what runs of APP in ENVIRONMENT, from the commit on, and what can be done about it."""
    from reconciler.engine import clock
    from reconciler.model.reasons import why_json
    from reconciler.views.explaining import why

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.read() as connection:
        found = why(connection, app, environment, now, settings.mirror)
    if form == "json":
        printing.as_json(why_json(found))
        return
    printing.heading(f"{app} in {environment}")
    for step in found.steps:
        printing.echo(f"{step.number:3}. {_with_local_time(step.text)}")
        if step.remedy:
            printing.echo(f"     → {_with_local_time(step.remedy)}", "started")


def _with_local_time(text: str) -> str:
    """Instants as people here read them, beside UTC; commands keep them as they are."""
    if "`" in text:
        return text
    return _INSTANT.sub(lambda found: printing.when(datetime.fromisoformat(found[0])), text)
