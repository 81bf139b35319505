"""Is only so much read as the answer needs, where a line of a file or a number is asked for?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.git.objects import Objects
from reconciler.store.traces import traced
from reconciler.views.ahead import at_moment
from reconciler.views.sources import Sources
from reconciler.wiring import Running
from tests.counting import counted
from tests.integration.test_asked_together import ENVIRONMENTS, manifests, name
from tests.world import NOON, World, app_manifest

FEW, MANY = 5, 60
EARLIER = NOON - timedelta(hours=1)
"""Nothing has become due by then."""
pytestmark = pytest.mark.sqlite_only("what it reads is counted")


@contextmanager
def among(directory: Path, count: int) -> Iterator[tuple[World, Running]]:
    """So many apps, and as many files that are broken."""
    world = World(directory)
    world.commit("Begin", {"e.yaml": ENVIRONMENTS, **manifests(count)})
    world.commit("Break", {f"broken-{number:02}.yaml": "kind: [" for number in range(count)})
    with world.running() as found:
        found.cycle.turn(world.now)
        yield world, found


def test_the_line_of_an_app_is_found_without_a_look_at_all_files(tmp_path: Path) -> None:
    taken = []
    for count in (FEW, MANY):
        with among(tmp_path / str(count), count) as (world, found), counted(found.database) as work:
            with found.database.read() as connection, Objects(world.repo.path / ".git") as objects:
                assert Sources(connection, objects).place("App", name(1)) == f"{name(1)}.yaml:1"
            taken.append(work.steps)
    few, many = taken
    assert many <= few * 1.05


def test_a_file_that_is_broken_tells_no_line(tmp_path: Path) -> None:
    with among(tmp_path, FEW) as (world, found):
        world.commit("Break one more", {f"{name(1)}.yaml": app_manifest(name(1), environments="none")})
        found.cycle.turn(world.now)
        with found.database.read() as connection, Objects(world.repo.path / ".git") as objects:
            sources = Sources(connection, objects)
            assert sources.place("App", name(1)) == f"{name(1)}.yaml"
            assert sources.place("App", name(2)) == f"{name(2)}.yaml:1"


def test_how_many_apps_there_are_is_counted_and_not_read(tmp_path: Path) -> None:
    taken = []
    for count in (FEW, MANY):
        with among(tmp_path / str(count), count) as (_, found), found.database.read() as connection:
            told, trace = traced(connection, lambda: at_moment(connection, "sandbox", EARLIER, EARLIER))
            assert told.apps == count
            assert trace is not None
            driver: Any = connection.connection.dbapi_connection
            taken.append(sum(len(driver.execute(*question).fetchall()) for question in trace.questions))
    few, many = taken
    assert many == few
