"""Is what waits for long told of, as a metric and on the matrix, with where, for what and since when?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from reconciler.store import tables
from reconciler.views.matrix import Asked, matrix
from reconciler.views.remembering import Memory
from tests.exposed import scraped
from tests.world import ENVIRONMENTS, World, app_manifest

SOAKING = ENVIRONMENTS.replace("spec: {track: pre-release", "spec: {track: pre-release, gates: {soak: 30d}")
OLDEST = "reconciler_waiting_oldest_seconds"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two apps that wait a month before they enter live, one of them for the other as well."""
    made = World(tmp_path)
    files: dict[str, str | bytes | None] = {"environments.yaml": SOAKING}
    for name, needs in {"shop": None, "till": ["shop"]}.items():
        files |= {f"{name}.yaml": app_manifest(name, depends_on=needs), f"{name}/index.html": "one"}
    made.commit("Begin", files)
    made.settle()
    return made


def test_what_waits_is_counted_where_it_waits_with_the_age_of_the_oldest(world: World) -> None:
    world.later(hours=2)
    world.settle()
    waiting = scraped(world)
    assert waiting.some("reconciler_waiting", "gate", environment="live") == {"soak": 2}
    assert waiting.some("reconciler_waiting", "gate", environment="sandbox") == {}
    assert waiting.value("reconciler_waiting", environment="sandbox", gate="freeze") == 0
    assert waiting.value(OLDEST, environment="live", gate="soak") == 2 * 3600
    assert waiting.value(OLDEST, environment="live", gate="dependency") == 0
    world.later(days=30)
    world.settle()
    assert scraped(world).some("reconciler_waiting", "gate") == {}


def test_what_waits_for_a_dependency_is_told_apart(world: World) -> None:
    world.wish("pause", app="shop", environment="live", reason="the fair", until=world.now + timedelta(days=60))
    world.later(days=31)
    world.settle()
    assert scraped(world).some("reconciler_waiting", "gate", environment="live") == {"dependency": 1, "pause": 1}


FROZEN = """\
---
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: fair}
spec: {environments: [sandbox], from: "2026-06-01T10:00:00Z", until: "2026-06-03T10:00:00Z", reason: the fair}
"""


@pytest.mark.parametrize("runs", [False, True])
def test_a_freeze_has_held_something_back_since_it_began_to_whoever_pauses_meanwhile(
    tmp_path: Path, runs: bool
) -> None:
    world = World(tmp_path)
    if runs:
        world.begun()
        world.commit("Two", {"shop/index.html": "two", "freeze.yaml": FROZEN})
    else:
        world.commit("Freeze", {"freeze.yaml": FROZEN})
        world.start_repository()

    def frozen() -> float | None:
        world.settle()
        found = scraped(world)
        assert found.value("reconciler_waiting", environment="sandbox", gate="freeze") == 1
        return found.value(OLDEST, environment="sandbox", gate="freeze")

    assert frozen() == 0
    world.later(hours=2)
    world.wish("pause", app="shop", environment="sandbox", reason="stocktaking", until=world.now + timedelta(hours=9))
    assert frozen() == 2 * 3600
    world.later(hours=3)
    assert frozen() == 5 * 3600
    world.wish("resume", app="shop", environment="sandbox")
    assert frozen() == 5 * 3600
    # A pause that outlasts it holds things back alone from then on.
    world.wish("pause", app="shop", environment="sandbox", reason="stocktaking", until=world.now + timedelta(days=9))
    world.later(days=2)
    world.settle()
    assert scraped(world).some("reconciler_waiting", "gate", environment="sandbox") == {"pause": 1}


def test_what_waits_for_weeks_is_not_among_the_quiet(world: World) -> None:
    with world.running() as found, found.database.read() as connection:
        rows = matrix(connection, Asked(), world.now, Memory()).groups
    assert {group: [row.name for row in several] for group, several in rows.items() if several} == {
        "motion": ["shop", "till"]
    }


def test_nobody_is_told_that_a_soak_needs_a_person(world: World) -> None:
    with world.running() as found, found.database.read() as connection:
        kinds = set(connection.execute(select(tables.ledger.c.kind)).scalars())
    assert not kinds & {"gate.waits", "plan.refused"}
