"""Does an open page show what happens while it happens, and leave alone what somebody has under their hands?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.watched import PATIENCE, Watched

expect.set_options(timeout=PATIENCE)
_NOTICE = """() => new Promise(done => {
    const seen = () => document.getElementById('shop.live')?.textContent.includes('#2') && done(Date.now());
    new MutationObserver(seen).observe(document.body, {childList: true, subtree: true});
    seen();
})"""


def settled(watched: Watched) -> None:
    """One version runs everywhere."""
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")


def test_a_push_is_seen_without_a_reload_within_a_moment(
    watched: Watched, record_testsuite_property: Callable[[str, object], None]
) -> None:
    settled(watched)
    page = watched.page("/ui/", signed_in=False)
    expect(page.locator("[id='shop.live']")).to_contain_text("#1")
    listening(page)
    page.evaluate("window.sameDocument = true")
    page.evaluate(f"() => {{ window.noticed = ({_NOTICE})(); }}")
    watched.repo.write({"shop/index.html": "two"}).commit("A second one")
    pushed = time.time()
    watched.repo.push()
    took = page.evaluate("window.noticed") / 1000 - pushed
    assert page.evaluate("window.sameDocument")
    # It takes less than a second on a quiet machine, all the way through three environments.
    assert took < 20, took
    record_testsuite_property("seconds from push to page", took)


def test_what_is_under_somebodys_hands_stays_and_catches_up_afterwards(watched: Watched) -> None:
    settled(watched)
    page = watched.page("/ui/", signed_in=False)
    listening(page)
    link = page.locator("[id='shop.live'] a.ver")
    link.focus()
    page.evaluate("document.activeElement.dataset.mine = 'yes'")
    watched.commit("A second one", {"shop/index.html": "two"})
    expect(page.locator("[id='shop.sandbox']")).to_contain_text("#2")
    watched.wait_for(lambda: watched.history("shop", "live")[-1].traffic[0].number == 2, "the second comes")
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the second is live")
    expect(page.locator("#facts")).to_contain_text("3 as desired")
    assert page.evaluate("document.activeElement.dataset.mine") == "yes"
    expect(page.locator("[id='shop.live']")).to_contain_text("#1")
    page.locator("h1").click()
    expect(page.locator("[id='shop.live']")).to_contain_text("#2")


def test_rows_stay_where_they_are_and_a_link_says_that_groups_changed(watched: Watched) -> None:
    settled(watched)
    page = watched.page("/ui/", signed_in=False)
    row = page.locator("tr[data-app=shop]")
    expect(page.locator("tbody[data-group=quiet] tr[data-app=shop]")).to_be_visible()
    listening(page)
    watched.commit("It fails", {"shop/fails-in-sandbox": ""})
    expect(page.locator("#regrouped")).to_contain_text("1 app changed group, show")
    expect(page.locator("[id='shop.sandbox']")).to_contain_text("held")
    assert row.evaluate("row => row.parentNode.dataset.group") == "quiet"
    expect(page.locator("#spoken")).not_to_be_empty()
    page.get_by_role("link", name="changed group").click()
    expect(page.locator("tbody[data-group=person] tr[data-app=shop]")).to_be_visible()
    expect(page.locator("#regrouped")).to_be_hidden()


def test_a_page_says_that_its_connection_is_lost_and_goes_on_when_it_is_back(watched: Watched) -> None:
    settled(watched)
    page = watched.page("/ui/apps/shop", signed_in=False)
    listening(page)
    watched.terminate()
    expect(page.locator("body.lost")).to_be_attached()
    said = str(page.locator("#daemon").get_attribute("data-lost"))
    assert re.fullmatch(r"connection lost, no news since [0-9]{2}:[0-9]{2} UTC", said)
    expect(page.get_by_text("following")).to_be_hidden()
    watched.commit("A second one", {"shop/index.html": "two"})
    watched.start()
    expect(page.locator("[id='shop.live']")).to_contain_text("#2", timeout=30_000)
    expect(page.locator("body.lost")).not_to_be_attached()
    expect(page.get_by_text("following")).to_be_visible()


def test_since_when_the_connection_is_lost_is_told_on_the_clock_of_the_page(watched: Watched) -> None:
    watched.settings["api"]["timezone"] = "Asia/Kolkata"
    watched.begin()
    page = watched.page("/ui/", signed_in=False)
    listening(page)
    watched.terminate()
    expect(page.locator("body.lost")).to_be_attached()
    said = str(page.locator("#daemon").get_attribute("data-lost"))
    found = re.search(r"since ([0-9]{2}):([0-9]{2}) Asia/Kolkata \(([0-9]{2}):([0-9]{2}) UTC\)$", said)
    assert found is not None, said
    here, there = (60 * int(found[part]) + int(found[part + 1]) for part in (1, 3))
    assert (here - there) % (24 * 60) == 330


def test_a_deployment_is_followed_step_by_step(watched: Watched) -> None:
    settled(watched)
    watched.commit("It is slow", {"shop/slow-in-sandbox": ""})
    watched.wait_for(lambda: watched.status_is("sandbox", "started"), "it is under way")
    page = watched.page(f"/ui/deployments/{watched.history('shop', 'sandbox')[-1].id}", signed_in=False)
    expect(page.locator("#sentence")).to_contain_text("started")
    listening(page)

    for file in (watched.directory / "state").rglob("slow-in-sandbox"):
        file.unlink()
    expect(page.locator("#sentence")).to_contain_text("completed")
    expect(page.locator("#events")).to_contain_text("Completed")


def test_more_pages_are_open_than_a_browser_has_connections_and_each_goes_on(watched: Watched) -> None:
    settled(watched)
    acting = watched.page("/ui/apps/shop")
    pages = [acting.context.new_page() for _ in range(8)]
    for number, page in enumerate(pages):
        page.goto("/ui/" if number % 2 else "/ui/apps/shop", wait_until="domcontentloaded")
    watched.commit("A second one", {"shop/index.html": "two"})
    for page in (acting, *pages):
        expect(page.locator("[id='shop.live']")).to_contain_text("#2")
    acting.reload(wait_until="domcontentloaded")
    expect(acting.locator("[id='shop.live']")).to_contain_text("#2")


def test_a_page_that_nobody_sees_lets_go_of_its_connection_and_catches_up_when_it_is_seen(watched: Watched) -> None:
    settled(watched)
    page = watched.page("/ui/apps/shop", signed_in=False)
    listening(page)
    assert held(page) == 1
    turn(page, hidden=True)
    page.wait_for_function("() => navigator.locks.query().then(found => found.held.length === 0)")
    watched.commit("A second one", {"shop/index.html": "two"})
    watched.wait_for(lambda: watched.history("shop", "live")[-1].traffic[0].number == 2, "the second comes")
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the second is live")
    expect(page.locator("[id='shop.live']")).to_contain_text("#1")
    turn(page, hidden=False)
    expect(page.locator("[id='shop.live']")).to_contain_text("#2")
    expect(page.locator("body.lost")).not_to_be_attached()


def turn(page: Page, *, hidden: bool) -> None:
    """To another tab, or back to this one."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def held(page: Page) -> int:
    """How many streams the pages of this browser hold."""
    return int(page.evaluate("navigator.locks.query().then(found => found.held.length)"))


def listening(page: Page) -> None:
    """Wait until the page hears of changes."""
    page.locator("body[data-listening=yes]").wait_for(state="attached")
