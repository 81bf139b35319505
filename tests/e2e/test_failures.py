"""What happens when a target fails: other attempts, then back to the last good one, or a person's word?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.wishes import stopping
from tests import stores
from tests.e2e.daemon import Live, environment_manifest, exec_target, plan_now, refused, waiting
from tests.world import World, app_manifest

# Says what it deploys into a file; fails for content that says so, and asks for patience while a file is there.
SCRIPT = """
test -e {place}/later && exit 75
test -e broken && {{ echo "cannot serve $RECONCILER_VERSION_NUMBER" >&2; exit 3; }}
echo "$RECONCILER_VERSION_NUMBER $RECONCILER_CAUSE" >> {place}/served
"""


def begin(world: World, text: dict[str, str | bytes | None] | None = None, **spec: Any) -> None:
    """The app in one environment, carried out by a command."""
    retry = {"limit": 2, "backoff": "10s"}
    target = exec_target(SCRIPT.format(place=world.directory))
    files: dict[str, str | bytes | None] = {
        "environments.yaml": environment_manifest("live", "latest", target=target, **{"retry": retry, **spec}),
        "shop.yaml": app_manifest(environments=["live"]),
        "shop/index.html": "one",
        **(text or {}),
    }
    world.commit("Begin", files)


def pass_on(world: World, *seconds: float) -> None:
    """Settle, and again after each of these times."""
    world.settle()
    for passed in seconds:
        world.later(seconds=passed)
        world.settle()


def served(world: World) -> list[str]:
    place = Path(world.directory / "served")
    return place.read_text().splitlines() if place.exists() else []


def test_a_failing_command_is_tried_again_with_growing_pauses_and_then_rolled_back(world: World) -> None:
    begin(world)
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    world.settle()
    ((what, detail),) = waiting(world, "live")
    assert what == "retry"
    assert "attempt 1 of deployment 2 failed" in detail
    assert world.history()[-1].next_attempt_at == world.now + timedelta(seconds=10)
    pass_on(world, 9)
    assert world.history()[-1].attempts == 1
    pass_on(world, 1)
    assert world.history()[-1].next_attempt_at == world.now + timedelta(seconds=20)
    pass_on(world, 20)
    assert world.story("live") == [
        ("release", "completed", [1]),
        ("release", "failed", [2]),
        ("auto-rollback", "completed", [1]),
    ]
    failed, back = world.history()[1:]
    assert failed.error is not None
    assert "3" in failed.error
    assert back.rolled_back_from == failed.id
    assert back.reason == "v2 failed (deployment 2): back to v1"
    assert served(world) == ["1 release", "1 auto-rollback"]
    ((rule, said),) = refused(world, "live")
    assert rule == "suspect"
    assert f"reconciler retry {failed.id}" in said
    # Nothing tries it again by itself, and a fix needs nobody's leave.
    pass_on(world, 86_400)
    assert len(world.history()) == 3
    world.commit("Fix", {"shop/broken": None, "shop/index.html": "fixed"})
    world.settle()
    assert world.story("live")[-1] == ("release", "completed", [3])


def test_a_first_release_that_fails_goes_back_to_nothing(world: World) -> None:
    begin(world, {"shop/broken": ""})
    pass_on(world, 10, 20, 3600)
    assert world.story("live") == [("release", "failed", [1])]
    assert served(world) == []
    world.commit("Fix", {"shop/broken": None})
    world.settle()
    assert world.story("live")[-1] == ("release", "completed", [2])


def test_where_failures_are_held_nothing_follows_until_a_person_speaks(world: World) -> None:
    begin(world, on_failure="hold", retry={"limit": 0})
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    pass_on(world, 3600)
    assert world.story("live") == [("release", "completed", [1]), ("release", "failed", [2])]
    assert refused(world, "live")[0][0] == "suspect"


def test_a_persons_retry_is_a_new_deployment(world: World) -> None:
    begin(world, retry={"limit": 0})
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    world.settle()
    failed = world.history()[1]
    world.wish("retry", app="shop", environment="live", subject=failed.id)
    world.settle()
    assert [cause for cause, _, _ in world.story("live")] == [
        "release",
        "release",
        "auto-rollback",
        "retry",
        "auto-rollback",
    ]
    retried = world.history()[3]
    assert (retried.deployed_by, retried.status) == ("ann@example.com", "failed")
    assert "ann@example.com asked to try deployment 2 again" in retried.reason


def test_a_person_need_not_wait_for_the_next_attempt(world: World) -> None:
    begin(world)
    (world.directory / "later").touch()
    world.settle()
    assert waiting(world, "live")[0][0] == "retry"
    (world.directory / "later").unlink()
    world.settle()
    assert served(world) == []
    (put_off,) = world.history()
    with world.running() as found:
        with found.database.write() as transaction:
            recorded = stopping.retry(transaction, put_off.id, actor="ann@example.com", now=world.now)
        assert recorded.detail == "the next attempt at deployment 1 of shop in live is made now"
    world.settle()
    assert served(world) == ["1 release"]
    assert world.story("live") == [("release", "completed", [1])]
    world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert world.story("live")[1:] == [("release", "completed", [2])]


def test_a_commit_may_allow_what_failed_before(world: World) -> None:
    begin(world, retry={"limit": 0})
    world.settle()
    world.commit("Needs the database", {"shop/broken": ""})
    world.settle()
    assert world.story("live")[-1] == ("auto-rollback", "completed", [1])
    world.commit("The database is there\n\nAllow-Suspect: shop/live", {"README.md": "now"})
    world.settle()
    assert [status for _, status, numbers in world.story("live") if numbers == [2]] == ["failed", "failed"]


def test_try_again_later_is_no_failure(world: World) -> None:
    (world.directory / "later").touch()
    begin(world, retry={"limit": 0, "backoff": "10s"})
    pass_on(world, 10, 10, 20)
    assert world.story("live") == [("release", "started", [1])]
    (world.directory / "later").unlink()
    pass_on(world, 600)
    assert world.story("live") == [("release", "completed", [1])]
    assert served(world) == ["1 release"]


def test_a_newer_commit_does_not_wait_for_the_attempts_of_an_older_one(world: World) -> None:
    begin(world)
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    world.settle()
    world.commit("Fix", {"shop/broken": None, "shop/index.html": "fixed"})
    world.settle()
    assert world.story("live") == [
        ("release", "completed", [1]),
        ("release", "aborted", [2]),
        ("release", "completed", [3]),
    ]


def test_a_failure_upstream_is_never_promoted(world: World) -> None:
    target = exec_target(SCRIPT.format(place=world.directory))
    begin(world, retry={"limit": 0})
    world.commit(
        "Two environments",
        {
            "sandbox.yaml": environment_manifest("sandbox", "latest", target=target, retry={"limit": 0}),
            "environments.yaml": environment_manifest("live", "sandbox"),
            "shop.yaml": app_manifest(environments=["sandbox", "live"]),
        },
    )
    world.settle()
    world.commit("Break", {"shop/broken": ""})
    world.settle()
    assert world.story("sandbox")[-1] == ("auto-rollback", "completed", [1])
    assert [numbers for _, _, numbers in world.story("live")] == [[1]]


def test_secrets_and_output_of_a_failing_command_are_told_without_the_secret(typed: Live, monkeypatch: Any) -> None:
    monkeypatch.setenv("SHOP_KEY", "s3cr3t-value")
    target = exec_target('echo "key is $API_KEY" >&2; exit 3')
    typed.commit(
        "Begin",
        {
            "environments.yaml": environment_manifest("live", "latest", target=target, retry={"limit": 0}),
            "shop.yaml": app_manifest(environments=["live"], secrets=[{"name": "API_KEY", "from": "env:SHOP_KEY"}]),
            "shop/index.html": "one",
        },
    )
    typed.start()
    typed.wait_for(lambda: typed.story("live") == [("release", "failed", [1])], "the release has failed")
    typed.terminate()
    store = stores.content(typed.settings["state"]["url"])
    assert b"key is " in store
    assert b"s3cr3t-value" not in store
    assert "s3cr3t-value" not in typed.log
    assert plan_now(typed).actions == ()


def failing(world: World, **spec: Any) -> None:
    """Version 1 runs; version 2 fails at every attempt, and what ran before is put back."""
    target = {"type": "exec", "command": ["sh", "-c", "! grep -q bad index.html"]}
    live = environment_manifest("live", "latest", target=target, retry={"limit": 2, "backoff": "1s"}, **spec)
    files = {"live.yaml": live, "shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"}
    world.commit("Begin", files)
    world.settle()
    world.commit("Say bad", {"shop/index.html": "bad"})
    settled(world)
    assert world.story("live")[1:] == [("release", "failed", [2]), ("auto-rollback", "completed", [1])]


def settled(world: World) -> None:
    for _ in range(8):
        world.settle()
        world.later(seconds=5)


def test_a_retry_that_fails_has_all_its_attempts_and_then_goes_back_in_true_words(world: World) -> None:
    failing(world)
    world.wish("retry", app="shop", environment="live", subject=world.history()[1].id)
    settled(world)
    assert world.story("live")[3:] == [("retry", "failed", [2]), ("auto-rollback", "completed", [1])]
    assert "v2 failed" in world.history()[-1].reason


def test_a_way_back_that_failed_is_tried_again_when_a_person_asks(world: World) -> None:
    marker = world.directory / "stop"
    target = {"type": "exec", "command": ["sh", "-c", f"test ! -e {marker} && ! grep -q bad index.html"]}
    live = environment_manifest("live", "latest", target=target, retry={"limit": 0, "backoff": "1s"})
    files = {"live.yaml": live, "shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"}
    world.commit("Begin", files)
    world.settle()
    marker.touch()
    world.commit("Say bad", {"shop/index.html": "bad"})
    settled(world)
    assert world.story("live")[1:] == [("release", "failed", [2]), ("auto-rollback", "failed", [1])]
    marker.unlink()
    world.wish("retry", app="shop", environment="live", subject=world.history()[-1].id)
    settled(world)
    assert world.story("live")[3:] == [("retry", "completed", [1])]


def test_other_rules_for_an_environment_are_no_word_about_what_failed_there(world: World) -> None:
    failing(world)
    target = {"type": "exec", "command": ["sh", "-c", "! grep -q bad index.html"]}
    rules = {"retry": {"limit": 2, "backoff": "1s"}, "concurrency": 3}
    world.commit("More at once", {"live.yaml": environment_manifest("live", "latest", target=target, **rules)})
    settled(world)
    assert len(world.story("live")) == 3


def test_another_try_of_a_way_back_waits_for_no_freeze_and_no_gate(world: World) -> None:
    down = world.directory / "down"
    script = (
        f'test -e {down} && exit 3; echo "$RECONCILER_VERSION_NUMBER $RECONCILER_CAUSE" >> {world.directory}/served'
    )
    place = {"target": exec_target(script), "retry": {"limit": 0}}
    text = {"shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"}
    world.commit("Begin", {"environments.yaml": environment_manifest("live", "latest", **place), **text})
    world.settle()
    world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    stock = {"environments": ["live"], "from": "2026-06-01T00:00", "until": "2026-07-01T00:00", "timezone": "UTC"}
    frozen = {"apiVersion": "reconciler/v1", "kind": "Freeze", "metadata": {"name": "stock"}}
    gated = environment_manifest("live", "latest", **place, gates={"approvals": 1})
    frozen["spec"] = {**stock, "reason": "stock-taking"}
    world.commit("Stock-taking", {"environments.yaml": gated, "freeze.yaml": json.dumps(frozen)})
    down.touch()
    world.commit("Back", {"shop.yaml": app_manifest(environments={"live": {"version": "v1"}})})
    world.settle()
    failed = world.history()[-1]
    assert (failed.cause, failed.status) == ("rollback", "failed")
    down.unlink()
    world.wish("retry", app="shop", environment="live", subject=failed.id)
    world.settle()
    assert served(world) == ["1 release", "2 release", "1 retry"]
    assert world.history()[-1].rolled_back_from == failed.rolled_back_from
