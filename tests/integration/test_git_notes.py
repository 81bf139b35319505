"""What was released is written beside its commit, in notes that others write too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gitrepo import Repo
from tests.telling import said, settle_and_tell
from tests.world import ENVIRONMENTS, World, app_manifest

REFERENCE = "refs/notes/deployments"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.settings["write"] = {"notes": True}
    return made


def begin(world: World) -> str:
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    return world.commit("Begin", files)


def shown(repo: Repo, commit: str) -> list[str]:
    """What `git log` shows to somebody who fetched the notes."""
    repo.git("fetch", "--quiet", "origin", f"+{REFERENCE}:{REFERENCE}")
    return repo.git("log", "-1", "--notes=deployments", "--format=%N", commit).split("\n")


def lines(repo: Repo, commit: str) -> list[str]:
    return [line for line in shown(repo, commit) if line]


def test_git_log_shows_what_was_released_where(world: World) -> None:
    first = begin(world)
    settle_and_tell(world)
    world.later(minutes=5)
    second = world.commit("Two", {"shop/index.html": "two"})
    settle_and_tell(world)
    told = lines(world.repo, first)
    assert [line.split()[1] for line in told] == ["sandbox:", "pre-release:", "live:"]
    assert told[0].startswith("2026-06-01T12:00:00Z sandbox: shop v1, release by ")
    assert [line.split()[3] for line in lines(world.repo, second)] == ["v2,", "v2,", "v2,"]
    assert all(line.split()[0] == "2026-06-01T12:05:00Z" for line in lines(world.repo, second))
    settle_and_tell(world)
    assert lines(world.repo, first) == told


def test_notes_of_others_stay(world: World) -> None:
    first = begin(world)
    settle_and_tell(world)
    lines(world.repo, first)
    world.repo.git("notes", f"--ref={REFERENCE}", "append", "-m", "looked at by ann", first)
    world.repo.git("push", "--quiet", "origin", REFERENCE)
    world.commit("Two", {"shop/index.html": "two"})
    world.repo.revert(world.repo.head)
    world.repo.push()
    settle_and_tell(world)
    assert "looked at by ann" in lines(world.repo, first)


def test_a_line_is_not_written_twice_when_the_answer_was_lost(world: World) -> None:
    first = begin(world)
    settle_and_tell(world)
    before = lines(world.repo, first)
    with world.running() as found, found.database.write() as transaction:
        from sqlalchemy import update

        from reconciler.store import tables

        transaction.connection.execute(update(tables.messages).values(status="sending"))
    assert settle_and_tell(world) == 1
    assert lines(world.repo, first) == before
    assert {status for _, status, _ in said(world)} == {"sent"}


def test_a_repository_that_takes_no_notes_is_asked_again_later(world: World) -> None:
    first = begin(world)
    hook = world.home.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    settle_and_tell(world)
    assert [status for _, status, _ in said(world)] == ["waiting"]
    hook.unlink()
    world.later(seconds=6)
    settle_and_tell(world)
    assert len(lines(world.repo, first)) == 3


def test_nothing_is_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    begin(world)
    settle_and_tell(world)
    assert REFERENCE not in world.home.git("for-each-ref")
