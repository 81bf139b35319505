"""Does HTTP write the commits of the command line: pins, splits, tracking, ways back and pauses in git?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import schedule
from tests.bearers import bearer, header
from tests.commands import Told
from tests.http_asking import Face, face
from tests.integration.test_cli_promote import branches, merge
from tests.world import ENVIRONMENTS

WHO = "ann@example.org"
LIVE = "/apps/shop/environments/live"
TYPED = ["promote", "shop", "--to", "live"]
PAUSE = {"reason": "the fair", "until": "2199-01-01T00:00:00Z"}
Post = Callable[..., Any]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Two versions, the second in all environments."""
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    made.commit("Two", {"shop/index.html": "two"})
    made.settle()
    return made


@pytest.fixture
def asked(told: Told) -> Iterator[Face]:
    with face(told) as found:
        yield found


@pytest.fixture
def post(told: Told, asked: Face) -> Post:
    """Ask for something as an operator; what is answered, with the status that is expected."""
    headers = header(bearer(told.settings["state"]["url"], "operate", now=told.now, name=WHO))

    def ask(path: str, status: int = 202, **body: Any) -> Any:
        answer = asked.client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def facts(told: Told) -> list[tuple[str, str, str | None]]:
    """What is in the ledger of branches, and by whom: of which environment."""
    rows = told.json("audit", "export")
    return [(one["kind"], one["actor"], one["environment"]) for one in rows if one["kind"].startswith("branch.")]


@pytest.mark.parametrize(
    ("path", "body", "typed"),
    [
        (f"{LIVE}/pin", {}, ["pin", "shop", "live"]),
        (f"{LIVE}/pin", {"version": "v1"}, ["pin", "shop", "live", "--version", "v1"]),
        (f"{LIVE}/promote", {"version": "v1", "allow_rollback": True}, [*TYPED, "--version", "v1", "--allow-rollback"]),
        (f"{LIVE}/promote", {"traffic": "v1=90,v2=10"}, [*TYPED, "--traffic", "v1=90,v2=10"]),
        (f"{LIVE}/promote", {"track": "sandbox"}, [*TYPED, "--track", "sandbox"]),
        (f"{LIVE}/promote", {"track": "latest"}, [*TYPED, "--track", "latest"]),
        (
            f"{LIVE}/promote",
            {"version": "v1", "at": "2190-12-01T09:00", "timezone": "Europe/Paris"},
            [*TYPED, "--version", "v1", "--at", "2190-12-01T09:00", "--timezone", "Europe/Paris"],
        ),
        (
            f"{LIVE}/promote",
            {"version": "v1", "message": "Go back\n\nReviewed-by: Ann", "freeze_override": "it is lost"},
            [*TYPED, "--version", "v1", "--message", "Go back\n\nReviewed-by: Ann", "--freeze-override", "it is lost"],
        ),
        (f"{LIVE}/rollback", {}, ["rollback", "shop", "--environment", "live"]),
        (
            f"{LIVE}/rollback",
            {"to": "v1", "branch_only": True, "reason": "lost"},
            ["rollback", "shop", "--environment", "live", "--to", "v1", "--branch-only", "--reason", "lost"],
        ),
    ],
)
def test_what_would_be_is_what_the_command_line_tells(
    told: Told, post: Post, path: str, body: dict[str, Any], typed: list[str]
) -> None:
    printed = told.json(*typed, "--dry-run", "--actor", WHO)
    found = post(path, **body, dry_run=True)
    # An address may be written with its directory or without; a message and an id may follow from the second at which
    # a commit was made.
    for one in (printed, found):
        del one["repository"], one["message"]
        one["then"] = [{key: then[key] for key in then if key != "detail"} for then in one["then"]]
    assert found == printed
    assert (found["dry_run"], branches(told.home), facts(told)) == (True, [], [])


