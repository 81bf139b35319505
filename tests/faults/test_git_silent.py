"""What happens while the repository's host takes connections and never says a word?"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.engine.looking import AT_FIRST
from reconciler.errors import GitUnreachable
from reconciler.git.mirror import Mirror
from tests.commands import typed
from tests.e2e.daemon import Live
from tests.faults import aftermath
from tests.faults.proxy import Proxy, far
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

AT_ONCE = timedelta(seconds=40)
"""On a machine with other work; an exchange with git may take two minutes."""


@contextmanager
def silence() -> Iterator[int]:
    """The port of a host that takes connections and stays silent."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def network(live: Live) -> Iterator[Proxy]:
    """The way of `live` to its repository."""
    with far(live) as proxy:
        yield proxy


def hushed(live: Live, network: Proxy, **files: str) -> None:
    """One version runs everywhere, another one waits for a person, and nobody answers any more."""
    gated = ENVIRONMENTS.replace("releases/live}", "releases/live}, gates: {approvals: 1}")
    page: dict[str, str | bytes | None] = {
        "shop/index.html": "one",
        "shop.yaml": app_manifest(config={"greeting": "Hello"}),
    }
    live.commit("Begin", {**page, "environments.yaml": ENVIRONMENTS})
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    live.commit("Two", {"environments.yaml": gated, "shop/index.html": "two", **files})
    live.wait_for(lambda: live.runs("pre-release") == "two", "the second version waits for an approval")
    network.hush()
    before = network.connections
    live.wait_for(lambda: network.connections > before, "git is asked, and does not answer")


def test_seasons_approvals_and_outcomes_go_on(live: Live, network: Proxy) -> None:
    start = datetime.now(UTC) + timedelta(seconds=8)
    sale = season_manifest(
        "sale", start.isoformat(), (start + timedelta(days=1)).isoformat(), config={"greeting": "Sale"}
    )
    hushed(live, network, **{"sale.yaml": sale})
    asked = datetime.now(UTC)
    aftermath.command(live, "approve", wanted(live), "--actor", "bob@example.com")
    live.wait_for(lambda: live.runs("live") == "two", "what was approved is released")
    assert datetime.now(UTC) - asked < AT_ONCE
    live.wait_for(lambda: live.facts("live")["config"]["greeting"] == "Sale", "the season begins")
    assert datetime.now(UTC) - max(start, asked) < AT_ONCE
    assert not aftermath.said(live, "git.unreachable"), "the exchange is under way still"
    live.commit("Three", {"shop/index.html": "three"}, push=False)
    live.repo.git("push", "--quiet", str(live.home.path), "main")
    network.cut()
    network.speak()
    live.wait_for(lambda: live.runs("sandbox") == "three", "what was pushed meanwhile is fetched")


def test_a_person_goes_back_at_once_and_the_branch_comes_when_git_answers(live: Live, network: Proxy) -> None:
    hushed(live, network)
    asked = time.monotonic()
    words = ["--environment", "pre-release", "--reason", "by hand", "--actor", "ann@example.com"]
    done = aftermath.command(live, "rollback", "shop", *words)
    assert (done.status, time.monotonic() - asked < AT_ONCE.total_seconds()) == (0, True), done.err
    assert "not written yet: the daemon goes on to try" in done.out
    assert live.runs("pre-release") == "one"
    back = live.history("shop", "pre-release")[-1]
    assert back.status == "completed"
    network.cut()
    network.speak()
    live.wait_for(lambda: "reconciler/revert-shop-pre-release" in live.home.git("branch"), "the branch is written")


def test_it_starts_and_ends_in_silence_and_leaves_no_process(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    live.terminate()
    with silence() as port:
        url = f"git://127.0.0.1:{port}/desired.git"
        live.settings["repository"]["url"] = url
        live.start()
        live.wait_for(lambda: asking(url), "git is asked, and does not answer")
        live.commit("Never seen", {"shop/index.html": "two"})
        words = ["--until", "2030-01-01T00:00:00Z", "--reason", "looking", "--actor", "ann@example.com"]
        done = aftermath.command(live, "pause", "shop", *words)
        assert done.status == 0, done.err
        begun = time.monotonic()
        live.terminate()
        assert time.monotonic() - begun < AT_ONCE.total_seconds()
        assert not asking(url)


def wanted(live: Live) -> str:
    """The id of what waits for an approval in live."""
    rows = typed("status", "shop", "-o", "json", at=live.directory).json
    waiting = next(row for row in rows if row["environment"] == "live")["waiting"]
    found: str = next(one for one in waiting if one["for"] == "approval")["id"]
    return found


def asking(url: str) -> list[str]:
    """The processes of git that ask this repository."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # The address is in a variable, which no list of processes shows.
            if url.encode() in (place / "environ").read_bytes() and (place / "cmdline").read_bytes().startswith(b"git"):
                found.append(place.name)
    return found


def test_a_first_fetch_does_not_wait_half_an_hour_for_the_first_word(tmp_path: Path) -> None:
    with silence() as port:
        mirror = Mirror.open(f"git://127.0.0.1:{port}/desired.git", tmp_path / "mirror.git", "main", timeout=0.5)
        begun = time.monotonic()
        with pytest.raises(GitUnreachable, match="did not answer in time"):
            mirror.fetch()
        assert time.monotonic() - begun < AT_ONCE.total_seconds()


def test_a_settling_waits_for_what_it_fetches_and_tells_failure(live: Live, network: Proxy) -> None:
    live.start_repository()
    live.config.write_text(json.dumps(live.settings))
    network.refusing = True
    failed = aftermath.command(live, "run", "--once")
    assert (failed.status, "cannot be fetched" in failed.err) == (1, True)
    network.refusing = False
    network.hush()
    speaking = threading.Timer(AT_FIRST + 2, network.speak)
    speaking.start()
    done = aftermath.command(live, "run", "--once")
    speaking.join()
    assert done.status == 0, done.err
    assert live.everywhere("one")
