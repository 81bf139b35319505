"""What the planner answers, case by case, in the operator's words."""

from reconciler.model.deployment import Subject
from reconciler.model.plan import Abort, ApplyTriggers
from reconciler.planner.recorded import AbortRequest, Brake, Dependency, PauseRecord, RetryRequest
from tests.builders import (
    app,
    at,
    chain,
    deployment,
    deploys,
    environment,
    planned,
    record,
    recorded,
    season,
    suspicion,
    touch,
    traffic,
    version,
    withdrawal,
)

SHOP = app(environments=("sandbox", "pre-release", "live"))


def test_new_content_goes_to_the_start_of_the_chain_only():
    assert deploys(planned(SHOP, recorded(1))) == {"sandbox": ("release", [1])}


def test_what_completed_is_promoted_to_the_next_environment():
    facts = recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1)), record("pre-release"))
    assert deploys(planned(SHOP, facts)) == {"pre-release": ("promotion", [2])}


def test_an_environment_that_tracks_one_the_app_is_not_in_follows_the_chain_up():
    facts = recorded(1, record("sandbox", deployment(1, 1)))
    assert deploys(planned(app(environments=("sandbox", "live")), facts)) == {"live": ("promotion", [1])}


def test_nothing_to_do_when_everything_runs():
    facts = recorded(1, *(record(name, deployment(1, 1, environment=name)) for name in chain()))
    assert planned(SHOP, facts).empty


def test_a_pending_deployment_is_superseded_by_newer_content():
    facts = recorded(2, record("sandbox", deployment(1, 1, "pending")))
    plan = planned(SHOP, facts)
    assert [type(action).__name__ for action in plan.actions] == ["Abort", "Deploy"]
    assert deploys(plan) == {"sandbox": ("release", [2])}


def test_a_running_deployment_is_waited_for():
    facts = recorded(2, record("sandbox", deployment(1, 1, "started")))
    plan = planned(SHOP, facts)
    assert plan.empty
    assert [item.waits_for for item in plan.waiting if item.environment == "sandbox"] == ["deployment"]


def test_a_deployment_between_two_attempts_gives_way_to_newer_content():
    failing = deployment(1, 1, "started", attempts=1, next_attempt_at=at(1), error="exit 1")
    plan = planned(SHOP, recorded(2, record("sandbox", failing)))
    assert deploys(plan) == {"sandbox": ("release", [2])}


def test_content_that_returns_is_deployed_again_after_a_started_one_gave_way():
    between = deployment(2, 2, "started", attempts=1, next_attempt_at=at(1))
    facts = recorded(1, record("sandbox", between, deployment(1, 1)), content_touch=touch(1, "restored"))
    assert deploys(planned(SHOP, facts))["sandbox"] == ("restore", [1])


def test_a_pin_moved_to_an_older_version_is_a_rollback():
    pinned = app(environments={"live": {"version": "v1"}})
    facts = recorded(
        2,
        record("live", deployment(1, 2, environment="live"), touch=touch(2, "changed")),
        references={"v1": version(1).id},
    )
    assert deploys(planned(pinned, facts)) == {"live": ("rollback", [1])}


def test_an_unknown_version_is_refused_with_the_way_out():
    plan = planned(app(environments={"live": {"version": "9.9"}}), recorded(1, references={"9.9": None}))
    assert plan.empty
    assert "reconciler versions list shop" in plan.refused[0].detail


def test_an_environments_own_setting_is_a_deployment_of_the_same_version():
    warned = app(environments={"sandbox": {"config": {"level": "warn"}}})
    facts = recorded(1, record("sandbox", deployment(1, 1), touch=touch(2, "changed")))
    plan = planned(warned, facts)
    assert deploys(plan) == {"sandbox": ("release", [1])}
    assert plan.actions[0].subject.config == {"level": "warn"}


