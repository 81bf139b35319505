"""What does the very first commit declare, which brings everything?

Taken in piece by piece, so that memory never holds all of it, and read by as many processes as there are cores.
"""

from collections.abc import Iterator

from reconciler.engine.commit import Arrival
from reconciler.engine.declaring import inside, is_candidate, named_bundles, record
from reconciler.engine.readers import Readers
from reconciler.engine.reading import Manifests, Piece, piece, read
from reconciler.git.shapes import Change
from reconciler.model.app import App
from reconciler.store import declared
from reconciler.store.database import Transaction

AT_ONCE = 500
"""How many files are held in memory together."""
KEPT = 1_000
"""About so many apps are kept as they were read until it is asked what they ask for; others are made of their texts."""


def declare_all(transaction: Transaction, arrival: Arrival, root: str) -> tuple[set[str], Manifests]:
    """Take in every manifest; `root` is the followed path, '' for everything. Names of the apps, and some of them."""
    wanted = [change for change in arrival.changes if is_candidate(change, root)]
    bundles: dict[str, str] = {}
    taken: list[str] = []
    apps: set[tuple[str, str]] = set()
    left: list[Change] = []
    kept: dict[tuple[str, int, str], App] = {}
    for found in _pieces(arrival, wanted):
        declared.add_read(transaction, found.files, found.rows)
        for path, (blob, complaints) in found.broken.items():
            declared.complain(transaction, path, blob, complaints)
        taken += [*(row["path"] for row in found.files), *found.broken]
        apps.update((row["path"], row["name"]) for row in found.rows if row["kind"] == "App")
        bundles.update(found.bundles)
        left += found.left
        if len(kept) < KEPT:
            kept |= found.manifests
    for change in left:
        files = read(arrival.objects, {change.path: change})
        rows = record(transaction, arrival, files, root, ())
        apps.update((row["path"], row["name"]) for row in rows if row["kind"] == "App")
        bundles.update(named_bundles(arrival, files, root))
        taken += files.paths
    within = {path for path in taken if inside(path, bundles)}
    declared.replace_files(transaction, within, [], [])
    return {name for path, name in apps if path not in within}, kept


def _pieces(arrival: Arrival, wanted: list[Change]) -> Iterator[Piece]:
    several = [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]
    with Readers(arrival.objects.git_dir, len(several)) as readers:
        yield from readers.read(several, lambda changes: piece(arrival.objects, changes))
