"""What happens while a disk is full or cannot be written: that of the store, of the mirror, of a target?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.daemon import Live, environment_manifest
from tests.faults import aftermath
from tests.faults.mounts import full, read_only, small_disk
from tests.world import CHAIN, app_manifest

TRACKS = dict(zip(CHAIN, ("latest", *CHAIN), strict=False))


def link(place: Path, to: Path) -> None:
    """Let a place of the data directory lie on another disk."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not to.suffix:
        to.mkdir(parents=True)
    place.symlink_to(to)


def begin(live: Live) -> None:
    """The first version runs everywhere; a failed attempt is soon followed by another."""
    live.settings["repository"]["interval"] = "1s"
    environments = [environment_manifest(name, track, retry={"backoff": "1s"}) for name, track in TRACKS.items()]
    files = {"environments.yaml": "\n---\n".join(environments), "shop.yaml": app_manifest(), "shop/index.html": "one"}
    live.commit("Begin", files)
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")


def go_on(live: Live) -> None:
    """What was pushed over the fault runs everywhere, and so does what is pushed after it."""
    live.wait_for(lambda: live.everywhere("two"), "what was pushed meanwhile runs everywhere")
    live.commit("After", {"shop/index.html": "after"})
    live.wait_for(lambda: live.everywhere("after"), "what is pushed afterwards runs everywhere")
    aftermath.check(live)
    live.close()


def test_the_disk_of_the_store_is_full(live: Live, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        link(tmp_path / "state" / "reconciler.db", disk / "reconciler.db")
        begin(live)
        with full(disk):
            live.commit("Two", {"shop/index.html": "two"})
            live.wait_for(lambda: len(aftermath.said(live, "turn.failed")) >= 3, "it is said more than once")
        assert "database or disk is full" in aftermath.said(live, "turn.failed")[0]["error"]
        aftermath.growing(live, "turn.failed")
        go_on(live)


def test_the_disk_of_the_mirror_is_full(live: Live, tmp_path: Path) -> None:
    with small_disk(tmp_path / "state") as disk:
        link(disk / "reconciler.db", tmp_path / "kept" / "reconciler.db")
        link(disk / "releases", tmp_path / "kept" / "releases")
        begin(live)
        with full(disk):
            live.commit("Two", {"shop/index.html": "two", "shop/large.bin": bytes(range(256)) * 4096})
            live.wait_for(lambda: aftermath.said(live, "git.unreachable"), "it is said that git brings nothing")
        (first, *_) = aftermath.said(live, "git.unreachable")
        assert "No space left on device" in first["error"] or "disk is full" in first["error"]
        assert (
            "Free some space in the data directory" in first["next"] or "space in the data directory" in first["next"]
        )
        go_on(live)


def test_the_disk_of_a_target_is_full_for_longer_than_the_attempts_last(live: Live, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        link(tmp_path / "state" / "releases", disk / "releases")
        begin(live)
        with full(disk):
            live.commit("Two", {"shop/index.html": "two"})
            live.wait_for(lambda: len(aftermath.said(live, "deployment.put-off")) >= 3, "it is tried again and again")
            assert [one.status for one in live.history(environment="sandbox")] == ["completed", "started"]
        assert "No space left on device" in (live.history(environment="sandbox")[-1].error or "")
        aftermath.growing(live, "deployment.put-off", by=0.9)
        go_on(live)


@pytest.mark.parametrize("place", ["mirror.git", "releases"])
def test_a_place_cannot_be_written_for_a_while(live: Live, tmp_path: Path, place: str) -> None:
    begin(live)
    with read_only(tmp_path / "state" / place):
        live.commit("Two", {"shop/index.html": "two"})
        live.wait_for(lambda: "Read-only file system" in complained(live), "it is said what is wrong")
        assert live.everywhere("one") or place == "releases"
    go_on(live)


def complained(live: Live) -> str:
    """What the log and the newest deployment say."""
    return live.log + str(live.history(environment="sandbox")[-1].error)


def test_a_store_that_cannot_be_made_is_complained_about_in_words(live: Live, tmp_path: Path) -> None:
    live.start_repository()
    (tmp_path / "place").mkdir()
    link(tmp_path / "state" / "reconciler.db", tmp_path / "place" / "reconciler.db")
    with read_only(tmp_path / "place"):
        live.start()
        assert live.ended() == 1
    assert "reconciler.db cannot be written: Read-only file system" in live.log
    assert "see to the rights on the file and its directory" in live.log
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "it begins when it can")
    aftermath.check(live)
