"""Are moments, lengths of time and sentences written on pages as people read them, and is nothing of them markup?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from reconciler.api.dashboard import month, wording
from reconciler.api.dashboard.clocks import Clocks
from reconciler.api.dashboard.plots import SECONDS, TENTH, _round_up
from reconciler.model.season import Freeze, Season
from reconciler.views.scene import FREEZE, SEASON, Scene
from reconciler.words import still

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
BERLIN = Clocks(ZoneInfo("Europe/Berlin"), NOW)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.04, "0.0 s"),
        (3.14, "3.1 s"),
        (52, "52 s"),
        (108, "1 min 48 s"),
        (3600, "1 h"),
        (244_800, "2 d 20 h"),
    ],
)
def test_a_length_of_time_is_said_in_two_units(seconds: float | None, said: str) -> None:
    assert wording.spent(seconds) == said


@given(text=st.text(max_size=60))
def test_a_sentence_is_text_whatever_it_holds(text: str) -> None:
    shown = str(wording.said(text, BERLIN))
    if "`" not in text and "T" not in text:
        assert shown == str(escape(still(text)))
    assert shown.count("<") == shown.count("<code>") * 2 + shown.count("<time ") * 2


def test_commands_and_moments_of_a_sentence_are_set_apart() -> None:
    found = str(wording.said("run `a <b>` before 2026-11-24T11:21:00Z & never 2026-99-99T00:00:00Z", BERLIN))
    assert found.startswith("run <code>a &lt;b&gt;</code> before <time ")
    assert 'title="Tue 24 Nov 2026, 12:21 CET (11:21 UTC)">12:21</time> &amp; never 2026-99-99T00:00:00Z' in found


@given(value=st.floats(min_value=0.001, max_value=1e8))
def test_the_upper_line_of_a_plot_lies_above_and_not_far(value: float) -> None:
    for units in ((1.0,), SECONDS):
        line = _round_up(value, units)
        assert value * 0.999 <= line <= value * 2.5


@given(value=st.floats(min_value=0.0, max_value=10.0))
def test_the_upper_line_of_a_plot_never_stands_for_nothing(value: float) -> None:
    line = _round_up(value, SECONDS, TENTH)
    assert line >= value * 0.999
    assert wording.spent(line) != "0.0 s"


def _scene(season: dict[str, object], freeze: dict[str, object]) -> Scene:
    common = {"environments": ["live"], "timezone": "Europe/Berlin"}
    seasons: list[Season] = [
        SEASON.validate_python(
            {"metadata": {"name": "winter"}, "spec": {"apps": ["shop"], "config": {"a": 1}, **common, **season}}
        )
    ]
    freezes: list[Freeze] = [
        FREEZE.validate_python({"metadata": {"name": "quiet"}, "spec": {"reason": "rest", **common, **freeze}})
    ]
    return Scene({}, seasons, freezes)


def test_bars_lie_on_the_days_of_the_pages_clock_in_lanes_of_their_week() -> None:
    scene = _scene(
        {"from": "2026-11-26T18:00", "until": "2026-12-01T00:00"},
        {"from": "2026-11-30T23:30", "until": "2026-12-02T08:00"},
    )
    first = month.beginning("", BERLIN)
    assert first.isoformat() == "2026-11-23"
    found = month.bands(scene, "", {}, "", first, BERLIN)
    assert [(band.name, band.first.day, band.last.day) for band in found] == [("winter", 26, 30), ("quiet", 30, 2)]
    weeks = month.weeks(first, found, [], BERLIN)
    monday = weeks[1][0]
    assert [(bar.band.name, bar.begins, bar.ends, bar.labelled) for bar in monday.bars if bar.band] == [
        ("winter", False, True, True),
        ("quiet", True, False, True),
    ]
    # On Tuesday the first lane is empty: what is in the second one stays at its height.
    assert [bar.band.name if bar.band else None for bar in weeks[1][1].bars] == [None, "quiet"]
    assert month.bands(scene, "other", {}, "", first, BERLIN)[0].name == "quiet"
    assert month.bands(scene, "", {}, "sandbox", first, BERLIN) == []


def test_days_of_a_clock_change_are_days_like_others() -> None:
    clocks = Clocks(ZoneInfo("Europe/Berlin"), datetime(2026, 10, 20, tzinfo=UTC))
    start, end = month.edges(month.beginning("2026-10-19", clocks), clocks)
    assert end - start == timedelta(weeks=6, hours=1)


@pytest.mark.parametrize("text", ["", "x", "9999-99-99", "0001-01-01", "9999-12-31"])
def test_weeks_that_make_no_sense_are_those_of_now(text: str) -> None:
    assert month.beginning(text, BERLIN).isoformat() == "2026-11-23"
