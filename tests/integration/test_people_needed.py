"""Are apps that git does not know counted and shown among those that need a person, as every other one is?"""

from __future__ import annotations

import html
import re
from datetime import timedelta

from tests.reporter import Reporter
from tests.world import app_manifest


def group(page: str, name: str) -> tuple[str, list[str]]:
    """What stands above a group of the matrix, and the apps in it; nothing where there is no such group."""
    body = page.partition(f'<tbody data-group="{name}">')[2].partition("</tbody>")[0]
    head = re.sub("<[^>]*>", "", body.partition("</tr>")[0]).strip()
    return head, [html.unescape(one) for one in re.findall(r'<a href="/ui/apps/[^"]*">([^<]+)</a>', body)]


def counted(page: str, state: str) -> int:
    """What the summary counts so."""
    return int(re.findall(rf'/ui/\?state={state}"[^>]*><b>([0-9,+]+)</b>', page)[0])


def waiting(page: str) -> int:
    """What the summary counts as waiting."""
    return counted(page, "waiting")


def test_what_waits_for_people_is_counted_wherever_it_is_deployed(ci: Reporter) -> None:
    ci.done("staging", product_name="quiet")
    assert group(ci.asked.get("/ui/").text, "person") == ("", [])
    ci.refused(428, "careful")
    ci.refused(428, "careful", product_name="a b?c#d")
    page = ci.asked.get("/ui/").text
    assert group(page, "person") == ("Needs a person 2 apps", ["a b?c#d", "till"])
    assert group(page, "elsewhere") == ("Deployed elsewhere, as reported 1 app", ["quiet"])
    assert waiting(page) == 2
    # With one that git declares and whose manifest is broken.
    ci.world.commit("Break it", {"shop.yaml": app_manifest("shop") + "  nonsense: 1\n"})
    ci.world.settle()
    page = ci.asked.get("/ui/").text
    assert group(page, "person") == ("Needs a person 3 apps", ["shop", "a b?c#d", "till"])
    assert 'data-person="shop a%20b%3Fc%23d till "' in page


def test_so_do_filters(ci: Reporter) -> None:
    ci.refused(428, "careful")
    for asked, people in {
        "state=waiting": ["till"],
        "q=til": ["till"],
        "q=sho": [],
        "state=failed": [],
        "team=payments": [],
        "only=1": [],
        "after=shop": ["till"],
    }.items():
        page = ci.asked.get(f"/ui/?{asked}").text
        assert group(page, "person")[1] == people, asked
        # The summary counts all that fits the words, whichever of it is shown.
        assert waiting(page) == (0 if asked in ("q=sho", "team=payments") else 1), asked


def test_it_tells_the_same_as_the_lists(ci: Reporter) -> None:
    ci.refused(428, "careful")
    ci.refused(428, "careful", product_name="shop", version="9")
    names = group(ci.asked.get("/ui/").text, "person")[1]
    assert names == ["shop", "till"]
    assert {one["app"] for one in ci.asked.json("/approvals")} == set(names)
    waits = [one["app"] for one in ci.asked.all("/status") if any(wait["for"] == "approval" for wait in one["waiting"])]
    assert sorted(waits) == names
    id_ = next(one["id"] for one in ci.asked.json("/approvals") if one["app"] == "till")
    assert ci.approve("qa", id_).status_code == 202
    assert group(ci.asked.get("/ui/").text, "person")[1] == ["shop"]


def test_of_very_many_the_first_are_shown_and_all_are_counted(ci: Reporter) -> None:
    for number in range(203):
        ci.refused(428, "careful", product_name=f"product-{number:03}")
        ci.world.now += timedelta(seconds=1)
    page = ci.asked.get("/ui/").text
    head, names = group(page, "person")
    assert (head, len(names), waiting(page)) == ("Needs a person 203 apps", 200, 203)
    assert "and 3 more" in page
    (more,) = re.findall(r'<a href="([^"]+)">and 3 more', page)
    assert len(group(ci.asked.get(html.unescape(more)).text, "person")[1]) == 203


def test_what_failed_last_elsewhere_is_counted_and_found(ci: Reporter) -> None:
    ci.done("staging", product_name="fine")
    for where in ("staging", "sandbox"):
        assert ci.tell("failed", where, product_name="poor").status_code == 201
    # Another one failed where git declares no environment, which no column shows; and one of ours has its own history.
    assert ci.tell("failed", "nowhere", product_name="far").status_code == 201
    assert ci.tell("failed", "sandbox", product_name="shop", version="9").status_code == 201
    page = ci.asked.get("/ui/").text
    assert counted(page, "failed") == 2
    assert group(page, "elsewhere")[1] == ["far", "fine", "poor"]
    failed = ci.asked.get("/ui/?state=failed").text
    assert (counted(failed, "failed"), group(failed, "elsewhere")[1]) == (2, ["poor"])
    for narrowed, number in {"q=poo": 2, "q=fin": 0, "team=payments": 0, "state=waiting": 2, "after=shop": 2}.items():
        assert counted(ci.asked.get(f"/ui/?{narrowed}").text, "failed") == number, narrowed
    # One that waits for people, too, is among those that need some.
    ci.refused(428, "careful", product_name="poor")
    failed = ci.asked.get("/ui/?state=failed").text
    assert group(failed, "person") == ("Needs a person 1 app", ["poor"])
    ci.done("staging", product_name="poor", version="3.0")
    assert counted(ci.asked.get("/ui/").text, "failed") == 1
