"""Which manifests broke or were mended since it was last told?

Kept in memory by the one who tells it, so that only what commits touched has to be asked for again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from reconciler.store import complaining
from reconciler.store.complaining import Complaints, Held

MOST = 20
"""How many files are told one by one at a time."""
APPS_NAMED = 10


@dataclass(frozen=True, slots=True)
class News:
    """One thing worth a line in the log."""

    event: str
    facts: dict[str, Any] = field(default_factory=dict)
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Breakages:
    """What is broken, as it is known."""

    held: Held

    @classmethod
    def all(cls, connection: Connection) -> "Breakages":
        """Everything that is broken now."""
        return cls(complaining.everything(connection))

    def after(self, connection: Connection, paths: Iterable[str], apps: Iterable[str]) -> "Breakages":
        """What is broken once commits changed these files and touched these apps."""
        wanted, names = {*paths, *self.held.files}, set(apps)
        found = complaining.among(connection, sorted(wanted), sorted(names))
        files = {path: said for path, said in self.held.files.items() if path not in wanted} | found.files
        held = {name: said for name, said in self.held.apps.items() if name not in names} | found.apps
        return Breakages(Held(files, held))

    def news(self, before: "Breakages") -> Iterator[News]:
        """What is to be told about the change from `before` to this, the newly broken files first."""
        now, then = _by_file(self.held), _by_file(before.held)
        broken = sorted(path for path, one in now.items() if path not in then or one.first != then[path].first)
        yield from (_broken(path, now[path]) for path in broken[:MOST])
        if len(broken) > MOST:
            yield News("manifest.broken-too", {"files": len(broken) - MOST, "next": "`reconciler status`"}, bad=True)
        mended = sorted(then.keys() - now.keys())
        yield from (News("manifest.mended", {"file": path, "apps": then[path].named}) for path in mended[:MOST])
        if len(mended) > MOST:
            yield News("manifest.mended-too", {"files": len(mended) - MOST})


@dataclass(slots=True)
class _File:
    said: Complaints
    apps: set[str] = field(default_factory=set)

    @property
    def first(self) -> tuple[int, int, str]:
        """The complaint that is told."""
        return min((one["line"], one["column"], one["message"]) for one in self.said)

    @property
    def named(self) -> list[str]:
        """The apps that it holds, not too many."""
        shown = sorted(self.apps)[:APPS_NAMED]
        return [*shown, f"and {len(self.apps) - APPS_NAMED} more"] if len(self.apps) > APPS_NAMED else shown


def _by_file(held: Held) -> dict[str, _File]:
    found = {path: _File(list(said)) for path, said in held.files.items() if said}
    for name, said in held.apps.items():
        for one in said:
            file = found.setdefault(one["path"], _File([]))
            file.apps.add(name)
            if one not in file.said:
                file.said.append(one)
    return found


def _broken(path: str, file: _File) -> News:
    line, column, message = file.first
    remedy = next(one["remedy"] for one in file.said if (one["line"], one["column"], one["message"]) == file.first)
    facts: dict[str, Any] = {"file": f"{path}:{line}:{column}", "error": message}
    facts |= {"remedy": remedy} if remedy else {}
    facts |= {"more": len(file.said) - 1} if len(file.said) > 1 else {}
    stays = "the apps stay as they are until it is mended" if file.apps else "what it declared before stays in force"
    return News("manifest.broken", {**facts, "apps": file.named, "next": stays}, bad=True)
