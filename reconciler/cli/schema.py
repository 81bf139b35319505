"""`reconciler schema`: JSON Schemas of the manifests, for editors and for reading."""

from __future__ import annotations

import click

from reconciler.cli import asking, printing


@asking.verb
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of KIND, or one for all kinds."""
    from reconciler.manifest import KINDS
    from reconciler.manifest.problems import listed, meant
    from reconciler.manifest.schemas import combined, schema

    if kind is None:
        printing.as_json(combined())
        return
    if kind not in KINDS:
        remedy = meant(kind, KINDS, f"there are {listed(sorted(KINDS))}")
        raise click.BadParameter(f"there is no kind {kind[:60]}: {remedy}", param_hint="KIND")
    printing.as_json(schema(kind))
