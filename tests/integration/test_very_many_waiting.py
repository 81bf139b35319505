"""Where more apps wait than are looked at: is all true that the matrix says, and is what went wrong found?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.store import due
from reconciler.views import candidates
from tests.http_asking import Face, face
from tests.world import World

COUNT, LOOKED_AT = 40, 10
NAMES = [f"svc-{number:02}" for number in range(COUNT)]
PLACES = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: staging}
spec: {track: latest, target: {type: directory, path: releases/staging}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec: {track: staging, target: {type: directory, path: releases/live}, gates: {approvals: 1}}
"""


def manifest(name: str, **wrong: str) -> str:
    spec = {"environments": ["staging", "live"], "config": {"name": name}, **wrong}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "App", "metadata": {"name": name}, "spec": spec})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """All wait for an approval; of the last, the manifest is broken, and the one before it is paused."""
    monkeypatch.setattr(candidates, "LOOKED_AT", LOOKED_AT)
    made = World(tmp_path)
    made.commit("Begin", {"places.yaml": PLACES, **{f"{name}.yaml": manifest(name) for name in NAMES}})
    made.settle()
    made.later(hours=1)
    made.commit("Break it", {f"{NAMES[-1]}.yaml": manifest(NAMES[-1], configx="no")})
    until = made.now + timedelta(hours=2)
    made.wish("pause", app=NAMES[-2], environment="live", reason="stocktaking", until=until)
    made.settle()
    return made


@pytest.fixture
def asked(world: World) -> Iterator[Face]:
    with face(world) as found:
        yield found


def strip(page: str) -> dict[str, str]:
    return dict(re.findall(r'/ui/\?state=(\w+)"[^>]*><b>([0-9,+]+)</b>', page))


def rows(page: str) -> dict[str, tuple[str, list[str]]]:
    """What stands above each group, and the apps in it."""
    found = {}
    for group, body in re.findall(r'<tbody data-group="(\w+)">(.*?)</tbody>', page, re.DOTALL):
        head = re.sub("<[^>]*>", "", body.partition("</tr>")[0]).strip()
        found[group] = head, re.findall(r'<tr[^>]* data-app="([^"]+)">', body)
    return found


def test_what_went_wrong_is_counted_and_stands_first(asked: Face) -> None:
    page = asked.get("/ui/").text
    told = strip(page)
    assert (told["failed"], told["held"], told["started"]) == ("1", "1", "0")
    head, names = rows(page)["person"]
    assert head == f"Needs a person {LOOKED_AT}+ apps"
    assert names[:2] == [NAMES[-1], NAMES[-2]]


@pytest.mark.parametrize(("state", "name"), [("failed", NAMES[-1]), ("held", NAMES[-2])])
def test_filters_find_what_fits_behind_all_that_waits(asked: Face, state: str, name: str) -> None:
    page = asked.get(f"/ui/?state={state}").text
    assert rows(page) == {"person": ("Needs a person 1 app", [name])}
    assert "Nothing fits" not in page
    assert "not looked at" not in page


def test_no_number_is_exact_that_is_not_true(asked: Face) -> None:
    page = asked.get("/ui/").text
    told = strip(page)
    waiting = sum(
        any(wait["for"] == "approval" for wait in one["waiting"]) for one in asked.json(f"/status?limit={COUNT}")
    )
    running = 2 * COUNT - waiting
    for fact, most in {"waiting": waiting, "running": running}.items():
        assert told[fact].endswith("+")
        assert 0 < int(told[fact][:-1]) <= most, fact
    assert f"and up to {COUNT - LOOKED_AT} that were not looked at: find them by name or team" in page
    assert f"{told['waiting']} waiting" in re.findall('data-spoken="([^"]*)"', page)[0]


def test_nothing_that_waits_is_called_quiet(asked: Face) -> None:
    assert set(rows(asked.get("/ui/").text)) == {"person"}
    assert set(rows(asked.get(f"/ui/?after={NAMES[LOOKED_AT]}").text)) == {"person"}
    assert "quiet" not in rows(asked.get("/ui/?state=running").text)


def test_quiet_ones_among_them_are_listed(world: World, asked: Face) -> None:
    quiet = manifest("svc-20-quiet").replace(', "live"', "")
    world.commit("One that waits for nobody", {"quiet.yaml": quiet})
    world.settle()
    page = asked.get("/ui/").text
    assert rows(page)["quiet"] == ("Quiet 1+ apps", ["svc-20-quiet"])


def test_while_all_are_planned_anew_nothing_is_certain_and_quiet_ones_stay(world: World, asked: Face) -> None:
    world.commit("One that waits for nobody", {"quiet.yaml": manifest("svc-20-quiet").replace(', "live"', "")})
    world.settle()
    with world.running() as found, found.database.write() as transaction:
        due.mark_all(transaction, world.now)
    page = asked.get("/ui/").text
    assert rows(page)["quiet"][1] == ["svc-20-quiet"]
    assert all(number.endswith("+") for number in strip(page).values())


def test_what_waits_can_be_looked_through_as_far_as_it_is_looked_at(asked: Face) -> None:
    page = asked.get("/ui/?state=waiting").text
    shown = rows(page)["person"][1]
    assert LOOKED_AT <= len(shown) <= 2 * LOOKED_AT
    assert f"and up to {COUNT - 1 - len(shown)} that were not looked at" in page
    # By its name each is found.
    assert rows(asked.get("/ui/?q=svc-2").text)["person"][0] == "Needs a person 10 apps"
