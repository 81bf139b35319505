"""Can everybody use every page: by axe, in both colours, on a screen and on a phone, dialogs open and closed?"""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.estate import Estate
from tests.browser.looking import Looking, scrolls_sideways, violations

PAGES = {
    "matrix": "/ui/",
    "matrix, nothing fits": "/ui/?q=checkoutt",
    "app": "/ui/apps/storefront",
    "app, held": "/ui/apps/payments",
    "app, paused": "/ui/apps/recommendations",
    "app, broken": "/ui/apps/search",
    "app, gone": "/ui/apps/legacy-import",
    "app, elsewhere": "/ui/apps/warehouse-erp",
    "compare": "/ui/apps/storefront/compare",
    "version": "/ui/apps/storefront/versions/2.15.0",
    "deployment": "/ui/deployments/{failed}",
    "calendar": "/ui/calendar",
    "calendar, a moment": "/ui/calendar?date=2026-12-25&time=12:00",
    "ledger": "/ui/ledger?kind=gate",
    "metrics": "/ui/metrics?days=90",
    "alerts": "/ui/alerts",
    "complaints": "/ui/complaints",
    "sign in": "/ui/sign-in",
}
DIALOGS = {
    "rollback": "/ui/apps/storefront",
    "approve": "/ui/apps/storefront",
    "pause": "/ui/apps/storefront",
    "promote": "/ui/apps/storefront",
    "release": "/ui/apps/payments",
    "resume": "/ui/apps/recommendations",
    "retry": "/ui/deployments/{failed}",
    "abort": "/ui/deployments/{started}",
}


def address(estate: Estate, path: str) -> str:
    """With the id of the newest deployment of a status."""
    if "{" not in path:
        return path
    found = {one.status: one.id for app in ("storefront", "payments") for one in estate.history(app)}
    return path.format(**found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_at_every_width(looking: Looking, estate: Estate, name: str) -> None:
    page = looking.open(address(estate, PAGES[name]))
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    for width in (768, 320, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert not scrolls_sideways(page), width
    assert violations(page) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_an_open_dialog_is_accessible(looking: Looking, estate: Estate, name: str) -> None:
    page = looking.open(address(estate, DIALOGS[name]), signed_in=True)
    dialog = opened(page, name)
    assert dialog.get_by_role("button").first.is_visible()
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []
    assert not scrolls_sideways(page)
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_whoever_is_not_signed_in_is_led_there_by_a_dialog(looking: Looking) -> None:
    page = looking.open("/ui/apps/storefront?env=live")
    dialog = opened(page, "rollback")
    assert violations(page) == []
    dialog.get_by_role("link", name="Sign in").click()
    assert page.input_value("[name=then]") == "/ui/apps/storefront?env=live"


def test_pages_that_cannot_be_shown_keep_the_frame(looking: Looking) -> None:
    for path, status in (
        ("/ui/apps/storefrnt", 404),
        ("/ui/deployments/ffffffffffff", 404),
        ("/ui/deployments/00000000", 409),  # several were reported under ids that begin so
        ("/ui/nothing", 404),
        ("/ui/apps/storefront/versions/v99", 404),
    ):
        page = looking.open(path, status=status)
        assert page.get_by_role("navigation").is_visible()
        assert violations(page) == []
    page = looking.open("/ui/apps/storefrnt", status=404)
    page.get_by_role("link", name="storefront").click()
    assert page.locator("h1").inner_text() == "storefront"


def test_everything_is_reached_by_keyboard_and_the_skip_link_comes_first(looking: Looking) -> None:
    page = looking.open("/ui/apps/storefront")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()


def opened(page: Page, name: str) -> Locator:
    """A dialog, opened by its button."""
    page.locator(f"button[popovertarget^={name}]:not([popovertargetaction])").click()
    return page.locator(f"[popover][id^={name}]")
