"""What an app lacked is declared at last: does the app go on by itself, although no commit touched its own file?"""

from __future__ import annotations

import json

import pytest

from reconciler.store import declared
from tests.world import ENVIRONMENTS, World, app_manifest

RESOURCE = json.dumps(
    {"apiVersion": "reconciler/v1", "kind": "Resource", "metadata": {"name": "ledger"}, "spec": {"type": "kv"}}
)
LIVE_FAILS = ENVIRONMENTS.replace(
    "{track: pre-release, target: {type: directory, path: releases/live}}",
    "{track: pre-release, retry: {limit: 0}, target: {type: exec, command: [sh, -c, 'test ! -e refused.html']}}",
)


def begin(world: World) -> None:
    """`shop` and `mail`, which needs it, run everywhere."""
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    world.commit("Begin", {**files, "mail.yaml": app_manifest("mail", depends_on=["shop"]), "mail/index.html": "one"})
    world.settle()


def test_an_app_is_held_as_soon_as_what_it_depends_on_leaves_and_goes_on_when_that_returns(tmp_path):
    world = World(tmp_path)
    begin(world)
    world.commit("Remove shop", {"shop.yaml": None})
    world.settle()
    assert [complaint.split(": ")[-1] for complaint in world.complaints()] == ["there is no app shop"]
    world.commit("Two", {"mail/index.html": "two"})
    world.settle()
    assert world.runs("live", app="mail") == "one"
    world.commit("Bring shop back", {"shop.yaml": app_manifest()})
    world.settle()
    assert world.complaints() == []
    assert world.runs("live", app="mail") == "two"


@pytest.mark.parametrize("known", [True, False], ids=["an app that runs", "a new app"])
@pytest.mark.parametrize(
    ("lacking", "files"),
    [
        ({"depends_on": ["till"]}, {"till.yaml": app_manifest("till"), "till/index.html": "one"}),
        ({"bindings": [{"name": "LEDGER", "type": "kv", "resource": "ledger"}]}, {"ledger.yaml": RESOURCE}),
        ({"bundle": "pages"}, {"pages/index.html": "two"}),
        (
            {"environments": ["sandbox", "night"]},
            {"night.yaml": ENVIRONMENTS.partition("---")[0].replace("sandbox", "night")},
        ),
    ],
    ids=["app", "resource", "bundle", "environment"],
)
def test_an_app_that_names_what_is_not_there_yet_goes_on_once_it_is(tmp_path, known, lacking, files):
    world = World(tmp_path)
    world.commit("Begin", {"environments.yaml": ENVIRONMENTS, "shop/index.html": "one"})
    if known:
        world.commit("Add shop", {"shop.yaml": app_manifest()})
    world.settle()
    world.commit("Name what is not there", {"shop.yaml": app_manifest(**lacking), "shop/index.html": "two"})
    world.settle()
    assert len(world.complaints()) == 1
    assert world.runs("sandbox") == ("one" if known else None)
    world.commit("Declare it", files)
    world.settle()
    assert world.complaints() == []
    assert world.runs("sandbox") == "two"


def test_an_app_no_longer_waits_for_one_that_leaves_the_environment(tmp_path):
    world = World(tmp_path)
    files = {"environments.yaml": LIVE_FAILS, "shop.yaml": app_manifest(), "shop/refused.html": "one"}
    world.commit("Begin", {**files, "mail.yaml": app_manifest("mail", depends_on=["shop"]), "mail/index.html": "one"})
    world.settle()
    assert world.story("live", "mail") == []
    world.commit(
        "shop is for two environments only", {"shop.yaml": app_manifest(environments=["sandbox", "pre-release"])}
    )
    world.settle()
    assert world.story("live", "mail") == [("promotion", "completed", [1])]


def test_an_app_no_longer_waits_for_one_that_it_needs_no_more(tmp_path):
    world = World(tmp_path)
    files = {"environments.yaml": LIVE_FAILS, "shop.yaml": app_manifest(), "shop/refused.html": "one"}
    world.commit("Begin", {**files, "mail.yaml": app_manifest("mail", depends_on=["shop"]), "mail/index.html": "one"})
    world.settle()
    assert world.story("live", "mail") == []
    world.commit("mail needs nobody", {"mail.yaml": app_manifest("mail")})
    world.settle()
    assert world.story("live", "mail") == [("promotion", "completed", [1])]
    with world.running() as found, found.database.read() as connection:
        assert declared.dependents(connection, ["shop"]) == set()


def test_what_changed_while_an_app_was_held_is_no_rollback_when_the_removal_that_held_it_is_reverted(tmp_path):
    world = World(tmp_path)
    begin(world)
    world.commit("Two", {"mail/index.html": "two"})
    world.settle()
    removal = world.commit("Remove shop", {"shop.yaml": None})
    world.commit("One again", {"mail/index.html": "one"})
    world.settle()
    assert world.runs("live", app="mail") == "two"
    world.repo.revert(removal)
    world.repo.push()
    world.settle()
    assert world.runs("live", app="mail") == "one"
    assert world.story("sandbox", "mail")[-1] == ("restore", "completed", [1])
    assert world.story("live") == [("promotion", "completed", [1])]
