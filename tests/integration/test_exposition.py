"""Does Prometheus read what is so, cheaply, and in a form that it takes?"""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from reconciler.api.exposition import AGE, Exposition
from reconciler.errors import StoreError
from reconciler.store import migrate, tables
from reconciler.store.database import Database
from reconciler.telemetry import vitals
from tests.counting import counted
from tests.exposed import Scraped, scraped, scraped_from
from tests.postgres import empty_database
from tests.stores import IN_POSTGRESQL
from tests.world import ENVIRONMENTS, World, app_manifest

BROKEN = ENVIRONMENTS.replace(
    "{type: directory, path: releases/live}}", '{type: exec, command: ["/bin/sh", "-c", "exit 1"]}}'
).replace("spec: {track: pre-release", "spec: {track: pre-release, retry: {limit: 0}")
GATED = ENVIRONMENTS.replace("spec: {track: pre-release", "spec: {track: pre-release, gates: {approvals: 1}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def states(found: Scraped, environment: str) -> dict[str, float]:
    """How many apps are in which state."""
    return found.some("reconciler_app_environments", "state", environment=environment)


def test_a_store_without_anything_is_exposed_too(world: World) -> None:
    found = scraped(world)
    assert found.value("reconciler_apps") == 0
    assert found.of("reconciler_app_environments") == []
    assert found.value("reconciler_head_age_seconds") is None


def test_what_runs_where_and_what_was_deployed(world: World) -> None:
    world.start_repository()
    world.settle()
    second = world.commit("Sell more", {"shop/index.html": "two"})
    world.later(hours=2)
    world.settle()
    world.repo.revert(second)
    world.repo.push()
    world.settle()
    found = scraped(world, after=timedelta(minutes=5))
    assert found.value("reconciler_apps") == 1
    assert states(found, "live") == {"settled": 1}
    ended = "reconciler_deployments_total"
    assert found.value(ended, environment="sandbox", cause="release", status="completed") == 2
    assert found.value(ended, environment="live", cause="promotion", status="completed") == 2
    assert found.value(ended, environment="live", cause="rollback", status="completed") == 1
    assert found.value("reconciler_deployment_duration_seconds_count", environment="live") == 3
    assert found.value("reconciler_lead_time_seconds_count", environment="live") == 2
    assert found.value("reconciler_head_noted_age_seconds") == 300
    assert found.value("reconciler_repository_trouble_seconds") == 0
    # A file's only daemon leaves no word when it ends.
    assert found.value("reconciler_daemons_leading") == (0 if IN_POSTGRESQL else 1)


def test_a_failure_is_told_until_something_newer_went_well(world: World) -> None:
    world.commit("Begin", {"environments.yaml": BROKEN, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    world.settle()
    found = scraped(world)
    assert states(found, "live") == {"failed": 1}
    assert states(found, "sandbox") == {"settled": 1}
    assert found.value("reconciler_deployments_total", environment="live", cause="promotion", status="failed") == 1
    world.commit("Mend", {"environments.yaml": ENVIRONMENTS, "shop/index.html": "two"})
    world.settle()
    assert states(scraped(world), "live") == {"settled": 1}


def test_approvals_are_asked_for_until_they_are_given(world: World) -> None:
    world.commit("Begin", {"environments.yaml": GATED, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    world.settle()
    assert scraped(world).some("reconciler_waiting", "gate") == {"approval": 1}
    world.commit("No gate", {"environments.yaml": ENVIRONMENTS})
    world.settle()
    assert scraped(world).some("reconciler_waiting", "gate") == {}


def test_commits_that_a_pause_holds_up_are_counted_with_the_age_of_the_oldest(world: World) -> None:
    world.start_repository()
    world.settle()
    world.wish("pause", app="shop", environment="live", reason="the fair", until=world.now + timedelta(days=2))
    world.later(hours=1)
    for word in ("two", "three"):
        world.commit(f"Say {word}", {"shop/index.html": word})
        world.settle()
        world.later(hours=3)
    found = scraped(world)
    assert states(found, "live") == {"paused": 1}
    assert (found.value("reconciler_paused"), found.value("reconciler_paused_commits")) == (1, 2)
    assert found.value("reconciler_paused_oldest_commit_age_seconds") == 6 * 3600
    after = scraped(world, after=timedelta(days=3))
    assert (after.value("reconciler_paused"), after.value("reconciler_paused_commits")) == (0, 0)


def test_a_pause_that_git_declares_counts_as_well(world: World) -> None:
    until = (world.now + timedelta(days=2)).isoformat()
    pause = {"by": "ann@example.com", "reason": "the fair", "until": until}
    world.start_repository(environments={"sandbox": {}, "pre-release": {}, "live": {"pause": pause}})
    world.settle()
    world.later(hours=1)
    world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    found = scraped(world, after=timedelta(hours=2))
    assert (found.value("reconciler_paused"), found.value("reconciler_paused_commits")) == (1, 1)
    assert found.value("reconciler_paused_oldest_commit_age_seconds") == 2 * 3600
    assert scraped(world, after=timedelta(days=3)).value("reconciler_paused") == 0


def test_broken_manifests_are_counted(world: World) -> None:
    world.start_repository()
    world.settle()
    world.commit("Break", {"shop.yaml": "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: shop}\nspec: {}\n"})
    world.settle()
    assert scraped(world).value("reconciler_complaints", of="file") == 1


def test_what_left_git_is_orphaned_and_not_settled(world: World) -> None:
    world.start_repository()
    world.settle()
    world.commit("No live any more", {"shop.yaml": app_manifest(environments=["sandbox", "pre-release"])})
    world.settle()
    assert states(scraped(world), "live") == {"orphaned": 1}


def test_counting_on_gives_what_counting_anew_gives(world: World) -> None:
    world.start_repository()
    with world.running() as found:
        going_on = Exposition(found.database, world.directory)
        scraped_from(going_on, world.now)
        for word in ("two", "three", "four"):
            world.later(minutes=30)
            second = world.commit(f"Say {word}", {"shop/index.html": word})
            found.daemon.settle()
            scraped_from(going_on, world.now)
        world.repo.revert(second)
        world.repo.push()
        found.daemon.settle()
        world.later(minutes=1)
        old = scraped_from(going_on, world.now)
        anew = scraped_from(Exposition(found.database, world.directory), world.now)
    assert old.of("reconciler_deployments_total")
    assert old.text == anew.text


def test_a_first_failure_is_a_series_that_grows(world: World) -> None:
    world.start_repository()
    world.settle()
    found = scraped(world)
    assert found.value("reconciler_deployments_total", environment="live", cause="release", status="failed") == 0
    assert found.value("reconciler_deployments_total", environment="live", cause="auto-rollback", status="failed") == 0


def test_what_was_reported_from_elsewhere_counts_when_it_ends(world: World) -> None:
    world.start_repository()
    world.settle()
    row = {"id": "elsewhere", "app": "wiki", "environment": "live", "number": 1, "version": "7", "deployed_by": "ci"}
    row |= {"extra_metadata": {}, "created_at": world.now, "started_at": world.now, "status": "started"}
    ended = {"environment": "live", "cause": "external", "status": "completed"}
    with world.running() as found:
        exposition = Exposition(found.database, world.directory)
        with found.database.write() as transaction:
            transaction.connection.execute(tables.reports.insert().values(**row))
            transaction.note("deployment.started", world.now, {}, subject="elsewhere")
        assert scraped_from(exposition, world.now).value("reconciler_deployments_total", **ended) == 0
        world.later(minutes=1)
        with found.database.write() as transaction:
            done = update(tables.reports).values(status="completed", finished_at=world.now)
            transaction.connection.execute(done)
            transaction.note("deployment.completed", world.now, {}, subject="elsewhere")
        after = scraped_from(exposition, world.now)
    assert after.value("reconciler_deployments_total", **ended) == 1
    took = "reconciler_deployment_duration_seconds"
    assert after.value(f"{took}_bucket", environment="live", le="60.0") == 2
    assert after.value(f"{took}_bucket", environment="live", le="30.0") == 1


def test_environments_that_only_reports_name_share_one_label(world: World) -> None:
    world.start_repository()
    world.settle()
    row = {"app": "wiki", "number": 1, "version": "7", "deployed_by": "ci", "extra_metadata": {}, "status": "completed"}
    row |= {"created_at": world.now, "started_at": world.now, "finished_at": world.now + timedelta(seconds=20)}
    rows = [{**row, "id": f"r{number}", "environment": f"branch-{number}"} for number in range(50)]
    with world.running() as found:
        before = len(Exposition(found.database, world.directory).text(world.now))
        with found.database.write() as transaction:
            transaction.connection.execute(tables.reports.insert(), rows)
        text = Exposition(found.database, world.directory).text(world.now)
    after = Scraped(text)
    assert len(text) < before + 3_000
    assert not [labels for name in after.names for labels, _ in after.of(name) if "branch-" in str(labels)]
    ended = "reconciler_deployments_total"
    assert after.value(ended, environment="elsewhere", cause="external", status="completed") == 50
    took = "reconciler_deployment_duration_seconds"
    assert after.value(f"{took}_bucket", environment="elsewhere", le="30.0") == 50
    assert after.value(f"{took}_bucket", environment="elsewhere", le="10.0") == 0
    assert after.value(f"{took}_sum", environment="elsewhere") == 1_000


def test_an_answer_is_given_again_for_a_second(world: World) -> None:
    world.start_repository()
    with world.running() as found:
        exposition = Exposition(found.database, world.directory)
        before = exposition.text(world.now)
        found.daemon.settle()
        assert exposition.text(world.now + AGE / 2) == before
        assert exposition.text(world.now + AGE) != before


def test_a_store_that_does_not_answer_is_told_as_such(world: World) -> None:
    with world.running() as found:
        exposition = Exposition(found.database, world.directory)
        if not found.database.is_shared:
            (world.directory / "state" / "reconciler.db").unlink()
            with pytest.raises(StoreError):
                exposition.text(world.now)


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b'{"written": 1}', b"\xff", b'{"stages": {"turn": 7}}'])
def test_nonsense_in_the_place_of_vitals_takes_nothing_else_away(world: World, written: bytes) -> None:
    world.start_repository()
    world.settle()
    (world.directory / "state" / vitals.FILE).write_bytes(written)
    found = scraped(world)
    assert found.value("reconciler_apps") == 1
    assert found.value("reconciler_daemon_written_timestamp_seconds") is None


def test_prometheus_finds_nothing_to_say_against_it(world: World) -> None:
    world.start_repository()
    world.settle()
    vitals.write(world.directory / "state" / vitals.FILE, world.now, world.now)
    found = scraped(world)
    assert found.value("reconciler_daemon_written_timestamp_seconds") == world.now.timestamp()
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=found.text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_scrape_asks_as_little_however_long_the_history_is(world: World) -> None:
    world.start_repository()
    world.settle()
    more = (
        "INSERT INTO deployments (id, app, environment, number, status, cause, traffic, config, deployed_by, reason, "
        "reverts, created_at, started_at, finished_at, extra_metadata, grounds, attempts) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "SELECT 'many-' || i, 'shop', 'live', i + 100, 'completed', 'release', '[]', '{}', '', '', '[]', 1, 1, 2, "
        "'{}', '{}', 0 FROM n"
    )
    steps = []
    with world.running() as found:
        if found.database.is_shared:
            return
        for insert in (more, "SELECT 1"):
            exposition = Exposition(found.database, world.directory)
            first = Scraped(exposition.text(world.now))
            with counted(found.database) as work:
                exposition.text(world.now + timedelta(seconds=15))
            steps.append(work.steps)
            with found.database.write() as transaction:
                transaction.connection.execute(text(insert))
    assert sum(value for _, value in first.of("reconciler_deployments_total")) == 5003
    assert steps[1] <= steps[0] * 1.1


def test_postgresql_is_asked_the_same(postgresql: str, world: World) -> None:
    world.settings["state"] = {"url": empty_database(postgresql), "lease": "3s"}
    world.start_repository()
    world.settle()
    world.wish("pause", app="shop", reason="the fair", until=world.now + timedelta(days=2))
    world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    database = Database(world.settings["state"]["url"])
    migrate.migrate(database)
    found = Scraped(Exposition(database, world.directory).text(world.now))
    database.close()
    assert found.value("reconciler_deployments_total", environment="live", cause="promotion", status="completed") == 1
    assert found.value("reconciler_lead_time_seconds_count", environment="live") == 1
    assert found.value("reconciler_paused") == 3
