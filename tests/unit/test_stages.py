"""Is what a process does counted, and can somebody watch it?"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.telemetry import failing, stage, stages, vitals
from reconciler.telemetry.failing import Failing

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def counted(name: str) -> tuple[int, int]:
    """How often a stage was done so far, and how often it went wrong."""
    found = stages.measured().get(name, {"counts": [], "failures": 0})
    return sum(found["counts"]), found["failures"]


def test_what_is_done_is_counted_with_what_went_wrong() -> None:
    before = counted("a test")
    with stage("a test"):
        pass
    with pytest.raises(ValueError, match="no"), stage("a test"):
        raise ValueError("no")
    with stage("a test") as one:
        one.failed = True
    assert counted("a test") == (before[0] + 3, before[1] + 2)
    assert len(stages.measured()["a test"]["counts"]) == len(stages.BOUNDS) + 1


def test_a_length_is_counted_with_the_first_bound_that_it_does_not_exceed() -> None:
    measure = stages.Measure()
    for seconds in (0.0, 0.001, 0.0011, 300.0, 301.0):
        measure.add(0.0, seconds, failed=False)
    assert (measure.counts[0], measure.counts[1], measure.counts[-2], measure.counts[-1]) == (2, 1, 1, 1)
    assert measure.seconds == pytest.approx(601.0021)


def test_whoever_watches_hears_of_each_stage_and_how_deep_it_lies() -> None:
    heard: list[tuple[str, int]] = []
    stages.watch(lambda one: heard.append((one.name, one.depth)))
    try:
        with stage("whole"):
            with stage("part"), stage("part of it"):
                pass
            thread = threading.Thread(target=lambda: stage("aside").__enter__().__exit__(None, None, None))
            thread.start()
            thread.join()
    finally:
        stages.watch(None)
    with stage("unheard"):
        pass
    assert heard == [("part of it", 2), ("part", 1), ("aside", 0), ("whole", 0)]


def test_vitals_are_written_as_long_as_they_are_asked_for(tmp_path: Path) -> None:
    now = NOON
    with stage("a test"):
        pass

    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    with vitals.vitals(tmp_path, clock, every=0.01):
        seen = set()
        while len(seen) < 3:
            found = vitals.read(tmp_path)
            if found is not None:
                seen.add(found["written"])
        assert found is not None
        assert found["begun"] == (NOON + timedelta(seconds=1)).timestamp()
        assert found["stages"]["a test"]["well_ago"] >= 0
        assert found["cpu_seconds"] > 0
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def clock() -> datetime:
        asked.append(1)
        return NOON

    with vitals.vitals(tmp_path / "gone", clock, every=0.001):
        while len(asked) < 10:
            pass
    assert capsys.readouterr().out.count("vitals.failed") == 1


@pytest.mark.parametrize("text", ["", "[]", "{", "\0", "[" * 100_000, json.dumps("x" * (1 << 21))])
def test_nonsense_is_read_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / vitals.FILE).write_text(text)
    assert vitals.read(tmp_path) is None


FAILING = Failing(
    error="the disk is full",
    next_step="make room",
    turns=3,
    since=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
    again_at=datetime(2026, 3, 1, 9, 0, 4, tzinfo=UTC),
)


def test_other_processes_learn_from_vitals_why_turns_fail(tmp_path: Path) -> None:
    try:
        failing.tell(FAILING)
        vitals.write(tmp_path / vitals.FILE, FAILING.since, FAILING.since)
    finally:
        failing.tell(None)
    assert Failing.from_json((vitals.read(tmp_path) or {})["failing"]) == FAILING
    vitals.write(tmp_path / vitals.FILE, FAILING.since, FAILING.since)
    assert Failing.from_json((vitals.read(tmp_path) or {})["failing"]) is None


@pytest.mark.parametrize(
    "changed", [{"since": "yesterday"}, {"since": 1e30}, {"turns": []}, {"again_at": None}, {"again_at": float("nan")}]
)
def test_nonsense_about_failing_turns_says_nothing(changed: dict[str, object]) -> None:
    assert Failing.from_json(FAILING.as_json() | changed) is None
    assert Failing.from_json([changed]) is None
