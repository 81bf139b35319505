"""Does the command line take an environment back, and give git the commit that says the same?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.views.ways_back import NEAR
from tests.commands import Told
from tests.integration.test_cli_promote import branches, merge
from tests.world import ENVIRONMENTS, app_manifest

WHO = ["--actor", "grace@example.org"]
LIVE = ["--environment", "live"]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Three versions, the last in all three environments."""
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    for text in ("two", "three"):
        made.commit(text, {"shop/index.html": text})
        made.settle()
    return made


def back(told: Told, *words: str) -> Any:
    return told.json("rollback", "shop", *LIVE, *words, *WHO)


def live(told: Told) -> Any:
    (row,) = (row for row in told.json("status", "shop") if row["environment"] == "live")
    return row


def test_it_goes_back_and_the_branch_that_is_merged_ends_the_hold(told: Told) -> None:
    before = told.home.head
    found = back(told, "--reason", "the till does not open")
    assert [part["number"] for part in found["traffic"]] == [2]
    assert (found["deployments_back"], found["limit"], found["asked"]) == (1, 10, True)
    assert found["branch"] == f"reconciler/revert-shop-live-{before[:8]}"
    assert f"This reverts commit {before}." in found["message"].splitlines()
    assert told.home.git("log", "-1", "--format=%ae", found["branch"]) == "grace@example.org"
    told.settle()
    assert (told.runs("live"), told.runs("sandbox")) == ("two", "three")
    assert live(told)["held"]["reason"] == "the till does not open"
    assert branches(told.home) == [found["branch"]], "nobody writes a second one"

    merge(told, found["branch"])
    assert {told.runs(name) for name in ("sandbox", "pre-release", "live")} == {"two"}
    assert live(told)["held"] is None
    assert [cause for cause, _, _ in told.story("live")] == ["promotion"] * 3 + ["rollback"]
    assert len(told.versions()) == 3


def test_a_dry_run_and_a_branch_alone_let_everything_run_on(told: Told) -> None:
    found = back(told, "--dry-run")
    assert (found["asked"], found["commit"], branches(told.home)) == (False, None, [])
    found = back(told, "--to", "v1", "--branch-only")
    assert (found["asked"], found["deployments_back"]) == (False, 2)
    assert {(one["environment"], one["does"]) for one in found["then"]} == {
        (name, "deploys") for name in ("sandbox", "pre-release", "live")
    }
    told.settle()
    assert (told.runs("live"), live(told)["held"]) == ("three", None)
    merge(told, found["branch"])
    assert told.runs("live") == "one"
    told.commit("four", {"shop/index.html": "four"})
    told.settle()
    onto = back(told, "--onto-followed-branch", "--message", "Four is bad\n\nReviewed-by: Ann")
    assert (onto["asked"], told.home.head) == (False, onto["commit"])
    assert told.home.git("log", "-1", "--format=%s|%(trailers:key=Reviewed-by)") == "Four is bad|Reviewed-by: Ann\n"
    told.settle()
    assert {told.runs(name) for name in ("sandbox", "live")} == {"one"}


def test_where_a_revert_gives_something_else_the_environment_is_pinned(told: Told) -> None:
    told.commit("Beside", {"shop/other.html": "x"})
    told.settle()
    told.commit("On top", {"shop/index.html": "four"})
    told.settle()
    back(told)
    told.settle()
    assert told.runs("live", "other.html") == "x"
    again = back(told, "--to", "v2", "--reason", "further")
    assert [part["number"] for part in again["traffic"]] == [2]
    told.settle()
    assert told.runs("live") == "two"
    merge(told, again["branch"])
    assert (told.runs("live"), live(told)["held"]) == ("two", None)


def test_a_conflict_makes_a_pin_that_says_why(told: Told) -> None:
    back(told)
    told.settle()
    found = back(told, "--reason", "and further")
    assert found["branch"] == "reconciler/rollback-shop-live-v1"
    assert "conflicts in shop/index.html" in found["warnings"][0]
    assert found["message"].startswith("Roll shop back to v1 in live\n\nshop in live goes back to v1 from v2")
    told.settle()
    merge(told, found["branch"])
    assert (told.runs("live"), told.runs("sandbox"), live(told)["held"]) == ("one", "three", None)
    assert [numbers for _, _, numbers in told.story("live")] == [[1], [2], [3], [2], [1]]


