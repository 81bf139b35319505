"""A store that is made anew, with targets that have other settings than it comes to: are they seen, and put right?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import stores
from tests.commands import Told
from tests.mass import MOVED, begun, environment, push, refused
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

EXEC = '{type: exec, command: [sh, -c, \'printf %s "$RECONCILER_CONFIG" > "$0"\', __OUT__]}'


class Shop:
    """One app, whose settings are read where its target has put them."""

    def __init__(self, told: Told, target: str) -> None:
        self.told, self.out = told, told.directory / "live.json"
        place = "{type: directory, path: releases/live}"
        there = EXEC.replace("__OUT__", str(self.out)) if target == "exec" else place
        self.environments = ENVIRONMENTS.replace(place, there)
        self.by_command = target == "exec"
        push(told, "Begin", {"environments.yaml": self.environments, **self.entry(), "shop/index.html": "one"})

    def entry(self, **config: Any) -> dict[str, str | bytes | None]:
        """The app, with settings for live."""
        return {"shop.yaml": app_manifest(environments={"sandbox": {}, "pre-release": {}, "live": {"config": config}})}

    @property
    def settings(self) -> str:
        """What live was given last."""
        if self.by_command:
            return self.out.read_text().replace(" ", "")
        return str(self.told.facts("live")["config"]).replace("'", '"').replace(" ", "")

    def lose(self) -> None:
        """The store is gone."""
        stores.lose(self.told.settings["state"], self.told.directory)
        self.told.set()


@pytest.fixture(params=["directory", "exec"])
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    return Shop(Told(tmp_path), request.param)


def test_a_season_that_ended_while_the_store_was_lost_ends_on_the_target_too(shop: Shop) -> None:
    told = shop.told
    ends = f"{told.now + timedelta(seconds=4):%Y-%m-%dT%H:%M:%S}"
    push(told, "Sale", {"sale.yaml": season_manifest("sale", "2000-01-01", ends, config={"banner": "sale"})})
    assert shop.settings == '{"banner":"sale"}'
    shop.lose()
    told.wait_until(f"{ends}Z")
    done = told.json("rebuild")
    assert [one["environment"] for one in done["targets"]["others"]] == ["live"]
    told.settle()
    assert shop.settings == "{}"
    assert [one["in_sync"] for one in told.json("status")] == [True] * 3


def test_settings_that_no_run_has_seen_are_released_by_the_next_one(shop: Shop) -> None:
    shop.told.commit("Settings", shop.entry(x=1))
    shop.lose()
    assert shop.told.type("rebuild").status == 0
    shop.told.settle()
    assert shop.settings == '{"x":1}'


def test_settings_that_came_after_a_backup_and_were_taken_away_again_go(shop: Shop) -> None:
    told = shop.told
    assert told.type("backup", "now.backup").status == 0
    push(told, "Settings", shop.entry(x=1))
    assert shop.settings == '{"x":1}'
    told.commit("None", shop.entry())
    shop.lose()
    done = told.type("restore", "now.backup")
    assert done.status == 0, done.err
    told.settle()
    assert shop.settings == "{}"


def test_what_is_as_recorded_is_released_again_by_nobody(shop: Shop) -> None:
    push(shop.told, "Settings", shop.entry(x=1))
    before = [d.id for d in shop.told.history()]
    shop.lose()
    done = shop.told.json("rebuild")
    assert (done["targets"]["same"], done["targets"]["others"]) == (3, [])
    shop.told.settle()
    assert {d.id for d in shop.told.history(environment="live")} & set(before)
    assert shop.told.json("plan")["actions"] == []


def test_the_move_of_a_whole_environment_that_waits_waits_afterwards_too(tmp_path: Path) -> None:
    told = begun(tmp_path)
    push(told, "Move", environment(target=MOVED))
    waiting = refused(told)
    assert len(waiting) == 12
    stores.lose(told.settings["state"], told.directory)
    told.set()
    assert told.type("rebuild").status == 0
    told.settle()
    assert refused(told) == waiting
    assert not (told.directory / "state" / "elsewhere").exists()
