"""Is a store that was lost made anew from git's history, and is what git does not know told honestly?"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from reconciler.cli.rebuild import rebuild_into
from reconciler.config import SETTINGS
from reconciler.store import declared
from reconciler.store.backing import sqlite_store
from reconciler.store.database import Database
from tests import stores
from tests.commands import Told
from tests.integration.test_replay import NOW, Replay, recorded_steps, recorded_versions
from tests.postgres import empty_database
from tests.world import CHAIN, ENVIRONMENTS, app_manifest

GATED = ENVIRONMENTS.replace("track: pre-release,", "track: pre-release, gates: {approvals: 1}, ")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def lose(told: Told) -> None:
    """The store is gone."""
    stores.lose(told.settings["state"], told.directory)
    told.set()


def lose_everything(told: Told) -> None:
    """The disk is gone, with mirror and locks; targets are elsewhere in real life, so what runs stays."""
    kept = told.directory / "kept"
    (told.directory / "state" / "releases").rename(kept)
    shutil.rmtree(told.directory / "state")
    (told.directory / "state").mkdir()
    kept.rename(told.directory / "state" / "releases")
    lose(told)


def current(told: Told) -> dict[str, tuple[str, int, str, str | None]]:
    return {
        one["environment"]: (d["cause"], d["traffic"][0]["number"], d["id"], d["commit"])
        for one in told.json("status")
        if (d := one["deployment"]) is not None
    }


def numbers(told: Told, environment: str) -> list[tuple[int, str]]:
    return [(d.number, d.cause) for d in told.history(environment=environment)]


def start(told: Told, environments: str = ENVIRONMENTS) -> None:
    """Two versions that run everywhere, each commit made when it is taken in."""
    for count, word in enumerate(("one", "two")):
        told.repo.now = told.now
        files = {"environments.yaml": environments, "shop.yaml": app_manifest()} if count == 0 else {}
        told.commit(word.title(), {**files, "shop/index.html": word})
        told.settle()


def test_the_same_versions_run_with_their_numbers_and_causes_and_nothing_is_released(told: Told) -> None:
    start(told)
    told.repo.now = told.now
    told.repo.revert(told.repo.head)
    told.repo.push()
    told.settle()
    before, ran = current(told), told.facts("live")
    assert before["live"][:2] == ("rollback", 1)
    history = {name: numbers(told, name) for name in before}
    lose_everything(told)
    done = told.type("rebuild")
    assert done.status == 0, done.err
    assert done.out.splitlines() == [
        f"rebuilt up to {told.repo.head[:10]}: 3 commits, 2 versions, 9 deployments",
        "what targets run: 3 of 3 as recorded",
    ]
    assert current(told) == before
    assert {name: numbers(told, name) for name in before} == history
    assert [d.extra_metadata.keys() for d in told.history()] == [{"rebuilt"}] * 9
    told.settle()
    assert (current(told), told.facts("live")) == (before, ran)
    fact = [one for one in map(dict, told.json("audit", "export")) if one["kind"] == "store.rebuilt"]
    assert [(one["subject"], one["body"]["versions"]) for one in fact] == [(told.repo.head, 2)]
    assert told.type("audit", "verify").status == 0


def test_life_goes_on_after_it(told: Told) -> None:
    start(told)
    lose(told)
    assert told.type("rebuild").status == 0
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert told.runs("live") == "three"
    assert [d.number for d in told.history(environment="live")] == [1, 2, 3]
    told.repo.revert(told.repo.head)
    told.repo.push()
    told.settle()
    assert (told.runs("live"), told.history(environment="live")[-1].cause) == ("two", "rollback")


def test_what_was_approved_is_told_by_the_target_and_what_was_not_is_not_let_in(told: Told) -> None:
    start(told, GATED)
    assert told.runs("live") is None
    (waits,) = [one["waiting"] for one in told.json("status") if one["environment"] == "live"]
    for one in waits:
        assert told.type("approve", one["id"], "--actor", "bob@example.com").status == 0
    told.settle()
    before = current(told)
    assert told.runs("live") == "two"
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    lose(told)
    done = told.json("rebuild")
    assert done["targets"]["same"] == 2
    assert done["targets"]["others"] == [
        {"app": "shop", "environment": "live", "recorded": "nothing", "runs": "v2"},
    ]
    assert current(told)["live"][:3] == ("promotion", 2, before["live"][2])
    assert len(told.history(environment="live")) == 1
    told.settle()
    assert (told.runs("sandbox"), told.runs("live")) == ("three", "two")
    assert "approv" in str([one["waiting"] for one in told.json("status") if one["environment"] == "live"])


def test_checks_are_taken_to_have_passed_unless_the_target_says_otherwise(told: Told) -> None:
    check = "gates: {checks: [{name: smoke, run: [grep, -q, -v, three, index.html]}]}, "
    start(told, ENVIRONMENTS.replace("track: sandbox, ", f"track: sandbox, {check}"))
    before = {name: numbers(told, name) for name in CHAIN}
    assert told.runs("live") == "two"
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert (told.runs("sandbox"), told.runs("pre-release")) == ("three", "two")
    lose(told)
    done = told.json("rebuild")
    assert [(one["environment"], one["recorded"], one["runs"]) for one in done["targets"]["others"]] == [
        ("pre-release", "v3", "v2"),
        ("live", "v3", "v2"),
    ]
    assert {name: numbers(told, name)[:2] for name in CHAIN[1:]} == {name: before[name] for name in CHAIN[1:]}
    assert [(d.status, d.started_at) for d in told.history(environment="live")][2:] == [("aborted", None)]
    told.settle()
    assert [told.runs(name) for name in CHAIN] == ["three", "two", "two"], "the check was run, and failed again"


def test_a_target_that_runs_something_else_is_brought_to_what_git_says(told: Told) -> None:
    start(told)
    old = told.released("live").parent
    shutil.copytree(old, told.directory / "old", symlinks=True)
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    lose(told)
    shutil.rmtree(old)
    shutil.copytree(told.directory / "old", old, symlinks=True)
    shutil.rmtree(told.released("sandbox").parent)
    done = told.type("rebuild")
    assert done.status == 0, done.err
    assert "  shop in live: v3 is recorded; v2" in done.out.splitlines()
    assert "  shop in sandbox: v3 is recorded; nothing" in done.out.splitlines()
    assert told.runs("live") == "two"
    told.settle()
    assert (told.runs("live"), told.runs("sandbox")) == ("three", "three")
    assert [(status, number) for _, status, (number,) in told.story("live")] == [
        ("completed", 1),
        ("completed", 2),
        ("aborted", 3),
        ("completed", 3),
    ]


def test_a_target_that_does_not_answer_is_taken_to_run_what_is_recorded(told: Told) -> None:
    start(told, ENVIRONMENTS.replace("{type: directory, path: releases/live}", "{type: pigeon}"))
    lose(told)
    done = told.json("rebuild")
    assert (done["targets"]["same"], [one["environment"] for one in done["targets"]["unknown"]]) == (2, ["live"])
    assert current(told)["live"][:2] == ("promotion", 2)


def test_a_commit_that_changes_much_and_runs_all_the_same_is_not_held_back(told: Told) -> None:
    apps = {f"app{n}.yaml": app_manifest(f"app{n}", bundle="shop", environments=["sandbox"]) for n in range(12)}
    told.repo.now = told.now
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, **apps, "shop/index.html": "one"}, push=False)
    told.commit("Two", {"shop/index.html": "two"})
    told.settle()  # both are history when the reconciler comes
    lose(told)
    done = told.json("rebuild")
    assert (done["targets"]["same"], len(done["targets"]["others"])) == (0, 12)
    told.settle()
    assert [one["refused"] for one in told.json("status")] == [[]] * 12
    assert told.runs("sandbox", app="app3") == "two"


@pytest.mark.sqlite_only("the store is a file")
def test_a_store_that_holds_something_stays_unless_it_is_set_aside(told: Told) -> None:
    start(told)
    file = told.directory / "state" / "reconciler.db"
    told.type("pause", "shop", "--reason", "x", "--until", "2h", "--actor", "ann@example.com")
    before = file.read_bytes()
    done = told.type("rebuild")
    assert done.status == 1
    assert "2 commits, 2 versions, 6 deployments, 1 intervention" in done.err
    assert "--force" in done.err
    assert file.read_bytes() == before
    forced = told.json("rebuild", "--force")
    aside = Path(forced["set_aside"])
    with closing(sqlite3.connect(aside)) as kept:
        assert kept.execute("SELECT count(*) FROM interventions").fetchone() == (1,)
    left = {path.name for path in file.parent.iterdir() if "db" in path.name}
    assert left == {"reconciler.db", "reconciler.db.lock", aside.name}


def test_a_daemon_that_runs_is_left_alone(told: Told) -> None:
    start(told)
    with told.running():
        done = told.type("rebuild", "--force")
    assert (done.status, done.out) == (1, "")
    assert "another reconciler runs" in done.err


def test_a_store_on_postgresql_is_made_anew_too(told: Told, postgresql: str) -> None:
    start(told)
    before = current(told)
    told.set(state={"url": empty_database(postgresql)})
    assert told.json("rebuild")["targets"]["same"] == 3
    assert current(told) == before
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert [d.number for d in told.history(environment="live")] == [1, 2, 3]


def test_without_a_repository_or_a_branch_it_is_told_and_nothing_is_made(told: Told) -> None:
    done = told.type("rebuild")
    assert done.status == 1
    assert "has no branch main" in done.err
    told.set(repository={"url": str(told.directory / "nowhere.git")})
    done = told.type("rebuild")
    assert done.status == 1
    assert len(done.err.splitlines()) <= 3
    assert not list((told.directory / "state").glob("*.db"))


def test_a_check_says_what_git_alone_cannot_know(told: Told) -> None:
    start(told)
    with told.running():
        assert told.json("rebuild", "--check")["same"] == {"versions": 2, "current": 3}
    store = Database(told.settings["state"]["url"])
    with store.write() as transaction:
        transaction.connection.execute(text("UPDATE versions SET number = 7 WHERE number = 2"))
    store.close()
    done = told.type("rebuild", "--check")
    assert done.status == 1
    assert "version 2 of shop: none is recorded" in done.out
    assert "version 7 of shop" in done.out
    assert "1 versions with their numbers, names and commits are the same, 2 differ" in done.out


def test_a_real_history_gives_the_same_versions_and_numbers(tmp_path: Path) -> None:
    replayed(tmp_path, 150)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_whole_of_a_real_history_gives_the_same_versions_and_numbers(tmp_path: Path) -> None:
    replayed(tmp_path, None)


def replayed(directory: Path, commits: int | None) -> None:
    replay = Replay(directory, commits)
    replay.feed([replay.outcome.commits])
    settings = SETTINGS.validate_python(
        {
            "repository": {"url": str(replay.repository)},
            "state": {"url": f"sqlite:///{replay.state}/reconciler.db"},
            "data": str(replay.state),
        }
    )
    store = sqlite_store(directory / "rebuilt.db")
    try:
        found, adopted = rebuild_into(store, settings, NOW)
        with store.read() as connection:
            assert recorded_versions(connection) == replay.outcome.versions
            assert recorded_steps(connection) == sorted(replay.outcome.steps)
            names = declared.app_names(connection)
    finally:
        store.close()
    assert (found.commits, found.deployments) == (replay.outcome.commits, len(replay.outcome.steps))
    assert (adopted.same, adopted.others, adopted.unknown) == (len(names), [], [])
