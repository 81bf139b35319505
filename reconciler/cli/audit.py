"""`reconciler audit`: what happened, in order, and whether anybody changed it since."""

from __future__ import annotations

import json

import click

from reconciler.cli import asking, endings, opened, printing


@asking.nouns
def command() -> None:
    """Verify or export the ledger."""


@asking.verb
@asking.output_option()
def verify(form: str) -> int:
    """Compute the chain of hashes again, and check a SQLite store's file.

    The exit status is 1 when something was changed, when a table is missing, or when the file is damaged.
    """
    from reconciler.store import ledger

    with opened.store(opened.settings()) as store, store.read() as connection:
        damage = ledger.damage(connection)
        found = ledger.verify(connection)
    sound = found.broken_after is None and not damage
    if form == "json":
        facts = {"sound": sound, "entries": found.entries, "unsealed": found.unsealed}
        printing.as_json(facts | {"broken_after": found.broken_after, "damage": damage})
    elif damage:
        printing.echo("damaged: the store is not as it was written", "bad")
        for line in damage:
            printing.echo(f"  {line}", "bad")
        endings.say("the store is damaged: what it holds cannot be vouched for", endings.MEND)
    elif sound:
        sealed = printing.counted(found.entries - found.unsealed, "entry", "entries")
        printing.echo(f"sound: {sealed} sealed, {found.unsealed} not sealed yet", "good")
    else:
        printing.echo(f"changed: nothing after entry {found.broken_after} is vouched for", "bad")
        endings.say("the ledger was changed after it was written", "compare it with an export or a backup")
    return endings.DONE if sound else endings.NOT_SO


@asking.verb
@asking.output_option()
def export(form: str) -> None:
    """Print every fact, oldest first: one JSON object a line, or with -o json one list."""
    from reconciler.store import ledger

    with opened.store(opened.settings()) as store, store.read() as connection:
        before = "[\n" if form == "json" else ""
        for entry in ledger.export(connection):
            click.echo(before + json.dumps(entry, ensure_ascii=False), nl=form != "json")
            before = ",\n" if form == "json" else ""
        if form == "json":
            click.echo("[]" if before == "[\n" else "\n]")


command.add_command(verify, "verify")
command.add_command(export, "export")
