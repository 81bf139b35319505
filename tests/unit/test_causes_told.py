"""Why is something deployed, and in whose name? Every cause in the operator's words, with its commit and its moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.deployment import Grounds, Subject
from reconciler.model.environment import Environment
from reconciler.model.plan import Deploy, Plan
from reconciler.model.rollout import Course, Progress
from reconciler.planner.plan import plan as plan_of
from reconciler.planner.recorded import RetryRequest
from tests.builders import (
    app,
    at,
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
from tests.plans import ALONE, BOTH, HERE, ONE, PLACES, TWO, alone, deploy_of, live, told


def test_a_release_and_a_first_one():
    first = deploy_of(alone(recorded(2)))
    assert told(first) == ("release", "v2: change 2", f"{2:040x}", "ann@example.com")
    assert first == Deploy(
        **HERE,
        cause="release",
        subject=Subject(traffic=traffic(2)),
        reason="v2: change 2",
        commit=f"{2:040x}",
        deployed_by="ann@example.com",
        grounds=first.grounds,
    )
    unknown = deploy_of(alone(recorded(2, content_touch=None)))
    assert told(unknown) == ("release", "v2 is the first here", None, "reconciler")
    next_one = deploy_of(alone(recorded(2, record("sandbox", deployment(1, 1)))))
    assert told(next_one) == ("release", "v2: change 2", f"{2:040x}", "ann@example.com")


@pytest.mark.parametrize(
    ("look", "cause", "reason"),
    [
        ("new", "release", "v1: change 1"),
        ("changed", "release", "v1: change 1"),
        ("reapplied", "release", "0000000000 brings v1 back"),
        ("restored", "restore", "0000000000 returns to the content of v1"),
        ("reverted", "rollback", "0000000000 reverts 2222222222, 3333333333: back to v1"),
    ],
)
def test_content_that_comes_or_returns(look: Any, cause: str, reason: str):
    by = touch(1, look, ["2" * 40, "3" * 40])
    facts = recorded(1, record("sandbox", deployment(2, 2), deployment(1, 1)), content_touch=by)
    deploy = deploy_of(alone(replace(facts, withdrawn=withdrawal(2) if look == "reverted" else {})))
    assert told(deploy) == (cause, reason, f"{1:040x}", "ann@example.com")
    assert deploy.reverts == ("2" * 40, "3" * 40)
    assert deploy.rolled_back_from == ("sandbox-2" if cause == "rollback" else None)


def test_a_revert_that_names_no_commit():
    facts = recorded(
        1,
        record("sandbox", deployment(2, 2), deployment(1, 1)),
        content_touch=touch(1, "reverted"),
        withdrawn=withdrawal(2),
    )
    assert deploy_of(alone(facts)).reason == "0000000000 reverts an earlier commit: back to v1"


def test_a_promotion():
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)))
    promoted = deploy_of(planned(BOTH, facts, at(9), PLACES), "live")
    assert told(promoted) == ("promotion", "v2 completed in sandbox", f"{2:040x}", "reconciler")
    first = deploy_of(planned(BOTH, recorded(2, record("sandbox", deployment(2, 2))), at(9), PLACES), "live")
    assert told(first) == told(promoted)


def test_a_setting_a_pin_and_a_split():
    changed = touch(7, "changed", hours=3)
    facts = recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1), touch=changed))
    facts = replace(facts, references={"v1": ONE, "v2": TWO})
    setting = deploy_of(alone(facts, entry={"config": {"size": 9}}))
    assert setting.grounds.base == Subject(traffic=traffic(2), config={"size": 9}).fingerprint
    assert told(setting) == ("release", "0000000000 asks for v2: change 7", f"{7:040x}", "ann@example.com")
    pin = deploy_of(alone(facts, entry={"version": "v1"}))
    assert told(pin) == ("rollback", "0000000000 moves back to v1: change 7", f"{7:040x}", "ann@example.com")
    shares = [{"version": "v1", "percent": 10}, {"version": "v2", "percent": 90}]
    split = deploy_of(alone(facts, entry={"traffic": shares}))
    assert told(split) == ("release", "0000000000 asks for v1 10 %, v2 90 %: change 7", f"{7:040x}", "ann@example.com")
    there = replace(facts.environments["sandbox"], touch=touch(7, "reverted", ["5" * 40], hours=3))
    undone = deploy_of(alone(replace(facts, environments={"sandbox": there}), entry={"version": "v1"}))
    assert told(undone) == ("rollback", "0000000000 reverts 5555555555: back to v1", f"{7:040x}", "ann@example.com")
    assert undone.reverts == ("5" * 40,)


def test_settings_that_nobody_touched():
    facts = recorded(2, record("sandbox", deployment(2, 2)), content_touch=None)
    deploy = deploy_of(alone(facts, entry={"config": {"size": 9}}))
    assert told(deploy) == ("release", "settings changed: v2", None, "reconciler")


@pytest.mark.parametrize(("status", "words"), [("failed", "failed"), ("aborted", "was stopped on its way")])
def test_the_way_back_after_a_failure_or_a_stop(status: Any, words: str):
    rollout = Progress(course=Course(steps=(10, 100), before=traffic(1)))
    ended = deployment(2, 2, status, rollout=rollout, config={"size": 9})
    here = record("sandbox", ended, deployment(1, 1), suspicions=suspicion(TWO, ended))
    deploy = deploy_of(alone(recorded(2, here), entry={"config": {"size": 9}}))
    assert told(deploy) == ("auto-rollback", f"v2 {words} (deployment 2): back to v1", f"{2:040x}", "reconciler")
    assert deploy.rolled_back_from == "sandbox-2"
    assert deploy.subject == Subject(traffic=traffic(1), config={"size": 9})


def test_the_way_back_from_a_withdrawn_version():
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(2, 2), live(1, 1)))
    deploy = deploy_of(planned(BOTH, replace(facts, withdrawn=withdrawal(2, 1)), at(9), PLACES), "live")
    reason = "ffffffffff reverts 0000000000, which v2 contains: back to v1"
    assert told(deploy) == ("rollback", reason, "f" * 40, "bob@example.com")
    assert (deploy.reverts, deploy.rolled_back_from) == ((f"{2:040x}",), "live-2")


def test_another_try():
    bad = deployment(2, 2, "failed")
    facts = recorded(
        2,
        record("sandbox", bad, deployment(1, 1), suspicions=suspicion(TWO, bad)),
        retries=(RetryRequest(deployment="sandbox-2", actor="bob@example.com"),),
    )
    reason = "bob@example.com asked to try deployment 2 again: v2"
    assert told(deploy_of(alone(facts))) == ("retry", reason, f"{2:040x}", "bob@example.com")
    other = replace(facts, retries=(RetryRequest(deployment="sandbox-1", actor="bob@example.com"),))
    assert deploy_of(alone(other)).cause == "auto-rollback"


def test_a_schedule_that_comes_due():
    entry = {"schedule": [{"at": "2026-06-01T14:00", "timezone": "UTC", "version": "v2"}]}
    here = record("sandbox", deployment(1, 1), touch=touch(7, hours=0))
    due = deploy_of(alone(recorded(1, here, references={"v2": TWO}), entry=entry))
    reason = "its scheduled moment has come: v2"
    assert told(due) == ("schedule", reason, f"{7:040x}", "ann@example.com")
    assert due.due_at == at(2)
    shares = [{"version": "v1", "percent": 50}, {"version": "v2", "percent": 50}]
    split = {"schedule": [{"at": "2026-06-01T14:00", "timezone": "UTC", "traffic": shares}]}
    facts = recorded(1, here, references={"v1": ONE, "v2": TWO})
    assert deploy_of(alone(facts, entry=split)).reason == "its scheduled moment has come: v1 50 %, v2 50 %"
    follow = {"version": "v1", "schedule": [{"at": "2026-06-01T14:00", "timezone": "UTC", "track": "latest"}]}
    followed = deploy_of(alone(replace(facts, content=TWO), entry=follow))
    assert told(followed) == told(due)
    late = record("sandbox", deployment(1, 1), touch=touch(7, "changed", hours=3))
    written = deploy_of(alone(recorded(1, late, references={"v2": TWO}), entry=entry))
    assert (written.cause, written.due_at) == ("release", None)


def test_of_two_entries_for_one_moment_the_later_written_counts():
    entry = {
        "schedule": [
            {"at": "2026-06-01T14:00", "timezone": "UTC", "version": "v2"},
            {"at": "2026-06-01T16:00", "timezone": "Europe/Paris", "version": "v3"},
        ]
    }
    here = record("sandbox", deployment(1, 1), touch=touch(7, hours=0))
    facts = recorded(1, here, references={"v2": TWO, "v3": version(3).id})
    assert deploys(alone(facts, entry=entry)) == {"sandbox": ("schedule", [3])}


def test_seasons_that_begin_and_end():
    sale = season("sale", "2026-06-01T13:00", "2026-06-01T22:00", config={"a": 1})
    fair = season("fair", "2026-06-01T15:00", "2026-06-01T23:00", config={"b": 2})
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 1)))
    both = deploy_of(planned(BOTH, facts, at(9), PLACES, [sale, fair]), "live")
    assert told(both) == ("season-start", "sale, fair begins: v1", f"{1:040x}", "reconciler")
    assert both.due_at == at(3)
    assert both.subject.config == {"a": 1, "b": 2}
    inside = live(2, 1, cause="season-start", config={"a": 1, "b": 2}, grounds=both.grounds)
    during = recorded(1, record("sandbox", deployment(1, 1)), record("live", inside, live(1, 1)))
    one = deploy_of(planned(BOTH, during, at(10.5), PLACES, [sale, fair]), "live")
    assert told(one) == ("season-end", "sale is over: v1", f"{1:040x}", "reconciler")
    assert one.due_at == at(10)
    over = deploy_of(planned(BOTH, during, at(12), PLACES, [sale, fair]), "live")
    assert (over.reason, over.due_at) == ("sale, fair is over: v1", at(11))


def test_a_season_with_a_version_remembers_what_is_beneath_it():
    special = season("special", "2026-06-01T13:00", "2026-06-01T22:00", version="v5")
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 1)))
    deploy = deploy_of(
        planned(BOTH, replace(facts, references={"v5": version(5).id}), at(9), PLACES, [special]), "live"
    )
    assert told(deploy) == ("season-start", "special begins: v5", f"{5:040x}", "reconciler")
    assert deploy.grounds.base == Subject(traffic=traffic(1)).fingerprint
    assert deploy.grounds.chosen_by == "season"


def test_a_season_that_was_written_after_its_start_is_nobodys_lateness():
    sale = season("sale", "2026-06-01T13:00", "2026-06-01T22:00", config={"a": 1})
    written = touch(7, "season", hours=5)
    facts = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 1), touch=written))
    deploy = deploy_of(planned(BOTH, facts, at(9), PLACES, [sale]), "live")
    assert told(deploy) == ("season-start", "sale begins: v1", f"{7:040x}", "ann@example.com")
    assert deploy.due_at is None


def test_what_left_git_where_the_environment_prunes():
    prunes = {"sandbox": environment("sandbox", prune=True)}

    def retired(**here: Any) -> Deploy:
        facts = recorded(1, record("sandbox", deployment(1, 1), **here), content_touch=here.pop("content", None))
        return deploy_of(plan_of(None, {}, prunes, facts, at(9)))

    by_commit = retired(touch=touch(7, "changed"))
    reason = "0000000000 removed it from git, and sandbox prunes"
    assert told(by_commit) == ("release", reason, f"{7:040x}", "ann@example.com")
    assert by_commit.subject == Subject(traffic=())
    assert by_commit.grounds == Grounds(base=Subject(traffic=()).fingerprint)
    reverted = retired(touch=touch(7, "reverted", ["5" * 40]))
    assert told(reverted) == ("rollback", reason, f"{7:040x}", "ann@example.com")
    assert reverted.reverts == ("5" * 40,)
    assert told(retired()) == ("release", "it left git, and sandbox prunes", None, "reconciler")


def test_a_target_that_moved():
    def place(path: str) -> dict[str, Environment]:
        return {"sandbox": environment("sandbox", target={"type": "directory", "path": path})}

    first = deploy_of(planned(ALONE, recorded(1), at(9), place("old")))
    there = deployment(1, 1, grounds=first.grounds)
    by = touch(7, "changed")
    assert planned(ALONE, recorded(1, record("sandbox", there, touch=by)), at(9), place("old")).empty
    moved = deploy_of(planned(ALONE, recorded(1, record("sandbox", there, touch=by)), at(9), place("new")))
    reason = "the target of sandbox changed: v1 runs there now"
    assert told(moved) == ("release", reason, f"{7:040x}", "ann@example.com")
    untouched = deploy_of(planned(ALONE, recorded(1, record("sandbox", there)), at(9), place("new")))
    assert untouched.deployed_by == "reconciler"
    unknown = replace(there, grounds=Grounds(base=there.subject.fingerprint))
    assert planned(ALONE, recorded(1, record("sandbox", unknown)), at(9), place("new")).empty


def test_versions_are_called_by_their_names():
    named = version(2, "2.0")
    facts = recorded(1, record("sandbox", deployment(1, 1), touch=touch(7, "changed", hours=3)), versions=[named])
    facts = replace(facts, references={"1": ONE, "2.0": named.id})
    assert deploy_of(alone(facts, entry={"version": "2.0"})).reason == "0000000000 asks for 2.0: change 7"
    shares = [{"version": "1", "percent": 60}, {"version": "2.0", "percent": 40}]
    assert (
        deploy_of(alone(facts, entry={"traffic": shares})).reason == "0000000000 asks for v1 60 %, 2.0 40 %: change 7"
    )


def test_a_pin_where_nothing_was_left_is_no_step_back():
    here = record("sandbox", deployment(2, 0), deployment(1, 1), touch=touch(7, "changed", hours=3))
    deploy = deploy_of(alone(recorded(2, here, references={"v1": ONE}), entry={"version": "v1"}))
    assert told(deploy) == ("release", "0000000000 asks for v1: change 7", f"{7:040x}", "ann@example.com")


def test_taking_a_pin_back_is_a_rollback_to_what_ran_before_it():
    undone = touch(7, "reverted", ["5" * 40], hours=5)
    pinned = replace(live(3, 1), commit="5" * 40)
    there = record("live", pinned, live(2, 2), live(1, 1), touch=undone)
    facts = recorded(2, record("sandbox", deployment(2, 2)), there)
    deploy = deploy_of(planned(BOTH, facts, at(9), PLACES), "live")
    assert told(deploy) == ("rollback", "0000000000 reverts 5555555555: back to v2", f"{7:040x}", "ann@example.com")
    unseen = recorded(3, record("sandbox", deployment(4, 3)), record("live", pinned, live(2, 2), touch=undone))
    assert deploys(planned(BOTH, unseen, at(9), PLACES)) == {"live": ("promotion", [3])}
    newer = recorded(3, record("sandbox", deployment(6, 3)), record("live", pinned, live(2, 2), touch=undone))
    assert deploys(planned(BOTH, newer, at(9), PLACES)) == {"live": ("promotion", [3])}


def test_a_season_that_hid_a_change_ends_as_a_season():
    """The greeting beneath the season was changed while the season lay over it: its end is what shows."""
    sale = season("sale", "2026-06-01T13:00", "2026-06-01T22:00", config={"greeting": "Merry"})

    def shop(greeting: str) -> Any:
        return app(environments={"sandbox": {}, "live": {"config": {"greeting": greeting}}})

    before = recorded(1, record("sandbox", deployment(1, 1)), record("live", live(1, 1, config={"greeting": "Hi"})))
    begun = deploy_of(planned(shop("Hi"), before, at(2), PLACES, [sale]), "live")
    inside = live(2, 1, cause="season-start", config={"greeting": "Merry"}, grounds=begun.grounds)
    changed = record("live", inside, live(1, 1), touch=touch(7, "changed", hours=5))
    facts = recorded(1, record("sandbox", deployment(1, 1)), changed)
    assert planned(shop("Hello"), facts, at(6), PLACES, [sale]).empty
    ended = deploy_of(planned(shop("Hello"), facts, at(11), PLACES, [sale]), "live")
    assert (ended.cause, ended.reason, ended.due_at) == ("season-end", "sale is over: v1", at(10))
    assert ended.subject.config == {"greeting": "Hello"}


def test_a_new_version_that_comes_as_a_season_begins_is_a_promotion():
    sale = season("sale", "2026-06-01T13:00", "2026-06-01T22:00", config={"a": 1})
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", live(1, 1)))
    deploy = deploy_of(planned(BOTH, facts, at(9), PLACES, [sale]), "live")
    assert (deploy.cause, deploy.reason) == ("promotion", "v2 completed in sandbox")
    assert deploy.subject.config == {"a": 1}


TRIAL = {"control": "v1", "variant": "v2", "percent": 40, "until": "2026-06-02T00:00:00Z"}


def test_an_experiment_ends_by_itself_at_its_moment():
    facts = recorded(2, record("sandbox", touch=touch(7, hours=0)), references={"v1": ONE, "v2": TWO})
    begun = deploy_of(alone(facts, entry={"experiment": TRIAL}))
    assert [(part.number, part.percent) for part in begun.subject.traffic] == [(1, 60), (2, 40)]
    running = replace(deployment(1, 1, grounds=begun.grounds), traffic=begun.subject.traffic)
    facts = replace(facts, environments={"sandbox": record("sandbox", running, touch=touch(7, hours=0))})
    assert alone(facts, entry={"experiment": TRIAL}) == Plan(wake_at=at(12))
    over = deploy_of(alone(facts, 13, entry={"experiment": TRIAL}))
    assert told(over) == ("schedule", "its scheduled moment has come: v1", f"{7:040x}", "ann@example.com")
    assert over.due_at == at(12)
