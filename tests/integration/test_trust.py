"""What does whoever can merge decide, besides what runs?"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tests.e2e.daemon import environment_manifest, exec_target
from tests.world import World, app_manifest


def test_who_can_merge_runs_commands_as_the_user_of_the_daemon(tmp_path: Path) -> None:
    world, who = World(tmp_path / "world"), tmp_path / "who"
    target = exec_target(f"id -u > {shlex.quote(str(who))}")
    manifests = {
        "environments.yaml": environment_manifest("live", "latest", target=target),
        "shop.yaml": app_manifest(environments=["live"]),
        "shop/index.html": "one",
    }
    world.commit("Whatever they like", manifests)
    world.settle()
    assert who.read_text().strip() == str(os.getuid())
