"""From which numbers is computed what ten million app-environments would take: measured ones, and assumed ones?"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import Record, Section, shown

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Number:
    """One number, where it comes from, and how it is written."""

    what: str
    value: float
    unit: str
    origin: str

    @property
    def cells(self) -> str:
        return f"| {self.what} | {_shown(self.value, self.unit)} | {self.origin} |"


def _shown(value: float, unit: str) -> str:
    if unit == "B":
        for large, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
            if value >= large:
                return f"{value / large:,.3g} {name}"
    if unit == "%":
        return f"{value * 100:.2g} %"
    if unit == "B/s":
        return f"{_shown(value, 'B')}/s"
    if unit == "s" and value >= 3 * 3600:
        return f"{value / 3600:,.1f} h"
    return shown(value, unit)


ASSUMED = {
    "all": Number("app-environments altogether", 10_000_000, "", "the question"),
    "shard": Number("app-environments in one repository", 100_000, "", "the largest that was measured"),
    "rate": Number("deployments of each app-environment in a day", 1.0, "", "assumed"),
    "peak": Number("the busiest hour beside the mean", 10.0, "×", "assumed"),
    "together": Number("deployments that one commit asks for", 1.0, "", "the worst case: a commit for each"),
    "years": Number("years that history is kept in the database", 1.0, "", "assumed"),
    "daemons": Number("daemons on each repository's database", 3.0, "", "one leads, two more carry out and stand by"),
    "keep": Number("releases kept besides the one in use", 10.0, "", "the default of `keep`"),
    "drift": Number("between two looks at the same app for drift", 600.0, "s", "as docs/drift.md has it"),
    "poll": Number("seconds between polls", 30.0, "s", "the default of `repository.interval`"),
    "disk": Number("bytes that a disk takes in a second, durably", 100e6, "B/s", "assumed: a plain disk of a server"),
    "pool": Number("connections of one daemon at most", 16.0, "", "15 of the pool, and one that listens"),
    "served": Number("connections of one PostgreSQL", 100.0, "", "its default `max_connections`"),
}

MEASUREMENTS: dict[str, tuple[str, Section, str, str]] = {
    "rows": ("rows in the store, for each app-environment", "costs", "store", "rows"),
    "bytes": ("bytes in the store, for each app-environment", "costs", "store", "bytes in the store"),
    "mirror": ("bytes of the mirror, for each app-environment", "costs", "store", "bytes of the mirror"),
    "files": ("files and directories of a first release", "costs", "store", "files"),
    "rows+": ("rows of a further deployment", "costs", "deployment", "rows"),
    "bytes+": ("bytes in the store of a further deployment", "costs", "deployment", "bytes in the store"),
    "log": ("bytes of SQLite's log of a further deployment", "costs", "deployment", "bytes written"),
    "mirror+": ("bytes in the mirror of a further commit", "costs", "deployment", "bytes in the mirror"),
    "pg bytes": ("bytes in PostgreSQL, for each app-environment", "costs", "held", ""),
    "pg log": ("bytes of PostgreSQL's log of a further deployment", "costs", "log", ""),
    "cpu": ("processor of one change, from the moved ref to completed", "costs", "change", ""),
    "turn": ("a leader's turn over one change", "targets", "B1", "ref moved → plan durable (median)"),
    "many": ("a leader's turn over 1,000 changes in one commit", "targets", "B7", ""),
    "fetch": ("`git fetch` of one commit", "bare", "git", "`git fetch`"),
    "tick": ("a tick with nothing to do", "targets", "B6", "tick with nothing to do (median)"),
    "start": ("cold start, until the last of all is planned", "shown", "start", "cold start: and"),
    "restart": ("restart", "shown", "restart", ""),
    "highest": ("the most memory of a cold start", "shown", "memory", ""),
    "resident": ("memory of a daemon at rest", "costs", "resident", ""),
    "carried": ("deployments carried out in a second, 1,000 at once", "targets", "B12", ""),
    "look": ("a look at the files of one app-environment", "costs", "look", ""),
    "full": ("hourly look at every app", "costs", "full-pass", ""),
    "full_turn": ("the longest turn of the hourly look", "costs", "full-turn", ""),
}


class Scale:
    """The measured numbers at the largest size that has them, and what follows for so many."""

    def __init__(self, record: Record) -> None:
        self.measured = {key: number for key, where in MEASUREMENTS.items() if (number := _largest(record, *where))}
        self._sizes = {key: size for key, where in MEASUREMENTS.items() if (size := _size(record, *where))}

    def __getitem__(self, key: str) -> float:
        number = self.measured.get(key) or ASSUMED[key]
        return number.value

    def each(self, key: str) -> float:
        """What was measured over a whole repository, for one app-environment of it."""
        return self[key] / self._sizes[key]

    @property
    def shards(self) -> float:
        return self["all"] / self["shard"]

    @property
    def mean(self) -> float:
        """Deployments in a second in one repository, over the day."""
        return self["shard"] * self["rate"] / DAY

    @property
    def busy(self) -> float:
        """And in the busiest hour."""
        return self.mean * self["peak"]

    @property
    def kept(self) -> float:
        """Deployments of one repository that lie in its database."""
        return self["shard"] * self["rate"] * 365 * self["years"]


def _size(record: Record, _what: str, section: Section, name: str, begins: str) -> int:
    return max((one.size for one in record.of(section, name, what=begins)), default=0)


def _largest(record: Record, what: str, section: Section, name: str, begins: str) -> Number | None:
    found = record.of(section, name, what=begins)
    if not found:
        return None
    one = max(found, key=lambda figure: figure.size)
    value = one.value * 1e6 if one.unit == "MB" else one.value
    return Number(what, value, "B" if one.unit == "MB" else one.unit, f"measured at {one.size:,}")
