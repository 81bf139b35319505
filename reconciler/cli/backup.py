"""`reconciler backup`: everything that is recorded, as it was at one moment, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.cli.replacing import numbers
from reconciler.errors import WrongUse
from reconciler.schedule import rfc3339

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.store.backing import Written


@asking.verb
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@asking.output_option()
def command(file: Path, force: bool, form: str) -> None:
    """Copy the store into FILE as it is at one moment, while daemons go on.

    The copy is looked at, every row and every link of the ledger, and on the disk before this says that it is done.
    It is the same for every database: `restore` puts it into SQLite or PostgreSQL. What lies in git and what targets
    run is not in it.
    """
    from reconciler import __version__
    from reconciler.engine import clock
    from reconciler.store.backing import back_up

    settings = opened.settings()
    _check(file, settings)
    with opened.store(settings) as store:
        written = back_up(store, file, clock.system(), __version__, overwrite=force)
    if form == "json":
        printing.as_json(_json(file, written))
    else:
        _tell(file, written)


def _check(file: Path, settings: Settings) -> None:
    """Raises WrongUse for what can be no backup's name."""
    from reconciler.store.database import Database

    store = Database.file(settings.state.url)
    if file.is_dir():
        raise WrongUse(f"{file} is a directory", f"name a file in it, such as {file / 'reconciler.backup'}")
    if not file.absolute().parent.is_dir():
        raise WrongUse(f"there is no directory {file.parent}", "make it first, or name another one")
    if store is not None and file.exists() and store.exists() and file.samefile(store):
        raise WrongUse(f"{file} is the store itself", "name another file")


def _json(file: Path, written: Written) -> dict[str, Any]:
    made = written.backup
    return {
        "file": str(file),
        "size": written.size,
        "made_at": rfc3339(made.made_at),
        "source": made.source,
        "schema": made.schema,
        "commit": made.commit,
        "counts": dict(made.counts),
        "facts": made.facts,
        "head": made.head,
    }


def _tell(file: Path, written: Written) -> None:
    made = written.backup
    counts = numbers({name: made.counts[name] for name in ("commits", "versions", "deployments")})
    printing.echo(f"{file}: {counts}, {made.facts} facts, {_size(written.size)}", "good")
    printing.echo(f"taken at {printing.when(made.made_at)}, up to commit {made.commit[:10] if made.commit else 'none'}")
    printing.echo(f"the ledger adds up to {made.head}")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
