"""Does `doctor` find what stops a reconciler, and say what to do, with an exit status that a script can read?"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from reconciler.engine.alone import alone
from reconciler.store.database import Database
from tests.commands import Told, typed
from tests.postgres import empty_database
from tests.world import CHAIN, ENVIRONMENTS, app_manifest

OTHERS = ENVIRONMENTS.replace("path: releases/sandbox", "keep: 3").replace("path: releases/live", "path: %s/live")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One app that was released, whose settings a test may change."""
    told = Told(tmp_path_factory.mktemp("shop"))
    told.start_repository()
    told.settle()
    return told


@pytest.fixture
def changed(shop: Told) -> Any:
    before = dict(shop.settings)
    yield shop
    shop.set(**before)
    shop.settings.pop("signers", None)
    shop.set()


def found(at: Path, check: str, *arguments: object) -> list[dict[str, str]]:
    done = typed("doctor", "-o", "json", *arguments, at=at)
    every = done.json
    assert done.status == (1 if any(one["status"] == "bad" for one in every) else 0)
    return [one for one in every if one["check"] == check]


def test_what_is_sound_is_called_so(shop: Told) -> None:
    done = shop.type("doctor")
    assert (done.status, done.err) == (0, ""), done.out


@pytest.mark.parametrize(("setting", "value"), [("branch", "other"), ("path", "shop")])
def test_what_the_store_does_not_follow_is_wrong(changed: Told, setting: str, value: str) -> None:
    changed.home.git("branch", "--force", "other")
    changed.set(repository=changed.settings["repository"] | {setting: value})
    (one,) = found(changed.directory, "followed")
    assert one["status"] == "bad"
    assert f"follows the {setting}" in one["detail"]
    assert f"set repository.{setting} back" in one["remedy"]
    assert one["detail"] in changed.type("run", "--once").err


def test_another_address_is_told(changed: Told, tmp_path: Path) -> None:
    shutil.copytree(changed.home.path, tmp_path / "moved.git")
    changed.set(repository=changed.settings["repository"] | {"url": str(tmp_path / "moved.git")})
    (one,) = found(changed.directory, "followed")
    assert one["status"] == "note"
    assert str(tmp_path / "moved.git") in one["detail"]