def test_a_season_begins_and_ends_by_itself():
    shop = app(environments=("sandbox", "live"))
    christmas = season("christmas", "2026-06-01T13:00", "2026-06-01T15:00", config={"greeting": "Merry"})
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", deployment(1, 1, environment="live")))
    before = planned(shop, facts, at(0), seasons=[christmas])
    assert before.empty
    assert before.wake_at == at(1)
    begins = planned(shop, facts, at(1.5), seasons=[christmas])
    assert deploys(begins) == {"live": ("season-start", [1])}
    assert begins.actions[0].due_at == at(1)
    assert begins.wake_at == at(3)
    inside = deployment(
        2, 1, cause="season-start", environment="live", config={"greeting": "Merry"}, grounds=begins.actions[0].grounds
    )
    after = recorded(
        1, record("sandbox", deployment(1, 1)), record("live", inside, deployment(1, 1, environment="live"))
    )
    ends = planned(shop, after, at(4), seasons=[christmas])
    assert deploys(ends) == {"live": ("season-end", [1])}
    assert ends.actions[0].due_at == at(3)
    assert ends.actions[0].subject.config == {}


def test_a_hotfix_inside_a_season_changes_the_base_at_once():
    shop = app(environments=("sandbox", "live"))
    christmas = season("christmas", "2026-06-01T00:00", "2026-06-02T00:00", config={"greeting": "Merry"})
    first = planned(shop, recorded(1, record("sandbox", deployment(1, 1))), at(0), seasons=[christmas])
    running = deployment(1, 1, environment="live", config={"greeting": "Merry"}, grounds=first.actions[0].grounds)
    facts = recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1)), record("live", running))
    plan = planned(shop, facts, at(1), seasons=[christmas])
    assert deploys(plan) == {"live": ("promotion", [2])}
    assert plan.actions[0].subject.config == {"greeting": "Merry"}


def test_what_a_season_chose_is_not_promoted():
    shop = app(environments=("sandbox", "live"))
    special = season("special", "2026-06-01T00:00", "2026-06-02T00:00", environments=["sandbox"], version="v5")
    facts = recorded(1, record("sandbox", deployment(1, 1)), references={"v5": version(5).id})
    plan = planned(shop, facts, at(1), seasons=[special])
    assert deploys(plan) == {"sandbox": ("season-start", [5]), "live": ("promotion", [1])}


def test_a_scheduled_version_comes_at_its_moment():
    timed = app(environments={"live": {"schedule": [{"at": "2026-06-01T14:00", "timezone": "UTC", "version": "v2"}]}})
    live = environment("live")
    facts = recorded(
        1,
        record("live", deployment(1, 1, environment="live"), touch=touch(1, hours=0)),
        references={"v2": version(2).id},
    )
    assert planned(timed, facts, at(1), {"live": live}).wake_at == at(2)
    plan = planned(timed, facts, at(2), {"live": live})
    assert deploys(plan) == {"live": ("schedule", [2])}


def test_a_failed_release_goes_back_to_the_last_good_one_and_is_not_tried_again():
    bad = deployment(2, 2, "failed")
    facts = recorded(2, record("sandbox", bad, deployment(1, 1), suspicions=suspicion(version(2).id, bad)))
    plan = planned(app(environments=("sandbox",)), facts)
    assert deploys(plan) == {"sandbox": ("auto-rollback", [1])}
    assert plan.refused[0].rule == "suspect"
    back = deployment(3, 1, cause="auto-rollback")
    after = recorded(2, record("sandbox", back, bad, deployment(1, 1), suspicions=suspicion(version(2).id, bad)))
    again = planned(app(environments=("sandbox",)), after)
    assert again.empty
    assert again.refused[0].rule == "suspect"


def test_a_failed_release_is_held_where_the_environment_says_so():
    bad = deployment(2, 2, "failed")
    facts = recorded(2, record("sandbox", bad, deployment(1, 1), suspicions=suspicion(version(2).id, bad)))
    assert planned(
        app(environments=("sandbox",)), facts, environments={"sandbox": environment("sandbox", on_failure="hold")}
    ).empty


def test_a_failed_first_release_has_nothing_to_go_back_to():
    bad = deployment(1, 1, "failed")
    plan = planned(
        app(environments=("sandbox",)), recorded(1, record("sandbox", bad, suspicions=suspicion(version(1).id, bad)))
    )
    assert plan.empty
    assert "reconciler retry sandbox-1" in plan.refused[0].detail


