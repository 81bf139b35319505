"""What happens while git is slow, gone, damaged here or there, or says something else than before?"""

from __future__ import annotations

import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.daemon import Live
from tests.faults import aftermath
from tests.faults.proxy import Proxy, far
from tests.world import season_manifest

WRAPPER = """#!/bin/sh
echo "$@" >> {place}/started
test -e {place}/gone && exit 127
test -e {place}/slow && sleep 0.3
exec {git} "$@"
"""


def begin(live: Live, **config: str) -> None:
    """The first version runs everywhere."""
    live.settings["repository"]["interval"] = "1s"
    live.start_repository(config=config)
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")


def go_on(live: Live, text: str = "two", lines: int = aftermath.MOST_LINES) -> None:
    live.wait_for(lambda: live.everywhere(text), "what was pushed meanwhile runs everywhere")
    live.commit("After", {"shop/index.html": "after"})
    live.wait_for(lambda: live.everywhere("after"), "what is pushed afterwards runs everywhere")
    aftermath.check(live, lines=lines)


@pytest.fixture
def wrapped(typed: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    """A daemon whose git can be slow or gone, and is counted."""
    place = tmp_path / "wrapped"
    place.mkdir()
    git = place / "git"
    git.write_text(WRAPPER.format(place=place, git=shutil.which("git")))
    git.chmod(0o755)
    start = typed.start

    def started(*options: str) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(place), prepend=":")
            start(*options)

    monkeypatch.setattr(typed, "start", started)
    return typed


def processes(live: Live) -> int:
    """How many git processes the daemon started so far."""
    return len((live.directory / "wrapped" / "started").read_text().splitlines())


def test_git_is_slow_and_then_gone(wrapped: Live) -> None:
    begin(wrapped)
    slow, gone = (wrapped.directory / "wrapped" / name for name in ("slow", "gone"))
    slow.touch()
    wrapped.commit("Slowly", {"shop/index.html": "slowly"})
    wrapped.wait_for(lambda: wrapped.everywhere("slowly"), "slowly is slow and not never")
    slow.unlink()
    gone.touch()
    before = processes(wrapped)
    wrapped.commit("Two", {"shop/index.html": "two"})
    wrapped.wait_for(lambda: len(troubles(wrapped)) >= 1, "it is said that git does not work")
    wrapped.pause_for(2)
    assert processes(wrapped) - before < 12
    gone.unlink()
    go_on(wrapped)


def troubles(live: Live) -> list[str]:
    return [line["error"] for event in ("git.unreachable", "turn.failed") for line in aftermath.said(live, event)]


# The mirror


def truncated_pack(live: Live) -> None:
    """A pack that ends in the middle."""
    mirror = live.directory / "state" / "mirror.git"
    subprocess.run(["git", "repack", "-adq"], cwd=mirror, check=True)
    (pack,) = (mirror / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])


def no_objects(live: Live) -> None:
    """No object is there any more."""
    for path in (live.directory / "state" / "mirror.git" / "objects").iterdir():
        shutil.rmtree(path)


def empty_reference(live: Live) -> None:
    """A reference whose file is empty, as a machine leaves it that lost power."""
    (live.directory / "state" / "mirror.git" / "refs" / "remotes" / "origin" / "main").write_text("")


def garbled_objects(live: Live) -> None:
    """Loose objects that hold zeros."""
    mirror = live.directory / "state" / "mirror.git"
    for path in [*(mirror / "objects").glob("??/*")]:
        path.chmod(0o644)
        path.write_bytes(bytes(path.stat().st_size))


def no_mirror(live: Live) -> None:
    """It is gone."""
    shutil.rmtree(live.directory / "state" / "mirror.git")


def leftovers(live: Live) -> None:
    """What git leaves behind when it is killed."""
    mirror = live.directory / "state" / "mirror.git"
    for name in (
        "shallow.lock",
        "index.lock",
        "packed-refs.lock",
        "config.lock",
        "HEAD.lock",
        "refs/remotes/origin/main.lock",
    ):
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).touch()
    (mirror / "objects" / "pack").mkdir(exist_ok=True)
    (mirror / "objects" / "pack" / "tmp_pack_1234").write_text("half")


