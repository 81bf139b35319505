"""Seven weeks of real releases: it makes no difference how the commits arrive together.

The ordinary run takes all of them at once, the first 1,500 in three groups and the first 100 one by one;
`make test-long` takes all of them one by one and in many groupings.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from reconciler.config import SETTINGS
from reconciler.store import declared, tables
from reconciler.views.planning import plan_apps
from reconciler.views.scene import scene_of
from reconciler.wiring import Running, running
from tests.replay import Outcome, build

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Replay:
    """The history, of which the followed branch shows as much as a test lets it see."""

    def __init__(self, directory: Path, commits: int | None = None) -> None:
        self.repository, self.state = directory / "desired.git", directory / "state"
        self.outcome = build(self.repository, commits)
        self.commits = self._git("rev-list", "--first-parent", "--reverse", "main").split()

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(self.repository), *arguments], capture_output=True, check=True)
        return done.stdout.decode()

    @contextmanager
    def _running(self) -> Iterator[Running]:
        settings = {
            "repository": {"url": str(self.repository)},
            "state": {"url": f"sqlite:///{self.state}/reconciler.db"},
            "data": str(self.state),
        }
        with running(SETTINGS.validate_python(settings), lambda: NOW) as found:
            yield found

    def feed(self, ends: Sequence[int]) -> None:
        """Push up to each of these commits, and each time let the reconciler do all that there is to do."""
        with self._running() as found:
            for end in ends:
                self._git("update-ref", "refs/heads/main", self.commits[end - 1])
                found.daemon.settle()
                found.following.mirror.tidy()  # the daemon does so when it has nothing else to do

    def check(self) -> None:
        """Everything that must have come out."""
        with self._running() as found, found.database.read() as connection:
            assert recorded_versions(connection) == self.outcome.versions
            assert recorded_steps(connection) == sorted(self.outcome.steps)
            assert connection.execute(select(tables.brakes)).all() == []
            assert still_to_do(connection) == []
        assert self.running_images() == self.outcome.current

    def running_images(self) -> dict[str, str]:
        """What lies where each app runs."""
        found = {}
        for record in self.state.glob("releases/*/*/current/.reconciler.json"):
            facts = json.loads(record.read_text())
            found[facts["app"]] = facts["image"]
        return found

    def causes(self) -> list[tuple[str, int]]:
        """Cause and version number of every deployment, in order; each of them must have completed."""
        with self._running() as found, found.database.read() as connection:
            rows = connection.execute(select(tables.deployments).order_by(tables.deployments.c.sequence)).all()
        assert {row.status for row in rows} == {"completed"}
        return [(row.cause, row.traffic[0]["number"]) for row in rows]


def recorded_versions(connection: Connection) -> set[tuple[str, int, str]]:
    return {(row.app, row.number, row.content["image"]) for row in connection.execute(select(tables.versions))}


def recorded_steps(connection: Connection) -> list[tuple[int, str, str, int]]:
    """How each change of an app's content was understood."""
    t, v = tables.touches.c, tables.versions.c
    query = select(t.position, t.app, t.look, v.number).join_from(tables.touches, tables.versions, t.after == v.id)
    return sorted((row.position, row.app, row.look, row.number) for row in connection.execute(query))


def still_to_do(connection: Connection) -> list[str]:
    plans = plan_apps(connection, declared.app_names(connection), scene_of(connection), NOW)
    return [str(action) for group in plans for plan in group.values() for action in plan.actions]


def random_ends(outcome: Outcome, groups: int, seed: int) -> list[int]:
    """Where each of so many groups of commits ends."""
    cuts = random.Random(seed).sample(range(1, outcome.commits), groups - 1)
    return [*sorted(cuts), outcome.commits]


def test_the_facts_are_those_of_the_real_history(tmp_path):
    outcome = build(tmp_path / "desired.git")
    looks = [look for _, _, look, _ in outcome.steps]
    assert (outcome.commits, len(outcome.current), len(outcome.versions)) == (4910, 229, 4923)
    assert looks.count("restored") == 214


def test_the_whole_history_at_once(tmp_path):
    replay = Replay(tmp_path)
    replay.feed([replay.outcome.commits])
    replay.check()
    assert len(replay.causes()) == 229  # only the newest content of each app was deployed


def test_the_first_weeks_in_groups(tmp_path):
    replay = Replay(tmp_path, 1500)
    replay.feed(random_ends(replay.outcome, groups=3, seed=1))
    replay.check()


def test_the_beginning_one_by_one(tmp_path):
    one_by_one(tmp_path, 100)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_whole_history_one_by_one(tmp_path):
    one_by_one(tmp_path, None)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("groups", "seed"), [(20, 2), (60, 3), (200, 4)])
def test_the_whole_history_in_many_groups(tmp_path, groups, seed):
    replay = Replay(tmp_path)
    replay.feed(random_ends(replay.outcome, groups, seed))
    replay.check()


def one_by_one(directory: Path, commits: int | None) -> None:
    replay = Replay(directory, commits)
    replay.feed(range(1, replay.outcome.commits + 1))
    replay.check()
    expected = [("restore" if look == "restored" else "release", number) for _, _, look, number in replay.outcome.steps]
    first = sum(1 for position, *_ in replay.outcome.steps if position == 1)
    causes = replay.causes()
    assert sorted(causes[:first]) == sorted(expected[:first])
    assert causes[first:] == expected[first:]
