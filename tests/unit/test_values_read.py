"""Is what is read from the store the value that was checked when it was recorded, and are subjects told apart as their
fingerprints tell them?"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.app import Binding, SecretReference
from reconciler.model.canonical import canonical
from reconciler.model.deployment import Allotment, Deployment, Grounds, Subject
from reconciler.model.version import Author, Content, Version
from reconciler.store.rows import content_row, deployment_of, grounds_row, traffic_row, version_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PARTS = (
    Allotment(version="sha256:a", number=1, name="1.0", percent=90),
    Allotment(version="sha256:b", number=2, percent=10),
)
GROUNDS = {
    "plain": Grounds(base="f", target="t", seasons=("summer",), move="m", moved_with=("cart", "shop"), held_by="ann"),
    "scheduled": Grounds(chosen_by="schedule", scheduled_at=NOON),
    "in a season": Grounds(chosen_by="season", seasons=("summer",), season_ends=(NOON,)),
}


def row_of(one: Any, **instead: Any) -> Any:
    """A row with a value's own fields, but for these."""
    named = {part.name: getattr(one, part.name) for part in dataclasses.fields(one)}
    return SimpleNamespace(**{**named, **instead})


def as_json(value: Any) -> Any:
    return json.loads(canonical(value))


@pytest.mark.parametrize("grounds", GROUNDS.values(), ids=GROUNDS.keys())
def test_a_deployment_is_read_as_it_was_recorded(grounds: Grounds):
    made = Deployment(
        id="d",
        number=3,
        app="shop",
        environment="live",
        status="failed",
        cause="rollback",
        traffic=PARTS,
        config={"A": 1},
        commit="c",
        deployed_by="ann",
        reason="r",
        rolled_back_from="e",
        reverts=("x", "y"),
        created_at=NOON,
        started_at=NOON + timedelta(seconds=1),
        finished_at=NOON + timedelta(seconds=2),
        late_by_seconds=1.5,
        error="no",
        scm_branch="main",
        scm_sha="s",
        build_url="u",
        extra_metadata={"k": [1]},
        grounds=grounds,
        attempts=2,
        next_attempt_at=NOON + timedelta(seconds=3),
    )
    traffic = as_json(traffic_row(made.subject))
    row = row_of(made, traffic=traffic, reverts=["x", "y"], grounds=as_json(grounds_row(grounds)))
    assert deployment_of(row) == made
    assert (
        Deployment(**{part.name: getattr(deployment_of(row), part.name) for part in dataclasses.fields(made)}) == made
    )


def test_grounds_of_an_older_version_lack_what_it_did_not_know():
    made = Deployment(
        id="d", number=1, app="a", environment="e", status="pending", cause="release", traffic=(), created_at=NOON
    )
    row = row_of(made, traffic=[], reverts=[], grounds={"chosen_by": "base", "base": "f"})
    assert deployment_of(row).grounds == Grounds(base="f")


def test_a_version_is_read_as_it_was_recorded():
    content = Content(
        app="shop",
        name="1.0",
        bundle="tree",
        image="i",
        config={"A": {"B": 1.0}},
        bindings=(Binding(name="cache", type="kv", resource="main"),),
        secrets=(SecretReference(name="KEY", source="env:KEY"),),
        migrations=("one.sql",),
    )
    made = Version(
        id="sha256:a",
        app="shop",
        number=4,
        name="1.0",
        message="m",
        tags=("HOTFIX",),
        author=Author(name="Ann", email="ann@example.com"),
        commit="c",
        created_at=NOON,
        source="event",
        bundle="tree",
        image="i",
        config=content.config,
        bindings=content.bindings,
        secrets=content.secrets,
        migrations=content.migrations,
        partial=True,
    )
    row = row_of(
        made, author_name="Ann", author_email="ann@example.com", content=as_json(content_row(content)), tags=["HOTFIX"]
    )
    assert version_of(row) == made


VALUES = st.one_of(
    st.none(), st.booleans(), st.sampled_from([0, 1, 0.0, 1.0, -0.0, "1", "true", [], {}, [1], [True], {"a": 1.0}])
)
SHARES = st.lists(
    st.builds(
        Allotment,
        version=st.sampled_from(["sha256:a", "sha256:b"]),
        number=st.just(1),
        percent=st.sampled_from([10.0, 90.0, 100.0]),
    ),
    max_size=2,
)
SUBJECTS = st.builds(
    Subject, traffic=SHARES.map(tuple), config=st.dictionaries(st.sampled_from(["A", "B"]), VALUES, max_size=2)
)


@given(SUBJECTS, SUBJECTS)
def test_subjects_are_the_same_where_their_fingerprints_are(one: Subject, other: Subject):
    assert one.same_as(other) == (one.fingerprint == other.fingerprint)
