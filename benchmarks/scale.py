"""What would ten million app-environments take? Arithmetic on what was measured, written into docs/scale.md.

python -m benchmarks.scale            draws the tables anew from what was kept

Nothing is measured here. Every number is one of the record, one of `ASSUMED`, or computed from those in the open.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.arithmetic import all_repositories, limits, one_repository
from benchmarks.documents import DOCS, MEASURED, write
from benchmarks.figures import Record
from benchmarks.quantities import ASSUMED, MEASUREMENTS, Number, Scale

DOCUMENT = DOCS / "scale.md"


def tables(record: Record) -> dict[str, list[str]]:
    """Every table of docs/scale.md; a sentence in their place while something has not been measured."""
    scale = Scale(record)
    head = ["| | | where it comes from |", "|---|---:|---|"]
    missing = [MEASUREMENTS[key][0] for key in MEASUREMENTS if key not in scale.measured]

    def computed(compute: Callable[[Scale], list[Number]]) -> list[str]:
        if missing:
            return [f"Not computed: not measured yet are {'; '.join(missing)}."]
        return head + [one.cells for one in compute(scale)]

    first = ["| what ends | room | how it is computed | what is done then |", "|---|---:|---|---|"]
    return {
        "measured": head + [one.cells for one in scale.measured.values()],
        "assumed": head + [one.cells for one in ASSUMED.values()],
        "repository": computed(one_repository),
        "all": computed(all_repositories),
        "first": computed(lambda _: [])
        if missing
        else first + [f"| {one.what} | {one.room:,.3g} × | {one.origin} | {one.then} |" for one in limits(scale)],
    }


if __name__ == "__main__":
    write(DOCUMENT, tables(Record.load(MEASURED)))
