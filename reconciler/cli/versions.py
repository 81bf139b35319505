"""`reconciler versions`: what exactly can run of an app, and how any two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing

if TYPE_CHECKING:
    from reconciler.model.version import Version


@asking.nouns
def command() -> None:
    """List, show and compare versions."""


@asking.verb
@click.argument("app", type=asking.APP)
@click.option("--limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many at most.")
@asking.output_option()
def listed(app: str, limit: int, form: str) -> None:
    """List the versions of APP, newest first."""
    from reconciler.model.output import version_json
    from reconciler.store import versions
    from reconciler.views.resolving import declared_app
    from reconciler.views.running import runs_in

    with opened.store(opened.settings()) as store, store.read() as connection:
        declared_app(connection, app)
        found = versions.newest(connection, app, limit)
        runs = runs_in(connection, app)
    if form == "json":
        printing.as_json([version_json(one) for one in found])
    elif found:
        headings = ("VERSION", "NAME", "DIGEST", "CREATED", "AUTHOR", "COMMIT", "RUNS IN", "MESSAGE")
        printing.table(headings, [_row(one, runs.get(one.id, [])) for one in found])
    else:
        printing.echo(f"{app} has no version yet")


def _row(one: Version, environments: list[str]) -> list[str]:
    return [
        f"v{one.number}",
        one.name or "",
        one.id.removeprefix("sha256:")[:12],
        printing.when(one.created_at),
        one.author.email or one.author.name,
        one.commit[:10],
        ", ".join(environments),
        one.message,
    ]


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("reference", metavar="REF")
@asking.output_option()
def show(app: str, reference: str, form: str) -> None:
    """Show one version of APP: a name, v12, a digest or commit:SHA as REF."""
    from reconciler.model.output import version_json
    from reconciler.views.resolving import version
    from reconciler.views.running import runs_in

    with opened.store(opened.settings()) as store, store.read() as connection:
        found = version(connection, app, reference)
        runs = runs_in(connection, app).get(found.id, [])
    if form == "json":
        printing.as_json(version_json(found))
        return
    printing.heading(f"{app} v{found.number}{f' ({found.name})' if found.name else ''}: {found.message}")
    for name, value in _facts(found, runs):
        if value:
            printing.echo(f"  {name:11} {value}")
    _section("config", found.config)
    _section("bindings", {one.name: f"{one.type} {one.resource}" for one in found.bindings})
    _section("secrets", {one.name: one.source for one in found.secrets})


def _facts(found: Version, runs: list[str]) -> list[tuple[str, str]]:
    return [
        ("id", found.id),
        ("tags", ", ".join(found.tags)),
        ("author", f"{found.author.name} <{found.author.email}>"),
        ("commit", found.commit),
        ("created", printing.when(found.created_at)),
        ("runs in", ", ".join(runs)),
        ("bundle", found.bundle or ""),
        ("image", found.image or ""),
        ("migrations", ", ".join(found.migrations)),
        ("partial", "made by a revert that other commits came in between of" if found.partial else ""),
    ]


def _section(name: str, values: dict[str, Any]) -> None:
    from reconciler.model.version import canonical

    for number, (key, value) in enumerate(sorted(values.items())):
        shown = value if isinstance(value, str) and name != "config" else canonical(value)
        printing.echo(f"  {name if number == 0 else '':11} {key} = {shown}")


@asking.verb
@click.argument("app", type=asking.APP)
@click.argument("one", metavar="REF")
@click.argument("other", metavar="REF")
@asking.output_option()
def compare(app: str, one: str, other: str, form: str) -> None:
    """Show how two versions of APP differ: code, settings, bindings, secrets, migrations, image."""
    from reconciler.cli import comparing
    from reconciler.model.comparison import comparison_json
    from reconciler.views.comparison import compared
    from reconciler.views.resolving import version

    settings = opened.settings()
    with opened.store(settings) as store, store.read() as connection:
        pair = version(connection, app, one), version(connection, app, other)
        found = compared(connection, *pair, settings.mirror)
    if form == "json":
        printing.as_json(comparison_json(found))
    else:
        comparing.show(found, *pair)


command.add_command(listed, "list")
command.add_command(show, "show")
command.add_command(compare, "compare")
