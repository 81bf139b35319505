"""What a freeze holds back, what passes it, and where the edges of seasons fall in one."""

from dataclasses import replace

import pytest

from reconciler.freezing import season_windows, thaw
from reconciler.planner.recorded import Override
from tests.builders import (
    app,
    at,
    chain,
    deployment,
    deploys,
    freeze,
    planned,
    record,
    recorded,
    season,
    touch,
    version,
    waits,
    withdrawal,
)
from tests.plans import PLACES

SHOP = app(environments=("sandbox", "live"))
FREEZE = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00")


def ready(**more):
    """Version 2 completed in the sandbox; version 1 runs in live."""
    sandbox = record("sandbox", deployment(2, 2), deployment(1, 1))
    return recorded(2, sandbox, record("live", deployment(1, 1, environment="live")), **more)


def plan(facts, hours=3, freezes=(FREEZE,), shop=SHOP, seasons=()):
    return planned(shop, facts, at(hours), PLACES, seasons, freezes)


def test_nothing_starts_in_a_freeze_and_the_plan_wakes_at_its_end():
    found = plan(ready())
    assert deploys(found) == {}
    assert [(one.waits_for, one.until) for one in found.waiting] == [("freeze", at(8))]
    assert all(word in found.waiting[0].detail for word in ("stock-taking", "Freeze-Override"))
    assert found.wake_at == at(8)


def test_what_waited_starts_when_the_freeze_is_over():
    assert deploys(plan(ready(), hours=8)) == {"live": ("promotion", [2])}


def test_other_environments_and_other_apps_go_on():
    elsewhere = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", apps=["books"])
    assert deploys(plan(ready(), freezes=[elsewhere])) == {"live": ("promotion", [2])}
    labelled = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", apps={"team": "books"})
    assert deploys(plan(ready(), freezes=[labelled])) == {"live": ("promotion", [2])}


def test_a_rollback_passes_every_freeze():
    facts = recorded(
        1,
        record("sandbox", deployment(3, 1, cause="rollback"), deployment(2, 2), deployment(1, 1)),
        record("live", deployment(2, 2, environment="live"), deployment(1, 1, environment="live")),
        content_touch=touch(1, "reverted", ["2" * 40]),
        withdrawn=withdrawal(2, restores=1),
    )
    assert deploys(plan(facts)) == {"live": ("rollback", [1])}


@pytest.mark.parametrize(("allow", "passes"), [([], False), (["release"], False), (["promotion"], True)])
def test_kinds_that_a_freeze_allows_pass(allow, passes):
    open_one = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", allow=allow)
    assert deploys(plan(ready(), freezes=[open_one])) == ({"live": ("promotion", [2])} if passes else {})


def test_a_hotfix_passes_where_the_freeze_allows_hotfixes():
    facts = ready(versions=[version(2, tags=("HOTFIX",))])
    assert deploys(plan(facts)) == {}
    open_one = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", allow=["hotfix"])
    assert deploys(plan(facts, freezes=[open_one])) == {"live": ("promotion", [2])}


def test_a_commit_may_override_a_freeze_and_that_is_remembered():
    commit = version(2).commit
    override = {commit: Override(commit=commit, author="eve@example.com", reason="the tills are wrong")}
    found = plan(ready(overrides=override))
    assert deploys(found) == {"live": ("promotion", [2])}
    remark = found.actions[0].remarks[0]
    assert all(word in remark for word in ("stock", "eve@example.com", "the tills are wrong"))


def test_of_two_freezes_the_later_end_counts():
    longer = freeze("audit", "2026-06-01T14:00", "2026-06-02T00:00")
    assert plan(ready(), freezes=[FREEZE, longer]).wake_at == at(12)


def test_what_runs_already_goes_on():
    running = recorded(
        2,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        record("live", deployment(2, 2, "started", environment="live"), deployment(1, 1, environment="live")),
    )
    assert plan(running).empty  # it is not stopped