def test_a_failure_never_holds_back_a_newer_commit():
    bad = deployment(2, 2, "failed")
    facts = recorded(3, record("sandbox", bad, deployment(1, 1), suspicions=suspicion(version(2).id, bad)))
    assert deploys(planned(app(environments=("sandbox",)), facts)) == {"sandbox": ("release", [3])}


def test_a_commit_that_mends_the_entry_lets_a_failed_version_try_again():
    bad = deployment(1, 1, "failed")
    shop = app(environments={"sandbox": {"config": {"database": "there"}}})
    mended = record("sandbox", bad, suspicions=suspicion(version(1).id, bad), touch=touch(2, "changed", hours=2))
    assert deploys(planned(shop, recorded(1, mended))) == {"sandbox": ("release", [1])}
    season = record("sandbox", bad, suspicions=suspicion(version(1).id, bad), touch=touch(2, "season", hours=2))
    assert planned(shop, recorded(1, season)).empty


def test_a_failed_setting_goes_back_to_the_setting_that_worked():
    bad = deployment(2, 1, "failed", config={"size": 9})
    subject = Subject(traffic=traffic(1), config={"size": 9})
    shop = app(environments={"sandbox": {"config": {"size": 9}}})
    facts = recorded(1, record("sandbox", bad, deployment(1, 1), suspicions=suspicion(subject.fingerprint, bad)))
    plan = planned(shop, facts)
    assert deploys(plan) == {"sandbox": ("auto-rollback", [1])}
    assert plan.actions[0].subject.config == {}


def test_a_failed_rollback_calls_for_a_person():
    bad = deployment(3, 1, "failed", "auto-rollback")
    first = deployment(2, 2, "failed")
    suspects = suspicion(version(2).id, first) | suspicion(bad.subject.fingerprint, bad)
    plan = planned(
        app(environments=("sandbox",)),
        recorded(2, record("sandbox", bad, first, deployment(1, 1), suspicions=suspects)),
    )
    assert plan.empty


def test_a_persons_retry_is_a_new_deployment():
    bad = deployment(1, 1, "failed")
    facts = recorded(
        1,
        record("sandbox", bad, suspicions=suspicion(version(1).id, bad)),
        retries=(RetryRequest(deployment="sandbox-1", actor="ann@example.com"),),
    )
    assert deploys(planned(app(environments=("sandbox",)), facts)) == {"sandbox": ("retry", [1])}


def test_a_person_can_stop_what_runs():
    facts = recorded(
        1,
        record("sandbox", deployment(1, 1, "started")),
        aborts=(AbortRequest(deployment="sandbox-1", actor="ann@example.com", reason="wrong day"),),
    )
    plan = planned(app(environments=("sandbox",)), facts)
    assert [type(action) for action in plan.actions] == [Abort]


def test_a_pause_holds_back_commits_but_no_rollback():
    pause = (PauseRecord(environment=None, by="ann", reason="stock-taking", until=at(5)),)
    held = planned(app(environments=("sandbox",)), recorded(2, record("sandbox", deployment(1, 1)), pauses=pause))
    assert held.empty
    assert held.waiting[0].waits_for == "pause"
    assert held.wake_at == at(5)
    back = recorded(
        1,
        record("sandbox", deployment(2, 2)),
        pauses=pause,
        content_touch=touch(1, "reverted"),
        withdrawn=withdrawal(2, restores=1),
    )
    assert deploys(planned(app(environments=("sandbox",)), back)) == {"sandbox": ("rollback", [1])}


def test_the_brake_refuses_with_its_numbers_and_the_way_out():
    brake = (Brake(commit="a" * 40, position=7, changed=40, recorded=100),)
    plan = planned(app(environments=("sandbox",)), recorded(2, record("sandbox", deployment(1, 1)), brakes=brake))
    assert plan.empty
    assert "40 of 100" in plan.refused[0].detail
    assert "Allow-Mass-Change: 40" in plan.refused[0].detail


def test_a_broken_file_keeps_its_app_as_it_is():
    facts = recorded(2, record("sandbox", deployment(1, 1)), complaints=("apps/shop.yaml:3:1: no such key",))
    plan = planned(app(environments=("sandbox",)), facts)
    assert plan.empty
    assert plan.waiting[0].waits_for == "manifest"


