"""How is what was deployed elsewhere shown, next to what the reconciler deployed, and what can be done about it?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from reconciler.store import tables
from tests.bearers import bearer, header
from tests.http_asking import Face
from tests.world import World


def report(asked: Face, world: World, **event: Any) -> dict[str, Any]:
    """A deployment of `shop` as CI tells of it."""
    token = bearer(world.settings["state"]["url"], "report", now=world.now, name="ci@example.com")
    told = {"product_name": "shop", "environment_name": "sandbox", "version": "9", **event}
    answer = asked.client.post("/deployment-events/", json=told, headers=header(token))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_of_very_many_products_that_git_does_not_know_the_first_are_shown(world: World, asked: Face) -> None:
    row = {"environment": "live", "number": 1, "version": "7", "deployed_by": "ci", "extra_metadata": {}}
    row |= {"created_at": world.now, "started_at": world.now, "finished_at": world.now, "status": "completed"}
    rows = [{**row, "id": f"r{number}", "app": f"product-{number:04}"} for number in range(250)]
    rows.append({**row, "id": "strange", "app": "../a b?c#d"})
    with world.running() as found, found.database.write() as transaction:
        transaction.connection.execute(tables.reports.insert(), rows)
    page = asked.get("/ui/").text
    assert page.count('href="/ui/apps/product-') == 199
    assert "251 apps" in page
    assert "and 51 more" in page
    assert 'href="/ui/apps/..%2Fa%20b%3Fc%23d"' in page
    # Whoever looks for one by its name finds it, however many there are.
    narrowed = asked.get("/ui/?q=product-02").text
    assert "product-0249" in narrowed
    assert "more: find them" not in narrowed


def test_a_page_on_the_clock_of_utc_says_each_time_once(world: World, asked: Face) -> None:
    context = asked.made.state.context
    deployment = asked.json("/deployments?limit=1")[0]["id"]
    pages = ("/ui/", "/ui/apps/shop", f"/ui/deployments/{deployment}", "/ui/ledger", "/ui/calendar")
    for zone, wanted in (("Europe/Berlin", 2), ("UTC", 1)):
        context.terms = replace(context.terms, timezone=zone)
        for address in pages:
            page = re.sub(r'(title|datetime)="[^"]*"', "", asked.get(f"{address}?zone={zone}").text)
            assert ("Times are in UTC." in page) == (zone == "UTC"), address
            for moment in re.findall(r'<p class="when">(.*?)</p>', page):
                assert len(re.findall(r"[0-9]{2}:[0-9]{2}", moment)) == wanted, (address, moment)


def test_what_started_elsewhere_stands_in_the_cell_of_an_app_of_ours(world: World, asked: Face) -> None:
    assert "elsewhere" not in asked.get("/ui/").text
    report(asked, world, status="started")
    for address in ("/ui/", "/ui/apps/shop"):
        page = asked.get(address).text
        assert "9 started elsewhere" in page, address
        assert ", as ci@example.com reported" in page
    world.later(minutes=1)
    report(asked, world, status="success")
    assert "started elsewhere" not in asked.get("/ui/").text


def test_a_deployment_that_was_made_elsewhere_is_told_apart(world: World, asked: Face) -> None:
    made = report(asked, world, status="started")
    assert (made["number"], asked.json("/deployments?limit=2")[1]["number"]) == (1, 1), "numbers alone do not tell"
    page = asked.get("/ui/apps/shop").text
    assert page.count('<span class="badge is-stop">elsewhere</span>') == 1
    page = asked.get(f"/ui/deployments/{made['id']}").text
    assert "Deployment 1, made elsewhere" in page
    assert "neither stops it nor tries it again" in page
    ours = asked.json("/deployments?cause=release")[0]["id"]
    assert "elsewhere" not in asked.get(f"/ui/deployments/{ours}").text


def test_nothing_can_be_done_about_it_here(world: World, asked: Face) -> None:
    made = report(asked, world, status="started")
    token = bearer(world.settings["state"]["url"], "operate", now=world.now, name="ann@example.org")
    for verb in ("abort", "retry"):
        path = f"/deployments/{made['id']}/{verb}"
        refused = asked.client.post(path, json={"reason": "prices"}, headers=header(token))
        assert refused.status_code == 409
        assert "deployment 1 of shop in sandbox was made elsewhere" in refused.json()["detail"]
        assert "act where it was made" in refused.json()["next_step"]
