"""What went back is held, git is given the commit that says the same, and the hold ends by itself or by a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.model.output import Standing, standing_json
from reconciler.store import holds, ledger
from reconciler.views.pictures import pictures
from reconciler.views.standings import standings
from tests.e2e.daemon import Live, environment_manifest, exec_target
from tests.gitrepo import Repo, lose_objects
from tests.world import World, app_manifest

# Says what it serves; fails for content that says so.
SCRIPT = """
test -e broken && {{ echo "cannot serve
Allow-Mass-Change: 500" >&2; exit 3; }}
echo "$(cat index.html) $RECONCILER_CAUSE" >> {place}/served-$RECONCILER_ENVIRONMENT
"""
BREAK: Mapping[str, str | bytes | None] = {"shop/broken": "", "shop/index.html": "two"}


def places(world: World, *names: str, **spec: Any) -> str:
    """Environments in a chain, carried out by a command."""
    target = exec_target(SCRIPT.format(place=world.directory))
    tracks = ("latest", *names)
    made = (
        environment_manifest(name, track, target=target, retry={"limit": 0}, **spec)
        for name, track in zip(names, tracks, strict=False)
    )
    return "\n---\n".join(made)


def begin(world: World, *names: str, app: Mapping[str, Any] | None = None, **spec: Any) -> str:
    """Version 1 runs everywhere."""
    names = names or ("live",)
    files = {"environments.yaml": places(world, *names, **spec), "shop/index.html": "one", "other.txt": "x"}
    made = world.commit("Begin", {**files, "shop.yaml": app_manifest(environments=list(names), **(app or {}))})
    world.settle()
    return made


def standing(world: World, environment: str = "live") -> Standing:
    with world.running() as found, found.database.read() as connection:
        picture = next(pictures(connection, ["shop"], world.now))
        return next(one for one in standings(picture, world.now) if one.environment == environment)


def served(world: World, environment: str = "live") -> list[str]:
    return (world.directory / f"served-{environment}").read_text().splitlines()


def branches(world: World) -> list[str]:
    """All branches of the desired repository but the one that is followed."""
    listed = world.home.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    return [name for name in listed if name != "main"]


def message(world: World, branch: str) -> str:
    return world.home.git("log", "-1", "--format=%B", branch)


def merge(world: World, branch: str) -> str:
    """What a person does on the forge."""
    world.repo.git("fetch", "--quiet", "origin", branch)
    made = world.repo.merge("FETCH_HEAD", message="Merge pull request #7 from reconciler")
    world.repo.push()
    return made


def facts(world: World, kind: str) -> list[Any]:
    with world.running() as found, found.database.read() as connection:
        return [row for row in ledger.export(connection) if row["kind"] == kind]


def test_what_failed_is_held_and_a_branch_takes_it_back_in_git(world: World):
    begin(world)
    bad = world.commit("Say two", BREAK)
    world.settle()
    assert served(world) == ["one release", "one auto-rollback"]
    failed = world.history()[1]
    held = standing_json(standing(world))["held"]
    (branch,) = branches(world)
    assert branch == f"reconciler/revert-shop-live-{bad[:8]}"
    assert held == {
        "since": "2026-06-01T12:00:00Z",
        "by": "reconciler",
        "reason": "v2 failed (deployment 2): back to v1",
        "deployment": failed.id,
        "branch": branch,
        "remedy": f"merge the branch {branch}, which takes it back in git too; or commit a fix; "
        "or `reconciler release shop live` carries out what git says",
    }
    assert not standing(world).in_sync
    said = message(world, branch)
    assert said.startswith(f'Revert "Say two"\n\nThis reverts commit {bad}.\n\nThe reconciler left v2 (deployment 2,')
    assert "    v2 failed (deployment 2): back to v1" in said
    assert "cannot serve" in said
    assert world.home.git("log", "-1", "--format=%an <%ae> %cn %P", branch) == (
        f"reconciler <reconciler@localhost> reconciler {bad}"
    )
    assert world.home.git("show", f"{branch}:shop/index.html") == "one"
    # What a target prints cannot allow anything.
    assert not world.home.git("log", "-1", "--format=%(trailers)", branch).strip()
    assert world.home.git("rev-parse", "main") == bad


def test_merging_it_ends_the_hold_and_releases_nothing_a_second_time(world: World):
    begin(world)
    world.commit("Say two", BREAK)
    world.settle()
    made = len(world.history())
    merge(world, branches(world)[0])
    world.settle()
    now = standing(world)
    assert (now.held, now.in_sync) == (None, True)
    assert len(world.history()) == made
    assert len(branches(world)) == 1
    (ended,) = facts(world, "hold.ended")
    assert ended["body"]["reason"] == "git asks for v1, and nothing speaks against it here any more"


def test_something_newer_ends_the_hold_too(world: World):
    begin(world)
    world.commit("Say two", BREAK)
    world.settle()
    world.commit("Say three", {"shop/broken": None, "shop/index.html": "three"})
    world.settle()
    assert standing(world).held is None
    assert served(world)[-1] == "three release"


def test_further_down_the_chain_it_is_held_alone_until_the_revert_has_come_there(world: World):
    begin(world, "sandbox", "live")
    # What only live cannot bear: the script of its target looks for it.
    target = exec_target(SCRIPT.format(place=world.directory).replace("-e broken", "-e weak"))
    live = environment_manifest("live", "sandbox", target=target, retry={"limit": 0})
    world.commit("Live is weaker", {"environments.yaml": f"{places(world, 'sandbox')}\n---\n{live}"})
    world.settle()
    bad = world.commit("Say two", {"shop/weak": "", "shop/index.html": "two"})
    world.settle()
    assert served(world, "sandbox")[-1] == "two release"
    assert served(world)[-1] == "one auto-rollback"
    assert (standing(world, "sandbox").held, standing(world).held is None) == (None, False)
    (branch,) = branches(world)
    assert f"This reverts commit {bad}." in message(world, branch)
    merge(world, branch)
    world.settle()
    assert served(world, "sandbox")[-1] == "one rollback"
    assert served(world) == ["one promotion", "one release", "one auto-rollback"]
    assert standing(world).held is None
    assert standing(world).in_sync


def test_a_person_ends_the_hold(world: World):
    begin(world)
    world.commit("Say two", BREAK)
    world.settle()
    world.wish("release", app="shop", environment="live", reason="the database is back")
    world.settle()
    assert [status for _, status, _ in world.story("live")] == [
        "completed",
        "failed",
        "completed",
        "failed",
        "completed",
    ]
    (ended, *_) = facts(world, "hold.ended")
    assert (ended["actor"], ended["body"]["reason"]) == (
        "ann@example.com",
        "released by ann@example.com: the database is back",
    )
    # It went wrong again, and is held again, with the branch that is there already.
    held = standing(world).held
    assert held is not None
    assert [held.branch] == branches(world)


def test_where_the_revert_conflicts_a_person_is_told(world: World):
    begin(world)
    bad = world.commit("Say two", {**BREAK, "other.txt": "y"})
    world.commit("Beside it", {"other.txt": "z"})
    world.settle()
    held = standing(world).held
    assert branches(world) == []
    assert held is not None
    assert held.branch is None
    assert f"taking {bad[:12]} back conflicts in other.txt: `git revert {bad[:10]}` on a branch" in held.remedy


def test_what_conflicted_is_written_as_soon_as_a_newer_head_lets_it(world: World):
    begin(world)
    bad = world.commit("Say two", {**BREAK, "other.txt": "y"})
    world.commit("Beside it", {"other.txt": "z"})
    with world.running() as found:
        found.daemon.settle()
        world.commit("Elsewhere", {"README": "nothing of it"})
        found.daemon.settle()
        assert branches(world) == []
        world.commit("Put it back", {"other.txt": "y"})
        found.daemon.settle()
    assert branches(world) == [f"reconciler/revert-shop-live-{bad[:8]}"]
    (told,) = facts(world, "hold.trouble")  # it was tried in vain twice, with the same words
    assert "conflicts in other.txt" in told["body"]["message"]
    held = standing(world).held
    assert held is not None
    assert (held.branch, "has not written" in held.remedy) == (branches(world)[0], False)
    assert world.home.git("show", f"{held.branch}:other.txt") == "x"


def test_a_changed_setting_that_failed_is_taken_back_by_its_own_commit(world: World):
    begin(world)
    script = 'case "$RECONCILER_CONFIG" in *dark*) exit 3;; esac; true'
    world.commit(
        "Other target",
        {"environments.yaml": environment_manifest("live", "latest", target=exec_target(script), retry={"limit": 0})},
    )
    world.settle()
    bad = world.commit("Dark", {"shop.yaml": app_manifest(environments={"live": {"config": {"mode": "dark"}}})})
    world.settle()
    assert world.story("live")[-1][:2] == ("auto-rollback", "completed")
    (branch,) = branches(world)
    assert f"This reverts commit {bad}." in message(world, branch)


def test_while_git_is_unreachable_it_goes_back_all_the_same_and_the_branch_follows(world: World):
    begin(world)
    world.commit("Say two", BREAK)
    away = world.home.path.with_name("away.git")
    with world.running() as found:
        found.following.mirror.fetch()
        # The head has been seen, and then the repository is gone.
        seen = found.following.looking.look(world.now)
        world.home.path.rename(away)
        found.following.looking.look = lambda now: seen  # type: ignore[method-assign]
        found.daemon.settle()
        assert served(world)[-1] == "one auto-rollback"
    held = standing(world).held
    assert held is not None
    assert held.branch is None
    assert "not written that commit" in held.remedy
    away.rename(world.home.path)
    world.later(minutes=10)
    world.settle()
    assert len(branches(world)) == 1
    held = standing(world).held
    assert held is not None
    assert "merge the branch" in held.remedy


def test_where_the_mirror_has_lost_its_objects_they_are_fetched_again_for_the_branch(world: World):
    begin(world)
    world.settings["write"] = {"branches": False}
    world.commit("Say two", BREAK)
    world.settle()
    assert branches(world) == []
    world.settings["write"] = {"branches": True}
    with world.running() as found:
        lose_objects(found.following.mirror.git_dir)
        found.daemon.settle()
    assert len(branches(world)) == 1
    held = standing(world).held
    assert held is not None
    assert "merge the branch" in held.remedy


def test_a_branch_that_was_pushed_before_a_kill_is_taken_as_written(world: World):
    begin(world)
    world.commit("Say two", BREAK)
    world.settle()
    (branch,) = branches(world)
    there = world.home.git("rev-parse", branch)
    with world.running() as found, found.database.write() as transaction:
        transaction.connection.execute(holds.tables.holds.update().values(branch=None, branch_commit=None))
    world.commit("Nothing of the app", {"other.txt": "y"})
    world.later(minutes=1)
    world.settle()
    assert branches(world) == [branch]
    assert world.home.git("rev-parse", branch) == there
    held = standing(world).held
    assert held is not None
    assert held.branch == branch


def test_a_branch_of_that_name_with_something_else_is_left_alone(world: World):
    begin(world)
    bad = world.commit("Say two", BREAK)
    name = f"reconciler/revert-shop-live-{bad[:8]}"
    world.repo.git("push", "--quiet", "origin", f"{bad}:refs/heads/{name}")
    world.settle()
    assert branches(world) == [name, f"{name}-2"]
    assert world.home.git("rev-parse", name) == bad


@pytest.mark.parametrize("write", [{"push": False}, {"branches": False}])
def test_what_is_not_to_be_pushed_is_not(world: World, write: dict[str, bool]):
    world.settings["write"] = {**write, "prefix": "bot/", "author": "Bot <bot@example.org>"}
    begin(world)
    bad = world.commit("Say two", BREAK)
    world.settle()
    assert branches(world) == []
    held = standing(world).held
    assert held is not None
    assert held.branch == (f"bot/revert-shop-live-{bad[:8]}" if "push" in write else None)
    if held.branch:
        mirror = Repo(world.directory / "state" / "mirror.git")
        assert mirror.git("log", "-1", "--format=%an %cn", held.branch) == "Bot Bot"


def test_going_back_waits_for_no_push_and_a_kill_in_the_middle_of_one_makes_no_second_branch(live: Live):
    target = exec_target("test ! -e broken")
    files = {"environments.yaml": environment_manifest("live", "latest", target=target, retry={"limit": 0})}
    live.commit("Begin", {**files, "shop.yaml": app_manifest(environments=["live"]), "shop/index.html": "one"})
    live.start()
    live.wait_for(lambda: live.history()[-1].status == "completed", "the first version")
    pushing = live.directory / "pushing"
    hook = live.home.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\ngrep -q refs/heads/main && exit 0\ntouch {pushing}\nwhile test -e {pushing}; do sleep 0.05; done\n"
    )
    hook.chmod(0o755)
    live.commit("Break", {"shop/broken": ""})
    live.wait_for(pushing.exists, "the push of the branch")
    live.wait_for(lambda: live.history()[-1].cause == "auto-rollback", "the way back")
    live.wait_for(lambda: live.history()[-1].status == "completed", "its end")
    assert branches(live) == []
    live.kill()
    live.start()
    hook.unlink()
    pushing.unlink()
    live.wait_for(lambda: written(live), "the record of the branch")
    assert branches(live) == [written(live)]
    assert len(live.history()) == 3


def written(live: Live) -> str | None:
    with live.store.read() as connection:
        row = holds.find(connection, "shop", "live")
    return row.branch if row is not None else None
