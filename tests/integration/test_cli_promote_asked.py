"""What does `promote` refuse, what does it pass with a word, and does it write what it was asked for as it was said?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands import Told, typed
from tests.integration.test_cli_promote import (
    ENVIRONMENTS,
    FREEZE,
    MANIFEST,
    WHO,
    branches,
    merge,
    promote,
    promoted,
    released,
)
from tests.world import app_manifest

NONSENSE: list[tuple[list[str], int, str]] = [
    (["--to", "liv"], 1, "did you mean live?"),
    (["--to", "live", "--version", "v9"], 1, "no version v9"),
    (["--to", "live", "--version", ""], 1, "no version"),
    (["--to", "live", "--version", "x" * 500], 1, "no version"),
    (["--to", "live", "--version", "--help"], 1, "no version --help"),
    (["--to", "sandbox"], 1, "sandbox runs v2 of shop already"),
    (["--to", "live", "--track"], 1, "says so already"),
    (["--to", "live", "--track", "sandbox2"], 1, "did you mean sandbox?"),
    (["--to", "live", "--track", "live"], 2, "cannot follow itself"),
    (["--to", "live", "--track", "latest", "--version", "v1"], 2, "exclude each other"),
    (["--to", "live", "--traffic", "v1=90,v2=20"], 2, "add up to 110"),
    (["--to", "live", "--traffic", "v1=50,1=50"], 1, "no version 1"),
    (["--to", "live", "--traffic", "v1=nan,v2=50"], 2, "between 0 and 100"),
    (["--to", "live", "--traffic", "v1=50,v1=50"], 2, "named twice"),
    (["--to", "live", "--traffic", "v1"], 2, "no version with its share"),
    (["--to", "live", "--version", "v1", "--at", "2020-01-01T00:00Z"], 2, "is over"),
    (["--to", "live", "--version", "v1", "--at", "soon"], 2, "is not a date and time"),
    (["--to", "live", "--version", "v1", "--at", "2099-01-01", "--timezone", "Mars"], 2, "Mars"),
    (["--to", "live", "--track", "--at", "2h"], 2, "--at takes one version"),
    (["--to", "live", "--branch", "../x"], 2, "cannot be the name of a branch"),
    (["--to", "live", "--branch", "HEAD"], 2, "no good name"),
    (["--to", "live", "--message", " "], 2, "say something"),
    (["--to", "live", "--freeze-override", "a\nb"], 2, "in one line"),
    (["--to", "live", "--message", "nul\0"], 2, "NUL"),
]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return released(tmp_path)


def test_nonsense_is_refused_before_anything_is_written(told: Told) -> None:
    before = told.home.git("for-each-ref"), told.home.git("count-objects", "-v")
    for words, status, said in NONSENSE:
        done = promote(told, *words)
        assert (done.status, done.out) == (status, ""), (words, done.err)
        assert said in done.err, words
    assert (told.home.git("for-each-ref"), told.home.git("count-objects", "-v")) == before


def test_without_a_store_nothing_is_known(tmp_path: Path) -> None:
    asked = (
        ["promote", "shop", "--to", "live"],
        ["rollback", "shop", "--environment", "live"],
        ["pin", "shop", "live"],
    )
    for words in (*asked, ["resume", "shop", "--git"]):
        done = typed(*words, *WHO, at=tmp_path)
        assert (done.status, "nothing has been recorded yet" in done.err) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_an_app_that_cannot_be_written_is_refused_with_its_place(told: Told) -> None:
    sites = {"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": "sites"}}
    template = {"spec": {"bundle": ".", "environments": ["sandbox", "live"]}}
    sites |= {"spec": {"directories": ["sites/*"], "template": template}}
    told.commit("Sites", {"sites.yaml": json.dumps(sites, indent=1), "sites/blog/index.html": "one"})
    told.settle()
    ask = ["--config", told.directory / "reconciler.yaml", *WHO]
    done = typed("promote", "blog", "--to", "live", *ask, at=told.directory)
    assert done.status == 1
    assert "comes from the AppSet sites" in done.err
    assert "edit sites.yaml:" in done.err

    done = typed("promote", "other", "--to", "live", *ask, at=told.directory)
    assert "other does not list the environment live" in done.err
    assert "sho" in typed("promote", "sho", "--to", "live", *ask, at=told.directory).err

    told.commit("Broken", {"apps.yaml": MANIFEST.replace("bundle: shop", "bundle2: shop").encode()})
    done = promote(told, "--to", "live")
    assert done.status == 1
    assert "the manifest is broken at" in done.err
    assert "apps.yaml:8:3" in done.err
    assert branches(told.home) == []


def test_a_version_that_was_taken_back_needs_a_word(told: Told) -> None:
    told.repo.revert(told.repo.head)
    told.repo.push()
    told.settle()
    done = promote(told, "--to", "live", "--version", "v2")
    assert (done.status, done.out) == (1, "")
    assert "v2 was taken back" in done.err
    assert "Allow-Suspect: shop/live" in done.err
    assert "`--allow-suspect`, or over HTTP `allow_suspect`, writes it all the same" in done.err
    found = promoted(told, "--to", "live", "--version", "v2", "--allow-suspect")
    assert "v2 was taken back" in found["warnings"][0]
    trailers = told.home.git("log", "-1", "--format=%(trailers)", found["branch"])
    assert trailers.strip() == "Allow-Suspect: shop/live"


def test_a_freeze_is_shown_and_passed_by_a_word(told: Told) -> None:
    told.commit("Freeze", {"environments.yaml": ENVIRONMENTS.replace(", gates: {approvals: 1}", "") + FREEZE})
    told.settle()
    assert promoted(told, "--to", "live", "--dry-run")["then"][0]["by"] == "freeze"
    found = promoted(told, "--to", "live", "--freeze-override", "the till is broken")
    assert found["then"][0]["does"] == "deploys"
    assert "the trailer Freeze-Override counts when the commit is merged as it is" in found["next"][-1]
    merge(told, found["branch"], "--ff-only")
    assert told.runs("live") == "two"


def test_a_moment_is_written_as_it_was_said(told: Told) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    wall = f"{later:%Y-%m-%dT09:00}"
    found = promoted(told, "--to", "live", "--version", "v1", "--at", wall, "--timezone", "Europe/Paris")
    written = told.home.git("show", f"{found['branch']}:apps.yaml")
    assert f"{{schedule: [{{at: '{wall}', timezone: Europe/Paris, version: v1}}]}}".replace(
        "'", '"'
    ) in written.replace("'live': ", "live: ")
    instant = promoted(told, "--to", "live", "--version", "v1", "--at", "2h")
    assert instant["at"].endswith("Z")
    merge(told, instant["branch"])
    assert told.json("calendar")[0]["cause"] == "schedule"


def test_a_planned_change_whose_moment_has_passed_does_not_hide_the_choice(told: Told) -> None:
    entry = {"schedule": [{"at": "2026-01-01T00:00Z", "version": "v1"}]}
    told.commit("Planned", {"apps.yaml": app_manifest(environments={"sandbox": {}, "live": entry})})
    told.commit("No more asking", {"environments.yaml": ENVIRONMENTS.replace(", gates: {approvals: 1}", "")})
    told.settle()
    assert told.runs("live") == "one"
    merge(told, promoted(told, "--to", "live", "--version", "v2")["branch"])
    assert told.runs("live") == "two"
    told.commit("Three", {"shop/index.html": "three"})
    merge(told, promoted(told, "--to", "live", "--track")["branch"])
    assert told.runs("live") == "three"


def test_a_split_by_hand(told: Told) -> None:
    found = promoted(told, "--to", "live", "--traffic", "v1=90, v2=10")
    assert [(part["number"], part["percent"]) for part in found["traffic"]] == [(1, 90), (2, 10)]
    shown = told.home.git("show", f"{found['branch']}:apps.yaml")
    assert "'live': {traffic: [{version: v1, percent: 90}, {version: v2, percent: 10}]}" in shown


def test_the_words_of_a_commit_cannot_be_bent(told: Told) -> None:
    text = "Revert everything\n\nThis reverts commit 0123456789012345678901234567890123456789.\nAllow-Mass-Change: 9"
    told.commit(f"{'x' * 300}\n\n{text}", {"shop/index.html": "three"})
    told.settle()
    found = promoted(told, "--to", "live")
    title, _, body = found["message"].partition("\n")
    assert title == "Promote shop v3 to live"
    assert all(len(line) <= 120 for line in body.splitlines())
    assert "This reverts" not in found["message"]
    assert told.home.git("log", "-1", "--format=%(trailers)", found["branch"]) == ""
