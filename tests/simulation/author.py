"""Who writes the commits of a simulated repository, and what do they write?

All of it follows from the seed alone, never from what the daemons did: with faults or without, git is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.moments import Moments
from tests.simulation.repository import Repository
from tests.strategies import Commit, Desk, Slot, Step, manifest, message_of
from tests.world import CHAIN

PEOPLE = ("ann@example.com", "bob@example.com", "eve@example.com")
BRANCH = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What happens in a repository: how much, and of which kinds."""

    apps: int
    commits_a_day: float
    kinds: Mapping[str, int]
    """How often each kind of step is taken, compared with the others."""
    environments: Mapping[str, Mapping[str, Any]]
    """The `spec` of each environment."""
    bad: bool = False
    """Whether some content does not run, or fails its checks."""
    needs: bool = False
    """Whether apps depend on one another."""
    whole: bool = False
    """Whether all apps are there from the beginning."""
    group: bool = False
    """Whether the first two apps move together."""


KINDS: Mapping[str, int] = {
    "content": 30,
    "extra": 8,
    "setting": 8,
    "revert": 8,
    "pin": 3,
    "unpin": 4,
    "split": 2,
    "season": 4,
    "season-off": 2,
    "schedule": 3,
    "freeze": 2,
    "freeze-off": 3,
    "environment": 1,
    "break": 2,
    "mend": 4,
    "remove": 1,
    "return": 3,
    "leave": 1,
    "many": 1,
    "forced": 1,
}


class Author(Desk):
    """Writes and pushes."""

    def __init__(self, habits: Habits, repository: Repository, moments: Moments, random: Random) -> None:
        apps = [f"app-{number}" for number in range(habits.apps)]
        needs = {apps[1]: [apps[0]]} if habits.needs and len(apps) > 1 else {}
        self._habits = habits
        self._repository = repository
        self._moments = moments
        self._random = random
        self._contents = 1  # as each app begins
        self._ended = False
        self.ids: list[str] = []
        self.pushed_at: list[datetime] = []
        self.pushed: Callable[[], None] = lambda: None
        self.accepts: Callable[[], None] = lambda: None
        super().__init__(apps, CHAIN, needs)
        environments: dict[Slot, Any] = {("environment", name): spec for name, spec in habits.environments.items()}
        self.slots.update(environments)
        if habits.group:
            self.slots["group", "pair"] = {"apps": apps[:2], "environments": list(CHAIN[1:])}
        self.commits[0] = replace(self.commits[0], files=dict(self._files()))
        for app in apps[2:]:
            if not habits.whole and random.random() < 0.5:
                self.slots["state", app] = "gone"
        self.commits[0] = replace(self.commits[0], files=dict(self._files()), slots=dict(self.slots))
        self._push([self.commits[0]])
        self._next()

    def ends(self) -> None:
        """Write no more."""
        self._ended = True

    def _next(self) -> None:
        gap = self._random.expovariate(self._habits.commits_a_day / 86400)
        self._moments.at(gap, self._writes)

    def _writes(self) -> None:
        if self._ended:
            return
        self.now = self._moments.now
        kinds = self._habits.kinds
        made: list[Commit] = []
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            kind = self._random.choices(list(kinds), list(kinds.values()))[0]
            if kind == "forced":
                if made:
                    self._push(made)
                made = []
                self._force()
                continue
            step = Step(
                kind,
                self._random.choice(self.apps),
                self._random.choice(self.environments),
                self._random.randrange(6),
                self._random.randrange(6),
            )
            one = self._step(step)
            if isinstance(one, Commit):
                made.append(one)
        if made:
            self._push(made)
        self._next()

    def _push(self, made: list[Commit]) -> None:
        for one in made:
            head = self._repository.branches.get(BRANCH)
            files = self._repository.files(head) if head else {}
            for path, text in one.files.items():
                if text is None:
                    files.pop(path, None)
                else:
                    files[path] = text.encode()
            message = message_of(one, self.ids)
            tree = self._repository.tree(files)
            who = self._random.choice(PEOPLE)
            parents = [head] if head else []
            if head and self._random.random() < 0.2:  # a pull request that is merged
                aside = self._repository.commit(tree, parents, f"{message}\n\nas asked", who, self._moments.now)
                parents.append(aside)
            self.ids.append(self._repository.commit(tree, parents, message, who, self._moments.now))
            self._repository.branches[BRANCH] = self.ids[-1]
            self.pushed_at.append(self._moments.now)
            self._moments.say("git", f"{self.ids[-1][:8]} {one.subject}")
        self.pushed()

    def _force(self) -> None:
        """The newest commit is taken off the branch, as if it had never been; a person accepts that later."""
        if len(self.commits) < 3:
            return
        gone = self.commits.pop()
        self.ids.pop()
        self._repository.branches[BRANCH] = self.ids[-1]
        self.slots = dict(self.commits[-1].slots)
        self._moments.say("git", f"forced back, without {gone.subject}")
        self.pushed()
        self._moments.at(self._random.uniform(600, 7200), self.accepts)

    def takes_over(self, commit: str) -> None:
        """A pull request is merged as it is: what it changed is no matter of the desk's, but the files are there."""
        self._repository.branches[BRANCH] = commit
        self.pushed()

    def _changes(self, step: Step) -> dict[Slot, Any]:
        app = step.app
        if step.kind == "content":
            self._contents += 1
            return {("content", app): self._contents}
        if step.kind == "many":
            self._contents += 1
            return {("content", one): self._contents for one in self.apps}
        if step.kind in ("freeze", "freeze-off"):
            slot = ("freeze", f"freeze-{step.a % 2}")
            return {slot: None if step.kind == "freeze-off" else self._freeze(step)}
        if step.kind == "environment":
            slot = ("environment", step.environment)
            return {slot: {**self.slots[slot], "concurrency": 1 + step.a}}
        return super()._changes(step)

    def _freeze(self, step: Step) -> dict[str, Any]:
        start = self.now + timedelta(hours=step.b * 4 - 4)
        return {
            "environments": [step.environment],
            "from": start.isoformat(),
            "until": (start + timedelta(hours=6 + step.a)).isoformat(),
            "reason": "nobody is here",
        }

    def _files(self) -> dict[str, str]:
        files: dict[str, str] = {}
        for slot, value in self.slots.items():
            kind, name = slot[0], slot[1]
            if kind in ("season", "freeze", "environment", "group") and value is not None:
                files[f"{kind}s/{name}.yaml"] = manifest(kind.capitalize(), name, value)
            elif kind == "content":
                files[f"{name}/index.html"] = f"{self._word(value)} {value}\n"
            elif kind == "extra":
                files[f"{name}/extra.txt"] = f"extra {value}\n"
            elif kind == "state" and value != "gone":
                text = manifest("App", name, self.app_spec(name))
                files[f"{name}.yaml"] = text if value == "sound" else text.replace('"kind"', '"kindle"')
        return files

    def _word(self, content: int) -> str:
        if not self._habits.bad or content % 7:
            return "good"
        return "bad" if content % 14 else "flawed"

    def spec(self) -> str:
        """The habits in one line."""
        return json.dumps({name: dict(spec) for name, spec in self._habits.environments.items()})
