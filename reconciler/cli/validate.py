"""`reconciler validate`: every mistake in the manifests of a work tree at once, before anything is pushed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, endings, opened, printing

if TYPE_CHECKING:
    from reconciler.cli.checking import Checked

_WHAT_IS_READ = (
    "a manifest has apiVersion: reconciler/v1 and is a .yaml or .yml file that git does not ignore, outside of bundles"
)


@asking.verb
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@asking.output_option("github", "sarif")
def command(path: Path, form: str) -> int:
    """Check the manifests below PATH as they are now, committed or not; the exit status is 1 when there is a mistake.

    In a git repository, references to versions are checked against its history. A directory is judged as if it were
    the followed path. PATH may be one manifest file: it is judged together with everything else in its checkout
    (without git, in its directory; where it lies below the setting repository.path, with everything there), but only
    its own mistakes are shown. Where there is no manifest, the exit status is 1.
    """
    from reconciler.cli import checking
    from reconciler.cli.worktree import taken, taken_around
    from reconciler.engine import clock

    if path.is_dir():
        with taken(path) as tree:
            found = checking.check(tree, clock.system())
        nothing = f"there is no manifest below {path}", "a manifest has apiVersion: reconciler/v1"
    else:
        with taken_around(path, opened.settings().root) as (tree, name):
            found = checking.check(tree, clock.system(), only=name)
        nothing = f"there is no manifest in {path}", _WHAT_IS_READ
    _print(found, form)
    if not found.files:
        endings.say(*nothing)
    return endings.NOT_SO if found.errors or not found.files else endings.DONE


def _print(found: Checked, form: str) -> None:
    from reconciler.manifest import github, sarif

    if form == "github":
        click.echo(github(found.complaints), nl=False)
        click.echo(summary(found), err=True)
    elif form == "sarif":
        printing.as_json(sarif(found.complaints))
    elif form == "json":
        printing.as_json(
            {
                "valid": not found.errors and bool(found.files),
                "files": found.files,
                "manifests": found.kinds,
                "foreign": found.foreign,
                "complaints": [
                    {
                        "path": one.path,
                        "line": one.line,
                        "column": one.column,
                        "severity": one.severity,
                        "message": one.message,
                        "remedy": one.remedy,
                    }
                    for one in found.complaints
                ],
            }
        )
    else:
        for one in found.complaints:
            printing.echo(f"{one.path}:{one.line}:{one.column}: {one.severity}: {one.sentence}", one.severity)
        if found.files:
            printing.echo(summary(found), "bad" if found.errors else "good")


def summary(found: Checked) -> str:
    """What there is, and how much of it is wrong, in a line."""
    warnings = len(found.complaints) - found.errors
    wrong = [
        printing.counted(number, name) for number, name in ((found.errors, "error"), (warnings, "warning")) if number
    ]
    kinds = ", ".join(printing.counted(number, kind) for kind, number in found.kinds.items())
    there = f"{printing.counted(found.files, 'file')}{f' with {kinds}' if kinds else ''}"
    foreign = printing.counted(found.foreign, "other YAML document")
    left = f"; {foreign} left alone" if found.foreign else ""
    return f"{there}: {' and '.join(wrong) or 'no mistakes'}{left}"