def test_what_had_not_its_turn_when_the_freeze_began_is_held_back():
    pending = deployment(2, 2, "pending", "promotion", environment="live")
    facts = recorded(
        2,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        record("live", pending, deployment(1, 1, environment="live")),
    )
    found = plan(facts)
    assert [(type(one).__name__, one.environment) for one in found.actions] == [("Abort", "live")]
    assert waits(found, "live") == ["freeze"]


# Edges of seasons: from 15:00 to 22:00, or from 10:00 to 15:00, with a freeze from 13:00 to 20:00


def lasting(start, until, **spec):
    return season("sale", f"2026-06-01T{start}", f"2026-06-01T{until}", config={"sale": True}, **spec)


def windows(one):
    return [(w.start, w.until) for w in season_windows(one, [FREEZE], at(-24), at(48))]


def test_an_edge_in_a_freeze_is_applied_unless_the_season_says_otherwise():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", deployment(1, 1, environment="live")))
    found = plan(facts, seasons=[lasting("15:00", "22:00")])
    assert deploys(found) == {"live": ("season-start", [1])}


def test_a_start_that_waits_comes_when_the_freeze_is_over():
    waits_for_it = lasting("15:00", "22:00", on_freeze="wait")
    assert windows(waits_for_it) == [(at(8), at(10))]
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", deployment(1, 1, environment="live")))
    found = plan(facts, seasons=[waits_for_it])
    assert (deploys(found), found.wake_at) == ({}, at(8))
    assert deploys(plan(facts, hours=8, seasons=[waits_for_it])) == {"live": ("season-start", [1])}


def test_an_end_that_waits_comes_when_the_freeze_is_over():
    assert windows(lasting("10:00", "15:00", on_freeze="wait")) == [(at(-2), at(8))]


def test_a_season_wholly_inside_a_freeze_that_it_waits_for_does_not_take_place():
    assert windows(lasting("14:00", "16:00", on_freeze="wait")) == []


def test_a_start_that_is_skipped_skips_the_whole_season_and_an_end_is_carried_out():
    assert windows(lasting("15:00", "22:00", on_freeze="skip")) == []
    assert windows(lasting("10:00", "15:00", on_freeze="skip")) == [(at(-2), at(3))]


def test_a_freeze_that_allows_seasons_moves_no_edge():
    kind = freeze("stock", "2026-06-01T13:00", "2026-06-01T20:00", allow=["season"])
    found = [
        (w.start, w.until) for w in season_windows(lasting("15:00", "22:00", on_freeze="wait"), [kind], at(0), at(9))
    ]
    assert found == [(at(3), at(10))]


def test_freezes_that_follow_each_other_are_one():
    following = [FREEZE, freeze("audit", "2026-06-01T20:00", "2026-06-01T23:00")]
    assert thaw(following, at(2)) == at(11)


def test_the_chain_goes_on_in_environments_without_a_freeze():
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("pre-release", deployment(1, 1)))
    shop = app(environments=("sandbox", "pre-release", "live"))
    found = planned(shop, facts, at(3), chain(), (), [FREEZE])
    assert deploys(found) == {"pre-release": ("promotion", [2])}
    assert waits(found, "live") == ["freeze"]


def test_the_end_of_a_season_that_skips_freezes_is_carried_out_inside_one():
    lasts = lasting("10:00", "15:00", on_freeze="skip")
    began = deployment(1, 1, environment="live", config={"sale": True})
    was = planned(SHOP, recorded(1, record("sandbox", deployment(1, 1))), at(0), PLACES, [lasts])
    grounds = next(action.grounds for action in was.actions if action.environment == "live")
    here = replace(began, grounds=grounds)
    found = plan(recorded(1, record("sandbox", deployment(1, 1)), record("live", here)), seasons=[lasts])
    assert deploys(found) == {"live": ("season-end", [1])}
