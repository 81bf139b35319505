"""A real browser, and worlds that are served to it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.estate import Estate
from tests.browser.looking import ARGUMENTS, CHROMIUM, Looking
from tests.browser.serving import Served, served
from tests.browser.watched import Watched
from tests.e2e.daemon import Nursery


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Estate:
    """The shop with its history; processes of one run of the tests share it."""
    if worker_id == "master":
        return Estate(tmp_path_factory.mktemp("estate")).live()
    place = tmp_path_factory.getbasetemp().parent / "estate"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = place / "lived"
        if done.exists():
            return Estate.found(place)
        made = Estate(place).live()
        done.touch()
        return made


@pytest.fixture(scope="session")
def shop(estate: Estate) -> Iterator[Served]:
    """Its pages, at the moment that the estate's clock says."""
    with served(estate) as found:
        yield found


@pytest.fixture
def looking(browser: Browser, shop: Served) -> Iterator[Looking]:
    """Looks at the shop's pages; what a browser complains about fails the test."""
    with closing(Looking(browser, shop)) as found:
        yield found
        assert found.complaints == []


@pytest.fixture
def watched(tmp_path: Path, nursery: Nursery, browser: Browser) -> Iterator[Watched]:
    """A daemon whose pages a browser looks at while it works."""
    made = Watched(tmp_path, nursery, browser)
    try:
        yield made
        assert made.complaints == []
    finally:
        try:
            made.close()
        finally:
            # Also where the test has failed by it: what the daemon and its face said is not kept elsewhere.
            assert made.broken == [], made.log
