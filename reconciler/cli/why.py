"""`reconciler why`: the chain from the commit and the manifest's line to what runs, and what a person can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing
from reconciler.errors import GitError, UnknownReference

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.views.chain import Field, Located

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")


@asking.verb
@click.argument("app")
@click.argument("environment")
@asking.output_option()
def command(app: str, environment: str, form: str) -> None:
    """Explain what runs of APP in ENVIRONMENT, from the commit on, and what can be done about it."""
    from reconciler.engine import clock
    from reconciler.model.output import step_json
    from reconciler.store import declared
    from reconciler.views.chain import chain
    from reconciler.views.pictures import pictures

    settings, now = opened.settings(), clock.system()
    with opened.store(settings) as store, store.read() as connection:
        opened.known_app(declared.known_names(connection), app)
        (picture,) = pictures(connection, [app], now)
        if environment not in picture.environments:
            places = ", ".join(picture.environments) or "none"
            raise UnknownReference(f"{app} is not in an environment {environment[:100]}", f"it is in: {places}")
        with _locating(connection, settings.mirror) as locate:
            steps = chain(connection, picture, environment, now, locate)
    if form == "json":
        printing.as_json({"app": app, "environment": environment, "steps": [step_json(step) for step in steps]})
        return
    printing.heading(f"{app} in {environment}")
    for step in steps:
        printing.echo(f"{step.number:3}. {_with_local_time(step.text)}")
        if step.remedy:
            printing.echo(f"     → {_with_local_time(step.remedy)}", "started")


def _with_local_time(text: str) -> str:
    """Instants as people here read them, beside UTC; commands keep them as they are."""
    if "`" in text:
        return text
    return _INSTANT.sub(lambda found: printing.when(datetime.fromisoformat(found[0])), text)


@contextmanager
def _locating(connection: Connection, mirror: Path) -> Iterator[Located]:
    """Finds lines in files as they were noted; without a mirror nobody can tell."""
    from reconciler.git.objects import Objects
    from reconciler.manifest import locate
    from reconciler.store import declared

    with Objects(mirror) as objects:

        def find(path: str, ordinal: int, field: Field) -> tuple[int, int] | None:
            blob = declared.blobs(connection, [path]).get(path)
            if blob is None or not (mirror / "objects").is_dir():
                return None
            try:
                ((_, data),) = objects.blobs([blob])
            except GitError:
                return None
            return locate(data, ordinal, field) if isinstance(data, bytes) else None

        yield find
