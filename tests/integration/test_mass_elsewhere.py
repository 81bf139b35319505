"""Is what a commit changes of everything at once weighed too where it changes no App: an Environment, or a Season?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.commands import Told
from tests.e2e.daemon import environment_manifest
from tests.mass import (
    APPS,
    MOVED,
    Files,
    begun,
    environment,
    is_free,
    logged,
    placed,
    push,
    refused,
    runs,
    season,
    settings,
    take_back,
    texts,
)
from tests.world import app_manifest, season_manifest


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Twelve apps in one environment."""
    return begun(tmp_path)


def test_an_environment_moves_to_another_target_once_that_is_meant(told: Told) -> None:
    push(told, "Move", environment(target=MOVED))
    assert refused(told) == set(APPS)
    push(told, "It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    assert refused(told) == set()
    assert {path.name for path in (told.directory / "state" / "elsewhere").iterdir()} >= set(APPS)


def test_what_moves_and_is_moved_back_leaves_nothing_to_acknowledge(told: Told) -> None:
    move = push(told, "Move", environment(target=MOVED))
    assert refused(told) == set(APPS)
    take_back(told, move)
    is_free(told, "app-03")


def test_a_season_that_holds_already_is_laid_over_everything_once_that_is_meant(told: Told) -> None:
    sale = push(told, "Sale", season())
    assert refused(told) == set(APPS)
    assert settings(told) == set()
    why = told.type("why", "app-03", "live").out
    assert f"{sale[:10]} changes or removes 12 of 12 (100 %)" in why
    push(told, "It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    assert refused(told) == set()
    assert settings(told) == {"sale"}


def test_a_season_that_is_taken_back_leaves_nothing_to_acknowledge(told: Told) -> None:
    sale = push(told, "Sale", season())
    assert refused(told) == set(APPS)
    take_back(told, sale)
    is_free(told, "app-03")


@pytest.mark.parametrize("another", [season("2090-01-01"), season(apps=APPS[:11])], ids=["shorter", "one-app-less"])
def test_of_a_season_that_holds_only_what_changes_is_weighed(told: Told, another: Files) -> None:
    push(told, "Sale\n\nAllow-Mass-Change: 12", season())
    assert settings(told) == {"sale"}
    push(told, "Another", another)
    assert refused(told) == set()
    push(told, "Other words", season(banner="closing"))
    assert refused(told) >= set(APPS[:11])
    assert settings(told) <= {"sale", "none"}


@pytest.mark.parametrize("another", ["latest", "mid"])
def test_an_environment_takes_from_elsewhere_once_that_is_meant(told: Told, another: str) -> None:
    before = "\n---\n".join(environment_manifest(name, "latest") for name in ("live", "mid"))
    at_once: Files = {"environments.yaml": f"{before}\n---\n{environment_manifest('far', another)}"}
    after = environment_manifest("far", "live", gates={"soak": "30d"})
    files: Files = {f"{name}.yaml": app_manifest(name, environments=["live", "mid", "far"]) for name in APPS}
    push(told, "Further\n\nAllow-Mass-Change: 24", {**at_once, **files})
    assert {told.runs("far", app=name) for name in APPS} == {"one"}
    push(told, "The same runs in both, so nothing changes", {"environments.yaml": f"{before}\n---\n{after}"})
    assert refused(told) == set()
    for name in APPS[:11]:
        push(told, f"Two of {name}", {f"{name}/index.html": "two"})
    assert {told.runs("live", app=name) for name in APPS} == {"one", "two"}
    change = push(told, "Forget what far follows", at_once)
    assert {told.runs("far", app=name) for name in APPS} == {"one"}
    assert refused(told) == set(APPS[:11])
    push(told, "Three of one", {"app-03/index.html": "three"})
    assert (told.runs("live", app="app-03"), told.runs("far", app="app-03")) == ("three", "one")
    take_back(told, change)
    assert refused(told) == set()
    push(told, "Nothing in between\n\nAllow-Mass-Change: 24", at_once)
    assert {told.runs("far", app=name) for name in APPS} == {"one", "two", "three"}


def test_a_commit_that_waits_is_told_once_in_the_log(told: Told) -> None:
    told.repo.now = told.now
    commit = told.commit("Move", environment(target=MOVED))
    (line,) = logged(told, "commit.braked")
    assert (line["commit"], line["changed"], line["recorded"], line["level"]) == (commit, 12, 12, "warning")
    assert "`Allow-Mass-Change: 12`" in line["next"]
    assert logged(told, "commit.braked") == []


@pytest.mark.parametrize("said", ["12 placements", "all", "1e9", "11", "12\n\nAnother paragraph"])
def test_an_acknowledgement_that_is_none_is_told_in_the_log(told: Told, said: str) -> None:
    told.repo.now = told.now
    told.commit(f"Move\n\nAllow-Mass-Change: {said}", environment(target=MOVED))
    (line,) = logged(told, "commit.braked")
    assert line["next"].endswith("; what its message says of that is no trailer with 12 or more")


def test_what_had_left_git_is_retired_by_an_environment_that_prunes_since_once_that_is_meant(told: Told) -> None:
    for name in APPS[:10]:
        push(told, f"{name} leaves", {f"{name}.yaml": None})
    prune = push(told, "Prune", environment(prune=True))
    assert refused(told) == set(APPS[:10])
    assert "10 of 12 (83 %)" in told.type("plan").out
    assert {told.runs("live", app=name) for name in APPS} == {"one"}
    take_back(told, prune)
    assert refused(told) == set()
    push(told, "Back", placed(APPS[:1]))
    push(told, "Small", {"app-00/index.html": "two"})
    assert told.runs("live", app="app-00") == "two"
    push(told, "Prune\n\nAllow-Mass-Change: 9", environment(prune=True))
    assert {told.runs("live", app=name) for name in APPS[1:10]} == {None}
    assert {told.runs("live", app=name) for name in APPS[10:]} == {"one"}


def test_an_environment_that_was_taken_out_of_git_is_compared_with_what_runs_there_when_it_is_back(told: Told) -> None:
    push(told, "Without", {"environments.yaml": environment_manifest("other", "latest")})
    push(told, "Back, but elsewhere", environment(target=MOVED))
    assert refused(told) == set(APPS)
    push(told, "Back where it was", environment())
    is_free(told, "app-03")


def test_labels_that_bring_all_under_a_season_that_holds_are_weighed(told: Told) -> None:
    spec = {"apps": {"tier": "web"}, "environments": ["live"], "config": {"banner": "sale"}}
    push(told, "Sale", {"sale.yaml": season_manifest("sale", "2000-01-01", "2100-01-01", **spec)})
    labelled = {f"{name}.yaml": labels(app_manifest(name, environments=["live"])) for name in APPS}
    change = push(told, "Label", dict(labelled))
    assert refused(told) == set(APPS)
    assert settings(told) == set()
    take_back(told, change)
    is_free(told, "app-03")


def labels(manifest: str) -> str:
    made = json.loads(manifest)
    made["metadata"]["labels"] = {"tier": "web"}
    return json.dumps(made)


def test_what_is_scheduled_for_all_at_once_waits_at_its_moment(told: Told) -> None:
    at = f"{told.now + timedelta(seconds=4):%Y-%m-%dT%H:%M:%SZ}"
    later = {"live": {"schedule": [{"at": at, "config": {"banner": "late"}}]}}
    push(told, "Later", {f"{name}.yaml": app_manifest(name, environments=later) for name in APPS})
    told.wait_until(at)
    told.settle()
    assert refused(told) == set(APPS)
    assert told.facts("live", app="app-03")["config"] == {}


def test_who_acknowledges_an_own_change_lets_nobody_elses_through(told: Told) -> None:
    push(told, "Oops", texts("oops"))
    push(told, "Move\n\nAllow-Mass-Change: 12", environment(target=MOVED))
    assert told.released("live", "app-03").exists()
    assert refused(told) == set(APPS)
    assert runs(told) == {"one"}
    push(told, "It is meant\n\nAllow-Mass-Change: 12", {"README.md": "12"})
    assert refused(told) == set()


def test_what_an_app_does_not_run_yet_keeps_its_settings_from_nobody(told: Told) -> None:
    push(told, "Everything", texts("two"))
    only = {"live": {"version": "v1", "config": {"maintenance": True}}}
    push(told, "Maintenance", {"app-03.yaml": app_manifest("app-03", environments=only)})
    assert told.facts("live", app="app-03")["config"] == {"maintenance": True}
    assert told.runs("live", app="app-03") == "one"
