"""What does an event about a deployment made elsewhere mean, next to what was told before?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconciler.model.deployment import Allotment, Deployment, Status
from reconciler.model.reporting import ALIASES, DeploymentEvent
from reconciler.planner.reporting import Begin, Known, Meaning, Move, meaning, moment

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENT = TypeAdapter(DeploymentEvent)
NAMES = {"product_name": "billing", "version": "1.2.3", "environment_name": "live"}


def event(status: str, **said: Any) -> DeploymentEvent:
    return EVENT.validate_python({**NAMES, "status": status, **said})


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def told(status: Status, **said: Any) -> Deployment:
    """A deployment that was reported at noon, and ended ten minutes later where it has ended."""
    ended = None if status in ("pending", "started") else NOON + timedelta(minutes=10)
    return Deployment(
        id="ab12",
        number=3,
        app="billing",
        environment="live",
        status=status,
        cause="external",
        traffic=(Allotment(version="1.2.3", number=0, name="1.2.3", percent=100.0),),
        created_at=NOON,
        started_at=None if status == "pending" else NOON,
        finished_at=ended,
        **said,
    )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (1_780_000_000, "a moment is a text"),
        (1.5, "a moment is a text"),
        (True, "a moment is a text"),
        ("1780000000", "is not a date and time"),
        ("2026-12-01T09:00:00", "has no offset"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z is too far away"),
        ("1999-12-31T23:59:59Z", "is too far away"),
        ("2201-01-01T00:00:00Z", "is too far away"),
    ],
)
def test_when_it_happened_is_a_moment_of_our_time_in_text(said: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        event("started", occurred_at=said)
    assert event("started", occurred_at="2200-12-31T23:59:59Z").occurred_at == datetime(
        2200, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def shown(found: Meaning) -> tuple[str, ...]:
    match found:
        case Begin():
            return ("begin", *found.through)
        case Move():
            return ("move", *found.through)
        case Known():
            return ("late",) if found.why else ("known",)


@pytest.mark.parametrize(
    ("before", "now", "means"),
    [
        (None, "pending", "begin pending"),
        (None, "started", "begin started"),
        (None, "completed", "begin started completed"),
        (None, "failed", "begin started failed"),
        (None, "aborted", "begin pending aborted"),
        ("pending", "pending", "known"),
        ("pending", "started", "move started"),
        ("pending", "completed", "move started completed"),
        ("pending", "failed", "move started failed"),
        ("pending", "aborted", "move aborted"),
        ("started", "pending", "late"),
        ("started", "started", "known"),
        ("started", "completed", "move completed"),
        ("started", "failed", "move failed"),
        ("started", "aborted", "move aborted"),
        ("completed", "pending", "begin pending"),
        ("completed", "started", "begin started"),
        ("completed", "completed", "known"),
        ("completed", "failed", "late"),
        ("failed", "aborted", "late"),
        ("failed", "started", "begin started"),
        ("aborted", "completed", "late"),
    ],
)
def test_each_state_after_each(before: Status | None, now: str, means: str) -> None:
    last = told(before) if before else None
    assert shown(meaning(event(now), last)) == tuple(means.split())


@pytest.mark.parametrize(
    ("before", "now", "minutes", "means"),
    [
        ("completed", "started", 0, "late"),
        ("completed", "started", 10, "late"),
        ("completed", "started", 11, "begin started"),
        ("completed", "pending", -5, "late"),
        ("completed", "completed", 10, "known"),
        ("failed", "completed", 9, "late"),
        ("started", "completed", -1, "late"),
        ("started", "completed", 1, "move completed"),
    ],
)
def test_the_moment_tells_what_is_late(before: Status, now: str, minutes: float, means: str) -> None:
    found = meaning(event(now, occurred_at=at(minutes)), told(before))
    assert shown(found) == tuple(means.split())


def test_what_is_late_says_why() -> None:
    found = meaning(event("started", occurred_at=at(1)), told("completed"))
    assert isinstance(found, Known)
    assert found.why == (
        "started comes too late for deployment 3 and changes nothing: it has completed at 2026-06-01T12:10:00Z"
    )


@pytest.mark.parametrize(
    ("recorded", "said", "means"),
    [
        ({"build_url": "https://ci/1"}, {"build_url": "https://ci/1"}, "known"),
        ({"build_url": "https://ci/1"}, {}, "known"),
        ({"build_url": "https://ci/1"}, {"build_url": ""}, "known"),
        ({"build_url": "https://ci/1"}, {"build_url": "https://ci/2"}, "begin started completed"),
        ({}, {"scm_sha": "abc"}, "begin started completed"),
        ({"extra_metadata": {"run": 1}}, {"extra_metadata": {"run": 1}}, "known"),
        ({"extra_metadata": {"run": 1}}, {"extra_metadata": {"run": 2}}, "begin started completed"),
        ({"extra_metadata": {"run": None}}, {"extra_metadata": {"other": None}}, "begin started completed"),
    ],
)
def test_a_repeated_end_is_told_by_its_metadata(recorded: Any, said: Any, means: str) -> None:
    assert shown(meaning(event("completed", **said), told("completed", **recorded))) == tuple(means.split())


@pytest.mark.parametrize("status", sorted(ALIASES))
def test_the_usual_words_for_the_states(status: Status) -> None:
    for word in (status, *ALIASES[status]):
        for written in (word, word.upper(), word.title(), word.replace("_", "-"), word.replace("_", " "), f" {word} "):
            assert event(written).status == status, written


def test_no_word_stands_for_two_states() -> None:
    words = [word for several in ALIASES.values() for word in several]
    assert len(words) == len(set(words))
    assert not set(words) & set(ALIASES)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"status": "strted"}, "is no status"),
        ({"status": ""}, "is no status"),
        ({"status": 5}, "a status is a text"),
        ({"product_name": ""}, "at least 1"),
        ({"product_name": "a" * 201}, "at most 200"),
        ({"product_name": "a\0b"}, "is not one plain line"),
        ({"product_name": "a\nb"}, "is not one plain line"),
        ({"product_name": "team/till"}, "has a stroke in it"),
        ({"product_name": "../.."}, "begins with a dot"),
        ({"environment_name": ".."}, "begins with a dot"),
        ({"environment_name": "eu\\live"}, "has a stroke in it"),
        ({"version": "\ud800"}, "valid string"),
        ({"version": "‮1.2"}, "is not one plain line"),
        ({"environment_name": " live"}, "is not one plain line"),
        ({"version": 12}, "valid string"),
        ({"message": "\0"}, "cannot be kept"),
        ({"extra_metadata": []}, "valid dictionary"),
        ({"extra_metadata": {"a": "x" * 20_000}}, "larger than 16384 bytes"),
        ({"extra_metadata": {"a": float("nan")}}, "a number in it"),
        ({"extra_metadata": {"a": float("inf")}}, "a number in it"),
        ({"extra_metadata": {"a": 10**30}}, "a number in it"),
        ({"extra_metadata": {"a": ["\0"]}}, "a text in it"),
        ({"extra_metadata": {"\udfff": 1}}, "a text in it"),
        ({"occurred_at": "yesterday"}, "is not"),
        ({"occurred_at": "2026-06-01T12:00:00"}, "offset"),
        ({"kind": "surprise"}, "'rollback'"),
        ({"product": "x"}, "Unexpected keyword argument"),
    ],
)
def test_what_cannot_be_taken(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        EVENT.validate_python({**NAMES, "status": "started", **said})
    assert words in str(raised.value)


def test_metadata_too_deep() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ValidationError, match="levels deep"):
        event("started", extra_metadata={"a": deep})


def test_nothing_happens_in_the_future() -> None:
    assert moment(event("started", occurred_at=at(60)), NOON) == NOON
    assert moment(event("started", occurred_at=at(-60)), NOON) == NOON - timedelta(hours=1)
    assert moment(replace(event("started"), occurred_at=None), NOON) == NOON