def test_recorded_trouble_of_the_repository_is_told(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.set(repository=told.settings["repository"] | {"path": "not/here"})
    assert told.type("run", "--once").status == 1
    (one,) = found(tmp_path, "following")
    assert one["status"] == "bad"
    assert "no directory not/here" in one["detail"]
    assert "since 20" in one["detail"]
    assert "repository.path" in one["remedy"]


def test_keys_that_cannot_be_used_are_wrong_and_run_warns_once(changed: Told) -> None:
    (changed.directory / "nokeys").mkdir(exist_ok=True)
    changed.set(signers={"ssh": "nothere", "gpg": "nokeys"})
    for kind, said in (("ssh", "nothere cannot be read"), ("gpg", "holds no pubring")):
        (one,) = found(changed.directory, f"signers.{kind}")
        assert one["status"] == "bad"
        assert said in one["detail"]
        assert f"signers.{kind}" in one["remedy"]
    told = changed.type("run", "--once").err
    assert told.count("signers.unusable") == 2
    assert "nothere cannot be read" in told
    (changed.directory / "here").write_text("ada@example.org ssh-ed25519 AAAAC3Nz\n")
    changed.set(signers={"ssh": "here"})
    assert [one["status"] for one in found(changed.directory, "signers.ssh")] == ["good"]
    assert found(changed.directory, "signers.gpg") == []


@pytest.mark.sqlite_only("a copy of its file lacks a table")
def test_a_missing_table_is_damage(shop: Told, tmp_path: Path) -> None:
    copied, config = tmp_path / "copy.db", tmp_path / "reconciler.yaml"
    noted = shop.directory / "state" / "reconciler.db"
    with closing(sqlite3.connect(noted)) as whole, closing(sqlite3.connect(copied)) as copy:
        whole.backup(copy)
        copy.execute("DROP TABLE approvals")
        copy.commit()
    config.write_text(f'state: {{url: "sqlite:///{copied}"}}\nrepository: {{url: "{shop.home.path}"}}\n')
    (one,) = found(shop.directory, "store", "--config", config)
    assert one["status"] == "bad"
    assert "the table approvals is missing" in one["detail"]
    done = shop.type("audit", "verify", "--config", config)
    assert done.status == 1
    assert "the table approvals is missing" in done.out
    assert shop.type("audit", "verify", "-o", "json", "--config", config).json["sound"] is False


def test_a_running_daemon_is_seen(shop: Told) -> None:
    with alone(shop.directory / "state"):
        assert [one["status"] for one in found(shop.directory, "daemon")] == ["good"]
    assert [one["status"] for one in found(shop.directory, "daemon")] == ["note"]


@pytest.mark.parametrize(
    ("url", "said"), [("sqlite:///folder", "that is a directory"), ("sqlite:///file/x.db", "Not a directory")]
)
def test_what_cannot_be_a_store_is_told_and_not_awaited(url: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "reconciler.yaml").write_text(f"state: {{url: '{url}'}}\n")
    done = typed("status", at=tmp_path)
    assert done.status == 1
    assert said in done.err
    assert "state.url" in done.err
    (one,) = found(tmp_path, "store")
    assert one["status"] == "bad"
    assert said in one["detail"]


def test_a_data_directory_that_cannot_be_made_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("data: /proc/x\n")
    (one,) = found(tmp_path, "data directory")
    assert one["status"] == "bad"
    assert "cannot be" in one["detail"]
    assert "space" not in one["remedy"]


@contextmanager
def daemons(told: Told, *places: Path) -> Iterator[None]:
    """Daemons that live on the same store, each with a data directory of its own; the first one's is then the told."""
    with ExitStack() as living:
        for place in reversed(places):
            told.set(data=str(place))
            living.enter_context(told.running()).membership.join()
        yield


def test_daemons_that_each_release_to_a_directory_of_their_own_are_told(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    shared, first, second = tmp_path / "shared", tmp_path / "first", tmp_path / "second"
    told.set(state={"url": empty_database(postgresql)}, data=str(first))
    told.commit("Begin", {"environments.yaml": OTHERS % shared, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    told.settle()
    with daemons(told, first):
        assert not [one for name in CHAIN for one in found(tmp_path, f"target of {name}")], "one daemon needs no other"
    with daemons(told, first, second):
        for name in ("sandbox", "pre-release"):
            (one,) = found(tmp_path, f"target of {name}")
            assert one["status"] == "note"
            assert one["detail"] == (
                f"each of 2 daemons releases to a data directory of its own, this one to {first}/releases/{name}"
            )
            assert "absolute `path` outside, on a file system that all daemons share; or run one" in one["remedy"]
        assert found(tmp_path, "target of live") == []
        said = told.type("doctor")
        assert said.status == 0, "it may be wished"
        assert "target of sandbox: give it an absolute `path`" in said.out
        # A link, such as one to a disk that all of them reach, is followed.
        shutil.move(first / "releases", shared / "releases")
        (first / "releases").symlink_to(shared / "releases")
        assert not [one for name in CHAIN for one in found(tmp_path, f"target of {name}")]


def test_an_absolute_path_in_the_data_directory_is_its_own_too(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    told.set(state={"url": empty_database(postgresql)}, data=str(first))
    files = {"environments.yaml": OTHERS % first, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    told.commit("Begin", files)
    told.settle()
    with daemons(told, first, second):
        (one,) = found(tmp_path, "target of live")
        assert f"this one to {first}/live" in one["detail"]


def test_an_address_at_which_no_store_can_be_made_is_wrong(changed: Told) -> None:
    changed.set(state={"url": "sqlite:////proc/nowhere/reconciler.db"})
    (one,) = found(changed.directory, "store")
    assert one["status"] == "bad"
    assert "none can be made: /proc takes no files" in one["detail"]
    assert "state.url" in one["remedy"]


def test_directories_that_only_this_machine_can_tell_to_be_the_same_are_wrong(tmp_path: Path) -> None:
    told = Told(tmp_path)
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "linked").symlink_to(tmp_path / "state" / "releases")
    environments = ENVIRONMENTS.replace("path: releases/pre-release", f"path: {tmp_path}/linked/sandbox")
    environments = environments.replace("path: releases/live", "path: mirror.git")
    told.commit("Begin", {"environments.yaml": environments, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    told.settle()
    (sandbox,) = found(tmp_path, "target of sandbox")
    assert sandbox["status"] == "bad"
    assert "and pre-release to" in sandbox["detail"]
    (live,) = found(tmp_path, "target of live")
    assert (live["status"], "the reconciler's own" in live["detail"]) == ("bad", True)


def test_a_server_that_does_not_take_what_is_to_be_recorded_is_told(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    url = make_url(empty_database(postgresql))
    told.set(state={"url": url.render_as_string(hide_password=False)})
    told.start_repository()
    told.settle()
    assert found(tmp_path, "writing") == []
    owner = Database(told.settings["state"]["url"])
    name = f"reader_{tmp_path.name.replace('-', '_').lower()}"[:60]
    with closing(owner), owner.engine.begin() as connection:
        for line in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'p'",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
            f"REVOKE UPDATE ON deployments FROM {name}",
        ):
            connection.execute(text(line))
    told.set(state={"url": url.set(username=name, password="p").render_as_string(hide_password=False)})
    (one,) = found(tmp_path, "writing")
    assert (one["status"], one["detail"]) == ("bad", "the user of state.url may not change the table deployments")
    assert "grant it" in one["remedy"]


def test_a_daemon_that_was_killed_is_not_called_at_work(tmp_path: Path, postgresql: str) -> None:
    told = Told(tmp_path)
    told.set(state={"url": empty_database(postgresql)})
    told.start_repository()
    with told.running() as living:
        living.membership.join()
        (one,) = found(tmp_path, "daemons")
        assert (one["status"], "(leads)" in one["detail"]) == ("good", True)
    (one,) = found(tmp_path, "daemons")  # its sessions are closed, and its row is there
    assert (one["status"], one["detail"]) == ("note", "none is at work on this store")
