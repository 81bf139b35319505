"""What does a shell offer while a command is typed?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import World


def offered(world: World, typed: str) -> list[str]:
    """What bash is offered for the last word."""
    config = world.directory / "reconciler.yaml"
    config.write_text(json.dumps(world.settings))
    words = f"reconciler --config {config} {typed}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_RECONCILER_COMPLETE": "bash_complete"}
    command = [sys.executable, "-m", "reconciler"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert not done.stderr
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An app in three environments."""
    return World(tmp_path).begun()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("deplo", ["deployments"]),
        ("deployments list --status fa", ["failed"]),
        ("status sh", ["shop"]),
        ("status nothing", []),
        ("why shop pre", ["pre-release"]),
        ("promote shop --to ", ["live", "pre-release", "sandbox"]),
    ],
)
def test_verbs_words_and_what_is_recorded_are_offered(world: World, typed: str, expected: list[str]):
    assert offered(world, typed) == expected


def test_without_a_store_nothing_is_offered_and_nothing_is_said(tmp_path: Path):
    assert offered(World(tmp_path), "status ") == []
