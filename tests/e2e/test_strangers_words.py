"""Is what a stranger's target says recorded, whatever it is, so that nobody else has to suffer for it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.store import drifts, tables
from reconciler.targets import strangers
from tests.e2e.daemon import environment_manifest
from tests.noting_target import WILD
from tests.with_hands import stranger
from tests.world import World, app_manifest

READABLE = "a \\udcff name, a ␀ and a"
TRIGGERS = {"domains": ["shop.example.com"]}


def begin(world: World, does: str, **spec: Any) -> None:
    """One app at a stranger's, and one that has nothing to do with it."""
    target = {"type": "noting-at-home", "notes": str(world.directory / "notes"), "does": does}
    environments = [
        environment_manifest("strange", "latest", target=target, **spec),
        environment_manifest("live", "latest", target={"type": "directory", "path": "releases/live"}),
    ]
    files: dict[str, str | bytes | None] = {
        "environments.yaml": "\n---\n".join(environments),
        "shop.yaml": app_manifest("shop", environments=["strange"], triggers=TRIGGERS),
        "other.yaml": app_manifest("other", bundle="shop", environments=["live"]),
        "shop/index.html": "one",
    }
    world.commit("Begin", files)


@pytest.mark.parametrize("does", ["wild", "wild-stranger"])
def test_words_that_no_database_takes_are_recorded_readably(world: World, tmp_path: Path, does: str) -> None:
    with stranger(tmp_path / "packages"):
        begin(world, does, retry={"limit": 0}, on_failure="hold")
        world.settle()
        assert world.runs("live", app="other") == "one"
        (failed,) = world.history()
        assert failed.status == "failed"
        assert READABLE in (failed.error or "")
        world.commit("Two", {"shop/index.html": "two"})
        world.settle()
        assert world.runs("live", app="other") == "two"
        assert len(world.history()) == 2


def test_routes_that_are_refused_in_such_words_are_tried_again(world: World, tmp_path: Path) -> None:
    with stranger(tmp_path / "packages"):
        begin(world, "wild-routes")
        world.settle()
        assert [one.status for one in world.history()] == ["completed"]
        with world.running() as found, found.database.read() as connection:
            (refused,) = connection.execute(select(tables.triggers))
        assert READABLE in refused.error
        assert refused.retry_at > world.now


def test_what_is_seen_is_told_in_words_that_can_be_recorded(world: World, tmp_path: Path) -> None:
    with stranger(tmp_path / "packages"):
        begin(world, "wild-sight")
        world.settle()
        with world.running() as found:
            found.drifting.sweep(closely=True)
            with found.database.read() as connection:
                (drift,) = drifts.of(connection, ["shop"])
        assert READABLE in drift.detail


def test_a_text_is_kept_as_it_is_where_it_can_be() -> None:
    assert strangers.text("zwei\n\tdrei ä €") == "zwei\n\tdrei ä €"
    assert strangers.text(WILD).startswith(READABLE)
    assert len(strangers.text("x" * 3_000_000)) < 1_100_000
    assert strangers.complaint(ValueError("no")) == "ValueError: no"
