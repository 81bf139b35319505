"""Do the forms and tables of the pages offer what there is, in the order in which people know it?"""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from tests.bearers import bearer, header
from tests.http_asking import Face, face
from tests.world import CHAIN, World


def sign_in(world: World, asked: Face) -> None:
    token = bearer(world.settings["state"]["url"], "operate", now=world.now)
    assert asked.client.post("/ui/sign-in", data={"token": token}, follow_redirects=False).status_code == 303


def report(world: World, asked: Face, app: str, environment: str, status: str, version: str = "1") -> None:
    """Tell of a deployment that was made elsewhere."""
    token = bearer(world.settings["state"]["url"], "report", now=world.now)
    world.later(seconds=1)
    event = {"product_name": app, "environment_name": environment, "version": version, "status": status}
    answer = asked.client.post("/deployment-events/", json=event, headers=header(token))
    assert answer.status_code == 201, answer.text


def options(page: str, dialog: str) -> tuple[list[str], str]:
    """The environments that a dialog offers, and the one that is chosen."""
    form = page.partition(f'<div popover id="{dialog}"')[2].partition("</form>")[0]
    choice = form.partition('<select name="environment">')[2].partition("</select>")[0]
    found = re.findall(r"<option( selected)?>([^<]+)</option>", choice)
    (chosen,) = [name for selected, name in found if selected]
    return [name for _, name in found], chosen


def test_environments_are_offered_along_the_chain_the_last_one_first_of_all(world: World, asked: Face) -> None:
    sign_in(world, asked)
    page = asked.get("/ui/apps/shop").text
    for dialog in ("pause", "promote"):
        assert options(page, dialog) == (list(CHAIN), "live"), dialog


def test_what_is_not_paused_can_be_paused_while_something_is(world: World, asked: Face) -> None:
    sign_in(world, asked)
    until = world.now + timedelta(hours=1)
    world.wish("pause", app="shop", environment="live", reason="the fair", until=until)
    world.settle()
    page = asked.get("/ui/apps/shop").text
    assert 'popovertarget="resume"' in page
    assert "Resume live …" in page
    assert 'popovertarget="pause"' in page
    assert options(page, "pause")[0] == list(CHAIN)


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/ui/apps/shop/pause", "/ui/apps/shop"),
        ("/ui/apps/shop/rollback?x=1", "/ui/apps/shop"),
        ("/ui/apps/a%20b/approve", "/ui/apps/a%20b"),
        ("/ui/sign-out", "/ui"),
        ("/ui/theme", "/ui"),
    ],
)
def test_the_address_of_a_form_leads_to_its_page(asked: Face, address: str, page: str) -> None:
    answer = asked.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert asked.client.put(address).status_code == 405


def test_an_app_that_is_only_reported_stands_along_the_chain(world: World, asked: Face) -> None:
    for environment in ("live", "beside", "pre-release", "sandbox"):
        report(world, asked, "till", environment, "success")
    page = asked.get("/ui/apps/till").text
    assert re.findall(r'id="till\.([^"]+)"', page) == [*CHAIN, "beside"]


def test_tables_of_the_metrics_follow_their_column_of_deployments(world: World, asked: Face) -> None:
    for number in range(5):
        report(world, asked, "often", "live", "failed", str(number))
    for number in range(4):
        report(world, asked, "well", "live", "success", str(number))
    world.later(seconds=1)
    page = html.unescape(asked.get("/ui/metrics").text)
    rows = re.findall(r'<td data-label="Deployments" class="end"><span>([0-9,]+)<', page.partition('id="h-apps"')[2])
    assert [int(one) for one in rows] == sorted(map(int, rows), reverse=True) == [5, 4, 3]
    assert "0 restored, 1 not yet" in page


def test_the_metrics_say_since_when_anything_is_recorded(world: World, asked: Face) -> None:
    page = asked.get("/ui/metrics?days=30").text
    assert "Recorded since" in page
    assert "still counted for all 30 days" in page
    world.later(days=31)
    assert "Recorded since" not in asked.get("/ui/metrics?days=30").text


@pytest.mark.parametrize(
    ("zone", "hours", "days"),
    [
        ("UTC", 1, [("31 May", "0"), ("01 Jun", "3")]),
        ("UTC", 13, [("01 Jun", "3"), ("02 Jun", "0")]),
        # It is twelve hours later there.
        ("Pacific/Auckland", 1, [("01 Jun", "0"), ("02 Jun", "3")]),
        ("Pacific/Auckland", 23, [("01 Jun", "0"), ("02 Jun", "3")]),
    ],
)
def test_what_was_deployed_today_stands_under_today(
    world: World, zone: str, hours: int, days: list[tuple[str, str]]
) -> None:
    world.later(hours=hours)
    with face(world, timezone=zone) as asked:
        page = asked.get("/ui/metrics?days=7").text
    numbers = page.partition('aria-labelledby="f-frequency"')[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row"><time [^>]*>([^<]+)</time></th><td class="end">([^<]+)</td>', numbers)
    assert rows[-2:] == days
    assert f'text-anchor="end">{days[-1][0].lstrip("0")}</text>' in numbers.partition("</svg>")[0]