def test_a_dependency_is_waited_for():
    needs = (Dependency(app="payments", environment="sandbox", completed=True, active=True),)
    plan = planned(app(environments=("sandbox",)), recorded(1, dependencies=needs))
    assert plan.empty
    assert plan.waiting[0].waits_for == "dependency"


def test_a_pending_deployment_of_a_pinned_withdrawn_version_is_left_alone():
    pinned = app(environments={"sandbox": {"version": "v1"}})
    waiting = deployment(2, 1, "pending", cause="rollback")
    facts = recorded(
        2,
        record("sandbox", waiting, deployment(1, 2), touch=touch(3)),
        withdrawn=withdrawal(1),
        references={"v1": version(1).id},
    )
    plan = planned(pinned, facts)
    assert plan.empty
    assert [refusal.rule for refusal in plan.refused] == ["withdrawn"]


def test_settings_reach_a_withdrawn_version_that_has_nothing_to_go_back_to():
    shop = app(environments={"sandbox": {"version": "v1"}, "live": {"config": {"size": 9}}})
    facts = recorded(
        2,
        record("sandbox", deployment(1, 1)),
        record("live", deployment(1, 1, environment="live"), touch=touch(3)),
        withdrawn=withdrawal(1),
        references={"v1": version(1).id},
    )
    plan = planned(shop, facts)
    assert deploys(plan) == {"live": ("release", [1])}
    assert plan.actions[0].subject.config == {"size": 9}


def test_an_environment_that_returns_to_the_chain_brings_no_old_code_back():
    came = deployment(2, 2, environment="live", cause="promotion")
    facts = recorded(
        2,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        record("pre-release", deployment(1, 1, environment="pre-release"), touch=touch(3, hours=3)),
        record("live", came, deployment(1, 1, environment="live", cause="promotion"), touch=touch(1)),
    )
    assert deploys(planned(SHOP, facts, at(3))) == {"pre-release": ("promotion", [2])}


def test_what_left_git_stays_unless_its_environment_prunes():
    from reconciler.planner.plan import plan

    facts = recorded(1, record("sandbox", deployment(1, 1)))
    kept = plan(None, {}, {"sandbox": environment("sandbox")}, facts, at(0))
    assert kept.empty
    pruned = plan(None, {}, {"sandbox": environment("sandbox", prune=True)}, facts, at(0))
    assert deploys(pruned) == {"sandbox": ("release", [])}


def test_triggers_are_applied_without_a_deployment():
    shop = app(environments=("sandbox",), triggers={"routes": ["shop.example/*"]})
    plan = planned(shop, recorded(1, record("sandbox", deployment(1, 1))))
    assert [type(action) for action in plan.actions] == [ApplyTriggers]


def test_a_rollback_goes_back_only_so_far():
    newest_first = [deployment(n, 2 if n % 2 else 3, environment="live") for n in range(9, 1, -1)]
    facts = recorded(
        1,
        record("live", *newest_first, deployment(1, 1, environment="live")),
        content_touch=touch(1, "reverted"),
        withdrawn=withdrawal(2, restores=1),
    )
    near = {"live": environment("live", rollback={"limit": 8})}
    far = {"live": environment("live", rollback={"limit": 7})}
    assert deploys(planned(app(environments=("live",)), facts, environments=near)) == {"live": ("rollback", [1])}
    refused = planned(app(environments=("live",)), facts, environments=far)
    assert refused.empty
    assert "8 deployments ago" in refused.refused[0].detail
    assert "goes back 7 at most" in refused.refused[0].detail


def test_a_withdrawn_version_with_nothing_before_it_stays_and_is_said_loudly():
    facts = recorded(
        1,
        record("sandbox", deployment(1, 2), touch=None),
        record("live", deployment(1, 2, environment="live")),
        withdrawn=withdrawal(2),
    )
    plan = planned(app(environments=("sandbox", "live")), facts)
    assert [item.rule for item in plan.refused if item.environment == "live"] == ["withdrawn"]
