"""What the planner answers where something was taken back, case by case."""

from reconciler.model.plan import Abort
from reconciler.planner.recorded import PauseRecord
from tests.builders import (
    app,
    at,
    chain,
    deployment,
    deploys,
    planned,
    record,
    recorded,
    suspicion,
    touch,
    version,
    withdrawal,
)
from tests.unit.test_planner import SHOP


def test_a_revert_stops_the_running_deployment_of_what_it_takes_back():
    running = deployment(2, 2, "started")
    facts = recorded(
        1,
        record("sandbox", running, deployment(1, 1)),
        content_touch=touch(1, "reverted"),
        withdrawn=withdrawal(2, restores=1),
    )
    plan = planned(app(environments=("sandbox",)), facts)
    assert [type(action) for action in plan.actions] == [Abort]


def test_a_revert_of_what_never_came_here_goes_back_from_nothing():
    pause = (PauseRecord(environment=None, by="ann", reason="stock-taking", until=at(5)),)
    facts = recorded(
        3,
        record("sandbox", deployment(1, 1)),
        pauses=pause,
        content_touch=touch(3, "reverted", ["4" * 40]),
        withdrawn=withdrawal(4, restores=3),
    )
    plan = planned(app(environments=("sandbox",)), facts)
    assert plan.empty
    assert plan.waiting[0].waits_for == "pause"


def test_a_revert_to_a_version_that_failed_here_does_not_run_it_again():
    bad, worse = deployment(2, 2, "failed"), deployment(4, 3, "failed")
    suspects = suspicion(version(2).id, bad) | suspicion(version(3).id, worse)
    back = deployment(5, 1, cause="auto-rollback")
    facts = recorded(
        2,
        record("sandbox", back, worse, bad, deployment(1, 1), suspicions=suspects),
        content_touch=touch(2, "reverted", hours=9),
        withdrawn=withdrawal(3, restores=2),
    )
    plan = planned(app(environments=("sandbox",)), facts)
    assert plan.empty
    assert plan.refused[0].rule == "suspect"


def test_a_revert_rolls_back_everywhere_at_once():
    facts = recorded(
        1,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        record("pre-release", deployment(2, 2), deployment(1, 1)),
        record("live", deployment(2, 2), deployment(1, 1)),
        content_touch=touch(1, "reverted", ["2" * 40]),
        withdrawn=withdrawal(2, restores=1),
    )
    plan = planned(SHOP, facts)
    assert deploys(plan) == {name: ("rollback", [1]) for name in chain()}


def test_a_revert_under_later_commits_still_rolls_back_what_took_the_version_by_promotion():
    facts = recorded(
        3,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        record("live", deployment(2, 2), deployment(1, 1)),
        withdrawn=withdrawal(2, restores=1),
    )
    plan = planned(app(environments=("sandbox", "live")), facts)
    assert deploys(plan) == {"sandbox": ("release", [3]), "live": ("rollback", [1])}


def test_a_rollback_goes_to_the_newest_good_one_when_what_was_restored_never_ran_here():
    facts = recorded(
        3,
        record("sandbox", deployment(3, 3)),
        record("live", deployment(2, 2, environment="live"), deployment(1, 1, environment="live")),
        withdrawn=withdrawal(2),
    )
    assert deploys(planned(app(environments=("sandbox", "live")), facts))["live"] == ("rollback", [1])


def test_a_running_deployment_of_a_withdrawn_version_is_aborted_first():
    facts = recorded(
        1,
        record("sandbox", deployment(1, 1)),
        record("live", deployment(2, 2, "started", environment="live"), deployment(1, 1, environment="live")),
        withdrawn=withdrawal(2, restores=1),
    )
    plan = planned(app(environments=("sandbox", "live")), facts)
    assert [type(action) for action in plan.actions] == [Abort]
    assert plan.actions[0].running


def test_a_withdrawn_version_is_not_promoted():
    facts = recorded(
        1,
        record("sandbox", deployment(2, 2, "completed"), touch=None),
        record("live", deployment(1, 1, environment="live")),
        withdrawn=withdrawal(2, restores=1),
        content_touch=touch(1, "reverted"),
    )
    assert deploys(planned(app(environments=("sandbox", "live")), facts)) == {"sandbox": ("rollback", [1])}


def test_a_pin_to_a_withdrawn_version_stays_and_is_said_loudly():
    pinned = app(environments={"sandbox": None, "live": {"version": "v2"}})
    facts = recorded(
        1,
        record("sandbox", deployment(1, 1)),
        record("live", deployment(1, 2, environment="live")),
        withdrawn=withdrawal(2, restores=1),
        references={"v2": version(2).id},
    )
    plan = planned(pinned, facts)
    assert plan.empty
    assert plan.refused[0].rule == "withdrawn"
