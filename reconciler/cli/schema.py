"""`reconciler schema`: JSON Schemas of the manifests, for editors and for reading."""

from __future__ import annotations

import click

from reconciler.cli import asking, printing


@asking.verb
@click.argument("kind", required=False)
@asking.output_option()
def command(kind: str | None, form: str) -> None:  # noqa: ARG001 - a schema is JSON either way
    """Print the JSON Schema of KIND, or one for all kinds. It is JSON in either form of output."""
    from reconciler.manifest import KINDS
    from reconciler.manifest.schemas import combined, schema
    from reconciler.words import instead

    if kind is None:
        printing.as_json(combined())
        return
    if kind not in KINDS:
        raise click.BadParameter(f"there is no kind {kind[:60]}: {instead(kind, KINDS)}", param_hint="KIND")
    printing.as_json(schema(kind))
