"""Moments in sentences are told to the second; what programs read is exact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from reconciler.model.output import deployment_json
from reconciler.model.rollout import Course, Progress
from reconciler.planner import rollouts
from reconciler.schedule import rfc3339, to_the_second
from tests.builders import deployment, traffic

ODD = datetime(2026, 12, 1, 9, 0, 59, 123456, UTC)


def test_a_moment_for_people_has_no_fraction_and_one_for_programs_keeps_it():
    assert to_the_second(ODD) == "2026-12-01T09:00:59Z"
    assert to_the_second(ODD.replace(microsecond=999_999)) == "2026-12-01T09:00:59Z"
    assert to_the_second(ODD.astimezone(timezone(timedelta(hours=2)))) == "2026-12-01T09:00:59Z"
    assert rfc3339(ODD) == "2026-12-01T09:00:59.123456Z"


def test_a_rollout_is_told_to_the_second_and_shown_exactly():
    course = Course(steps=(10, 100), before=traffic(1))
    held = Progress(course=course, phase="holding", since=ODD, until=ODD + timedelta(minutes=1))
    rolling = deployment(2, 2, "started", rollout=held)
    assert "held since 2026-12-01T09:00:59Z, then 100 %" in rollouts.said(rolling)
    watched = replace(held, step=1, phase="baking", bake_until=ODD)
    assert "complete at 2026-12-01T09:00:59Z if" in rollouts.said(replace(rolling, rollout=watched))
    assert deployment_json(rolling)["rollout"]["since"] == "2026-12-01T09:00:59.123456Z"
