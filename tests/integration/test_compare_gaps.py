"""Does each gap of a comparison lead to the lines that it leaves out?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.http_asking import Face, face
from tests.world import World

LINES = 60
_GAP = re.compile(r'<tr class="skipped"><td colspan="4"><a href="([^"]+)">([^<]+)</a>')


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Face]:
    """Three versions, of a file each line of which is another, and of one that is renamed."""
    world = World(tmp_path)
    world.start_repository()
    text = [f"line {number}" for number in range(1, LINES + 1)]
    world.commit("Long", {"shop/long.txt": "\n".join(text), "shop/old.txt": "\n".join([*text, "old"])})
    world.settle()
    text[29] = "another line"
    files = {"shop/old.txt": None, "shop/new.txt": "\n".join(["new", *text, "old"]), "shop/index.html": "two"}
    world.commit("Change", {**files, "shop/long.txt": "\n".join(text)})
    world.settle()
    with face(world) as found:
        yield found


def test_a_gap_leads_to_the_lines_that_it_leaves_out(shop: Face) -> None:
    page = shop.get("/ui/apps/shop/compare?a=v2&b=v3").text
    gaps = [(html.unescape(address), said) for address, said in _GAP.findall(page)]
    assert {"26 unchanged lines", "the rest is unchanged"} <= {said for _, said in gaps}
    assert "line 5<" not in page
    for address, _ in gaps:
        place = address.partition("#")[2]
        answer = shop.get(address)
        assert answer.status_code == 200, address
        section = answer.text.partition(f'aria-labelledby="{place}"')[2].partition("</section>")[0]
        assert "unchanged" not in section
        if "index.html" not in section:
            assert all(f">line {number}<" in section for number in (1, 5, LINES - 1)), section
        back = re.search(r'<a href="([^"]+)">only what differs</a>', section)
        assert back is not None
        assert shop.get(html.unescape(back[1]).partition("#")[0]).text == page


def test_a_file_that_there_is_not_leaves_the_page_as_it_is(shop: Face) -> None:
    pages = [shop.get(f"/ui/apps/shop/compare?a=v2&b=v3{more}").text for more in ("", "&whole=9")]
    assert len({page.partition("<main")[2].partition("</main>")[0] for page in pages}) == 1


def test_with_one_side_alone_the_other_is_what_came_before(shop: Face) -> None:
    def shown(address: str) -> str:
        page = shop.get(f"/ui/apps/shop/compare{address}").text.partition("<main")[2].partition("</main>")[0]
        return " ".join(re.sub("<[^>]*>", " ", page.partition("</form>")[2]).split())

    # What runs at the end of the chain is the newest one itself: it is compared with the one before it.
    assert "from #2 " in shown("?b=v3")
    assert "from #3 " in shown("?b=v2")
    assert "from #3 " in shown("?b=v1")
    assert " to #3 " in shown("?a=v1")


def test_nothing_comes_before_the_first_version_of_all(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    with face(world) as asked:
        assert "There is nothing to compare yet" in asked.get("/ui/apps/shop/compare?b=v1").text
        # The first one runs everywhere, and there is another one that waits.
        pause = {"reason": "the fair", "until": world.now + timedelta(days=1)}
        for name in ("sandbox", "pre-release", "live"):
            world.wish("pause", app="shop", environment=name, **pause)
        world.commit("Two", {"shop/index.html": "two"})
        world.settle()
        page = asked.get("/ui/apps/shop/compare?b=v1").text
        assert "nothing to compare yet" not in page
        assert "Nothing comes before v1" in page
        assert '<option value="v1" selected>' in page.partition('name="b"')[2].partition("</select>")[0]
        assert "The two versions" not in page


def test_who_changed_a_file_several_times_is_named_once(tmp_path: Path) -> None:
    world = World(tmp_path).begun()
    for number in range(3):
        world.commit(f"Again {number}", {"shop/index.html": f"{number}\n"})
        world.settle()
    with face(world) as asked:
        page = asked.get("/ui/apps/shop/compare?a=v1&b=v4").text
        (written,) = {one["by"][0]["name"] for one in asked.json("/apps/shop/versions/v1/compare/v4")["code"]["files"]}
    assert "in 3 versions by 1 person" in page
    files = page.partition('id="h-files"')[2].partition("</table>")[0]
    assert re.findall(r'<td data-label="By"><span>([^<]*)</span>', files) == [written]
