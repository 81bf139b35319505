"""Gates, freezes, trains and experiments: a real repository, a real store, real files, and a clock that is turned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.output import Standing
from reconciler.store import due, gates
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from tests.world import World, app_manifest, season_manifest


def places(**live: Any) -> str:
    """Two environments; `live` has these settings besides."""
    documents = [
        {"metadata": {"name": "sandbox"}, "spec": {"track": "latest"}},
        {"metadata": {"name": "live"}, "spec": {"track": "sandbox", **live}},
    ]
    head = {"apiVersion": "reconciler/v1", "kind": "Environment"}
    return "\n---\n".join(
        json.dumps({**head, **one, "spec": {**one["spec"], "target": target(one["metadata"]["name"])}})
        for one in documents
    )


def target(name: str) -> dict[str, str]:
    return {"type": "directory", "path": f"releases/{name}"}


def freeze(name: str = "stock", **spec: Any) -> str:
    given = {"environments": ["live"], "timezone": "UTC", "reason": "stock-taking", **spec}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "Freeze", "metadata": {"name": name}, "spec": given})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    return World(tmp_path)


def begin(world: World, **live: Any) -> None:
    """Version 1 runs in both environments; then live gets its settings."""
    shop = app_manifest(environments=["sandbox", "live"])
    world.commit("Begin", {"environments.yaml": places(), "shop.yaml": shop, "shop/index.html": "one"})
    world.settle()
    world.commit("Rules for live", {"environments.yaml": places(**live)})
    world.settle()
    assert world.runs("live") == "one"


def publish(world: World, text: str, message: str | None = None) -> str:
    made = world.commit(message or f"Say {text}", {"shop/index.html": text})
    world.settle()
    return made


def standing(world: World, environment: str = "live") -> Standing:
    with world.running() as found, found.database.read() as connection:
        picture = next(pictures(connection, ["shop"], world.now))
        return next(one for one in standings(picture, world.now) if one.environment == environment)


def approve(world: World, actor: str, role: str | None = None) -> None:
    waiting = next(one for one in standing(world).waiting if one.id)
    with world.running() as found, found.database.write() as transaction:
        row = gates.asked(transaction.connection, waiting.id or "")[0]
        gates.approve(transaction, row.app, row.environment, row.key, actor, role, "looked at it", world.now)
        due.mark(transaction, [row.app], world.now)
    world.settle()


def test_a_soak_is_waited_for_and_a_newer_version_does_not_restart_it(world: World):
    begin(world, gates={"soak": "1h"})
    publish(world, "two")
    world.later(minutes=40)
    publish(world, "three")
    assert (world.runs("sandbox"), world.runs("live")) == ("three", "one")
    world.later(minutes=20)
    world.settle()
    assert world.runs("live") == "two"
    world.later(minutes=40)
    world.settle()
    assert world.runs("live") == "three"


def test_a_version_every_second_for_half_a_minute_still_promotes_with_a_soak_of_five(world: World):
    begin(world, gates={"soak": "5s"})
    with world.running() as found:
        for second in range(30):
            world.commit(f"Say {second}", {"shop/index.html": str(second)})
            found.daemon.settle()
            world.later(seconds=1)
            found.daemon.settle()
            if second >= 10:
                assert int(world.runs("live") or 0) == second - 4
    promoted = [numbers for cause, _, numbers in world.story("live") if cause == "promotion"]
    assert len(promoted) >= 20


def test_an_approval_lets_in_exactly_what_was_approved(world: World):
    begin(world, gates={"approvals": 2})
    publish(world, "two")
    assert [one.waits_for for one in standing(world).waiting] == ["approval"]
    approve(world, "bob@example.com")
    approve(world, "bob@example.com")
    assert world.runs("live") == "one"
    approve(world, "eve@example.com")
    assert world.runs("live") == "two"


def test_an_approval_does_not_count_once_the_plan_has_changed(world: World):
    begin(world, gates={"approvals": 1})
    publish(world, "two")
    key = standing(world).waiting[0].id
    shop = app_manifest(environments={"sandbox": {}, "live": {"config": {"colour": "blue"}}})
    world.commit("Blue", {"shop.yaml": shop})
    world.settle()
    assert world.facts("live")["config"] == {"colour": "blue"}  # settings need no approval
    changed = standing(world).waiting[0].id
    assert changed != key
    with world.running() as found, found.database.write() as transaction:
        row = gates.asked(transaction.connection, key or "")[0]
        gates.approve(transaction, "shop", "live", row.key, "bob@example.com", None, "", world.now)
        due.mark(transaction, ["shop"], world.now)
    world.settle()
    assert world.runs("live") == "one"
    approve(world, "bob@example.com")
    assert world.runs("live") == "two"


def test_the_author_cannot_approve_his_own_version(world: World):
    begin(world, gates={"approvals": 1})
    publish(world, "two")
    author = world.versions()[-1].author.email
    approve(world, author.upper())
    assert world.runs("live") == "one"


def test_what_was_approved_stays_approved_when_a_revert_is_reverted(world: World):
    begin(world, gates={"approvals": 1})
    bad = publish(world, "two")
    approve(world, "bob@example.com")
    world.repo.git("revert", "--no-edit", bad)
    world.repo.push()
    world.settle()
    assert world.runs("live") == "one"
    world.repo.git("revert", "--no-edit", "HEAD")
    world.repo.push()
    world.settle()
    assert world.runs("live") == "two"


def test_a_freeze_holds_promotions_back_and_ends_without_a_push(world: World):
    begin(world)
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    publish(world, "two")
    assert (world.runs("sandbox"), world.runs("live")) == ("two", "one")
    assert [one.waits_for for one in standing(world).waiting] == ["freeze"]
    world.later(hours=6)
    world.settle()
    assert world.runs("live") == "two"


def test_a_freeze_that_is_taken_out_of_git_lets_go_at_once(world: World):
    begin(world)
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    publish(world, "two")
    world.commit("No freeze", {"freeze.yaml": None})
    world.settle()
    assert world.runs("live") == "two"


def test_a_revert_in_a_freeze_goes_back_at_once(world: World):
    begin(world)
    bad = publish(world, "two")
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    world.settle()
    assert world.runs("live") == "two"
    world.repo.git("revert", "--no-edit", bad)
    world.repo.push()
    world.settle()
    assert world.runs("live") == "one"


def test_a_commit_overrides_a_freeze_with_its_reason_in_the_record(world: World):
    begin(world)
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    publish(world, "two", "Mend the tills\n\nFreeze-Override: the tills are wrong")
    assert world.runs("live") == "two"
    with world.running() as found, found.database.read() as connection:
        from reconciler.store import deployments

        last = deployments.listed(connection, deployments.Filter(app="shop", environment="live", limit=1))[0]
        said = [event.message for event in deployments.events(connection, last.id)]
    assert any("the tills are wrong" in message for message in said)


@pytest.mark.parametrize(
    ("on_freeze", "inside", "after"), [("apply", "sale", "sale"), ("wait", None, "sale"), ("skip", None, None)]
)
def test_a_season_that_starts_in_a_freeze_does_as_it_says(world: World, on_freeze: str, inside: Any, after: Any):
    begin(world)
    sale = season_manifest(
        "sale", "2026-06-01T14:00", "2026-06-02T14:00", config={"theme": "sale"}, on_freeze=on_freeze
    )
    frozen = freeze(**{"from": "2026-06-01T13:00", "until": "2026-06-01T18:00"})
    world.commit("A sale, and a freeze", {"sale.yaml": sale, "freeze.yaml": frozen})
    world.settle()
    world.later(hours=3)
    world.settle()
    assert world.facts("live")["config"].get("theme") == inside
    world.later(hours=4)
    world.settle()
    assert world.facts("live")["config"].get("theme") == after


def test_a_train_takes_what_is_ready_and_a_train_with_nothing_to_take_does_nothing(world: World):
    begin(world, when={"cron": "0 15 * * *", "timezone": "UTC"})
    publish(world, "two")
    assert (world.runs("live"), standing(world).waiting[0].waits_for) == ("one", "train")
    world.later(hours=3)
    world.settle()
    assert world.runs("live") == "two"
    world.later(days=1)
    world.settle()
    assert len(world.story("live")) == 2


def test_a_train_that_was_missed_while_nobody_ran_is_caught_up_and_its_lateness_recorded(world: World):
    begin(world, when={"cron": "0 15 * * *", "timezone": "UTC"})
    publish(world, "two")
    world.later(hours=5)
    world.settle()
    assert world.runs("live") == "two"
    assert world.history(environment="live")[-1].late_by_seconds == 2 * 3600


def test_an_experiment_holds_its_split_and_promotions_wait(world: World):
    begin(world)
    publish(world, "two")
    trial = {"control": "v1", "variant": "v2", "percent": 20, "until": "2026-06-01T20:00:00Z"}
    shop = app_manifest(environments={"sandbox": {}, "live": {"experiment": trial}})
    world.commit("Try two", {"shop.yaml": shop})
    publish(world, "three")
    split = json.loads((world.released("live").parent / "traffic.json").read_text())
    assert {part["number"]: part["percent"] for part in split} == {1: 80, 2: 20}
    assert [one.waits_for for one in standing(world).waiting] == ["experiment"]
    world.later(hours=8)
    world.settle()
    assert world.runs("live") == "one"  # the control, until a commit picks the winner


def test_an_environment_whose_target_changes_is_released_to_the_new_place(world: World):
    begin(world)
    elsewhere = places().replace("releases/live", "releases/elsewhere")
    world.commit("Move", {"environments.yaml": elsewhere})
    world.settle()
    assert world.runs("elsewhere") == "one"
    assert world.history(environment="live")[-1].reason.startswith("the target of live changed")
    count = len(world.history())
    world.settle()
    assert len(world.history()) == count


def test_what_a_merged_pull_request_says_counts_like_the_commit_itself(world: World):
    begin(world)
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    world.settle()
    world.repo.git("checkout", "-q", "-b", "mend")
    world.commit("Mend the tills\n\nFreeze-Override: the tills are wrong", {"shop/index.html": "two"}, push=False)
    world.repo.git("checkout", "-q", "main")
    world.repo.git("merge", "-q", "--no-ff", "--no-edit", "mend")
    world.repo.push()
    world.settle()
    assert world.runs("live") == "two"


def test_who_wrote_what_is_merged_does_not_count_and_names_are_told_by_address(world: World):
    begin(world, gates={"approvals": 2})
    world.repo.git("checkout", "-q", "-b", "work")
    world.repo.write({"shop/index.html": "two"}).git("add", "-A")
    world.repo.git("commit", "-q", "-m", "Say two", "--author", "Zoe <zoe@example.com>")
    world.repo.git("checkout", "-q", "main")
    world.repo.git("merge", "-q", "--no-ff", "--no-edit", "work")
    world.repo.push()
    world.settle()
    for actor in ("zoe@example.com", "Zoe <zoe@example.com>", "bob@example.com", "Bob <BOB@example.com>"):
        approve(world, actor)
    assert world.runs("live") == "one"
    approve(world, "eve@example.com")
    assert world.runs("live") == "two"


def test_a_check_that_cannot_tell_about_one_version_lets_newer_ones_be_checked(world: World):
    unsure = {"name": "smoke", "run": ["sh", "-c", "grep -q two index.html && exit 75; exit 0"]}
    begin(world, gates={"checks": [unsure]})
    publish(world, "two")
    assert (world.runs("live"), "cannot tell" in standing(world).waiting[0].detail) == ("one", True)
    publish(world, "three")
    assert world.runs("live") == "three"


def test_a_season_that_applies_in_freezes_reaches_what_runs_while_a_promotion_waits(world: World):
    begin(world)
    world.commit("Freeze", {"freeze.yaml": freeze(**{"from": "2026-06-01T12:00", "until": "2026-06-01T18:00"})})
    publish(world, "two")
    sale = season_manifest("sale", "2026-06-01T14:00", "2026-06-01T16:00", config={"theme": "sale"})
    world.commit("A sale", {"sale.yaml": sale})
    world.settle()
    world.later(hours=2)
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("one", {"theme": "sale"})
    world.later(hours=2)
    world.settle()
    assert (world.runs("live"), world.facts("live")["config"]) == ("one", {})
    world.later(hours=2)
    world.settle()
    assert world.runs("live") == "two"
