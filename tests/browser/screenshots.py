"""Makes the pictures of `docs/dashboard.md`: the same shop, the same moment, the same pages each time.

python -m tests.browser.screenshots
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.estate import Estate
from tests.browser.looking import ARGUMENTS, CHROMIUM, Looking
from tests.browser.serving import served
from tests.conftest import isolate_git

PLACE = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDE, HIGH = 1120, 760
SHOTS = {
    "matrix": ("/ui/", WIDE, HIGH, "light"),
    "app": ("/ui/apps/storefront", WIDE, HIGH, "light"),
    "compare": ("/ui/apps/storefront/compare", WIDE, HIGH, "light"),
    "calendar": ("/ui/calendar?date=2026-12-25&time=12:00", WIDE, HIGH, "light"),
    "metrics": ("/ui/metrics?days=90", WIDE, HIGH, "light"),
    "dark": ("/ui/apps/payments", WIDE, HIGH, "dark"),
    "phone": ("/ui/apps/storefront", 390, 780, "light"),
}


def main() -> None:
    """Take them all."""
    isolate_git()
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        estate = Estate(Path(directory)).live()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with served(estate) as shop, closing(Looking(browser, shop)) as looking:
            for name, (path, width, height, theme) in SHOTS.items():
                page = looking.open(path, width=width)
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=PLACE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
