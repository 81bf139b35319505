"""Can somebody try the API out at /docs with a token, under the strict policy that pages have?"""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.looking import Looking
from tests.browser.serving import Served


def test_a_token_that_is_given_once_is_sent_along(looking: Looking, shop: Served) -> None:
    page = looking.open("/docs")
    page.get_by_role("button", name="Authorize", exact=True).click()
    dialog = page.locator(".auth-container").filter(has_text="reconciler tokens create --scope")
    expect(dialog).to_have_count(1)
    dialog.locator("input").fill(shop.token)
    dialog.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    page.goto(f"{shop.url}/docs#/apps")
    operation = page.locator(".opblock", has=page.locator('[data-path="/environments"]')).first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with page.expect_request(lambda request: request.url.endswith("/environments")) as asked:
        operation.get_by_role("button", name="Execute").click()
    assert asked.value.headers["authorization"] == f"Bearer {shop.token}"
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
