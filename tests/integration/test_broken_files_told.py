"""Is a broken file told of that no app is known from: in the line at the top of every page, on a page, in `status`?"""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.bearers import bearer, header
from tests.commands import Told
from tests.http_asking import Face, face
from tests.world import ENVIRONMENTS, World, app_manifest

NEW = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: brandnew}
spec:
  configx: {a: 1}
  environments: [live]
"""
WRONG = "the key configx is not known here"


def line(page: str) -> str:
    """What the line at the top says."""
    found = re.findall('<p class="daemon"[^>]*>(.*?)</p>', page, re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]*>", "", found[0])).split())


def breaks(world: World, **files: str) -> None:
    world.commit("Break", {f"{name}.yaml": text for name, text in files.items()})
    world.settle()


def test_every_page_says_what_is_wrong_and_where_as_long_as_it_is(world: World, asked: Face) -> None:
    pages = ("/ui/", "/ui/apps/shop", "/ui/calendar", "/ui/ledger")
    assert not any("broken" in line(asked.get(page).text) for page in pages)
    breaks(world, brandnew=NEW)
    for page in pages:
        found = asked.get(page).text
        assert f"1 file broken: brandnew.yaml:5:3 {WRONG}" in line(found), page
        assert '<a class="status is-bad" href="/ui/complaints">' in found
    listed = asked.get("/ui/complaints").text
    assert "<code>brandnew.yaml</code>" in listed
    assert f"<b>line 5, column 3</b>: {WRONG} (did you mean config?)" in listed
    world.commit("Mend", {"brandnew.yaml": NEW.replace("configx", "config")})
    world.settle()
    assert not any("broken" in line(asked.get(page).text) for page in pages)
    assert "No file is broken" in asked.get("/ui/complaints").text


def test_a_broken_environment_is_told(world: World, asked: Face) -> None:
    breaks(world, environments=ENVIRONMENTS.replace("track: latest", "trak: latest", 1))
    assert "1 file broken: environments.yaml:4:8 the key trak is not known here" in line(asked.get("/ui/").text)


def test_of_very_many_broken_files_the_first_is_named_and_the_others_are_listed_by_pages(
    world: World, asked: Face
) -> None:
    breaks(world, **{f"new-{number:02}": NEW.replace("brandnew", f"new-{number:02}") for number in range(60)})
    assert f"60 files broken: new-00.yaml:5:3 {WRONG}" in line(asked.get("/ui/").text)
    found, address = [], "/ui/complaints"
    while address:
        page = asked.get(address).text
        found += re.findall(r"<th scope=\"row\"><code>([^<]+)", page)
        more = re.findall('href="([^"]+)">Further files', page)
        assert len(more) == (len(found) < 60)
        address = html.unescape(more[0]) if more else ""
    assert found == [f"new-{number:02}.yaml" for number in range(60)]


def test_whoever_may_not_read_is_told_nothing_of_it(world: World) -> None:
    breaks(world, brandnew=NEW)
    with face(world, read="token") as strict:
        token = header(bearer(world.settings["state"]["url"], "read", now=world.now))
        assert "brandnew" in line(strict.client.get("/ui/", headers=token).text)
        for page in ("/ui/sign-in", "/ui/nothing/here"):
            assert "brandnew" not in strict.get(page).text


def test_status_tells_it_beside_every_standing(tmp_path: Path) -> None:
    told = Told(tmp_path)
    files = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    told.commit("Begin", files)
    told.settle()
    sound = told.json("status")[0]["repository"]
    assert (sound["broken_files"], sound["complaint"]) == (0, None)
    told.commit("Break", {"brandnew.yaml": NEW, "other.yaml": NEW})
    told.settle()
    place = told.json("status")[0]["repository"]
    first = {"path": "brandnew.yaml", "line": 5, "column": 3, "message": WRONG, "remedy": "did you mean config?"}
    assert (place["broken_files"], place["complaint"]) == (2, first | {"severity": "error"})
