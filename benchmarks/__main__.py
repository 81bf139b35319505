"""python -m benchmarks [--sizes 100,1000,10000,100000] [--only B1,B3] [--redraw] [--no-document]

Measures, keeps the figures in docs/plots/measured.json (those of a part in the place of what that part said before),
and draws the tables and plots of docs/performance.md and docs/scale.md anew. The exit status is 1 when a target is
missed or a part failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import bare, documents, scale, stores, suite
from benchmarks.figures import Figure, Record, derived, today
from benchmarks.suite import PARTS
from benchmarks.world import quiet

SIZES = "100,1000,10000,100000"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help="numbers of app-environments")
    parser.add_argument("--only", default=",".join(PARTS), help=f"which parts, of {', '.join(PARTS)}")
    parser.add_argument("--redraw", action="store_true", help="measure nothing: tables and plots from what was kept")
    parser.add_argument("--no-document", action="store_true", help="leave the documents and what was kept as they are")
    parser.add_argument(
        "--place", type=Path, help="a directory on a real disk to work in; default: one for temporary files"
    )
    options = parser.parse_args(arguments)
    wanted = set(options.only.split(","))
    if unknown := wanted - PARTS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    run = Run(Record.load(documents.MEASURED), not options.no_document)
    if not options.redraw:
        quiet()
        run.measure(tuple(sorted(map(int, options.sizes.split(",")))), wanted, options.place)
        print(
            "\n".join(
                documents.beside_limits(
                    [one for one in run.found if one.section in ("targets", "shown", "faces", "stores")]
                )
            )
        )
    if not options.no_document:
        draw(run.record)
    return run.status


def draw(record: Record) -> None:
    """Tables and plots from what was kept."""
    from benchmarks import plots

    documents.write(documents.PERFORMANCE, documents.tables(record))
    documents.write(scale.DOCUMENT, scale.tables(record))
    plots.draw(record, documents.DOCS / "plots")


class Run:
    """What this run has measured so far; kept after every part, so that nothing is lost when it is stopped."""

    def __init__(self, record: Record, keep: bool) -> None:
        self.record, self.keep, self.found = record, keep, list[Figure]()
        self.failed: list[str] = []
        self._begun = time.perf_counter()

    @property
    def status(self) -> int:
        """0 when every part was measured and every target met."""
        missed = [one for one in self.found if one.met is False]
        for one in missed:
            print(f"missed: {one.name} at {one.size:,}: {one.what}", file=sys.stderr)
        for name in self.failed:
            print(f"failed: {name}", file=sys.stderr)
        return 1 if missed or self.failed else 0

    def measure(self, sizes: tuple[int, ...], wanted: set[str], place: Path | None) -> None:
        """Everything that is wanted, in a directory that is thrown away."""
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="reconciler-bench-", dir=place))
        work.chmod(0o755)  # the PostgreSQL server does not run as root
        try:
            with stores.server(work / "postgres") as server:
                if "bare" in wanted:
                    self.part("bare", lambda: bare.commits(work, server))
                for size in sizes:
                    begun = time.perf_counter()
                    here = suite.at_size(wanted, size, sizes)
                    suite.of_size(self.part, work / f"{size}", size, here, server)
                    shutil.rmtree(work / f"{size}", ignore_errors=True)
                    self.say(f"{size:,} app-environments: {time.perf_counter() - begun:.0f} s")
            if "peers" in wanted:
                from benchmarks.peers.measured import peers

                peers(self.part, work, max(sizes))
        finally:
            shutil.rmtree(work, ignore_errors=True)
        if any(one.name in ("B1", "B3") for one in self.found):
            self.take(derived([one for one in self.record.figures if one.day == today()]))

    def part(self, name: str, measure: Callable[[], Iterable[Figure]]) -> bool:
        """Measure one part; when it breaks, the others go on. Whether it was measured."""
        begun = time.perf_counter()
        try:
            found = list(measure())
        except Exception:  # noqa: BLE001 - what the other parts measure is not lost to this one
            traceback.print_exc()
            self.failed.append(name)
            return False
        self.take(found)
        self.say(f"{name}: {time.perf_counter() - begun:.0f} s")
        return True

    def take(self, found: list[Figure]) -> None:
        """Say and keep what was found."""
        for line in documents.beside_limits(found)[2:]:
            print(line, file=sys.stderr)
        self.found += found
        self.record.put(found)
        self.record.machine = documents.machine()
        if self.keep and found:
            self.record.save()

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"[{time.perf_counter() - self._begun:6.0f} s] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
