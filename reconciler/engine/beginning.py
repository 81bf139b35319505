"""What does the very first commit declare, which brings everything?

Taken in piece by piece, so that memory never holds all of it, and read by as many processes as there are cores.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.engine.commit import Arrival
from reconciler.engine.declaring import record
from reconciler.engine.expanding import rows_of
from reconciler.engine.readers import Readers
from reconciler.engine.reading import Manifests, Piece, is_candidate, piece, read
from reconciler.git.shapes import Change
from reconciler.manifest import content_among
from reconciler.model.app import App
from reconciler.store import declared, manifest_files
from reconciler.store.database import Transaction

AT_ONCE = 500
"""How many files are held in memory together."""
KEPT = 1_000
"""About so many apps are kept as they were read until it is asked what they ask for; others are made of their texts."""


def declare_all(transaction: Transaction, arrival: Arrival, root: str) -> tuple[set[str], Manifests]:
    """Take in every manifest; `root` is the followed path, '' for everything. Names of the apps, and some of them."""
    wanted = [change for change in arrival.changes if is_candidate(change, root)]
    bundles: dict[str, list[str]] = {}
    apps: set[tuple[str, str]] = set()
    left: list[Change] = []
    kept: dict[tuple[str, int, str], App] = {}
    for found in _pieces(arrival, wanted):
        declared.add_read(transaction, found.files, found.rows)
        for path, (blob, complaints) in found.broken.items():
            manifest_files.complain(transaction, path, blob, complaints)
        bundles |= {path: [] for path in (*(row["path"] for row in found.files), *found.broken)}
        _add(found.rows, apps, bundles)
        left += found.left
        if len(kept) < KEPT:
            kept |= found.manifests
    for change in left:
        files = read(arrival.objects, {change.path: change})
        rows = [row for path, (_, sets) in files.sound.items() for row in rows_of(path, sets, arrival, root)]
        record(transaction, files, rows, ())
        bundles |= {path: [] for path in files.paths}
        _add(rows, apps, bundles)
    within = content_among(bundles)
    declared.replace_files(transaction, within, [], [])
    return {name for path, name in apps if path not in within}, kept


def _add(rows: Iterable[Mapping[str, Any]], apps: set[tuple[str, str]], bundles: dict[str, list[str]]) -> None:
    """Remember the apps that rows declare, by file, and the directories that they name as bundles."""
    for row in rows:
        if row["kind"] == "App":
            apps.add((row["path"], row["name"]))
        if row["bundle"] is not None:
            bundles[row["path"]].append(row["bundle"])


def _pieces(arrival: Arrival, wanted: list[Change]) -> Iterator[Piece]:
    several = [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]
    with Readers(arrival.objects.git_dir, len(several)) as readers:
        yield from readers.read(several, lambda changes: piece(arrival.objects, changes))
