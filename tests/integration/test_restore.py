"""Does a backup become the store again, on either database, with targets that went on since, and never by halves?"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from reconciler.store.backups import examine
from reconciler.store.database import Database
from tests import stores
from tests.commands import Told
from tests.integration.test_backup import everything
from tests.postgres import empty_database
from tests.world import CHAIN, ENVIRONMENTS, app_manifest

FILE = "now.backup"


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A world with two versions and a backup."""
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    made.commit("Two", {"shop/index.html": "two"})
    made.settle()
    assert made.type("backup", FILE).status == 0
    return made


def lose(told: Told) -> None:
    stores.lose(told.settings["state"], told.directory)
    told.set()


def deployed(told: Told) -> list[tuple[str, str, int, str]]:
    return [(d.id, d.environment, d.number, d.status) for d in told.history()]


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything but what a restore adds to the ledger."""
    found = everything(url)
    found["ledger"] = [row for row in found["ledger"] if "store." not in repr(row)]
    del found["seals"]
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("postgres", "postgres")],
)
def test_what_was_recorded_is_recorded_again_on_either_database(
    tmp_path: Path, postgresql: str, before: str, after: str
) -> None:
    told = Told(tmp_path)
    addresses = [
        empty_database(postgresql) if kind == "postgres" else f"sqlite:///{tmp_path}/{place}/reconciler.db"
        for place, kind in (("state", before), ("other", after))
    ]
    told.set(state={"url": addresses[0]})
    told.start_repository()
    told.settle()
    told.commit("Zwei – «2»", {"shop/index.html": "two"})
    told.settle()
    told.type("pause", "shop", "--reason", "x", "--until", "2h", "--actor", "ann@example.com")
    expected, ran = rows(addresses[0]), told.facts("live")
    assert told.type("backup", FILE).status == 0
    told.set(state={"url": addresses[1]})
    done = told.type("restore", FILE)
    assert done.status == 0, done.err
    assert "what targets run: 3 of 3 as recorded" in done.out
    assert rows(addresses[1]) == expected
    assert told.type("audit", "verify").status == 0
    told.settle()
    assert told.facts("live") == ran
    assert len(deployed(told)) == 6, "nothing is deployed anew"
    told.type("resume", "shop", "--actor", "ann@example.com")
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert told.runs("live") == "three"
    assert [d.number for d in told.history(environment="live")] == [1, 2, 3]


def test_what_came_after_the_backup_is_known_again_and_nothing_older_is_put_back(told: Told) -> None:
    for word in ("three", "four"):
        told.commit(word.title(), {"shop/index.html": word})
        told.settle()
    ran = {name: told.facts(name) for name in CHAIN}
    lose(told)
    done = told.type("restore", FILE)
    assert done.status == 0, done.err
    assert f"  shop in live: v2 is recorded; v4 (deployment {ran['live']['deployment']})" in done.out.splitlines()
    told.settle()
    assert {name: told.facts(name) for name in CHAIN} == ran, "nothing was released anew"
    assert [v.number for v in told.versions()] == [1, 2, 3, 4]
    assert [told.story(name)[-1] for name in CHAIN] == [
        ("release", "completed", [4]),
        ("promotion", "completed", [4]),
        ("promotion", "completed", [4]),
    ]
    told.commit("Five", {"shop/index.html": "five"})
    told.settle()
    assert told.runs("live") == "five"
    told.repo.revert(told.repo.head)
    told.repo.push()
    told.settle()
    assert told.runs("live") == "four"


def test_a_revert_that_came_after_the_backup_is_a_rollback_again(told: Told) -> None:
    told.repo.revert(told.repo.head)
    told.repo.push()
    told.settle()
    assert told.runs("live") == "one"
    lose(told)
    assert told.type("restore", FILE).status == 0
    told.settle()
    assert [told.story(name)[-1] for name in CHAIN] == [("rollback", "completed", [1])] * 3
    assert [d.number for d in told.history(environment="live")] == [1, 2, 3]


def test_without_the_repository_what_came_after_it_is_taken_in_when_it_answers(told: Told) -> None:
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    lose(told)
    shutil.rmtree(told.directory / "state" / "mirror.git")
    told.home.path.rename(told.directory / "away")
    done = told.type("restore", FILE)
    assert done.status == 0, done.err
    assert "not known without it" in done.err
    assert "versions that are not in git's history" in done.out
    (told.directory / "away").rename(told.home.path)
    told.settle()
    assert told.runs("live") == "three"
    assert {status for _, _, _, status in deployed(told)} == {"completed"}


def test_what_a_person_went_back_to_after_it_stays_until_somebody_has_looked(told: Told) -> None:
    went = ("rollback", "shop", "--environment", "live", "--reason", "slow", "--actor", "ann@example.com")
    assert told.type(*went).status == 0
    told.settle()
    assert told.runs("live") == "one"
    lose(told)
    done = told.json("restore", FILE, "--pause-until", "2h")
    assert [one["environment"] for one in done["targets"]["others"]] == ["live"]
    told.settle()
    assert told.runs("live") == "one"
    assert [bool(one["paused"]) for one in told.json("status")] == [False, False, True]
    told.type("resume", "shop", "--actor", "ann@example.com")
    told.settle()
    assert told.runs("live") == "two", "git says so"


def test_a_deployment_that_was_under_way_is_carried_out_by_its_id(told: Told) -> None:
    under_way(told)
    lose(told)
    done = told.json("restore", FILE)
    assert done["targets"]["others"] == []
    told.settle()
    assert told.runs("live") == "three"
    (last,) = [d for d in told.history(environment="live") if d.number == 3]
    assert (last.status, told.facts("live")["deployment"]) == ("completed", last.id)


def test_a_deployment_that_was_overtaken_since_is_not_begun_again(told: Told) -> None:
    under_way(told)
    told.settle()
    told.commit("Four", {"shop/index.html": "four"})
    told.settle()
    assert told.runs("live") == "four"
    lose(told)
    assert told.type("restore", FILE).status == 0
    (left,) = [d for d in told.history(environment="live") if d.number == 3]
    assert left.status == "aborted"
    ran = told.facts("live")
    told.settle()
    assert told.story("live")[2:] == [("promotion", "aborted", [3]), ("promotion", "completed", [4])]
    assert told.facts("live") == ran, "the older version is not put there even for a moment"


def under_way(told: Told) -> None:
    """A backup of the moment at which the third deployment of live has begun."""
    told.commit("Three", {"shop/index.html": "three"})
    with told.running() as found:
        begin = found.pool.begin

        def all_but_live(job: Any) -> None:
            if job.release.environment != "live":
                begin(job)

        found.pool.begin = all_but_live  # type: ignore[method-assign]
        while not [d for d in listed(told, found) if d == ("live", 3, "started")]:
            found.cycle.turn(told.now)
        assert told.type("backup", FILE, "--force").status == 0


def listed(told: Told, found: Any) -> list[tuple[str, int, str]]:
    from reconciler.store import deployments

    with found.database.read() as connection:
        return [
            (d.environment, d.number, d.status) for d in deployments.listed(connection, deployments.Filter(limit=99))
        ]


@pytest.mark.sqlite_only("the store is a file")
def test_a_store_that_holds_something_stays_unless_it_is_set_aside(told: Told) -> None:
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    file = told.directory / "state" / "reconciler.db"
    before = file.read_bytes()
    done = told.type("restore", FILE)
    assert (done.status, file.read_bytes()) == (1, before)
    assert "3 commits, 3 versions, 9 deployments" in done.err
    aside = Path(told.json("restore", FILE, "--force")["set_aside"])
    with closing(sqlite3.connect(aside)) as kept:
        assert kept.execute("SELECT count(*) FROM versions").fetchone() == (3,)
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_a_postgresql_store_held_is_set_aside_in_a_schema(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql)})
    told.start_repository()
    told.settle()
    told.type("backup", FILE)
    assert "1 commit, 1 version, 3 deployments" in told.type("restore", FILE).err
    aside = told.json("restore", FILE, "--force")["set_aside"]
    store = Database(told.settings["state"]["url"])
    with store.read() as connection:
        name = aside.removeprefix("schema ")
        assert connection.exec_driver_sql(f'SELECT count(*) FROM "{name}".deployments').scalar() == 3
    store.close()
    told.settle()
    assert len(deployed(told)) == 3


@pytest.mark.sqlite_only("only SQLite holds numbers that PostgreSQL does not")
def test_what_goes_wrong_half_way_leaves_the_earlier_store_as_it_was(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    with closing(sqlite3.connect(tmp_path / "state" / "reconciler.db")) as connection:
        connection.execute("UPDATE deployments SET error = 'a' || char(0) || 'b'")
        connection.commit()
    told.type("backup", "small.backup")
    with closing(sqlite3.connect(tmp_path / "state" / "reconciler.db")) as connection:
        connection.execute("UPDATE versions SET number = 99999999999")  # no number of PostgreSQL's
        connection.commit()
    told.type("backup", "large.backup")
    told.set(state={"url": empty_database(postgresql)})
    assert told.type("restore", "small.backup").status == 0
    assert {d.error for d in told.history()} == {"a\N{SYMBOL FOR NULL}b"}
    before = rows(told.settings["state"]["url"])
    done = told.type("restore", "large.backup", "--force")
    assert (done.status, done.out) == (1, "")
    assert "out of range" in done.err
    assert rows(told.settings["state"]["url"]) == before


def test_a_daemon_that_runs_is_left_alone(told: Told) -> None:
    with told.running():
        done = told.type("restore", FILE, "--force")
    assert (done.status, done.out) == (1, "")
    assert "another reconciler runs" in done.err


def test_a_daemon_on_another_machine_is_left_alone(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql), "lease": "2s"})
    told.start_repository()
    told.settle()
    told.type("backup", FILE)
    with told.running() as found:
        import threading

        ended = threading.Event()

        def beating() -> None:
            while not ended.wait(0.1):
                found.membership.beat()

        heart = threading.Thread(target=beating)
        found.membership.join()
        heart.start()
        other = dict(told.settings)
        told.set(data=str(tmp_path / "elsewhere"))
        try:
            done = told.type("restore", FILE, "--force")
        finally:
            ended.set()
            heart.join()
        told.set(**other)
    assert done.status == 1
    assert "1 daemon on this store" in done.err


def test_a_daemon_that_shows_itself_more_rarely_is_seen_by_its_sessions(tmp_path: Path, postgresql: str) -> None:
    told, store = Told(tmp_path), empty_database(postgresql)
    told.set(state={"url": store, "lease": "10m"})
    told.start_repository()
    told.settle()
    told.type("backup", FILE)
    with told.running() as found:
        found.membership.join()
        other = dict(told.settings)
        told.set(data=str(tmp_path / "elsewhere"), state={"url": store, "lease": "2s"})
        done = told.type("restore", FILE, "--force")
        told.set(**other)
    assert done.status == 1
    assert f"1 daemon on this store: {found.membership.name}" in done.err


def test_an_older_backup_is_brought_to_the_present_schema(told: Told) -> None:
    store = told.directory / "old.db"
    from alembic import command
    from alembic.config import Config

    from reconciler.store import backups, ledger, migrate
    from reconciler.store.backing import into_one_file, sqlite_store

    made = sqlite_store(store)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with made.write() as transaction:
        config.attributes["connection"] = transaction.connection
        command.upgrade(config, "0002")
    made.close()
    into_one_file(store)
    with closing(sqlite3.connect(store)) as connection:
        about = backups.Backup(
            made_at=told.now,
            made_by="0.0.1",
            source="sqlite",
            schema="0002",
            counts=backups.counts(connection),
            head=ledger.GENESIS,
            commit=None,
        )
        connection.execute(backups.TABLE)
        connection.execute("INSERT INTO backup VALUES (1, ?)", (about.row(),))
        connection.commit()
        connection.execute(f"PRAGMA application_id = {backups.APPLICATION}")
    lose(told)
    assert told.type("restore", store).status == 0
    told.settle()
    assert told.runs("live") == "two"


def test_a_check_changes_nothing(told: Told) -> None:
    before = everything(told.settings["state"]["url"])
    done = told.json("restore", FILE, "--check")
    assert (done["restored"], done["head"]) == (False, examine(told.directory / FILE).head)
    assert everything(told.settings["state"]["url"]) == before


@pytest.mark.sqlite_only("its file is damaged")
def test_a_damaged_store_is_set_aside_as_it_is(told: Told) -> None:
    file = told.directory / "state" / "reconciler.db"
    file.write_bytes(b"\xee" * 100_000)
    done = told.type("restore", FILE)
    assert done.status == 1
    assert "`reconciler restore --force` sets it aside" in done.err
    aside = Path(told.json("restore", FILE, "--force")["set_aside"])
    assert aside.read_bytes() == b"\xee" * 100_000
    assert len(deployed(told)) == 6


def test_a_bigger_world_is_restored_whole(tmp_path: Path) -> None:
    told = Told(tmp_path)
    apps = {f"app{n}.yaml": app_manifest(f"app{n}", bundle=f"app{n}") for n in range(12)}
    pages = {f"app{n}/index.html": f"{n}" for n in range(12)}
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, **apps, **pages})
    told.settle()
    told.type("backup", FILE)
    lose(told)
    shutil.rmtree(told.directory / "state", ignore_errors=True)
    assert told.type("restore", FILE).status == 0
    assert {one["in_sync"] for one in told.json("status")} == {True}


def test_a_store_that_an_earlier_version_has_left_is_set_aside(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql)})
    told.start_repository()
    told.settle()
    assert told.type("backup", FILE).status == 0
    with closing(Database(told.settings["state"]["url"])) as store, store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE daemons DROP COLUMN lease"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    done = told.type("restore", FILE, "--force")
    assert done.status == 0, done.err
    assert told.runs("live") == "one"
    assert [row["in_sync"] for row in told.json("status")] == [True] * len(CHAIN)
