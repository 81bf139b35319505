"""Does nothing scroll sideways, whatever day it is and however long a word is that somebody writes?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser

from tests.bearers import bearer, header
from tests.browser.estate import MOMENT, Estate, app
from tests.browser.looking import Looking, scrolls_sideways
from tests.browser.serving import served
from tests.browser.watched import environments
from tests.world import World

WORD = "w" * 1_900
PRODUCT = "p" * 200
TAG = "<img src=x onerror=alert(1)>"
_BREAKS = f'test ! -e "broken-in-$RECONCILER_ENVIRONMENT" || {{ echo {WORD} >&2; exit 1; }}\n'
_OUTSIDE = """() => [...document.querySelectorAll('.month .date time')].filter(time => {
    const text = document.createRange();
    text.selectNodeContents(time.firstChild);   // without the word that is not seen
    const cell = time.closest('td').getBoundingClientRect();
    return [...text.getClientRects()].some(part => part.width > 1 && part.right > cell.right);
}).map(time => time.textContent)"""
_LINES = """() => [...document.querySelectorAll('.month thead abbr')].map(name => name.getClientRects().length)"""


@dataclass(frozen=True, slots=True)
class Wordy:
    """Pages of a world in which words are long."""

    looking: Looking
    addresses: dict[str, str]


@pytest.fixture
def wordy(tmp_path: Path, browser: Browser) -> Iterator[Wordy]:
    world = World(tmp_path)
    world.settings["api"] = {"listen": "127.0.0.1:0"}
    world.commit(
        "Begin",
        {
            "environments.yaml": environments(_BREAKS),
            "shop.yaml": app("shop", "t" * 63),
            "shop/index.html": "one",
        },
    )
    world.settle()
    world.later(minutes=5)
    world.commit(WORD, {"shop/broken-in-sandbox": "", f"shop/{'f' * 200}": WORD})
    world.settle()
    failed = world.history("shop", "sandbox")[-1]
    assert failed.status == "failed"
    with served(world) as found, httpx2.Client(base_url=found.url, trust_env=False) as client:
        headers = header(bearer(world.settings["state"]["url"], "report", now=world.now, name="c" * 100))
        for status, product, version in (
            ("success", PRODUCT, TAG),
            ("failure", PRODUCT, "9"),
            ("failure", "shop", TAG),
        ):
            event = {"product_name": product, "environment_name": "live", "version": version, "status": status}
            answer = client.post("/deployment-events/", json={**event, "message": WORD}, headers=headers)
            assert answer.status_code == 201, answer.text
        with closing(Looking(browser, found)) as looking:
            addresses = {
                "matrix": "/ui/",
                "app": "/ui/apps/shop",
                "app, elsewhere": f"/ui/apps/{PRODUCT}",
                "version": "/ui/apps/shop/versions/v2",
                "compare": "/ui/apps/shop/compare",
                "deployment": f"/ui/deployments/{failed.id}",
                "deployment, elsewhere": f"/ui/deployments/{answer.json()['id']}",
                "metrics": "/ui/metrics",
                "ledger": "/ui/ledger",
                "nothing": f"/ui/apps/{WORD[:200]}",
            }
            yield Wordy(looking, addresses)
            assert looking.complaints == []


def test_a_long_word_makes_no_page_wider(wordy: Wordy) -> None:
    for name, address in wordy.addresses.items():
        page = wordy.looking.open(address, status=404 if name == "nothing" else 200)
        for width in (1280, 768, 320):
            page.set_viewport_size({"width": width, "height": 844})
            assert not scrolls_sideways(page), (name, width)


def test_a_long_message_is_short_in_its_cell_and_whole_on_the_page_of_its_deployment(wordy: Wordy) -> None:
    page = wordy.looking.open("/ui/")
    for cell in ("shop.sandbox", f"{PRODUCT}.live"):
        found = page.locator(f"[id='{cell}']")
        assert WORD[:100] in found.inner_text()
        box = found.bounding_box()
        assert box is not None
        assert box["height"] < 400, cell
    for name in ("deployment", "deployment, elsewhere"):
        assert WORD in wordy.looking.open(wordy.addresses[name]).locator("main").inner_text(), name


@pytest.mark.parametrize("days", range(7))
def test_the_calendar_is_as_wide_on_every_day_of_the_week(
    looking: Looking, estate: Estate, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estate, "now", MOMENT + timedelta(days=days))
    page = looking.open("/ui/calendar", width=320)
    assert page.locator("td.today").evaluate("cell => cell.cellIndex") == (days + 1) % 7
    assert not scrolls_sideways(page)
    assert page.evaluate(_OUTSIDE) == []
    assert page.evaluate(_LINES) == [1] * 7
