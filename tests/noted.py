"""What the commits about one app meant: noted as the engine notes them, without git and store.

What a commit means is asked of the real planner; only the bookkeeping is told again here. What is done about it is
`simulated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.model.app import App
from reconciler.model.season import Season
from reconciler.planner.noting import Meaning, Revert, Reverted, content_meaning, entry_meaning
from reconciler.planner.recorded import Touch, Withdrawal
from tests.builders import APP, SEASON, version
from tests.strategies import BAD, Commit, Slot
from tests.world import CHAIN, NOON

SHOP = "shop"


@dataclass(frozen=True, slots=True)
class _Known:
    commit: str
    subject: str
    touched: dict[tuple[str, str], str | None]
    direction: str | None


class Noted:
    """One app, `shop`, as the commits left it."""

    def __init__(self) -> None:
        self.now = NOON
        self.app: App | None = None
        self.seasons: dict[str, Season] = {}
        self.slots: dict[Slot, Any] = {}
        self.commits: list[_Known] = []
        self.numbers: dict[tuple[int, int], int] = {}
        """Version number by content."""
        self.published: list[tuple[int, str]] = []
        """Position and version id of every publication."""
        self.content: str | None = None
        self.content_touch: Touch | None = None
        self.placements: dict[str, tuple[str | None, Touch]] = {}
        self.withdrawn: dict[str, Withdrawal] = {}
        self.complaints: tuple[str, ...] = ()

    def note(self, commit: Commit) -> None:
        """Note a commit, as the engine does."""
        position = len(self.commits) + 1
        self.slots = dict(commit.slots)
        touched: dict[tuple[str, str], str | None] = {}
        revert = self._revert(commit)
        self.complaints = ("shop.yaml:1:1: no such key",) if self.slots["state", SHOP] == "broken" else ()
        if not self.complaints:
            self._note_content(commit, position, revert, touched)
            self._note_entries(commit, position, revert, touched)
        self._note_seasons(commit, position, revert, touched)
        direction = revert.direction if revert else None
        self.commits.append(_Known(f"{position:040x}", commit.subject, touched, direction))

    def _revert(self, commit: Commit) -> Revert | None:
        if commit.reverts is None:
            return None
        target = self.commits[commit.reverts]
        reverted = Reverted(commit=target.commit, position=commit.reverts + 1, touched=target.touched)
        return Revert(direction="forth" if target.direction == "back" else "back", targets=(reverted,))

    def _touch(self, commit: Commit, position: int, meaning: Meaning) -> Touch:
        return Touch(
            position=position,
            commit=f"{position:040x}",
            at=self.now,
            author="ann@example.com",
            look=meaning.look,
            subject=commit.subject,
            reverts=meaning.reverts,
        )

    def _note_content(
        self, commit: Commit, position: int, revert: Revert | None, touched: dict[tuple[str, str], str | None]
    ) -> None:
        gone = self.slots["state", SHOP] == "gone"
        value = self.version_key()
        known = not gone and value in self.numbers
        if not gone:
            number = self.numbers.setdefault(value, len(self.numbers) + 1)
        after = None if gone else version(number).id
        if after == self.content:
            return
        at = max((p for p, v in self.published if v == after), default=None) if known else None
        meaning = content_meaning(SHOP, after, at, "none" if revert is None else "partial", revert)
        touched[SHOP, ""] = self.content
        if after is not None:
            self.withdrawn.pop(after, None)
        if meaning.withdraw_from is not None:
            self._withdraw(commit, position, meaning, after)
        self.content = after
        if after is not None:
            self.published.append((position, after))
            self.content_touch = self._touch(commit, position, meaning)

    def _withdraw(self, commit: Commit, position: int, meaning: Meaning, after: str | None) -> None:
        first = meaning.withdraw_from
        assert first is not None
        for taken in {v for p, v in self.published if p >= first} - {after}:
            self.withdrawn[taken] = Withdrawal(
                version=taken,
                commit=f"{position:040x}",
                position=position,
                reverts=meaning.reverts[0] if meaning.reverts else "",
                author="bob@example.com",
                restores=after if meaning.look == "reverted" else None,
            )

    def _note_entries(
        self, commit: Commit, position: int, revert: Revert | None, touched: dict[tuple[str, str], str | None]
    ) -> None:
        gone = self.slots["state", SHOP] == "gone"
        entries = {name: None if gone else self.slots.get(("entry", SHOP, name)) for name in CHAIN}
        spec = {"environments": {name: entry for name, entry in entries.items() if entry is not None}}
        self.app = None if gone else APP.validate_python({"metadata": {"name": SHOP}, "spec": spec})
        for name, entry in entries.items():
            before = self.placements[name][0] if name in self.placements else None
            after = None if entry is None else repr(sorted(entry.items()))
            if before != after:
                meaning = entry_meaning(SHOP, name, after, revert)
                self.placements[name] = (after, self._touch(commit, position, meaning))
                touched[SHOP, name] = before

    def _note_seasons(
        self, commit: Commit, position: int, revert: Revert | None, touched: dict[tuple[str, str], str | None]
    ) -> None:
        for slot, value in commit.after.items():
            if slot[0] != "season":
                continue
            key, before = f"season/{slot[1]}", commit.before.get(slot)
            after = None if value is None else repr(value)
            meaning = entry_meaning("", key, after, revert)
            touched["", key] = None if before is None else repr(before)
            self.seasons.pop(slot[1], None)
            if value is not None:
                self.seasons[slot[1]] = SEASON.validate_python({"metadata": {"name": slot[1]}, "spec": value})
            for document in (before, value):
                for name in (document or {}).get("environments", ()):
                    own = self.placements.get(name)
                    if own and own[0] is not None and own[1].position != position:
                        self.placements[name] = (own[0], self._touch(commit, position, meaning))

    def content_number(self) -> int:
        """The number of the version that the commit in force asks for."""
        return self.numbers[self.version_key()]

    def version_key(self) -> tuple[int, int]:
        """The content that git holds."""
        return self.slots["content", SHOP], self.slots["extra", SHOP]

    def bad_numbers(self) -> set[int]:
        """Numbers of the versions that picky targets refuse."""
        return {number for (content, _), number in self.numbers.items() if content == BAD}
