"""Does `release` end a hold and nothing else, and is a hold told in words that lead out of it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Told, typed
from tests.e2e.daemon import environment_manifest, exec_target
from tests.world import app_manifest


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Version 2 failed, and version 1 runs."""
    made = Told(tmp_path)
    target = exec_target(f"test ! -e broken || test -e {tmp_path}/mended")
    files = {"environments.yaml": environment_manifest("live", "latest", target=target, retry={"limit": 0})}
    made.commit("Begin", {**files, "shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"})
    made.settle()
    made.commit("Break", {"shop/broken": ""})
    made.settle()
    assert made.story("live")[-1] == ("auto-rollback", "completed", [1])
    return made


def test_status_and_why_tell_who_holds_it_since_when_and_the_ways_out(told: Told, tmp_path: Path):
    said = typed("status", at=tmp_path).out
    assert "shop in live differs from git, held by reconciler, since 20" in said
    assert "v2 failed (deployment 2): back to v1" in said
    assert "merge the branch reconciler/revert-shop-live-" in said
    assert "`reconciler release shop live`" in said
    held = typed("status", "-o", "json", at=tmp_path).json[0]["held"]
    assert {"since", "by", "reason", "deployment", "branch"} <= set(held)
    why = typed("why", "shop", "live", at=tmp_path).out
    assert "it differs from git, held by reconciler, since 20" in why
    steps = typed("why", "shop", "live", "-o", "json", at=tmp_path).json["steps"]
    (step,) = [one for one in steps if one["about"] == "held"]
    assert step["facts"]["branch"] == held["branch"]
    assert "merge the branch" in step["remedy"]


def test_release_carries_out_again_what_git_says(told: Told, tmp_path: Path):
    (tmp_path / "mended").write_text("")
    done = typed("release", "shop", "live", "--actor", "bob@example.com", "--reason", "it is mended", at=tmp_path)
    assert (done.status, done.out) == (0, "shop follows git again in live\n")
    told.settle()
    assert told.story("live")[-1][1:] == ("completed", [2])
    assert "differs from git" not in typed("status", at=tmp_path).out
    events = typed("audit", "export", at=tmp_path).out
    assert "released by bob@example.com: it is mended" in events


def test_what_is_not_held_is_not_released(told: Told, tmp_path: Path):
    told.commit("Mend", {"shop/broken": None, "shop/index.html": "three"})
    told.settle()
    done = typed("release", "shop", "live", at=tmp_path)
    assert done.status == 1
    assert "shop is not held in live" in done.err
    assert typed("release", "shop", "nowhere", at=tmp_path).status == 1
    assert typed("release", "nothing", "live", at=tmp_path).status == 1
    assert typed("release", "shop", at=tmp_path).status == 2
