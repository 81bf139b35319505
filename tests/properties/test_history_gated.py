"""Do gates, trains and freezes keep their promises over random histories, whenever one looks?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import schedule
from reconciler.desired import Tracked
from reconciler.freezing import season_active, season_windows
from reconciler.model.deployment import ROLLBACKS, Deployment
from reconciler.model.environment import Environment
from reconciler.model.season import Freeze
from tests.builders import NOON, chain, environment, freeze, season
from tests.noted import SHOP
from tests.simulated import Simulated
from tests.strategies import ORDINARY, PINNING, ROUGH, TIMED, Commit, Desk, Push, Step, Wait, examples, histories
from tests.world import CHAIN

MANY = examples(60)
ALL = histories(*ORDINARY, *PINNING, *TIMED, *ROUGH, "wait", "push", apps=[SHOP], most=14)
SOAK = timedelta(hours=2)
EVERY_SIX_HOURS = {"cron": "0 */6 * * *", "timezone": "UTC"}


def places(**live: Any) -> dict[str, Environment]:
    """A chain in which live soaks for two hours, besides what is given."""
    gates = {"soak": "2h", **live.pop("gates", {})}
    made = [
        environment("sandbox"),
        environment("pre-release", "sandbox"),
        environment("live", "pre-release", gates=gates, **live),
    ]
    return {one.name: one for one in made}


FREEZES = (
    freeze("noon", "2026-06-01T14:00", "2026-06-01T19:00"),
    freeze("nights", "2026-06-01T22:00", "2026-06-02T05:00", repeat="FREQ=DAILY", allow=["season"]),
)


def played(history: list[Step], freezes: tuple[Freeze, ...] = (), **live: Any) -> Iterator[Simulated]:
    """The history, settled at every moment at which the plan said that it wakes; the state after each settling."""
    found = Simulated(places(**live), freezes)
    for made in Desk([SHOP]).write([*history, Step("wait", a=5)]):
        match made:
            case Commit():
                found.note(made)
            case Push():
                found.settle()
                yield found
            case Wait(by=by):
                yield from slept(found, by)


def slept(found: Simulated, by: timedelta) -> Iterator[Simulated]:
    """Time passes, and the daemon wakes when it said it would."""
    end = found.now + by
    for _ in range(200):
        found.settle()
        yield found
        wake = found.plan().wake_at
        if wake is None or wake > end:
            break
        found.now = max(found.now, wake)
    found.now = max(found.now, end)


def completed_above(found: Simulated, one: Deployment) -> list[Deployment]:
    """Deployments with the versions of `one` above: in the sandbox too, since an app may leave what lies between."""
    versions = {part.version for part in one.traffic}
    return [
        d
        for d in (*found.deployments["pre-release"], *found.deployments["sandbox"])
        if d.status == "completed" and {part.version for part in d.traffic} == versions and d.finished_at
    ]


@MANY
@given(ALL)
def test_planning_again_gives_nothing_to_do(history: list[Step]):
    for found in played(history, FREEZES, when=EVERY_SIX_HOURS):
        assert found.plan().empty
        assert not found.active()


@MANY
@given(ALL, st.floats(0, 1))
def test_nothing_changes_before_the_plan_said_it_would(history: list[Step], part: float):
    for found in played(history, FREEZES, when=EVERY_SIX_HOURS):
        wake, now = found.plan().wake_at, found.now
        limit = wake - now if wake else timedelta(days=400)
        found.now = now + limit * part if part < 1 or wake is None else wake - timedelta(microseconds=1)
        if wake is None or found.now < wake:
            assert found.plan().empty, (wake, found.now)
        found.now = now


@MANY
@given(ALL)
def test_what_was_promoted_had_soaked(history: list[Step]):
    *_, found = played(history)
    for one in found.deployments["live"]:
        if one.cause == "promotion":
            ends = [d.finished_at for d in completed_above(found, one) if d.finished_at]
            assert min(ends) + SOAK <= one.created_at, found.told()


@MANY
@given(histories("content", "content", "extra", "wait", "push", apps=[SHOP], most=14))
def test_what_soaked_is_promoted_the_moment_it_may_be_and_nothing_starves(history: list[Step]):
    for found in played(history):
        above = [d for d in found.deployments["pre-release"] if d.status == "completed" and d.finished_at]
        soaked = [d for d in above if d.finished_at and d.finished_at + SOAK <= found.now]
        running = found.runs("live")
        if not soaked:
            continue
        assert running is not None
        # What pre-release has returned to since is not left for what came in between.
        if not any(d.traffic == running.traffic for d in above[len(soaked) :]):
            assert [p.number for p in running.traffic] == [p.number for p in soaked[-1].traffic], found.told()


@MANY
@given(ALL)
def test_a_train_takes_only_what_was_ready_when_it_left(history: list[Step]):
    *_, found = played(history, when=EVERY_SIX_HOURS)
    zone = schedule.zone("UTC")
    for one in found.deployments["live"]:
        if one.cause == "promotion":
            left = schedule.cron_previous(EVERY_SIX_HOURS["cron"], zone, one.created_at)
            ends = [d.finished_at for d in completed_above(found, one) if d.finished_at]
            assert left is not None
            assert min(ends) + SOAK <= left, found.told()


@MANY
@given(ALL)
def test_only_what_may_starts_in_a_freeze(history: list[Step]):
    *_, found = played(history, FREEZES)
    for one in found.deployments["live"]:
        holding = [f for f in FREEZES if schedule.active(f.spec.span, one.created_at)]
        kind = "season" if one.cause.startswith("season") else one.cause
        # The seasons of these histories pass freezes by their own declaration.
        assert not holding or one.cause in ROLLBACKS or kind == "season", found.told()


@MANY
@given(ALL)
def test_a_withdrawn_version_never_stays_where_it_came_by_promotion(history: list[Step]):
    for found in played(history, FREEZES, when=EVERY_SIX_HOURS):
        wanted, running = found.desired().get("live"), found.runs("live")
        if wanted is None or running is None or found.complaints or not isinstance(wanted.choice, Tracked):
            continue
        good = [
            d
            for d in found.deployments["live"]
            if d.status == "completed"
            and d.traffic
            and d.grounds.chosen_by != "season"
            and not {part.version for part in d.traffic} & set(found.withdrawn)
        ]
        assert not {part.version for part in running.traffic} & set(found.withdrawn) or not good, found.told()


@MANY
@given(histories(*ORDINARY, *PINNING, *TIMED, "push", apps=[SHOP], most=10), st.sampled_from(CHAIN))
@example([Step("pin", environment="live", a=0)], "live")
def test_a_way_back_that_needs_another_try_is_left_for_nothing(history: list[Step], gated: str):
    """Two versions came everywhere; now nobody approves anything, and every target takes things at its second try."""
    found = Simulated(chain())
    come = Desk([SHOP]).write([Step("content"), Step("push"), *history, Step("push")])
    _play(found, islice(come, 4))
    track = found.environments[gated].spec.track
    found.environments = {**found.environments, gated: environment(gated, track, gates={"approvals": 1})}
    _play(found, come)
    for several in found.deployments.values():
        for one, following in pairwise(several):
            given_up = one.status == "aborted" and one.cause in ROLLBACKS
            assert not given_up or following.commit != one.commit or following.cause in ROLLBACKS, found.told()


def _play(found: Simulated, come: Iterable[Commit | Push | Wait]) -> None:
    for made in come:
        if isinstance(made, Commit):
            found.note(made)
            continue
        found.settle(_at_the_second_try)
        assert found.plan().empty
        if isinstance(made, Wait):
            found.now += made.by


def _at_the_second_try(one: Deployment) -> str:
    return "completed" if one.attempts else "later"


@MANY
@given(st.sampled_from(["apply", "wait", "skip"]), st.integers(0, 40), st.integers(1, 40), st.integers(0, 60))
@example("wait", 0, 2, 2)  # it ends at the very moment at which the freeze begins
def test_a_season_holds_exactly_in_its_moved_windows(on_freeze: str, start: int, length: int, look: int):
    first = NOON + timedelta(hours=start)
    one = season("sale", first.isoformat(), (first + timedelta(hours=length)).isoformat(), on_freeze=on_freeze)
    now = NOON + timedelta(hours=look)
    windows = list(season_windows(one, FREEZES, NOON - timedelta(days=9), NOON + timedelta(days=99)))
    covering = [window for window in windows if window.start <= now < window.until]
    assert season_active(one, FREEZES, now) == (covering[0] if covering else None)