def test_other_apps_of_the_same_commit_are_named(told: Told) -> None:
    other = {"other.yaml": app_manifest("other"), "other/index.html": "one"}
    told.commit("Other", other)
    told.settle()
    told.commit("Both", {"shop/index.html": "four", "other/index.html": "two"})
    told.settle()
    assert "changed other as well" in back(told)["warnings"][0]


REFUSED = [
    (["--to", "v9"], 1, "no version v9"),
    (["--to", "v3"], 1, "v3 is what runs in live"),
    (["--to", "v1"], 1, "1 at most"),
    (["--onto-followed-branch", "--branch", "x"], 2, "exclude each other"),
]


def test_what_speaks_against_it_is_told_before_anything_is_done(told: Told) -> None:
    limited = ENVIRONMENTS.replace("releases/live}", "releases/live}, rollback: {limit: 1}")
    told.commit("Not far", {"environments.yaml": limited})
    told.settle()
    before = told.type("audit", "export").out
    for words, status, said in REFUSED:
        done = told.type("rollback", "shop", *LIVE, *words, *WHO)
        assert (done.status, done.out, said in done.err) == (status, "", True), done.err
    for words in (["shop", "--environment", "liv"], ["shp", *LIVE]):
        assert told.type("rollback", *words, *WHO).status == 1
    assert told.type("audit", "export").out == before
    assert branches(told.home) == []


def test_a_guard_is_passed_by_a_promotion_with_a_word(told: Told) -> None:
    limited = ENVIRONMENTS.replace("releases/live}", "releases/live}, rollback: {limit: 1}")
    told.commit("Not far", {"environments.yaml": limited})
    told.settle()
    assert told.json("promote", "shop", "--to", "live", "--version", "v1", *WHO)["then"][0]["does"] == "refused"
    found = told.json("promote", "shop", "--to", "live", "--version", "v1", "--allow-rollback", *WHO)
    merge(told, found["branch"], "--ff-only")
    assert told.runs("live") == "one"


def test_a_repository_that_is_gone_keeps_nobody_from_going_back(told: Told) -> None:
    away = told.home.path.rename(told.directory / "gone.git")
    done = told.type("rollback", "shop", *LIVE, *WHO)
    assert done.status == 1
    assert "fetched last" in done.err
    assert "there is no repository at" in done.err
    told.settle()
    assert told.runs("live") == "two"
    away.rename(told.home.path)


def test_going_back_does_not_depend_on_the_branch(told: Told) -> None:
    hook = told.home.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not today' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = told.type("rollback", "shop", *LIVE, "--push", *WHO)
    assert done.status == 1
    assert "not today" in done.err
    assert "--branch-only" in done.err
    hook.unlink()
    told.settle()
    assert told.runs("live") == "two"


def test_a_way_back_is_found_however_far_back_it_leads(told: Told) -> None:
    far = ENVIRONMENTS.replace("releases/live}", "releases/live}, rollback: {limit: 100}")
    told.commit("Far", {"environments.yaml": far})
    for number in range(NEAR + 3):
        told.commit(f"Greet {number}", {"shop.yaml": app_manifest("shop", config={"greeting": number % 2 + 1})})
        told.settle()
    found = back(told, "--to", "v1", "--dry-run")
    ran = [one for one in told.story("live") if one[0] != "rollback"]
    assert found["deployments_back"] == len(ran) - 1 > NEAR
    told.commit("Not so far", {"environments.yaml": far.replace("limit: 100", f"limit: {NEAR}")})
    told.settle()
    refused = told.type("rollback", "shop", *LIVE, "--to", "v1", "--dry-run", *WHO)
    assert (refused.status, f"{NEAR} at most" in refused.err) == (1, True), refused.err