def test_a_pin_is_written_and_taken_away_again(told: Told, post: Post) -> None:
    before = told.home.head
    found = post(f"{LIVE}/pin", reason="the fair")
    assert (branches(told.home), told.home.head) == ([found["branch"]], before)
    assert "    the fair\n" in told.home.git("show", "--no-patch", "--format=%B", found["commit"])
    merge(told, found["branch"])
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert (told.runs("live"), told.runs("sandbox")) == ("two", "three")
    again = post(f"{LIVE}/promote", track=True)
    assert (again["traffic"], again["branch"]) == (None, "reconciler/promote-shop-live-follow-pre-release")
    merge(told, again["branch"])
    assert told.runs("live") == "three"
    assert facts(told) == [("branch.pin", WHO, "live"), ("branch.promotion", WHO, "live")]


def test_a_moment_may_be_a_length_of_time(told: Told, post: Post) -> None:
    now = told.now
    found = post(f"{LIVE}/promote", version="v1", at="2h", dry_run=True)
    at = schedule.utc(found["at"])
    assert timedelta(hours=2) <= at - now.replace(microsecond=0) < timedelta(hours=2, minutes=5)


def test_a_way_back_that_is_only_written_lets_everything_run_on_until_it_is_merged(told: Told, post: Post) -> None:
    found = post(f"{LIVE}/rollback", branch_only=True, reason="orders are lost")
    assert (found["asked"], found["deployments_back"], found["dry_run"]) == (False, 1, False)
    assert ("live", "deploys") in {(one["environment"], one["does"]) for one in found["then"]}
    told.settle()
    (standing,) = (one for one in told.json("status") if one["environment"] == "live")
    assert (told.runs("live"), standing["held"]) == ("two", None)
    assert facts(told) == [("branch.rollback", WHO, "live")]
    merge(told, found["branch"])
    assert told.runs("live") == "one"


def test_a_rollback_without_those_still_goes_back_now(told: Told, post: Post) -> None:
    found = post(f"{LIVE}/rollback", reason="orders are lost")
    assert (found["kind"], found["way"]["deployments_back"]) == ("rollback", 1)
    told.settle()
    assert told.runs("live") == "one"


