"""Do names keep their letters where a sentence of a page begins with one?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.api.dashboard.wording import opened, sentence
from tests.bearers import bearer
from tests.e2e.daemon import environment_manifest
from tests.http_asking import Face, face
from tests.world import World, app_manifest


def test_an_environment(tmp_path: Path) -> None:
    world = World(tmp_path)
    files = {
        "environments.yaml": environment_manifest("slowProd", "latest"),
        "shop.yaml": app_manifest(environments=["slowProd"]),
        "shop/index.html": "one",
    }
    world.commit("Begin", files)
    world.settle()
    world.commit("Away", {"shop.yaml": None})
    world.settle()
    with face(world) as asked:
        page = asked.get("/ui/apps/shop").text
    told = re.sub(r"<[^>]+>", "", page.partition('id="sentence"')[2].partition("</p>")[0].partition("<span>")[2])
    assert told.startswith("slowProd runs v1")
    assert "Orphaned: it left git" in told


def test_a_refusal_that_begins_with_a_version(world: World, asked: Face) -> None:
    token = bearer(world.settings["state"]["url"], "approve", "operate", now=world.now)
    assert asked.client.post("/ui/sign-in", data={"token": token}, follow_redirects=False).status_code == 303
    page = asked.get("/ui/apps/shop").text
    word = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert word is not None
    form = {"csrf": word[1], "id": "zzzz", "reason": "x"}
    refused = asked.client.post("/ui/apps/shop/approve", data=form, follow_redirects=False)
    assert "zzzz is no id." in refused.text
    assert "Zzzz" not in refused.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("v2 was rolled back by ann: slow", "v2 was rolled back by ann: slow"),
        ("zzzz is no id", "zzzz is no id"),
        ("shop has no version v9", "shop has no version v9"),
        ("api.listen is off", "api.listen is off"),
        ("there is no app nope", "There is no app nope"),
        ("nothing has been recorded yet", "Nothing has been recorded yet"),
        ("use the address itself", "Use the address itself"),
        ("usebox has no version v9", "usebox has no version v9"),
        ("the-shop is in no environment", "the-shop is in no environment"),
        ("iOS is in no environment", "iOS is in no environment"),
        ("", ""),
    ],
)
def test_only_our_own_words_begin_with_a_capital(text: str, shown: str) -> None:
    assert opened(text) == shown
    assert sentence(text) == f"{shown}."
