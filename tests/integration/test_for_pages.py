"""Do pages get the answers of the command line: plan, promotion's commit, comparison with who changed what?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.config import SETTINGS, Settings
from reconciler.drafting.asking import promote
from reconciler.engine.foreseeing import foresee
from reconciler.errors import NotSo, ReconcilerError, UnknownReference, WrongUse
from reconciler.git import addresses
from reconciler.git.mirror import Mirror
from reconciler.model.comparison import comparison_json
from reconciler.model.report import Promotion, PromotionAsked, promotion_json
from reconciler.model.shown import plan_json
from reconciler.store import ledger
from reconciler.store.database import Database
from reconciler.views.comparison import compared
from reconciler.views.resolving import version
from tests.commands import Told
from tests.world import app_manifest

WHO = ["--actor", "ann@example.org"]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.start_repository()
    made.settle()
    return made


def settings_of(told: Told) -> Settings:
    return SETTINGS.validate_python(told.settings)


def asked(told: Told, *, dry_run: bool = False, **wanted: Any) -> Promotion:
    store = Database(told.settings["state"]["url"])
    given = {"app": "shop", "environment": "live", "actor": "ann@example.org", **wanted}
    try:
        return promote(settings_of(told), store, PromotionAsked(**given), told.now, dry_run=dry_run)
    finally:
        store.close()


def branches(told: Told) -> list[str]:
    return told.home.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def test_a_promotion_of_a_page_is_what_the_command_line_writes(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.commit("Change", {"shop/index.html": "two"})
    told.type("pause", "shop", "live", "--reason", "the fair", "--until", "9h", *WHO)
    told.settle()
    # A server may stand in any clone: a branch is for the desired repository.
    monkeypatch.chdir(told.repo.path)
    before = told.home.head
    dry = asked(told, version="v1", reason="as before", dry_run=True)
    assert (dry.dry_run, dry.commit, branches(told)) == (True, None, ["main"])
    typed = told.json("promote", "shop", "--to", "live", "--version", "v2", "--dry-run", *WHO)
    alike = promotion_json(asked(told, version="v2", dry_run=True))
    assert {key: typed[key] for key in typed if key != "repository"} == {
        key: alike[key] for key in alike if key != "repository"
    }

    found = asked(told, version="v2", reason="for the fair")
    assert branches(told) == ["main", found.branch]
    assert told.home.git("rev-parse", found.branch) == found.commit
    assert (found.pushed, found.base, told.home.head) == (True, before, before)
    assert told.repo.git("for-each-ref", "refs/heads/reconciler") == ""
    message = told.home.git("show", "--no-patch", "--format=%an <%ae>%n%B", str(found.commit))
    assert message.startswith("ann <ann@example.org>\nPromote shop v2 to live\n")
    assert "    for the fair\n" in message
    assert [(one.environment, one.does, one.by) for one in found.then] == [("live", "waits", "pause")]
    store = Database(told.settings["state"]["url"])
    with store.read() as connection:
        (fact,) = [one for one in ledger.export(connection) if one["kind"] == "branch.promotion"]
    store.close()
    assert (fact["actor"], fact["subject"], fact["body"]["reason"]) == ("ann@example.org", found.commit, "for the fair")
    assert told.type("audit", "verify").status == 0


def test_a_promotion_at_a_moment_is_an_entry_of_the_schedule(told: Told) -> None:
    told.commit("Change", {"shop/index.html": "two"})
    told.settle()
    at = told.now + timedelta(days=2)
    found = asked(told, version="v1", at=at, dry_run=True)
    assert found.at == at.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert "schedule" in found.diff
    assert found.at in found.diff


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"app": "shpo"}, UnknownReference, "there is no app shpo"),
        ({"environment": "lvie"}, UnknownReference, "not in an environment lvie"),
        ({"version": "v9"}, UnknownReference, "no version v9"),
        ({"version": "v\0"}, UnknownReference, "no version"),
        ({"actor": "a\nb"}, WrongUse, "not one line"),
        ({"reason": "x" * 3000}, WrongUse, "3000 letters"),
        ({"expected": "none"}, NotSo, "has changed meanwhile"),
        ({"version": "v1"}, NotSo, "runs v1 of shop already"),
    ],
)
def test_a_promotion_that_makes_no_sense_writes_nothing(
    told: Told, wanted: dict[str, Any], error: type[ReconcilerError], said: str
) -> None:
    with pytest.raises(error, match=said):
        asked(told, **wanted)
    assert branches(told) == ["main"]


def test_a_moment_that_is_over_and_branches_that_are_off_are_refused(told: Told) -> None:
    with pytest.raises(WrongUse, match="is over"):
        asked(told, version="v1", at=told.now - timedelta(seconds=2))
    told.set(write={"branches": False})
    with pytest.raises(NotSo, match=r"write\.branches is off"):
        asked(told, version="v1")


def test_the_plan_of_a_page_is_that_of_the_command_line_and_holds_no_writer_up(told: Told) -> None:
    until = told.now + timedelta(days=3)
    told.commit("Plan it", {"shop.yaml": app_manifest(environments=_later(told))})
    told.settle()
    typed = told.json("plan", "--until", until.isoformat())
    store = Database(told.settings["state"]["url"])
    settings = settings_of(told)
    place = addresses.address(settings.repository.url, told.directory)
    mirror = Mirror(place, told.directory / "state" / "mirror.git", addresses.branch("main"), 60)
    assert mirror.git_dir.is_dir()
    try:
        # Somebody writes all the while: on SQLite a plan on the store itself would wait for half a minute.
        with store.write() as writing:
            writing.note("test.fact", told.now, {})
            if not store.is_shared:
                found = plan_json(foresee(store, mirror, settings.root, told.now, until)[0])
        if store.is_shared:
            found = plan_json(foresee(store, mirror, settings.root, told.now, until)[0])
    finally:
        store.close()
    assert [(one["action"], one["environment"], one["at"]) for one in found["actions"]] == [
        (one["action"], one["environment"], one["at"]) for one in typed["actions"]
    ]
    assert found["actions"][0]["cancel"].endswith("shop.yaml:1")
    assert found["commit"] == typed["commit"]


def _later(told: Told) -> dict[str, Any]:
    at = (told.now + timedelta(days=1)).isoformat(timespec="seconds")
    return {"sandbox": {}, "pre-release": {}, "live": {"schedule": [{"at": at, "config": {"greeting": "Later"}}]}}


def test_a_comparison_tells_who_changed_what(told: Told) -> None:
    told.commit("Greet", {"shop.yaml": app_manifest(config={"greeting": "Hi", "on": 1}), "shop/a.txt": "one\ntwo\n"})
    second = told.repo.head
    told.repo.git("config", "user.name", "unused")
    told.repo.write({"shop.yaml": app_manifest(config={"greeting": "Hello", "on": True}), "shop/b.txt": "b\n"})
    told.repo.git("add", "--all")
    told.repo.git("mv", "shop/a.txt", "shop/moved.txt")
    told.repo.git("-c", "user.name=Grace", "-c", "user.email=grace@example.org", "commit", "--quiet", "-m", "Move")
    told.repo.push()
    third = told.repo.head
    told.settle()
    store = Database(told.settings["state"]["url"])
    mirror = told.directory / "state" / "mirror.git"
    with store.read() as connection:
        one, three = (version(connection, "shop", name) for name in ("v1", "v3"))
        two = version(connection, "shop", "v2")
        whole, step = compared(connection, one, three, mirror), compared(connection, two, three, mirror)
        back = compared(connection, three, one, mirror)
    store.close()
    shown = comparison_json(whole)
    assert shown["config"]["added"] == {"greeting": "Hello", "on": True}
    assert {key: (who["name"], who["commit"]) for key, who in shown["changed_by"]["config"].items()} == {
        "greeting": ("Grace", third),
        "on": ("Grace", third),
    }
    # In Python 1 is True; in settings it is another value.
    assert comparison_json(step)["config"]["changed"]["on"] == {"before": 1, "after": True}
    assert {one.path: (one.kind, one.added, [who.commit for who in one.by]) for one in whole.code.files} == {
        "b.txt": ("added", 1, [third]),
        "moved.txt": ("added", 2, [third]),
    }
    (moved,) = (one for one in step.code.files if one.path == "moved.txt")
    assert (moved.kind, moved.before, moved.added, moved.deleted) == ("renamed", "a.txt", 0, 0)
    assert [who.commit for who in moved.by] == [third]
    assert second not in json.dumps(comparison_json(step))
    assert back.config.deleted == {"greeting": "Hello", "on": True}
    assert back.changed_by == whole.changed_by
    text = told.type("versions", "compare", "shop", "v1", "v3").out
    assert f'+ greeting: "Hello"  (Grace, {third[:10]})' in text
    assert "+ b.txt (+1 -0)  (Grace)" in text
