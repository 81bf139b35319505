"""Does `metrics` tell what was deployed, in text and in JSON, from what a reconciler has recorded?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import figures, migrate, tables
from reconciler.store.database import Database
from tests.commands import Told
from tests.postgres import empty_database
from tests.world import NOON


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One app, released everywhere twice; the second release is reverted."""
    told = Told(tmp_path_factory.mktemp("shop"))
    told.start_repository()
    told.settle()
    second = told.commit("Sell more", {"shop/index.html": "two"})
    told.settle()
    told.repo.revert(second)
    told.repo.push()
    told.settle()
    return told


def report(told: Told, **values: Any) -> None:
    """Record what was deployed elsewhere."""
    row = {"id": "elsewhere", "app": "wiki", "environment": "live", "number": 1, "version": "7", "status": "completed"}
    row |= {"deployed_by": "ci", "extra_metadata": {}, "created_at": told.now - timedelta(hours=1)}
    row |= {"started_at": told.now - timedelta(hours=1), "finished_at": told.now - timedelta(minutes=30)}
    database = Database(told.settings["state"]["url"])
    with database.write() as transaction:
        transaction.connection.execute(tables.reports.insert().values(**{**row, **values}))
    database.close()


def test_a_revert_makes_what_it_left_a_failed_change(shop: Told) -> None:
    found = shop.json("metrics", "--app", "shop")
    now = found["figures"]
    assert (now["changes"], now["changes_failed"], now["rollbacks"]) == (6, 3, 3)
    assert now["change_failure_rate"] == 0.5
    assert (now["success_rate"], now["failure_rate"], now["not_restored"]) == (1, 0, 0)
    assert now["deployment_frequency"] == pytest.approx(6 / 30)
    assert [now[name]["count"] for name in ("lead_time", "time_to_restore", "time_between")] == [6, 3, 3]
    assert all(now[name]["median"] >= 0 for name in ("lead_time", "time_to_restore", "time_between", "duration"))
    assert found["earlier"]["deployments"] == 0
    assert found["earlier"]["until"] == now["since"]
    # All of it was made just now: on the last day of the series, which is today so far.
    assert len(found["series"]) == 31
    assert [one["changes"] for one in found["series"][-2:]] in ([0, 6], [6, 0])  # midnight may have passed
    assert {one["since"][10:] for one in found["series"][1:]} == {"T00:00:00Z"}
    assert {one["name"]: one["figures"]["changes"] for one in found["environments"]} == {
        "live": 2,
        "pre-release": 2,
        "sandbox": 2,
    }


def test_figures_are_of_the_environment_and_of_the_time_that_was_asked_for(shop: Told) -> None:
    live = shop.json("metrics", "--environment", "live", "--since", "2h", "--app", "shop")
    assert (live["app"], live["environment"]) == ("shop", "live")
    assert (live["figures"]["changes"], sum(one["changes"] for one in live["series"])) == (2, 2)
    assert live["figures"]["deployment_frequency"] == pytest.approx(24, rel=0.01)


def test_the_text_begins_with_the_four(shop: Told) -> None:
    done = shop.type("metrics", "--app", "shop")
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("shop in all environments, 30 days since ")
    assert [line.split("  ")[0] for line in lines[2:6]] == [
        "deployment frequency",
        "lead time for changes",
        "change failure rate",
        "time to restore",
    ]
    assert "50.0 %" in lines[4]
    assert "3 failed or were left" in lines[4]


def test_what_was_deployed_elsewhere_counts(shop: Told) -> None:
    report(shop)
    report(shop, id="again", number=2, status="failed", error="no luck")
    found = shop.json("metrics", "--app", "wiki")["figures"]
    assert (found["changes"], found["failed"], found["change_failure_rate"]) == (1, 1, 0.5)
    assert found["duration"]["median"] == pytest.approx(1800, abs=5)
    assert [one["name"] for one in shop.json("metrics")["apps"]] == ["shop", "wiki"]
    assert "wiki" in shop.type("metrics").out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--app", "shpo"), 1, "there is no app shpo"),
        (("--environment", "lvie"), 1, "did you mean live"),
        (("--environment", "a\0b"), 1, "there is no environment"),
        (("--since", "soon"), 2, "--since"),
        (("--since", "2199-01-01T00:00Z"), 2, "figures are of what has been"),
        (("--since", "0001-01-01T00:00Z"), 2, "too far away"),
    ],
)
def test_what_cannot_be_answered_is_said(shop: Told, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = shop.type("metrics", *arguments)
    assert (done.status, done.out) == (status, "")
    assert said in done.err


def test_without_a_store_there_are_no_figures(tmp_path: Path) -> None:
    done = Told(tmp_path).type("metrics")
    assert done.status == 1
    assert "nothing has been recorded yet" in done.err


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_rows_come_in_order_and_bring_the_moment_of_the_commit(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = Database(
        f"sqlite:///{tmp_path}/store.db" if kind == "sqlite" else empty_database(request.getfixturevalue("postgresql"))
    )
    migrate.migrate(database)
    day = timedelta(days=1)
    deployment = {"status": "completed", "traffic": [], "config": {}, "deployed_by": "", "reason": "", "reverts": []}
    deployment |= {"extra_metadata": {}, "grounds": {}, "attempts": 0, "environment": "live", "cause": "release"}
    commit = {"tree": "", "author_name": "", "author_email": "", "subject": "", "message": "", "reverts": []}
    with database.write() as transaction:
        execute = transaction.connection.execute
        for position, age in ((1, 3), (2, 2)):  # noted twice, since the branch was rewritten
            moments = {"committed_at": NOON - age * day, "noted_at": NOON}
            execute(tables.commits.insert().values(**commit, **moments, position=position, id="abc"))
        for number, app in enumerate(("till", "shop", "shop"), start=1):
            own = {"id": f"{app}-{number}", "number": number, "app": app, "created_at": NOON + number * day}
            execute(tables.deployments.insert().values(**deployment, **own, commit="abc" if number == 2 else None))
        report = {"id": "r", "app": "shop", "environment": "live", "number": 1, "version": "9", "status": "failed"}
        report |= {"deployed_by": "", "extra_metadata": {}, "created_at": NOON + 2.5 * day, "scm_sha": "abc"}
        execute(tables.reports.insert().values(**report))
    with database.read() as connection:
        rows = list(figures.made(connection, NOON, NOON + 9 * day))
        late = list(figures.made(connection, NOON + 2 * day, NOON + 3 * day, "shop", "live"))
    database.close()
    assert [(one.app, one.id, one.cause, one.gradual) for one in rows] == [
        ("shop", "shop-2", "release", False),
        ("shop", "r", "external", False),
        ("shop", "shop-3", "release", False),
        ("till", "till-1", "release", False),
    ]
    ages = [None if one.committed_at is None else one.created_at - one.committed_at for one in rows]
    assert ages == [5 * 86_400_000_000, 5.5 * 86_400_000_000, None, None]
    assert [one.id for one in late] == ["shop-2", "r"]
