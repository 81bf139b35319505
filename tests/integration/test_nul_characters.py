"""Git holds NUL characters where PostgreSQL's texts cannot: what comes of them, on either database?"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import empty_database
from tests.world import World, app_manifest


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made = World(tmp_path)
    sqlite = f"sqlite:///{tmp_path}/state/reconciler.db"
    made.settings["state"]["url"] = (
        sqlite if request.param == "sqlite" else empty_database(request.getfixturevalue("postgresql"))
    )
    return made


def commit_with_nul(world: World, files: dict[str, str | bytes | None]) -> None:
    """A commit whose message and author hold NUL characters, which no `git commit` makes."""
    world.commit("Plain", files, push=False)
    plain = subprocess.run(
        ["git", "cat-file", "commit", world.repo.head], cwd=world.repo.path, check=True, capture_output=True
    ).stdout
    nul = plain.replace(b"\n\nPlain", b"\n\nSay\0two").replace(b"author Ada", b"author A\0da")
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=world.repo.path,
        check=True,
        capture_output=True,
        input=nul,
    ).stdout
    world.repo.git("push", "--quiet", "--force", "origin", f"{made.decode().strip()}:main")


def test_a_commit_that_holds_nul_is_noted_with_a_picture_of_it(world: World) -> None:
    world.start_repository()
    world.settle()
    commit_with_nul(world, {"shop/index.html": "two"})
    world.settle()
    assert world.runs("live") == "two"
    newest = world.versions()[-1]
    assert newest.message.startswith("Say\N{SYMBOL FOR NULL}two")
    assert newest.author.name.startswith("A\N{SYMBOL FOR NULL}da")


@pytest.mark.parametrize(
    "spec",
    [{"config": {"greeting": "a\0b"}}, {"environments": ["live", "no\0where"]}, {"de\0ps": "x"}],
    ids=["setting", "environment", "key"],
)
def test_a_manifest_that_holds_nul_is_refused_with_its_place(world: World, spec: dict[str, Any]) -> None:
    world.start_repository()
    world.settle()
    world.commit("NUL", {"shop.yaml": app_manifest(**spec)})
    world.settle()
    said = world.complaints()
    assert said
    assert all(one.startswith("shop.yaml:1:") and "\0" not in one for one in said)
    assert world.runs("live") == "one"
