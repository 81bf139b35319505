"""What a freeze makes of seasons whose edges fall into it, and of what was planned before it."""

from __future__ import annotations

from reconciler import schedule
from reconciler.freezing import season_active, season_windows
from reconciler.model.plan import Abort
from tests.builders import app, at, deployment, deploys, freeze, planned, record, recorded, season
from tests.plans import PLACES

FREEZE = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00")
WAITING = season("sale", "2026-06-01T10:00", "2026-06-01T15:00", config={"sale": True}, on_freeze="wait")
MOVED = schedule.Window(at(-2), at(8))


def test_a_season_whose_end_waits_holds_to_the_end_of_the_freeze():
    for hours in (-2, 0, 2, 3, 5, 7.9):
        assert season_active(WAITING, [FREEZE], at(hours)) == MOVED
    assert season_active(WAITING, [FREEZE], at(8)) is None
    assert season_active(WAITING, [FREEZE], at(-2.1)) is None


def test_freezes_one_after_another_hold_its_end_together():
    following = freeze("audit", "2026-06-01T20:00", "2026-06-01T23:00")
    assert season_active(WAITING, [FREEZE, following], at(10)) == schedule.Window(at(-2), at(11))


def test_a_window_is_not_told_where_it_has_just_ended():
    assert list(season_windows(WAITING, [FREEZE], at(7), at(9))) == [MOVED]
    assert list(season_windows(WAITING, [FREEZE], at(8), at(9))) == []
    assert list(season_windows(WAITING, [FREEZE], at(-9), at(-2))) == []


# What a freeze makes of a deployment that was planned before it

SHOP = app(environments=("sandbox", "live"))


def test_what_takes_the_place_of_a_deployment_that_waits_is_held_back_by_the_freeze_too():
    pending = deployment(2, 2, "pending", "promotion", environment="live")
    facts = recorded(
        3, record("sandbox", deployment(3, 3)), record("live", pending, deployment(1, 1, environment="live"))
    )
    found = planned(SHOP, facts, at(4), PLACES, freezes=[FREEZE])
    assert [type(action) for action in found.actions] == [Abort]
    assert [(one.waits_for, one.until) for one in found.waiting] == [("freeze", at(8))]


def test_the_end_of_a_season_that_passes_freezes_passes_and_that_of_another_does_not():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", deployment(1, 1, environment="live")))
    for on_freeze, cause in (("apply", {"live": ("season-end", [1])}), ("wait", {})):
        sale = season("sale", "2026-06-01T10:00", "2026-06-01T15:00", config={"sale": True}, on_freeze=on_freeze)
        (begun,) = planned(SHOP, facts, at(0), PLACES, [sale], [FREEZE]).actions
        inside = deployment(
            2, 1, cause="season-start", environment="live", config={"sale": True}, grounds=begun.grounds
        )
        during = recorded(1, record("sandbox", deployment(1, 1)), record("live", inside))
        assert deploys(planned(SHOP, during, at(4), PLACES, [sale], [FREEZE])) == cause
