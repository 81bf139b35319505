"""Which commit asked for a deployment? What came before, and what others asked for since, is not told in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.deployment import Cause, Grounds, Status
from tests.builders import app, at, deployment, planned, record, recorded, season, suspicion, touch, version
from tests.plans import ONE, PLACES, TWO, alone, both, deploy_of, live, told

OPS = touch(7, "changed", hours=-3)
"""A commit that changed settings long before."""


@pytest.mark.parametrize(("status", "ended"), [("aborted", "was stopped"), ("failed", "failed")])
def test_what_comes_once_more_is_asked_for_by_the_commit_that_asked_for_it_before(status: Status, ended: str):
    facts = recorded(2, record("sandbox", deployment(2, 2, status, deployed_by="ann@example.com"), touch=OPS))
    again = f"v2 once more, since deployment 2 {ended}"
    assert told(deploy_of(alone(facts))) == ("release", again, f"{2:040x}", "ann@example.com")
    untouched = replace(facts, environments={"sandbox": replace(facts.environments["sandbox"], touch=None)})
    assert told(deploy_of(alone(untouched))) == ("release", again, f"{2:040x}", "ann@example.com")


@pytest.mark.parametrize("cause", ["promotion", "schedule", "season-start", "season-end", "restore"])
def test_what_comes_once_more_keeps_its_cause(cause: Cause):
    stopped = live(2, 2, "aborted", cause=cause, deployed_by="reconciler")
    facts = recorded(2, record("sandbox", deployment(2, 2)), record("live", stopped, live(1, 1), touch=OPS))
    again = "v2 once more, since deployment 2 was stopped"
    assert told(deploy_of(both(facts), "live")) == (cause, again, f"{2:040x}", "reconciler")


def test_a_newer_commit_that_asks_for_the_same_is_told_of():
    here = record("sandbox", deployment(2, 2, "aborted"), deployment(1, 1), touch=OPS)
    restored = recorded(2, here, content_touch=replace(touch(2, "restored", hours=5), commit="8" * 40))
    reason = "8888888888 returns to the content of v2"
    assert told(deploy_of(alone(restored))) == ("restore", reason, "8" * 40, "ann@example.com")
    allowed = replace(here, touch=touch(7, "changed", hours=5))
    deploy = deploy_of(alone(recorded(2, allowed)))
    assert told(deploy) == ("release", "0000000000 asks for v2: change 7", f"{7:040x}", "ann@example.com")


def test_settings_are_not_told_as_if_they_were_the_versions_message():
    entry = {"config": {"size": 9}}
    facts = recorded(2, record("sandbox", deployment(2, 2), touch=touch(7, "changed", hours=3)))
    assert deploy_of(alone(facts, entry=entry)).reason == "0000000000 asks for v2: change 7"
    same = replace(facts, content_touch=touch(7))  # one commit that published the version and changed the settings
    assert deploy_of(alone(same, entry=entry)).reason == "v2: change 7"
    newer = recorded(
        3,
        record("sandbox", deployment(2, 2)),
        record("live", live(2, 2), touch=touch(7, "changed", hours=3)),
        content_touch=touch(7),
    )
    assert deploy_of(both(newer, entry=entry), "live").reason == "0000000000 asks for v2: change 7"


def test_a_promotion_tells_of_the_commit_with_which_its_version_came():
    """Not of the one that changed a setting where it came from."""
    setting = replace(deployment(3, 2, config={"size": 9}), commit="7" * 40)
    facts = recorded(2, record("sandbox", setting, deployment(2, 2), deployment(1, 1)), record("live", live(1, 1)))
    assert told(deploy_of(both(facts), "live")) == ("promotion", "v2 completed in sandbox", f"{2:040x}", "reconciler")


def test_a_season_tells_of_the_commit_with_which_its_version_came():
    """Not of a newer one, which has not come so far."""
    sale = season("sale", "2026-06-01T13:00", "2026-06-01T22:00", config={"a": 1})
    setting = replace(live(2, 1, config={"size": 9}), commit="7" * 40)
    facts = recorded(2, record("sandbox", deployment(1, 1)), record("live", setting, live(1, 1)))
    shop = app(environments={"sandbox": {}, "live": {"config": {"size": 9}}})
    deploy = deploy_of(planned(shop, facts, at(9), PLACES, [sale]), "live")
    assert told(deploy) == ("season-start", "sale begins: v1", f"{1:040x}", "reconciler")
    special = season("special", "2026-06-01T13:00", "2026-06-01T22:00", version="v5")
    known = replace(facts, references={"v5": version(5).id})
    deploy = deploy_of(planned(shop, known, at(9), PLACES, [special]), "live")
    assert told(deploy) == ("season-start", "special begins: v5", f"{5:040x}", "reconciler")


def test_what_stands_in_for_a_newer_version_is_not_told_by_that_ones_message():
    """The newest content went wrong here after it had run well, and nobody but the reconciler goes back."""
    bad = suspicion(TWO, deployment(2, 2))
    deploy = deploy_of(alone(recorded(2, record("sandbox", deployment(2, 2), deployment(1, 1), suspicions=bad))))
    assert (deploy.reason, deploy.commit) == ("back to v1, which ran well here before", f"{1:040x}")


def test_what_stays_is_not_told_by_the_message_of_the_settings():
    """What was on its way in was given up, and nothing in line is left: what was here comes back."""
    given_up = live(2, 2, "aborted")
    above = record("sandbox", deployment(3, 2, grounds=Grounds(chosen_by="season")))
    facts = recorded(2, above, record("live", given_up, live(1, 1), touch=OPS))
    deploy = deploy_of(both(facts), "live")
    assert (deploy.reason, deploy.commit) == ("back to v1, which ran well here before", f"{1:040x}")
    assert [part.version for part in deploy.subject.traffic] == [ONE]
