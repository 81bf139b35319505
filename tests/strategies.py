"""Random histories of a desired repository, in the operator's words.

A history is a list of steps: commits that change content, settings, pins, splits, schedules and seasons, reverts of
earlier commits (of reverts too), broken files and their mending, removals, waiting, pushes. Steps hold small numbers
only, so that Hypothesis shrinks them well; a `Desk` turns them into commits with files. What follows from a history
is the tests' question.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.world import CHAIN, NOON

THOROUGH = int(os.environ.get("TESTS_EXAMPLES") or 1)
"""How many times as many examples as usual; `make test-long` asks for more."""
APPS = ("shop", "mail")
BAD = 4
"""The content that a target refuses, where a test's target does so."""
CONTENTS = st.integers(1, BAD)
SIZES = (None, 1, 2)

Slot = tuple[str, ...]
"""What a commit can change: ("content", app), ("extra", app) for a second file of the bundle,
("entry", app, environment), ("season", name), ("state", app)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; `a`, `b` and `c` are small numbers that the desk gives a meaning."""

    kind: str
    app: str = APPS[0]
    environment: str = CHAIN[0]
    a: int = 0
    b: int = 0

    def __repr__(self) -> str:
        return f"Step({self.kind!r}, {self.app!r}, {self.environment!r}, {self.a}, {self.b})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as the desk made it."""

    subject: str
    before: Mapping[Slot, Any]
    """What stood in the slots that it changes."""
    after: Mapping[Slot, Any]
    reverts: int | None = None
    """Which commit (by place, from 0) it says it reverts."""
    files: Mapping[str, str | None] = field(default_factory=dict)
    slots: Mapping[Slot, Any] = field(default_factory=dict)
    """Everything as it stands after it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class Push:
    """What was committed so far reaches the repository, and the reconciler looks."""


def examples(usually: int) -> settings:
    """So many examples, each of which may take its time."""
    return settings(max_examples=usually * THOROUGH, suppress_health_check=[HealthCheck.too_slow])


def steps(*kinds: str, apps: Sequence[str] = APPS, environments: Sequence[str] = CHAIN) -> st.SearchStrategy[Step]:
    """Steps of these kinds."""
    small = st.integers(0, 5)
    return st.builds(
        Step, st.sampled_from(kinds), st.sampled_from(list(apps)), st.sampled_from(list(environments)), small, small
    )


ORDINARY = ("content", "content", "extra", "setting", "revert", "revert")
PINNING = ("pin", "unpin", "split")
TIMED = ("season", "season-off", "schedule", "wait", "wait")
ROUGH = ("break", "mend", "remove", "return", "leave")


def histories(
    *kinds: str, apps: Sequence[str] = APPS, environments: Sequence[str] = CHAIN, most: int = 10
) -> st.SearchStrategy[list[Step]]:
    """Histories of steps of these kinds."""
    return st.lists(steps(*kinds, apps=apps, environments=environments), min_size=min(most, 4), max_size=most)


class Desk:
    """Where commits are written: what stands in the repository, and what came before."""

    def __init__(
        self,
        apps: Sequence[str] = APPS,
        environments: Sequence[str] = CHAIN,
        needs: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.apps = tuple(apps)
        self._needs = needs or {}
        self.environments = tuple(environments)
        self.now = NOON
        self.commits: list[Commit] = []
        self.slots: dict[Slot, Any] = {}
        self.published: dict[str, list[tuple[int, int]]] = {app: [] for app in apps}
        """Contents of each app in the order of their version numbers."""
        start: dict[Slot, Any] = {}
        for app in self.apps:
            start["content", app] = 1
            start["extra", app] = 1
            start["state", app] = "sound"
            start.update({("entry", app, name): {} for name in self.environments})
        self._commit("Begin", start)

    def write(self, history: Sequence[Step]) -> Iterator[Commit | Wait | Push]:
        """What the steps come to, after a first commit and push; a step that would change nothing is left out."""
        yield self.commits[0]
        yield Push()
        for step in history:
            made = self._step(step)
            if made is not None:
                yield made

    def _step(self, step: Step) -> Commit | Wait | Push | None:
        if step.kind == "push":
            return Push()
        if step.kind == "wait":
            by = timedelta(hours=1 + step.a * 3)
            self.now += by
            return Wait(by)
        if step.kind == "revert":
            return self._revert(step)
        changes = self._changes(step)
        changes = {slot: value for slot, value in changes.items() if self.slots.get(slot) != value}
        return self._commit(_subject(step), changes) if changes else None

    def _changes(self, step: Step) -> dict[Slot, Any]:
        app, entry = step.app, ("entry", step.app, step.environment)
        if step.kind == "content":
            return {("content", app): self._another("content", app, step.a, BAD)}
        if step.kind == "becomes":
            return {("content", app): step.a}
        if step.kind == "extra":
            return {("extra", app): self._another("extra", app, step.a, 3)}
        if step.kind == "both":
            return {("content", one): self._another("content", one, step.a + step.b, BAD) for one in self.apps}
        if step.kind in ("break", "mend", "remove", "return"):
            word = {"break": "broken", "mend": "sound", "remove": "gone", "return": "sound"}[step.kind]
            return {("state", app): word}
        if step.kind in ("season", "season-off"):
            slot = ("season", f"season-{step.a % 2}")
            ends = step.kind == "season-off" and self.slots.get(slot) is not None
            return {slot: None if ends else self._season(step)}
        if step.kind == "leave":
            return {entry: None} if step.environment != self.environments[0] else {}
        return {entry: self._entry(step)}

    def _another(self, what: str, app: str, by: int, many: int) -> int:
        """A value other than the one that stands."""
        return 1 + (self.slots[what, app] + by % (many - 1)) % many

    def _entry(self, step: Step) -> dict[str, Any]:
        old = self.slots.get(("entry", step.app, step.environment)) or {}
        kept = {key: value for key, value in old.items() if key not in ("version", "traffic")}
        if step.kind == "setting":
            now = (old.get("config") or {}).get("size")
            size = [one for one in SIZES if one != now][step.a % 2]
            kept = {key: value for key, value in old.items() if key != "config"}
            return {**kept, **({"config": {"size": size}} if size else {})}
        if step.kind == "pin":
            return {**kept, "version": self._reference(step.app, step.a)}
        if step.kind == "split":
            first, second = self._reference(step.app, step.a), self._reference(step.app, step.a + 1)
            if first == second:
                return kept
            return {**kept, "traffic": [{"version": first, "percent": 90}, {"version": second, "percent": 10}]}
        if step.kind == "schedule":
            at = (self.now + timedelta(hours=step.a * 2 - 2)).isoformat()
            what = {"version": self._reference(step.app, step.b)} if step.b % 2 else {"config": {"size": 7 + step.b}}
            return {**old, "schedule": [{"at": at, **what}]}
        return kept

    def _season(self, step: Step) -> dict[str, Any]:
        start = self.now + timedelta(hours=step.b * 2 - 4)
        what = {"version": self._reference(step.app, step.b)} if step.b == 3 else {"config": {"greeting": step.a}}
        return {
            "apps": [step.app],
            "environments": [step.environment],
            "from": start.isoformat(),
            "until": (start + timedelta(hours=5)).isoformat(),
            "priority": step.a % 2,
            **what,
        }

    def _reference(self, app: str, number: int) -> str:
        return f"v{1 + number % len(self.published[app])}" if self.published[app] else "v1"

    def _revert(self, step: Step) -> Commit | None:
        """Revert the commit so many places back, slot by slot; what changed since stays (a resolved conflict)."""
        if len(self.commits) < 2:
            return None
        place = len(self.commits) - 1 - step.a % (len(self.commits) - 1)
        target = self.commits[place]
        changes = {
            slot: target.before.get(slot)
            for slot, value in target.after.items()
            if self.slots.get(slot) == value and target.before.get(slot) != value
        }
        return self._commit(f'Revert "{target.subject}"', changes, reverts=place) if changes else None

    def _commit(self, subject: str, changes: Mapping[Slot, Any], reverts: int | None = None) -> Commit:
        before = {slot: self.slots.get(slot) for slot in changes}
        files_before = self._files()
        self.slots.update(changes)
        files = self._files()
        changed: dict[str, str | None] = {
            path: files.get(path) for path in {*files, *files_before} if files.get(path) != files_before.get(path)
        }
        for app in self.apps:
            content = (self.slots["content", app], self.slots["extra", app])
            if self.slots["state", app] == "sound" and content not in self.published[app]:
                self.published[app].append(content)
        made = Commit(
            subject=f"{subject}" if reverts is not None else f"{len(self.commits)}: {subject}",
            before=before,
            after=dict(changes),
            reverts=reverts,
            files=changed,
            slots=dict(self.slots),
        )
        self.commits.append(made)
        return made

    def _files(self) -> dict[str, str]:
        files: dict[str, str] = {}
        for slot, value in self.slots.items():
            if slot[0] == "season" and value is not None:
                files[f"seasons/{slot[1]}.yaml"] = manifest("Season", slot[1], value)
            elif slot[0] == "content":
                files[f"{slot[1]}/index.html"] = f"{'bad' if value == BAD else 'good'} {value}\n"
            elif slot[0] == "extra":
                files[f"{slot[1]}/extra.txt"] = f"extra {value}\n"
            elif slot[0] == "state" and value != "gone":
                text = manifest("App", slot[1], self.app_spec(slot[1]))
                files[f"{slot[1]}.yaml"] = text if value == "sound" else text.replace('"kind"', '"kindle"')
        return files

    def app_spec(self, app: str) -> dict[str, Any]:
        """The `spec` of an app as it stands."""
        entries = {name: self.slots.get(("entry", app, name)) for name in self.environments}
        needs = {"depends_on": list(self._needs[app])} if app in self._needs else {}
        declared = {name: entry for name, entry in entries.items() if entry is not None}
        return {"bundle": app, **needs, "environments": declared}


def _subject(step: Step) -> str:
    return f"{step.kind} {step.app} {step.environment} {step.a} {step.b}"


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """A manifest, a key a line."""
    body = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return json.dumps(body, indent=1) + "\n"


def message_of(commit: Commit, ids: Sequence[str]) -> str:
    """The message of a commit; `ids` are those of the commits before it."""
    if commit.reverts is None:
        return commit.subject
    return f"{commit.subject}\n\nThis reverts commit {ids[commit.reverts]}.\n"