@pytest.mark.parametrize("damage", [truncated_pack, no_objects, empty_reference, garbled_objects, no_mirror, leftovers])
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_the_mirror_is_damaged(live: Live, damage: Callable[[Live], None], running: bool) -> None:
    begin(live)
    if not running:
        live.terminate()
    damage(live)
    live.commit("Two", {"shop/index.html": "two"})
    if not running:
        live.start()
    go_on(live)
    assert len(live.history()) == 9


def test_the_mirror_lost_what_an_older_version_needs(live: Live) -> None:
    begin(live)
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    no_objects(live)
    go_back(live)
    live.wait_for(lambda: live.runs("pre-release") == "one", "the older version is fetched again")
    live.wait_for(lambda: aftermath.ended(live, "shop"), "it is at rest")
    assert {one.status for one in live.history()} == {"completed"}


def go_back(live: Live) -> None:
    """A person goes back in one environment."""
    words = ("--environment", "pre-release", "--reason", "by hand", "--actor", "ann@example.com")
    done = aftermath.command(live, "rollback", "shop", *words)
    assert "pre-release goes back to v1" in done.out + done.err


# The repository


def test_the_repository_is_damaged(live: Live) -> None:
    begin(live)
    commit = live.commit("Two", {"shop/index.html": "two"}, push=False)
    blob = live.repo.git("rev-parse", f"{commit}:shop/index.html")
    live.repo.git("push", "--quiet", "origin", "main:refs/heads/other")
    damaged = live.home.path / "objects" / blob[:2] / blob[2:]
    sound = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(zlib.compress(b"blob 3\0tw?"))
    live.repo.push()
    live.wait_for(lambda: blob[:10] in live.log, "it is said what cannot be fetched")
    assert live.everywhere("one") or live.history()[-1].status == "started"
    damaged.write_bytes(sound)
    go_on(live)


def test_the_branch_is_renamed_and_comes_back(live: Live) -> None:
    begin(live)
    live.home.git("branch", "-m", "main", "trunk")
    live.wait_for(lambda: aftermath.said(live, "branch.missing"), "it is said that the branch is gone")
    (said,) = aftermath.said(live, "branch.missing")
    assert "has no branch main any more" in said["error"]
    assert "stays in force" in said["next"]
    live.home.git("branch", "-m", "trunk", "main")
    live.commit("Two", {"shop/index.html": "two"})
    go_on(live)


def test_a_forced_push_is_held_and_taken_back(live: Live) -> None:
    begin(live)
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    second = live.repo.head
    live.repo.force("HEAD~1")
    live.repo.force(live.commit("Other", {"shop/index.html": "other"}, push=False))
    live.wait_for(lambda: aftermath.said(live, "branch.held"), "the forced head is held")
    assert live.everywhere("two")
    aftermath.doctor(live, ["rewritten branch"])
    live.repo.force(second)
    live.wait_for(lambda: aftermath.said(live, "branch.restored"), "it is said that it is as before")
    go_on(live)


# The way there


@pytest.fixture
def network(live: Live) -> Iterator[Proxy]:
    """The way of `live` to its repository."""
    with far(live) as proxy:
        yield proxy


def test_the_network_is_gone_and_what_needs_no_git_goes_on(live: Live, network: Proxy) -> None:
    live.start_repository(config={"greeting": "Hello"})
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    start = datetime.now(UTC) + timedelta(seconds=3)
    season = season_manifest(
        "sale", start.isoformat(), (start + timedelta(days=1)).isoformat(), config={"greeting": "Sale"}
    )
    live.commit("Two, and a season", {"shop/index.html": "two", "sale.yaml": season})
    live.wait_for(lambda: live.everywhere("two"), "the second version runs everywhere")
    network.refusing = True
    network.cut()
    live.wait_for(lambda: aftermath.said(live, "git.unreachable"), "it is said that git is away")
    connections = network.connections
    go_back(live)
    live.wait_for(lambda: live.runs("pre-release") == "one", "a person goes back all the same")
    live.wait_for(lambda: live.facts("live")["config"]["greeting"] == "Sale", "the season begins all the same")
    assert network.connections - connections < 8
    before = [len(live.history("shop", environment)) for environment in ("sandbox", "pre-release", "live")]
    network.refusing = False
    live.wait_for(lambda: aftermath.said(live, "git.answers"), "it is said that git is back")
    live.wait_for(lambda: aftermath.ended(live, "shop"), "it is at rest")
    assert [len(live.history("shop", environment)) for environment in ("sandbox", "pre-release", "live")] == before
    assert live.runs("live") == "two"
