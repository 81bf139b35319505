"""A daemon whose own place hinders it: does it leave what waits to others, and take part again when it is mended?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.engine.yielding import LULL
from reconciler.wiring import Running
from tests.commands import Told
from tests.e2e.daemon import environment_manifest
from tests.postgres import empty_database
from tests.waiting import until
from tests.world import app_manifest

APPS = [f"app-{number}" for number in range(6)]


class Fleet:
    """Two daemons on one store, whose turns the test takes; both release to one directory. The one that leads has noted
    a commit that places six apps, and cannot read its mirror any more."""

    def __init__(self, directory: Path, url: str, living: ExitStack) -> None:
        self.told = told = Told(directory)
        self.place = directory / "releases"
        told.set(state={"url": url, "lease": "1h"}, workers=2)
        manifests = {f"{name}.yaml": app_manifest(name, bundle=name, environments=["live"]) for name in APPS}
        target = {"type": "directory", "path": str(self.place)}
        environments = environment_manifest("live", "latest", target=target)
        files = {f"{name}/index.html": "one" for name in APPS}
        told.commit("Begin", {"environments.yaml": environments, **manifests, **files})
        self.late = timedelta()
        with ExitStack() as before:
            noting = self._begun(before, directory / "leads")
            noting.pool.workers = 0
            self.turn(noting)
            noting.membership.resign()
        self.leads, self.helps = (self._begun(living, directory / name) for name in ("leads", "helps"))
        self.helps.following.mirror.fetch()
        self.mirror = self.leads.following.mirror.git_dir
        (self.mirror / "objects").rename(directory / "objects")
        (self.mirror / "objects").mkdir()
        told.home.path.rename(directory / "away.git")

    def _begun(self, living: ExitStack, data: Path) -> Running:
        self.told.set(data=str(data))
        made = living.enter_context(self.told.running())
        made.membership.join()
        made.following.begin(self.told.now)
        return made

    def mend(self) -> None:
        """What the disk had eaten is back."""
        (self.mirror / "objects").rmdir()
        (self.told.directory / "objects").rename(self.mirror / "objects")

    def turn(self, one: Running) -> int:
        """Let one daemon take a turn, and what it began come to its answers; how many deployments that were."""
        begun = one.cycle.turn(self.told.now + self.late).begun
        until(lambda: one.pool._answers.qsize() == len(one.pool.busy))
        return begun

    def released(self) -> int:
        """How many apps run."""
        return len(list(self.place.glob("*/current")))


@pytest.fixture
def fleet(tmp_path: Path, postgresql: str) -> Iterator[Fleet]:
    with ExitStack() as living:
        yield Fleet(tmp_path, empty_database(postgresql), living)


def test_who_cannot_read_its_mirror_takes_nothing_for_a_while_and_then_one(fleet: Fleet) -> None:
    assert fleet.turn(fleet.leads) == 2
    assert [fleet.turn(fleet.leads) for _ in range(3)] == [0, 0, 0], "four wait, and two threads are free"
    assert fleet.released() == 0
    fleet.late += LULL
    assert [fleet.turn(fleet.leads) for _ in range(3)] == [1, 0, 0]
    fleet.late += 10 * LULL  # by then each may be tried again
    taken = [fleet.turn(fleet.helps) for _ in range(6)]
    assert (sum(taken), fleet.released()) == (6, 6)


def test_it_takes_part_again_once_one_succeeds(fleet: Fleet) -> None:
    assert [fleet.turn(fleet.leads) for _ in range(2)] == [2, 0]
    fleet.mend()
    assert fleet.turn(fleet.leads) == 0
    fleet.late += LULL
    assert fleet.turn(fleet.leads) == 1
    assert fleet.turn(fleet.leads) >= 2
    assert fleet.released() > 1


def test_who_is_alone_goes_on_trying(fleet: Fleet) -> None:
    fleet.helps.membership.resign()
    assert [fleet.turn(fleet.leads) for _ in range(2)] == [2, 4]