def test_a_pause_is_written_into_the_manifest_and_taken_out(told: Told, post: Post) -> None:
    would = post("/apps/shop/pause", **PAUSE, environment="live", git=True, dry_run=True)
    assert (would["commit"], branches(told.home)) == (None, [])
    found = post("/apps/shop/pause", **PAUSE, environment="live", git=True)
    assert (found["environment"], found["branch"]) == (None, "reconciler/pause-shop-live")
    assert found["message"].startswith("Pause shop in live until 2199-01-01 00:00 UTC\n\n    the fair\n")
    assert found["diff"] == would["diff"]
    told.settle()
    assert not [one for one in told.json("status") if one["paused"]], "it holds when it is merged"
    merge(told, found["branch"])
    (paused,) = (one for one in told.json("status") if one["paused"])
    assert paused["environment"] == "live"
    assert "resume shop --git" in post("/apps/shop/resume", 409, environment="live")["next_step"]
    back = post("/apps/shop/resume", environment="live", git=True, reason="it is over")
    assert "    it is over\n" in back["message"]
    merge(told, back["branch"])
    assert not [one for one in told.json("status") if one["paused"]]
    assert facts(told) == [("branch.pause", WHO, "live"), ("branch.resume", WHO, "live")]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (f"{LIVE}/promote", {"version": "v1", "traffic": "v1=100"}, 422, "`version` and `traffic` exclude each other"),
        (f"{LIVE}/promote", {"version": "v1", "track": True}, 422, "`version` and `track` exclude each other"),
        (f"{LIVE}/promote", {"track": True, "at": "2190-12-01T09:00:00Z"}, 422, "`at` takes one version"),
        (f"{LIVE}/promote", {"version": "v1", "timezone": "Europe/Paris"}, 422, "`timezone` goes with `at`"),
        (f"{LIVE}/promote", {"version": "v1", "at": "2190-12-01T09:00"}, 422, "where the clock hangs"),
        (f"{LIVE}/promote", {"version": "v1", "at": "2190-12-01T09:00", "timezone": "Mars/Base"}, 422, "Mars/Base"),
        (f"{LIVE}/promote", {"at": "2001-12-01T09:00:00Z"}, 422, "is over"),
        (f"{LIVE}/promote", {"track": "lvie"}, 404, "there is no environment lvie"),
        (f"{LIVE}/promote", {"track": "live"}, 422, "cannot follow itself"),
        (f"{LIVE}/promote", {"track": False}, 422, "true for what is declared"),
        (f"{LIVE}/promote", {"track": "a b"}, 422, "true for what is declared"),
        (f"{LIVE}/promote", {"traffic": "v1=90"}, 422, "add up to 90"),
        (f"{LIVE}/promote", {"version": "v1", "message": " \n "}, 422, "message has 0 letters"),
        (f"{LIVE}/promote", {"version": "v1", "freeze_override": "a\nb"}, 422, "freeze_override"),
        (f"{LIVE}/promote", {"version": "v1", "branch": "main"}, 422, "there is no such field"),
        (f"{LIVE}/pin", {"version": "v9"}, 404, "no version v9"),
        (f"{LIVE}/pin", {"expected": "none"}, 409, "has changed meanwhile"),
        (f"{LIVE}/pin", {"traffic": "v1=100"}, 422, "there is no such field"),
        ("/apps/shop/environments/lvie/pin", {}, 404, "lvie"),
        (f"{LIVE}/rollback", {"branch_only": True, "expected": "none"}, 409, "has changed meanwhile"),
        (f"{LIVE}/rollback", {"branch_only": True, "to": "v2"}, 409, "v2 is what runs in live"),
        (f"{LIVE}/rollback", {"message": "x"}, 422, "body.message: no commit is written here without `branch_only`"),
        ("/apps/shop/pause", {**PAUSE, "dry_run": True}, 422, "body.dry_run: no commit is written here without `git`"),
        ("/apps/shop/pause", {**PAUSE, "git": True, "until": "2001-01-01T00:00:00Z"}, 422, "is over"),
        ("/apps/shop/pause", {**PAUSE, "git": True, "reason": " "}, 422, "no reason is given"),
        (
            "/apps/shop/pause",
            {**PAUSE, "git": True, "environment": "live", "expected": "none"},
            409,
            "changed meanwhile",
        ),
        ("/apps/shop/resume", {"git": True}, 409, "not paused in git"),
        ("/apps/shop/resume", {"freeze_override": "x"}, 422, "without `git`"),
    ],
)
def test_what_makes_no_sense_writes_nothing(
    told: Told, post: Post, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    assert said in json.dumps(post(path, status, **body), ensure_ascii=False)
    assert (branches(told.home), facts(told)) == ([], [])


def test_the_guards_of_the_command_line_hold(told: Told, post: Post) -> None:
    limited = ENVIRONMENTS.replace("releases/live}", "releases/live}, rollback: {limit: 1}")
    told.commit("Not far", {"environments.yaml": limited, "shop/index.html": "three"})
    told.settle()
    assert "1 at most" in json.dumps(post(f"{LIVE}/rollback", 409, to="v1", branch_only=True))
    (then,) = post(f"{LIVE}/promote", version="v1", dry_run=True)["then"]
    assert (then["does"], then["environment"]) == ("refused", "live")
    told.set(write={"branches": False})
    with face(told) as off:
        headers = header(bearer(told.settings["state"]["url"], "operate", now=told.now, name=WHO))
        for path, body in (
            (f"{LIVE}/pin", {}),
            (f"{LIVE}/rollback", {"branch_only": True}),
            ("/apps/shop/pause", {**PAUSE, "git": True}),
        ):
            refused = off.client.post(path, json=body, headers=headers)
            assert (refused.status_code, "write.branches is off" in refused.text) == (409, True), refused.text
            assert off.client.post(path, json={**body, "dry_run": True}, headers=headers).status_code == 202


def test_it_needs_the_scope_of_its_neighbours(told: Told, asked: Face) -> None:
    reader = header(bearer(told.settings["state"]["url"], "approve", now=told.now))
    for headers, status in (({}, 401), (reader, 403)):
        assert asked.client.post(f"{LIVE}/pin", json={}, headers=headers).status_code == status
        assert asked.client.post(f"{LIVE}/rollback", json={"dry_run": True}, headers=headers).status_code == status
