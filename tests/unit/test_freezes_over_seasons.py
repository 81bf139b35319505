"""Does a season whose edges wait for a freeze hold at each moment as its windows say?"""

from __future__ import annotations

from reconciler import schedule
from reconciler.freezing import season_active, season_windows
from tests.builders import at, freeze, season

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
