"""What a person writes to git from the command line while a daemon runs: promotions, and a rollback git follows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.store import holds
from tests.commands import Done, typed
from tests.e2e.daemon import Live, environment_manifest
from tests.world import app_manifest

WHO = ["--actor", "grace@example.org"]


def begin(live: Live, **gates: Any) -> None:
    """Version 2 runs in the sandbox, 1 in live, which asks for an approval."""
    places = [environment_manifest("sandbox", "latest"), environment_manifest("live", "sandbox")]
    shop = app_manifest(environments=["sandbox", "live"])
    live.commit("Begin", {"environments.yaml": "\n---\n".join(places), "shop.yaml": shop, "shop/index.html": "one"})
    live.start()
    live.wait_for(lambda: ran(live, "one", "sandbox", "live"), "the first version runs")
    places[1] = environment_manifest("live", "sandbox", gates=gates) if gates else places[1]
    live.commit("Ask before live", {"environments.yaml": "\n---\n".join(places)})
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: ran(live, "two", "sandbox"), "the second version is in the sandbox")


def ran(live: Live, text: str, *environments: str) -> bool:
    return all(
        live.runs(name) == text and live.history(environment=name)[-1].status == "completed" for name in environments
    )


def ask(live: Live, *words: object, at: Path | None = None) -> Done:
    return typed(*words, "--config", live.config, at=at or live.directory)


def asked(live: Live, *words: object, at: Path | None = None) -> Any:
    done = ask(live, *words, "-o", "json", at=at)
    assert done.status == 0, done.err
    return done.json


def merge(live: Live, branch: str) -> None:
    live.repo.git("fetch", "--quiet", "origin", f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    live.repo.merge(f"origin/{branch}")
    live.repo.push()


def of_live(live: Live) -> Any:
    (row,) = (row for row in asked(live, "status", "shop") if row["environment"] == "live")
    return row


def test_a_promotion_is_pushed_merged_approved_and_deployed(live: Live) -> None:
    begin(live, approvals=1)
    found = asked(live, "promote", "shop", "--to", "live", "--push", *WHO, at=live.repo.path)
    assert found["pushed"]
    assert [one["by"] for one in found["then"]] == ["approval"]
    assert live.runs("live") == "one"
    merge(live, found["branch"])
    live.wait_for(lambda: of_live(live)["waiting"], "it waits for an approval")
    assert ask(live, "approve", "shop/live", "--actor", "ann@example.org").status == 0
    live.wait_for(lambda: ran(live, "two", "live"), "it is deployed")
    live.commit("Three", {"shop/index.html": "three"})
    live.wait_for(lambda: ran(live, "three", "sandbox"), "the third version is in the sandbox")
    assert live.runs("live") == "two", "it is pinned until somebody lets it follow again"


def test_a_rollback_is_live_at_once_held_and_ends_with_the_merge(live: Live) -> None:
    begin(live)
    live.wait_for(lambda: ran(live, "two", "live"), "the second version is live")
    asked_at = datetime.now(UTC)
    found = asked(live, "rollback", "shop", "--environment", "live", "--reason", "it is slow", *WHO)
    live.wait_for(lambda: ran(live, "one", "live"), "the first version is live again")
    back = live.history(environment="live")[-1]
    assert back.finished_at is not None
    assert (back.finished_at - asked_at).total_seconds() < 10, "from the command that was typed to what runs"
    assert (back.cause, back.deployed_by, found["deployments_back"]) == ("rollback", "grace@example.org", 1)
    assert found["outcome"].startswith("back to v1")
    assert live.home.git("rev-parse", found["branch"]) == found["commit"]

    row = of_live(live)
    assert (row["held"]["by"], row["held"]["reason"]) == ("grace@example.org", "it is slow")
    assert (live.runs("sandbox"), live.runs("live")) == ("two", "one")
    merge(live, found["branch"])
    live.wait_for(lambda: of_live(live)["held"] is None, "the hold has ended")
    live.wait_for(lambda: ran(live, "one", "sandbox", "live"), "git and what runs say the same")
    assert [d.cause for d in live.history(environment="live")] == ["promotion", "promotion", "rollback"]
    names = live.home.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    assert sorted(names) == sorted(["main", found["branch"]])


def test_a_rollback_that_is_not_possible_any_more_is_told(live: Live) -> None:
    begin(live)
    live.wait_for(lambda: ran(live, "two", "live"), "the second version is live")
    assert ask(live, "rollback", "shop", "--environment", "live", *WHO).status == 0
    live.wait_for(lambda: ran(live, "one", "live"), "the first version is live again")
    again = ask(live, "rollback", "shop", "--environment", "live", *WHO)
    assert (again.status, again.out) == (1, "")
    assert "nothing else ran well in live" in again.err


def test_where_the_daemon_cannot_revert_the_command_writes_a_pin(live: Live) -> None:
    begin(live)
    live.wait_for(lambda: ran(live, "two", "live"), "the second version is live")
    live.commit("Three", {"shop/index.html": "three"})
    live.wait_for(lambda: ran(live, "three", "live"), "the third version is live")
    assert ask(live, "rollback", "shop", "--environment", "live", *WHO).status == 0
    live.wait_for(lambda: ran(live, "two", "live"), "the second version is live again")
    found = asked(live, "rollback", "shop", "--environment", "live", *WHO)
    live.wait_for(lambda: ran(live, "one", "live"), "the first version is live again")
    assert found["branch"] == "reconciler/rollback-shop-live-v1"
    assert "conflicts in shop/index.html" in found["warnings"][0]
    with live.store.read() as connection:
        row = holds.find(connection, "shop", "live")
    assert row is not None
    assert (row.branch, row.branch_commit) == (found["branch"], found["commit"])
    merge(live, found["branch"])
    live.wait_for(lambda: of_live(live)["held"] is None, "the hold has ended")
    assert [len(d.traffic) and d.traffic[0].number for d in live.history(environment="live")] == [1, 2, 3, 2, 1]
