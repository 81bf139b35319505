"""Does whoever may approve see what they approve, and whoever may not that it is not for them?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bearers import bearer, header
from tests.http_asking import Face, face
from tests.world import ENVIRONMENTS, World, app_manifest

GATED = ENVIRONMENTS.replace("spec: {track: pre-release", "spec: {gates: {approvals: 2}, track: pre-release")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    files = {"environments.yaml": GATED, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    made.commit("Begin", files)
    made.settle()
    return made


def page(asked: Face, token: str) -> str:
    """The app's page, as the bearer sees it."""
    return asked.client.get("/ui/apps/shop", headers=header(token)).text


def test_a_button_says_what_it_approves_and_who_may_not_sees_why(world: World) -> None:
    url = world.settings["state"]["url"]
    author = world.versions()[0].author.email
    ann, quinn, wrote = (
        bearer(url, "approve", now=world.now, name=name) for name in ("ann@example.org", "quinn@example.org", author)
    )
    with face(world) as asked:
        assert re.search(r"Approve v1 for live …", page(asked, ann))
        assert "Approve v1 for live" in page(asked, quinn)
        seen = page(asked, wrote)
        assert "Approve v1" not in seen
        assert "v1: you wrote it, so somebody else approves it." in seen
        told = asked.client.post("/approvals", json={"id": "shop/live"}, headers=header(ann))
        assert told.status_code == 202
        seen = page(asked, ann)
        assert "Approve v1" not in seen
        assert "v1: you have approved it, so somebody else approves it." in seen
        assert "Approve v1 for live" in page(asked, quinn)


def test_whoever_approves_is_told_where_the_version_went_wrong(world: World) -> None:
    second = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert second
    url = world.settings["state"]["url"]
    ann = bearer(url, "approve", "operate", now=world.now, name="ann@example.org")
    with face(world) as asked:
        path = "/apps/shop/environments/sandbox/rollback"
        back = asked.client.post(path, json={"reason": "it loses orders"}, headers=header(ann))
        assert back.status_code == 202, back.text
        world.settle()
        (live,) = asked.json("/status?environment=live")
        waits = {one["what"]: one for one in live["waiting"] if one["for"] == "approval"}
        assert "mind" not in waits["v1"]["detail"]
        wait = waits["v2"]
        assert re.search(r"; mind that v2 .* in sandbox \(deployment 2\)$", wait["detail"]), wait["detail"]
        assert "mind that v2" in page(asked, ann)
        # Whoever approves without having looked is told so with the answer.
        quinn = bearer(url, "approve", now=world.now, name="quinn@example.com")
        answers = [
            asked.client.post("/approvals", json={"id": waits[one]["id"]}, headers=header(quinn)).json()
            for one in ("v1", "v2")
        ]
        assert answers[0]["warnings"] == []
        (warning,) = answers[1]["warnings"]
        assert wait["detail"].endswith(f"; mind that {warning}")
