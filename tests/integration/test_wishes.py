"""May a person ask for this, does the wish say what was recorded, and is it refused where they saw something else?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import NotSo, ReconcilerError, UnknownReference, WrongUse
from reconciler.model.output import Standing
from reconciler.model.wish import recorded_json
from reconciler.store.database import Transaction
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from reconciler.wishes import accepting, approving, expecting, going_back, pausing, releasing, stopping
from tests.world import ENVIRONMENTS, World, app_manifest

ANN = "ann@example.org"
GATED = ENVIRONMENTS.replace("releases/live}}", "releases/live}, gates: {approvals: {qa: 1}}}")


@contextmanager
def writing(world: World) -> Iterator[Transaction]:
    with world.running() as found, found.database.write() as transaction:
        yield transaction


def standing(world: World, environment: str = "live") -> Standing:
    with world.running() as found, found.database.read() as connection:
        (picture,) = pictures(connection, ["shop"], world.now)
        return next(one for one in standings(picture, world.now) if one.environment == environment)


def second(world: World) -> None:
    world.later(hours=1)
    world.commit("Change", {"shop/index.html": "two"})
    world.settle()


def test_a_rollback_tells_where_to_and_how_far_and_then_happens(world: World) -> None:
    second(world)
    seen = standing(world)
    with writing(world) as transaction:
        back = going_back.way(transaction.connection, "shop", "live", None, world.now)
        assert "goes back to v1 from v2 (deployment 2): 1 deployment back of at most" in back.words
        done = going_back.rollback(
            transaction, "shop", "live", actor=ANN, now=world.now, reason="bad", expected=expecting.looked_at(seen)
        )
    assert done.detail == back.words
    shown = recorded_json(done)
    assert shown["way"]["rolled_back_from"] == seen.deployment.id
    assert (shown["way"]["deployments_back"], shown["way"]["limit"]) == (back.steps, back.limit)
    assert [part["number"] for part in shown["way"]["traffic"]] == [1]
    assert (shown["actor"], shown["reason"], shown["at"]) == (ANN, "bad", "2026-06-01T13:00:00Z")
    world.settle()
    assert world.runs("live") == "one"
    with writing(world) as transaction:
        released = releasing.release(transaction, "shop", "live", actor=ANN, now=world.now)
    assert released.detail == "shop follows git again in live"
    world.settle()
    assert world.runs("live") == "two"


@pytest.mark.parametrize("verb", ["pause", "resume", "release", "rollback", "abort", "retry"])
def test_a_wish_about_what_somebody_saw_is_refused_once_it_is_another(world: World, verb: str) -> None:
    seen = expecting.looked_at(standing(world))
    second(world)
    there = standing(world)
    until = world.now + timedelta(hours=1)
    before = there.deployment.id

    def ask(transaction: Transaction) -> Any:
        who = {"actor": ANN, "now": world.now, "expected": seen}
        match verb:
            case "pause":
                return pausing.pause(transaction, "shop", "live", reason="x", until=until, **who)
            case "resume":
                return pausing.resume(transaction, "shop", "live", **who)
            case "release":
                return releasing.release(transaction, "shop", "live", **who)
            case "rollback":
                return going_back.rollback(transaction, "shop", "live", **who)
            case "abort":
                return stopping.abort(transaction, before, reason="x", **who)
            case _:
                return stopping.retry(transaction, before, **who)

    with pytest.raises(NotSo, match="has changed meanwhile") as refused, writing(world) as transaction:
        ask(transaction)
    assert before in refused.value.message
    assert "v2" in refused.value.message
    world.settle()
    assert world.runs("live") == "two"


def test_what_is_shown_is_what_is_expected_however_it_stands(world: World) -> None:
    """Nothing deployed yet, running, failed and given up before it began: page and store mean the same deployment."""
    world.commit(
        "Another, and a target that fails",
        {
            "environments.yaml": ENVIRONMENTS.replace(
                "{type: directory, path: releases/live}", "{type: exec, command: [/bin/false]}, retry: {limit: 0}"
            ),
            "late.yaml": app_manifest("late", bundle="shop", environments={"live": {"track": "pre-release"}}),
            "shop/index.html": "two",
        },
    )
    world.later(hours=1)
    world.settle()
    failed = standing(world)
    assert failed.doubt is not None
    assert failed.deployment is not None
    with writing(world) as transaction:
        for environment in ("sandbox", "live"):
            expected = expecting.looked_at(standing_in(transaction, world, "shop", environment))
            expecting.require(transaction.connection, "shop", environment, expected)
        nothing = expecting.looked_at(standing_in(transaction, world, "late", "live"))
        assert nothing == expecting.NONE
        expecting.require(transaction.connection, "late", "live", nothing)
        with pytest.raises(NotSo, match="failed there now"):
            expecting.require(transaction.connection, "shop", "live", failed.deployment.id)
        with pytest.raises(NotSo, match="has not been deployed to live"):
            expecting.require(transaction.connection, "late", "live", failed.deployment.id)


def standing_in(transaction: Transaction, world: World, app: str, environment: str) -> Standing:
    (picture,) = pictures(transaction.connection, [app], world.now)
    return next(one for one in standings(picture, world.now) if one.environment == environment)


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda t, now: approving.approve(t, "%", actor=ANN, now=now), UnknownReference, "is no id"),
        (lambda t, now: approving.approve(t, "shop/moon", actor=ANN, now=now), UnknownReference, "environment moon"),
        (lambda t, now: approving.approve(t, "shop/live", actor=" ", now=now), WrongUse, "who asks"),
        (lambda t, now: approving.approve(t, "shop/live", actor="a\nb", now=now), WrongUse, "not one line"),
        (lambda t, now: approving.approve(t, "shop/live", actor=ANN, role="q\0", now=now), WrongUse, "no name of"),
        (lambda t, now: stopping.retry(t, "f", actor=ANN, reason="x\0", now=now), WrongUse, "letters that are none"),
        (lambda t, now: stopping.retry(t, "f", actor=ANN, reason="\ud800", now=now), WrongUse, "letters that are"),
        (lambda t, now: stopping.abort(t, "f", actor=ANN, reason="x" * 2001, now=now), WrongUse, "2001 letters"),
        (lambda t, now: pausing.pause(t, "shop", None, reason="x", until=now, actor=ANN, now=now), WrongUse, "over"),
        (
            lambda t, now: pausing.resume(t, "shop", None, actor=ANN, now=now, expected="ff"),
            WrongUse,
            "of no environment",
        ),
        (
            lambda t, now: pausing.resume(t, "shop", "live", actor=ANN, now=now, expected="' OR 1"),
            WrongUse,
            "cannot be what stands there",
        ),
        (lambda t, now: accepting.accept(t, "HEAD", actor=ANN, now=now), WrongUse, "no commit id"),
        (lambda t, now: going_back.rollback(t, "shop", "live", actor=ANN, now=now), NotSo, "nothing else ran well"),
        (
            lambda t, now: going_back.rollback(t, "shop", "live", to="v\0", actor=ANN, now=now),
            UnknownReference,
            "has no version",
        ),
        (
            lambda t, now: going_back.rollback(t, "sh\0p", "live", actor=ANN, now=now),
            UnknownReference,
            "there is no app",
        ),
    ],
)
def test_nonsense_is_refused_with_a_way_out(world: World, ask: Any, error: type[ReconcilerError], said: str) -> None:
    with writing(world) as transaction:
        with pytest.raises(error, match=said) as refused:
            ask(transaction, world.now)
        assert refused.value.next_step
        assert not transaction.entries


def test_an_approval_is_told_and_counts(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start_repository()
    world.commit("Gates", {"environments.yaml": GATED})
    world.settle()
    assert world.runs("live") is None
    with writing(world) as transaction:
        with pytest.raises(WrongUse, match="by role: qa"):
            approving.approve(transaction, "shop/live", actor=ANN, now=world.now)
        done = approving.approve(transaction, "shop/live", role="qa", actor=ANN, now=world.now, expected="none")
    assert done.detail == f"{ANN} approved v1 of shop for live"
    with pytest.raises(NotSo), writing(world) as transaction:
        approving.approve(transaction, "shop/live", role="qa", actor=ANN, now=world.now)
    world.settle()
    assert world.runs("live") == "one"
