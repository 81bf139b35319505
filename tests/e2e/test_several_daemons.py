"""Do several daemons on one PostgreSQL store share the work, and does it go on whatever happens to one of them?"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.e2e.daemon import Live, Nursery
from tests.e2e.fleet import LEASE, Fleet
from tests.faults.postgres import Server


@pytest.fixture
def fleet(tmp_path: Path, nursery: Nursery, server: Server) -> Iterator[Fleet]:
    """No daemon yet."""
    made = Fleet(tmp_path, nursery, server.database())
    yield made
    made.close()


@dataclass
class Killing:
    """A leader or another daemon is killed every few seconds and a new one started, while commits are pushed."""

    daemons: int
    seconds: float
    every: float
    changes: Counter[int] = field(default_factory=Counter)
    """How often each app was changed."""

    def disturb(self, fleet: Fleet, apps: Sequence[str]) -> str:
        """Do that; the text of the last change, which all apps have then."""
        chance = random.Random(self.daemons)
        begun, killed, count = time.monotonic(), time.monotonic(), 0
        while time.monotonic() - begun < self.seconds:
            count += 1
            number = chance.randrange(len(apps))
            fleet.change(f"change {count}", apps[number])
            self.changes[number] += 1
            time.sleep(0.2)  # a stream, and no storm
            if time.monotonic() - killed > self.every:
                running = [one for one in fleet.members if one.runs]
                leading = [one for one in running if one is fleet.leader]
                (leading[0] if leading and count % 2 else chance.choice(running)).kill()
                fleet.member()
                killed = time.monotonic()
        for number, app in enumerate(apps):
            fleet.change("the last", app)
            self.changes[number] += 1
        return "the last"


SEVERAL = [
    pytest.param(Killing(2, 10.0, 3.0), id="two for ten seconds"),
    pytest.param(Killing(2, 60.0, 4.0), id="two for a minute", marks=pytest.mark.long),
    pytest.param(Killing(5, 60.0, 3.0), id="five for a minute", marks=[pytest.mark.long, pytest.mark.timeout(400)]),
]


def slowly(fleet: Fleet, seconds: float) -> str:
    """A target that takes its time and writes down each deployment that took effect, once."""
    done = fleet.directory / "done"
    done.mkdir()
    once = f"mkdir {done}/$RECONCILER_DEPLOYMENT 2>/dev/null || exit 0"
    return f"sleep {seconds}; {once}; echo $RECONCILER_DEPLOYMENT >> {done}.log"


def test_daemons_share_the_work(fleet: Fleet):
    apps = [f"app-{number}" for number in range(12)]
    go = fleet.directory / "go"
    fleet.begin(*apps, script=f"until [ -e {go} ]; do sleep 0.05; done; {slowly(fleet, 0)}")
    for _ in range(2):
        fleet.member()
    # As long as nothing ends, each does as much as it has threads for.
    fleet.wait_for(lambda: fleet.who_carried_out() == {"1": fleet.workers, "2": fleet.workers}, "both carry out")
    go.touch()
    fleet.wait_for(lambda: all(fleet.history(app, "live") for app in apps), "all of it comes to live")
    fleet.wait_for(lambda: all(one.status == "completed" for one in fleet.history()), "all has completed")
    fleet.check()


def test_when_the_leader_is_killed_another_one_leads_within_two_leases(fleet: Fleet):
    fleet.begin("shop")
    first, second = fleet.member(), fleet.member()
    fleet.wait_for(lambda: fleet.everywhere("one", "shop") and fleet.living() == 2, "it runs")
    leader = fleet.leader
    assert leader in (first, second)
    leader.kill()
    fleet.change("two", "shop")
    took = fleet.wait_for(lambda: fleet.everywhere("two", "shop"), "the other one leads")
    # Until it leads, and three releases on a machine with other work.
    assert took < 2 * LEASE + 10
    assert fleet.living() == 1
    assert [fact["kind"] for fact in fleet.facts("daemon.lost")] == ["daemon.lost"]
    fleet.check()


def test_when_one_that_does_not_lead_is_killed_the_leader_takes_up_its_work(fleet: Fleet):
    fleet.workers, fleet.interval = 1, "1h"  # nothing else makes the leader look
    fleet.begin("shop", "mail", script=f"until [ -e {fleet.directory}/go-$RECONCILER_APP ]; do sleep 0.05; done")
    leader = fleet.member()
    fleet.wait_for(lambda: [one for one in fleet.history() if one.status == "started"], "it has begun")
    (its,) = {one.app for one in fleet.history() if one.status == "started"}
    (left,) = {"shop", "mail"} - {its}
    other = fleet.member()
    fleet.wait_for(lambda: fleet.who_carried_out()[f"{other.number}"] == 1, "the other one carries out")
    (fleet.directory / f"go-{its}").touch()
    fleet.wait_for(lambda: [one.status for one in fleet.history(its)] == ["completed"] * 3, "the leader is done")
    other.kill()
    (fleet.directory / f"go-{left}").touch()
    fleet.wait_for(lambda: [one.status for one in fleet.history(left)] == ["completed"] * 3, "taken up")
    assert leader.runs
    fleet.check()


def test_one_that_follows_another_branch_ends_and_never_leads(fleet: Fleet):
    fleet.begin("shop")
    fleet.member()
    fleet.wait_for(lambda: fleet.everywhere("one", "shop"), "it runs")
    fleet.world.home.git("branch", "other")
    stranger = fleet.member(branch="other")
    fleet.wait_for(lambda: not stranger.runs, "it ends")
    assert "this store follows the branch main of the repository, not other" in stranger.log
    assert stranger.process is not None
    assert stranger.process.wait() == 1
    fleet.change("two", "shop")
    fleet.wait_for(lambda: fleet.everywhere("two", "shop"), "the other one goes on")
    fleet.check()


def test_one_that_came_before_anything_was_followed_ends_as_soon_as_it_is_another_branch(fleet: Fleet):
    first = fleet.member()
    fleet.wait_for(lambda: fleet.leader is first, "it leads")
    stranger = fleet.member(branch="other")
    fleet.wait_for(lambda: fleet.living() == 2, "both live")
    fleet.begin("shop")
    fleet.wait_for(lambda: fleet.everywhere("one", "shop"), "it runs")
    if stranger.runs:  # it had nothing to carry out so far
        first.end()
    fleet.wait_for(lambda: not stranger.runs, "it ends")
    assert "this store follows the branch main of the repository, not other" in stranger.log
    fleet.check()


def test_a_leader_that_ends_leaves_at_once(fleet: Fleet):
    fleet.lease = 20.0  # far more than a busy machine takes for the rest
    fleet.begin("shop")
    fleet.member()
    fleet.member()
    fleet.wait_for(lambda: fleet.everywhere("one", "shop") and fleet.living() == 2, "it runs")
    leader = fleet.leader
    assert leader is not None
    leader.end()
    took = fleet.wait_for(lambda: fleet.leader not in (None, leader), "the other one leads")
    assert took < fleet.lease
    assert fleet.facts("daemon.lost") == []


def test_a_leader_that_ends_lets_another_one_lead_before_its_own_work_is_done(fleet: Fleet):
    fleet.begin("shop", "mail", script=slowly(fleet, 2.5))
    first = fleet.member()
    fleet.wait_for(lambda: fleet.history("shop", "sandbox"), "it has begun")
    second = fleet.member()
    fleet.wait_for(lambda: fleet.living() == 2, "the second one is there")
    assert fleet.leader is first
    first.signal(signal.SIGTERM)
    fleet.wait_for(lambda: fleet.leader is second, "the second one leads")
    assert first.runs  # and finishes what it has begun
    fleet.wait_for(lambda: not first.runs, "it has ended")
    fleet.wait_for(
        lambda: {one.status for one in fleet.history()} == {"completed"} and len(fleet.history()) == 6, "done"
    )
    told = (fleet.directory / "done.log").read_text().split()
    assert len(told) == len(set(told)) == 6
    fleet.check()


def test_a_daemon_that_stood_still_finds_its_work_done_and_does_not_do_it_again(fleet: Fleet):
    fleet.begin("shop", script=slowly(fleet, 1.0))
    first = fleet.member()
    fleet.wait_for(lambda: fleet.history("shop", "sandbox"), "it has begun")
    second = fleet.member()
    fleet.wait_for(lambda: fleet.living() == 2, "the second one is there")
    fleet.change("two", "shop")
    fleet.wait_for(lambda: fleet.history("shop", "sandbox")[-1].number == 2, "the second version")
    first.signal(signal.SIGSTOP)
    fleet.wait_for(lambda: fleet.leader is second, "the second one leads")
    done = lambda: fleet.history("shop", "live") and fleet.history("shop", "live")[-1].traffic[0].number == 2  # noqa: E731
    fleet.wait_for(lambda: done() and fleet.history("shop", "live")[-1].status == "completed", "it is live")
    first.signal(signal.SIGCONT)
    fleet.wait_for(lambda: fleet.living() == 2, "the first one begins a new life")
    assert "lease" in first.log
    fleet.change("three", "shop")
    fleet.wait_for(lambda: fleet.history("shop", "live")[-1].traffic[0].number == 3, "it goes on")
    fleet.wait_for(lambda: fleet.history("shop", "live")[-1].status == "completed", "it is live")
    second.end()  # the first one is alone now, and carries out what comes as if nothing had been
    fleet.change("four", "shop")
    fleet.wait_for(lambda: fleet.history("shop", "live")[-1].traffic[0].number == 4, "it goes on alone")
    fleet.wait_for(lambda: fleet.history("shop", "live")[-1].status == "completed", "it is live")
    told = (fleet.directory / "done.log").read_text().split()
    assert len(told) == len(set(told))
    assert len(fleet.history("shop")) == 3 * 4
    fleet.check()


def test_a_leader_that_stands_still_in_the_midst_of_writing_does_not_hold_the_others_up(fleet: Fleet):
    fleet.begin("shop")
    first = fleet.member()
    fleet.wait_for(lambda: fleet.everywhere("one", "shop"), "it runs")
    second = fleet.member()
    fleet.wait_for(lambda: fleet.living() == 2, "the second one is there")
    with fleet.store.aside() as connection:
        # So that the leader comes to stand still in the midst of its transaction.
        connection.execute(text("LOCK TABLE deployments IN EXCLUSIVE MODE"))
        fleet.change("two", "shop")
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'deployments'::regclass")
        fleet.wait_for(lambda: connection.execute(waiting).scalar(), "the leader is in the midst of it")
        first.signal(signal.SIGSTOP)
    fleet.wait_for(lambda: fleet.everywhere("two", "shop"), "the other one did it")
    assert fleet.leader is second
    first.signal(signal.SIGCONT)
    fleet.wait_for(lambda: fleet.living() == 2, "the first one begins a new life")
    fleet.check()


def test_a_daemon_that_is_cut_off_gives_up_and_comes_back(fleet: Fleet, server: Server):
    fleet.begin("shop")
    with server.proxy() as proxy:
        way = fleet.store.engine.url.set(host="127.0.0.1", port=proxy.port, query={})
        cut = fleet.member(way.render_as_string(hide_password=False))
        fleet.wait_for(lambda: fleet.everywhere("one", "shop"), "it runs")
        other = fleet.member()
        fleet.wait_for(lambda: fleet.living() == 2, "the second one is there")
        proxy.hush()
        fleet.change("two", "shop")
        fleet.wait_for(lambda: fleet.everywhere("two", "shop"), "the other one did it")
        assert fleet.leader is other
        proxy.speak()
        fleet.wait_for(lambda: fleet.living() == 2, "it is back")
        fleet.change("three", "shop")
        fleet.wait_for(lambda: fleet.everywhere("three", "shop"), "it goes on")
        assert cut.runs
    fleet.check()


@pytest.mark.parametrize("killing", SEVERAL)
def test_a_stream_of_commits_goes_on_while_daemons_are_killed(fleet: Fleet, killing: Killing):
    apps = [f"app-{number}" for number in range(6)]
    fleet.begin(*apps)
    for _ in range(killing.daemons):
        fleet.member()
    fleet.wait_for(lambda: fleet.everywhere("one", *apps) and fleet.living() == killing.daemons, "all runs")
    words = killing.disturb(fleet, apps)
    fleet.wait_for(lambda: fleet.everywhere(words, *apps), "the last commit runs everywhere")
    fleet.check()
    for number, app in enumerate(apps):  # each commit made its version, whoever noted it
        assert fleet.versions(app) == killing.changes[number] + 1


@pytest.mark.sqlite_only("a file has one daemon at a time")
@pytest.mark.parametrize("by_link", [False, True])
def test_a_store_in_a_file_has_one_daemon_at_a_time(live: Live, tmp_path: Path, by_link: bool):
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "it runs")
    other = Live(tmp_path / "other", live._nursery)
    other.settings["state"] = live.settings["state"]
    if by_link:
        link = tmp_path / "link.db"
        link.symlink_to(tmp_path / "state" / "reconciler.db")
        other.settings["state"] = {"url": f"sqlite:///{link}"}
    other.settings["repository"] = live.settings["repository"]
    other.start("--once")
    assert other.ended() == 1
    assert "another reconciler uses the store" in other.log
    assert "and a file has one at a time" in other.log
    assert "several daemons share a store on PostgreSQL" in other.log
