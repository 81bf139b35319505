"""Does the dry run show what the daemon then does, and does it leave everything as it was?"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import attention
from tests.commands import Told
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

ACTION = ["action", "app", "environment", "cause", "traffic", "reason"]


def deploys(plan: dict[str, Any]) -> list[tuple[str, str, str, list[int]]]:
    """App, environment, cause and version numbers of each deployment in a plan."""
    return [
        (one["app"], one["environment"], one["cause"], [part["number"] for part in one["traffic"]])
        for one in plan["actions"]
        if one["action"] == "deploy"
    ]


FORMS = ("text", "json", "markdown")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    return made


def test_before_there_is_a_store_everything_is_new(told: Told) -> None:
    plan = told.json("plan")
    assert list(plan) == ["commit", "at", "actions", "waiting", "refused", "wake_at"]
    assert plan["commit"] == told.repo.head
    assert list(plan["actions"][0]) == ACTION
    assert deploys(plan) == [("shop", "sandbox", "release", [1])]
    assert {wait["environment"]: wait["for"] for wait in plan["waiting"]} == {
        "pre-release": "promotion",
        "live": "promotion",
    }
    assert not (told.directory / "state").exists()


def test_a_plan_is_what_happens_next(told: Told) -> None:
    told.settle()
    assert told.json("plan")["actions"] == []
    assert "nothing to do" in told.type("plan").out
    told.commit("Change", {"shop/index.html": "two"})
    before = told.type("audit", "export").out
    planned = told.json("plan")
    assert deploys(planned) == [("shop", "sandbox", "release", [2])]
    assert told.type("audit", "export").out == before
    told.settle()
    first = told.json("deployments", "list", "--environment", "sandbox")[0]
    action = planned["actions"][0]
    assert {key: first[key] for key in ACTION[1:]} == {key: action[key] for key in ACTION[1:]}


def test_a_plan_goes_on_into_the_future(told: Told) -> None:
    told.settle()
    begins = told.now + timedelta(days=3)
    ends = begins + timedelta(days=1)
    season = season_manifest("sale", f"{begins:%Y-%m-%dT%H:%M}", f"{ends:%Y-%m-%dT%H:%M}", config={"banner": "Sale"})
    told.commit("Change, and a season", {"shop/index.html": "two", "sale.yaml": season})
    plan = told.json("plan", "--until", "10d")
    assert deploys(plan) == [
        ("shop", "sandbox", "release", [2]),
        ("shop", "pre-release", "promotion", [2]),
        ("shop", "live", "promotion", [2]),
        ("shop", "live", "season-start", [2]),
        ("shop", "live", "season-end", [2]),
    ]
    moments = [one["at"] for one in plan["actions"]]
    assert moments == sorted(moments)
    assert moments[3].startswith(f"{begins:%Y-%m-%dT%H:%M}")
    assert (plan["waiting"], plan["refused"], plan["wake_at"]) == ([], [], None)
    assert deploys(told.json("plan", "--until", "2d"))[-1] == ("shop", "live", "promotion", [2])


def test_what_is_to_come_is_told_with_what_it_changes_and_how_it_is_called_off(told: Told) -> None:
    begins = told.now + timedelta(days=3)
    season = season_manifest(
        "sale", f"{begins:%Y-%m-%dT%H:%M}", f"{begins + timedelta(days=1):%Y-%m-%dT%H:%M}", config={"banner": "Sale"}
    )
    told.commit("A season", {"sale.yaml": season, "shop.yaml": app_manifest(config={"banner": "Hello"})})
    told.settle()
    starts, ends = told.json("plan", "--until", "10d")["actions"]
    assert starts["changes"] == {"banner": {"before": "Hello", "after": "Sale"}}
    assert ends["changes"] == {"banner": {"before": "Sale", "after": "Hello"}}
    assert [part["number"] for part in starts["before"]] == [2]
    assert starts["cancel"] == "to call it off, remove the season at sale.yaml:1"
    assert ends["cancel"] == "to keep it, write a later end at sale.yaml:1"
    said = told.type("plan", "--until", "10d").out
    assert 'shop in live: banner: "Hello" → "Sale"; to call it off, remove the season at sale.yaml:1' in said


def test_what_people_decide_is_waited_for_and_steps_take_their_time(told: Told) -> None:
    told.settle()
    rollout = "rollout: {steps: [10, 100], interval: 2h}, gates: {soak: 1h}"
    gated = ENVIRONMENTS.replace("track: sandbox,", f"track: sandbox, {rollout},")
    gated = gated.replace("track: pre-release,", "track: pre-release, gates: {approvals: 2},")
    told.commit("Gates", {"environments.yaml": gated, "shop/index.html": "two"})
    plan = told.json("plan", "--until", "10d")
    assert deploys(plan) == [("shop", "sandbox", "release", [2]), ("shop", "pre-release", "promotion", [2])]
    # A deployment that goes by steps is complete, and stands at the next gate, when its last step is released.
    released, entered, step = plan["actions"]
    assert step["action"] == "step"
    hours = [datetime.fromisoformat(one["at"]) - datetime.fromisoformat(released["at"]) for one in (entered, step)]
    assert hours == [timedelta(hours=1), timedelta(hours=3)]
    assert entered["after"][0].startswith("soaked until ")
    assert [(one["environment"], one["for"]) for one in plan["waiting"]] == [("live", "approval")]
    assert "0 of 2 approvals" in plan["waiting"][0]["detail"]


def test_a_plan_at_another_moment(told: Told) -> None:
    begins = told.now + timedelta(days=3)
    season = season_manifest(
        "sale", f"{begins:%Y-%m-%dT%H:%M}", f"{begins + timedelta(days=1):%Y-%m-%dT%H:%M}", config={"banner": "Sale"}
    )
    told.commit("A season", {"sale.yaml": season})
    told.settle()
    assert told.json("plan")["actions"] == []
    assert told.json("plan")["wake_at"].startswith(f"{begins:%Y-%m-%dT%H:%M}")
    later = told.json("plan", "--at", "80h")
    assert deploys(later) == [("shop", "live", "season-start", [1])]
    assert later["wake_at"].startswith(f"{begins + timedelta(days=1):%Y-%m-%dT%H:%M}")


def test_what_a_branch_would_change(told: Told) -> None:
    told.settle()
    told.repo.checkout("feature", "main")
    told.commit("Say two", {"shop/index.html": "two"}, push=False)
    told.repo.git("push", "--quiet", "origin", "feature")
    told.repo.checkout("main")
    told.commit("Another app", {"blog.yaml": app_manifest("blog"), "blog/index.html": "b"})

    both = told.json("plan", "--head", "feature", "--base", "main")
    assert deploys(both) == [("shop", "sandbox", "release", [2])]
    assert deploys(told.json("plan")) == [("blog", "sandbox", "release", [1])]
    # Without a base: the branch merged into what has been noted.
    assert deploys(told.json("plan", "--head", "feature")) == [("shop", "sandbox", "release", [2])]
    commit = told.repo.git("rev-parse", "feature")
    assert deploys(told.json("plan", "--head", commit, "--base", "main")) == deploys(both)
    told.settle()
    assert deploys(told.json("plan", "--head", commit[:10])) == [("shop", "sandbox", "release", [2])]


def test_a_branch_is_judged_without_a_store_too(told: Told) -> None:
    told.repo.checkout("feature", "main")
    told.commit("Say two", {"shop/index.html": "two"}, push=False)
    told.repo.git("push", "--quiet", "origin", "feature")
    plan = told.json("plan", "--base", "main", "--head", "feature")
    assert deploys(plan) == [("shop", "sandbox", "release", [2])]
    assert not (told.directory / "state").exists()


def test_a_branch_that_conflicts_says_so(told: Told) -> None:
    told.settle()
    told.repo.checkout("feature", "main")
    told.commit("Say two", {"shop/index.html": "two"}, push=False)
    told.repo.git("push", "--quiet", "origin", "feature")
    told.repo.checkout("main")
    told.commit("Say three", {"shop/index.html": "three"})
    told.settle()
    done = told.type("plan", "--head", "feature")
    assert (done.status, done.out) == (1, "")
    assert "conflicts in shop/index.html" in done.err


@pytest.mark.parametrize(
    "reference", ["nowhere", "--upload-pack=x", "", "a..b", "deadbeef", "\x1b[2J", "HEAD:shop.yaml"]
)
def test_what_is_no_commit_is_no_traceback(told: Told, reference: str) -> None:
    done = told.type("plan", f"--head={reference}")
    assert (done.status, done.out) == (1, "")
    assert "has no commit" in done.err


def test_a_branch_over_a_server_is_fetched(told: Told) -> None:
    told.repo.checkout("feature", "main")
    told.commit("Say two", {"shop/index.html": "two"}, push=False)
    told.repo.git("push", "--quiet", "origin", "feature")
    commit = told.repo.git("rev-parse", "feature")
    bundle = told.directory / "desired.bundle"
    told.repo.git("bundle", "create", "--quiet", str(bundle), "main", "feature")
    # A bundle is read through git's own transport, as a server is.
    told.set(repository={"url": str(bundle)})
    assert deploys(told.json("plan")) == [("shop", "sandbox", "release", [1])]
    for reference in ("feature", commit):
        assert deploys(told.json("plan", "--base", "main", "--head", reference)) == [
            ("shop", "sandbox", "release", [2])
        ]


def test_without_the_repository_the_last_fetched_commit_counts(told: Told) -> None:
    told.settle()
    told.home.path.rename(told.directory / "gone")
    done = told.type("plan", "-o", "json")
    assert done.status == 0
    assert done.json["actions"] == []
    assert "last fetched" in done.err or "fetched last" in done.err


def test_markdown_for_a_pull_request(told: Told) -> None:
    told.settle()
    told.commit(
        "Say | two <b> @ann", {"shop/index.html": "two", "broken.yaml": "apiVersion: reconciler/v1\nkind: Ap\n"}
    )
    said = told.type("plan", "-o", "markdown").out
    assert "| Action | App | Environment | Cause | Versions | Why |" in said
    assert "| deploy | shop | sandbox | release | v2 | v2: Say \\| two &lt;b\\> @\u200bann |" in said
    assert "**Broken files" in said
    assert "broken.yaml:2:7: " in said.replace("\\", "")


def test_what_waits_or_is_refused_is_said_every_time(told: Told) -> None:
    pinned = app_manifest(environments={"sandbox": {}, "live": {"version": "v9"}})
    told.commit("Pin to nothing", {"shop.yaml": pinned})
    told.settle()
    for _ in range(2):
        plan = told.json("plan")
        assert plan["actions"] == []
        assert [(one["environment"], one["rule"]) for one in plan["refused"]] == [("live", "version")]
    assert "refused (version)" in told.type("plan").out


def attended(told: Told) -> set[str]:
    """The apps that a plan looks at although nothing has become due of them."""
    with told.running() as found, found.database.read() as connection:
        return attention.with_something_to_say(connection)


def taken_back(told: Told, **files: str) -> None:
    """Release something everywhere, and take it back."""
    told.settle()
    head = told.commit("Say two", {"shop/index.html": "two", **files})
    told.settle()
    told.repo.revert(head)
    told.repo.push()


def test_what_was_taken_back_is_looked_at_until_it_has_left(told: Told) -> None:
    taken_back(told)
    assert {one[2] for one in deploys(told.json("plan"))} == {"rollback"}
    told.settle()
    assert attended(told) == set()
    assert told.json("plan")["actions"] == []


def test_a_pin_to_what_was_taken_back_is_told_every_time(told: Told) -> None:
    taken_back(told)
    told.settle()
    told.commit("Keep two", {"shop.yaml": app_manifest(environments={"sandbox": {}, "live": {"version": "v2"}})})
    told.settle()
    for _ in range(2):
        assert [(one["environment"], one["rule"]) for one in told.json("plan")["refused"]] == [("live", "withdrawn")]


def test_a_season_of_what_was_taken_back_is_told_every_time(told: Told) -> None:
    taken_back(told)
    told.settle()
    now = told.now.replace(microsecond=0)
    start, until = (f"{now + timedelta(days=days):%Y-%m-%dT%H:%M:%S}" for days in (-1, 1))
    told.commit("A season", {"season.yaml": season_manifest("sale", start, until, version="v2")})
    told.settle()
    for _ in range(2):
        assert [(one["environment"], one["rule"]) for one in told.json("plan")["refused"]] == [("live", "withdrawn")]


def test_what_may_not_go_back_is_told_every_time(told: Told) -> None:
    taken_back(told, **{"shop.yaml": app_manifest(migrations=["001-carts"])})
    told.settle()
    for _ in range(2):
        refused = told.json("plan")["refused"]
        assert {"pre-release", "live"} <= {one["environment"] for one in refused if one["rule"] == "rollback"}


def test_a_mass_change_is_refused_in_advance(tmp_path: Path) -> None:
    told = Told(tmp_path)
    apps = {f"a{n}.yaml": app_manifest(f"a{n}", bundle="pages", environments=["sandbox"]) for n in range(20)}
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, "pages/index.html": "one", **apps})
    told.settle()
    told.commit("Change them all", {"pages/index.html": "two"})
    plan = told.json("plan")
    assert plan["actions"] == []
    assert {one["rule"] for one in plan["refused"]} == {"mass-change"}
    assert "Allow-Mass-Change: 20" in plan["refused"][0]["detail"]


def test_a_base_alone_is_compared_with_what_is_checked_out(told: Told) -> None:
    told.settle()
    told.set(repository={"url": str(told.repo.path)})
    told.repo.checkout("feature", "main")
    told.commit("Say two", {"shop/index.html": "two"}, push=False)
    plan = told.json("plan", "--base", "main")
    assert deploys(plan) == [("shop", "sandbox", "release", [2])]
    same = told.type("plan", "--base", "feature")
    assert same.status == 0
    assert "--base feature and HEAD are one commit" in same.err
    assert "nothing to do" in same.out


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"broken.yaml": "apiVersion: reconciler/v1\nkind: Ap\n"}, "broken.yaml:2:7: "),
        ({"shop.yaml": app_manifest(bundle="shpo")}, "there is no directory shpo"),
        ({"environments.yaml": ENVIRONMENTS.replace("track: latest", "track: live")}, "leads back to itself"),
    ],
)
def test_a_branch_with_a_mistake_is_1_in_every_form(told: Told, files: dict[str, str], said: str) -> None:
    told.settle()
    told.repo.checkout("feature", "main")
    told.commit("A mistake", files, push=False)
    told.repo.git("push", "--quiet", "origin", "feature")
    text, as_json, markdown = (told.type("plan", "--head", "feature", "-o", form) for form in FORMS)
    assert [one.status for one in (text, as_json, markdown)] == [1, 1, 1]
    assert said in text.out
    assert said in as_json.err
    assert "actions" in as_json.json
    assert told.type("plan", "--base", "main", "--head", "feature").status == 1
    assert told.type("plan", "--head", "main").status == 0
