"""How a page is looked at: at which width, in which colours, by whom; and what axe says of it.

`axe.min.js` is axe-core 4.14.1 as Deque publishes it (MPL 2.0, see `axe.LICENSE`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser.serving import Served

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ASK = """only => axe.run(document, {runOnly: only, resultTypes: ['violations']})
    .then(found => found.violations.map(one =>
        `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).slice(0, 3).join(' | ')}`))"""
_STATUS = "the server responded with a status of"


class Looking:
    """A person with a browser."""

    def __init__(self, browser: Browser, shop: Served) -> None:
        self._browser, self._shop = browser, shop
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        path: str,
        *,
        width: int = 1280,
        signed_in: bool = False,
        script: bool = True,
        status: int = 200,
    ) -> Page:
        """A page as it has arrived; it must have the status."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            reduced_motion="reduce",
            base_url=self._shop.url,
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if signed_in:
            sign_in(page, self._shop.token)
        answer = page.goto(path, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == status, page.inner_text("body")
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _STATUS not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        """Look at nothing any more."""
        for context in self._contexts:
            context.close()


def sign_in(page: Page, token: str) -> None:
    """Type a token."""
    page.goto("/ui/sign-in")
    page.locator("input[name=token]").fill(token)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def violations(page: Page) -> list[str]:
    """What axe finds, in light colours and in dark ones: WCAG 2.2 up to AA, and best practice."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    found: list[str] = page.evaluate(_ASK, {"type": "tag", "values": RULES})
    page.emulate_media(color_scheme="dark")
    # Nothing but colours is another then.
    found += page.evaluate(_ASK, {"type": "rule", "values": ["color-contrast"]})
    page.emulate_media(color_scheme="light")
    return found


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    wide: Any = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return bool(wide)
