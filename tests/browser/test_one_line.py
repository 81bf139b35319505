"""On a phone an app that is the same everywhere is one line: does that line say what is so?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.looking import Looking
from tests.browser.serving import served
from tests.world import ENVIRONMENTS, World, app_manifest


@pytest.fixture
def looking(tmp_path: Path, browser: Browser) -> Iterator[Looking]:
    world = World(tmp_path)
    world.settings["api"] = {"listen": "127.0.0.1:0"}
    files: dict[str, str | bytes | None] = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest()}
    for name, places in {"first": ["live"], "last": ["sandbox"]}.items():
        files |= {f"{name}.yaml": app_manifest(name, environments=places), f"{name}/index.html": "one"}
    # What has nothing before it in the chain waits for nothing; the columns are in order of name then.
    files["environments.yaml"] = re.sub("track: [a-z-]+", "track: latest", ENVIRONMENTS)
    world.commit("Begin", files | {"shop/index.html": "one"})
    world.settle()
    with served(world) as found, closing(Looking(browser, found)) as made:
        yield made
        assert made.complaints == []


def test_an_app_that_is_the_same_in_every_environment_is_one_line(looking: Looking) -> None:
    page = looking.open("/ui/", width=320)
    cells = page.locator("tr[data-app=shop] td")
    assert [cell.is_visible() for cell in cells.all()] == [False, False, True]
    assert "#1" in cells.last.inner_text()


@pytest.mark.parametrize(("app", "runs"), [("first", [True, False, False]), ("last", [False, False, True])])
def test_one_that_is_not_everywhere_is_shown_where_it_runs(looking: Looking, app: str, runs: list[bool]) -> None:
    cells = looking.open("/ui/", width=320).locator(f"tr[data-app={app}] td")
    labels = cells.evaluate_all("cells => cells.map(cell => getComputedStyle(cell, '::before').content)")
    assert not any("everywhere" in label for label in labels)
    assert [cell.is_visible() and "#1" in cell.inner_text() for cell in cells.all()] == runs


def test_a_line_opens_with_what_changes_in_a_cell(looking: Looking) -> None:
    page = looking.open("/ui/", width=320)
    cells = page.locator("tr[data-app=shop] td")
    # At once: the page may lay the cells out anew at any moment.
    opens = "cells => { cells[0].classList.add('differs'); return cells.map(cell => cell.checkVisibility()) }"
    assert cells.evaluate_all(opens) == [True, True, True]
