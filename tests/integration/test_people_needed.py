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


def owned(ci: Reporter) -> None:
    """The shop has a team."""
    manifest = app_manifest("shop").replace('"name": "shop"', '"name": "shop", "labels": {"team": "payments"}', 1)
    ci.world.commit("Own it", {"shop.yaml": manifest})
    ci.world.settle()


def test_so_do_filters(ci: Reporter) -> None:
    owned(ci)
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
    owned(ci)
    ci.done("staging", product_name="fine")
    for where in ("staging", "sandbox"):
        assert ci.tell("failed", where, product_name="poor").status_code == 201
    # One failed where git declares no environment, which has no column; and one of ours has its own history.
    assert ci.tell("failed", "nowhere", product_name="far").status_code == 201
    assert ci.tell("failed", "sandbox", product_name="shop", version="9").status_code == 201
    page = ci.asked.get("/ui/").text
    assert counted(page, "failed") == 3
    assert group(page, "elsewhere")[1] == ["far", "fine", "poor"]
    failed = ci.asked.get("/ui/?state=failed").text
    assert (counted(failed, "failed"), group(failed, "elsewhere")[1]) == (3, ["far", "poor"])
    numbers = {"q=poo": 2, "q=fa": 1, "q=fin": 0, "team=payments": 0, "state=waiting": 3, "after=shop": 3}
    for narrowed, number in numbers.items():
        assert counted(ci.asked.get(f"/ui/?{narrowed}").text, "failed") == number, narrowed
    # One that waits for people, too, is among those that need some.
    ci.refused(428, "careful", product_name="poor")
    failed = ci.asked.get("/ui/?state=failed").text
    assert group(failed, "person") == ("Needs a person 1 app", ["poor"])
    ci.done("staging", product_name="poor", version="3.0")
    assert counted(ci.asked.get("/ui/").text, "failed") == 2


def beside(page: str, name: str) -> list[str]:
    """What stands beside the name of an app that is deployed elsewhere."""
    told = page.partition(f'<div id="{name}."')[2].partition(">")[2].partition("</div>")[0]
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", one)).split()) for one in re.findall("<p.*?</p>", told)]


def test_what_runs_where_git_declares_no_environment_is_told_beside_the_name(ci: Reporter) -> None:
    ci.done("fut", product_name="far")
    ci.done("staging", product_name="near")
    ci.world.later(minutes=5)
    page = ci.asked.get("/ui/").text
    assert beside(page, "far") == ["in fut: 2.0 runs, 12:00"]
    assert beside(page, "near") == []
    assert ci.tell("failed", "fut", product_name="far", version="3.0", message="no room").status_code == 201
    (told,) = beside(ci.asked.get("/ui/?state=failed").text, "far")
    assert told == "in fut: 3.0 failed: no room, 12:05; 2.0 runs"


def test_of_very_many_such_environments_those_that_failed_come_first(ci: Reporter) -> None:
    for number in range(6):
        ci.done(f"fut-{number}", product_name="far")
    assert ci.tell("failed", "fut-5", product_name="far", version="3.0").status_code == 201
    told = beside(ci.asked.get("/ui/").text, "far")
    assert [one.partition(",")[0] for one in told] == [
        "in fut-5: 3.0 failed",
        "in fut-0: 2.0 runs",
        "in fut-1: 2.0 runs",
        "and in 3 more environments that git does not declare",
    ]
    assert counted(ci.asked.get("/ui/").text, "failed") == 1
