"""Does the command line write the commit that a person asks for, onto the right branch, and nothing else anywhere?"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.config import SETTINGS
from reconciler.drafting.workplaces import workplace
from reconciler.errors import NotSo
from reconciler.git.signatures import Person, Signature
from reconciler.git.writing import commit_files
from tests.commands import Done, Told, typed
from tests.gitrepo import Repo
from tests.integration.test_git_remote import PASSWORD, Backend
from tests.world import app_manifest

WHO = ["--actor", "grace@example.org"]
ENVIRONMENTS = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, target: {type: directory, path: releases/sandbox}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec: {track: sandbox, target: {type: directory, path: releases/live}, gates: {approvals: 1}}
"""
FREEZE = """\
---
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: fair}
spec: {environments: [live], from: "2026-01-01", until: "2100-01-01", timezone: UTC, reason: the fair}
"""
# Several documents, other YAML, comments, odd spaces, and lines that end as on Windows.
MANIFEST = """\
# Who asks for what
kind: Something else
---
apiVersion: reconciler/v1
kind: App   # the shop
metadata: {name: shop}
spec:
  bundle: shop
  environments: [sandbox, 'live']  # in this order
---
apiVersion: reconciler/v1
kind: App
metadata: {name:  other}
spec: {bundle: other, environments: [sandbox]}
""".replace("\n", "\r\n")


def released(tmp_path: Path) -> Told:
    """Version 1 of `shop` in both environments; 2 in the sandbox, and waiting for an approval in front of live."""
    made = Told(tmp_path)
    plain = ENVIRONMENTS.replace(", gates: {approvals: 1}", "")
    pages: dict[str, str | bytes | None] = {"shop/index.html": "one", "other/index.html": "one"}
    made.commit("Begin", {"environments.yaml": plain, "apps.yaml": MANIFEST.encode(), **pages})
    made.settle()
    made.commit("Ask before live", {"environments.yaml": ENVIRONMENTS})
    made.commit("Two", {"shop/index.html": "two"})
    made.settle()
    return made


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """A version that waits for its approval."""
    return released(tmp_path)


def promote(told: Told, *words: object, at: Path | None = None) -> Done:
    return typed(
        "promote", "shop", *words, *WHO, "--config", told.directory / "reconciler.yaml", at=at or told.directory
    )


def promoted(told: Told, *words: object, at: Path | None = None) -> Any:
    done = promote(told, *words, "-o", "json", at=at)
    assert done.status == 0, done.err
    return done.json


def branches(repo: Repo) -> list[str]:
    """Branches besides the one that is followed."""
    listed = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    return [name for name in listed if name != repo.branch_name]


def merge(told: Told, branch: str, *options: str) -> None:
    """What a forge does with a pull request of this branch."""
    told.repo.git("fetch", "--quiet", "origin", f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    told.repo.git("merge", "--quiet", *(options or ("--no-ff", "--no-edit")), f"origin/{branch}")
    told.repo.push()
    told.settle()


def state(repo: Repo) -> list[str]:
    """What a person sees of his checkout; nothing of it may change."""
    index = (repo.path / ".git" / "index").read_bytes().hex()
    return [repo.git("status", "--porcelain"), repo.head, repo.git("symbolic-ref", "HEAD"), repo.git("diff"), index]


def test_what_completed_upstream_is_promoted_onto_a_branch_of_its_own(told: Told) -> None:
    before = told.home.head
    found = promoted(told, "--to", "live")
    assert found["branch"] == "reconciler/promote-shop-live-v2"
    assert (found["base"], told.home.head, found["pushed"]) == (before, before, False)
    assert told.home.git("rev-parse", f"{found['branch']}~1", found["branch"]).split() == [before, found["commit"]]
    said = told.home.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%s", found["branch"])
    assert said == "grace <grace@example.org>|grace <grace@example.org>|Promote shop v2 to live"
    assert [one["subject"] for one in found["commits"]] == ["Two"]
    (then,) = found["then"]
    assert (then["environment"], then["does"], then["by"]) == ("live", "waits", "approval")
    assert "completed in sandbox (deployment" in told.home.git("log", "-1", "--format=%b", found["branch"])


def test_only_the_entry_of_the_environment_changes_to_the_byte(told: Told) -> None:
    found = promoted(told, "--to", "live")
    changed = MANIFEST.replace("[sandbox, 'live']", "{sandbox: {}, 'live': {version: v2}}")
    shown = told.home.git("show", f"{found['branch']}:apps.yaml")
    assert shown == changed.removesuffix("\n")
    assert told.home.git("diff", "--name-only", "main", found["branch"]) == "apps.yaml"


def test_merged_and_approved_it_runs(told: Told) -> None:
    told.commit(
        "No more asking", {"environments.yaml": ENVIRONMENTS.replace(", gates: {approvals: 1}", "")}, push=False
    )
    told.repo.write({"shop/index.html": "three"}).commit("Three")
    told.repo.push()
    told.settle()
    merge(told, promoted(told, "--to", "live", "--version", "v1")["branch"])
    assert told.runs("live") == "one"
    again = promoted(told, "--to", "live", "--track")
    assert again["then"][0]["by"] == "promotion"
    merge(told, again["branch"])
    assert told.runs("live") == "three"


def test_a_dry_run_lists_the_commits_and_writes_nothing(told: Told) -> None:
    before = told.home.git("for-each-ref"), told.home.git("count-objects", "-v")
    found = promoted(told, "--to", "live", "--dry-run")
    assert (found["dry_run"], found["commit"], found["branch"]) == (True, None, "reconciler/promote-shop-live-v2")
    assert [one["subject"] for one in found["commits"]] == ["Two"]
    done = promote(told, "--to", "live", "--dry-run")
    assert "it includes 1 commit:" in done.out
    assert "waits for approval" in done.out
    assert "nothing was written" in done.out
    assert (told.home.git("for-each-ref"), told.home.git("count-objects", "-v")) == before


def test_in_a_clone_the_branch_is_made_there_and_the_work_is_left_alone(told: Told) -> None:
    stale = Repo.create(told.directory / "clone")
    stale.git("fetch", "--quiet", str(told.home.path), "main:refs/remotes/upstream/main")
    stale.git("remote", "add", "upstream", str(told.home.path))
    stale.git("checkout", "--quiet", "-b", "feature", "upstream/main")
    newest = told.commit("Not fetched there yet", {"notes.txt": "x"})
    stale.write({"apps.yaml": "half-written: [", "new.txt": "x"}).git("add", "new.txt")
    before, home = state(stale), told.home.git("for-each-ref")
    inside = stale.path / "shop"
    found = promoted(told, "--to", "live", at=inside)
    assert state(stale) == before
    assert told.home.git("for-each-ref") == home
    assert found["repository"] == str(stale.path)
    assert stale.git("rev-parse", f"{found['branch']}~1", found["branch"]).split() == [newest, found["commit"]]
    assert found["next"][0] == f"git push upstream {found['branch']}"
    told.home.git("fetch", "--quiet", str(stale.path), f"{found['branch']}:{found['branch']}")
    merge(told, found["branch"])


def test_a_checkout_of_something_else_is_not_written_to(told: Told) -> None:
    other = Repo.create(told.directory / "elsewhere")
    other.write({"apps.yaml": MANIFEST.encode(), "shop/index.html": "one"}).commit("Much the same")
    found = promoted(told, "--to", "live", at=other.path)
    assert found["repository"] == str(told.home.path)
    assert branches(other) == []


def test_pushed_it_lies_on_the_remote_too(told: Told) -> None:
    found = promoted(told, "--to", "live", "--push", at=told.repo.path)
    assert found["pushed"]
    for repo in (told.home, told.repo):
        assert repo.git("rev-parse", found["branch"]) == found["commit"]
    merge(told, found["branch"])


def test_a_hook_that_refuses_is_shown_and_nothing_stays(told: Told) -> None:
    hook = told.home.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'nobody promotes on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    for place in (told.repo.path, told.directory):
        done = promote(told, "--to", "live", "--push", at=place)
        assert (done.status, done.out) == (1, "")
        assert "nobody promotes on a Friday" in done.err
        assert "hook declined" in done.err
    assert (branches(told.home), branches(told.repo)) == ([], [])


def test_a_name_that_is_taken_gets_a_number_unless_a_person_chose_it(told: Told) -> None:
    names = [promoted(told, "--to", "live")["branch"]]
    names.append(promoted(told, "--to", "live", "--message", "Again")["branch"])
    names.append(promoted(told, "--to", "live", "--message", "Third", "--push", at=told.repo.path)["branch"])
    assert names == [f"reconciler/promote-shop-live-v2{end}" for end in ("", "-2", "-3")]
    assert promoted(told, "--to", "live", "--branch", "mine")["branch"] == "mine"
    done = promote(told, "--to", "live", "--branch", "mine", "--message", "Other words")
    again = promote(told, "--to", "live", "--branch", "mine", "--message", "Other words", "--push", at=told.repo.path)
    assert "There is a branch mine already" in again.err
    assert (done.status, "There is a branch mine already" in done.err) == (1, True)


def test_the_followed_branch_is_never_moved_by_its_name(told: Told) -> None:
    before = told.home.head
    for name in ("main", "refs/heads/main"):
        for push in ([], ["--push"]):
            done = promote(told, "--to", "live", "--branch", name, *push)
            assert done.status == 1
            assert "is the branch that is followed" in done.err
    assert told.home.head == before


def test_the_followed_branch_is_moved_where_that_is_said(told: Told) -> None:
    before = told.home.head
    found = promoted(told, "--to", "live", "--onto-followed-branch", at=told.repo.path)
    assert (found["branch"], told.home.head) == ("main", found["commit"])
    assert told.home.git("rev-parse", "main~1") == before
    assert (told.repo.head, branches(told.repo)) == (before, [])
    assert promote(told, "--to", "live", "--onto-followed-branch", "--branch", "x").status == 2


def test_a_followed_branch_that_has_moved_meanwhile_is_not_overwritten(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(told.directory)
    with workplace(SETTINGS.validate_python(told.settings), print) as place:
        who = Signature(Person("Grace", "grace@example.org"), datetime(2026, 5, 1, tzinfo=UTC))
        made = commit_files(place.room, place.head, {"late.txt": b"x"}, "Late", who)
        newer = told.commit("Somebody was faster", {"notes.txt": "x"})
        with pytest.raises(NotSo, match="main has moved on") as refused:
            place.put_onto_followed(made)
        assert "type this again" in refused.value.next_step
        assert told.home.head == newer
        assert place.put(made, "late", push=False, numbered=True).branch == "late"


def test_a_long_name_keeps_the_title_short(tmp_path: Path) -> None:
    told, name = Told(tmp_path), "shop-" + "x" * 90
    plain = ENVIRONMENTS.replace(", gates: {approvals: 1}", "")
    shop = app_manifest(name, bundle="shop", environments=["sandbox", "live"])
    told.commit("Begin", {"environments.yaml": plain, "shop.yaml": shop, "shop/index.html": "one"})
    told.settle()
    found = told.json("pin", name, "live", *WHO)
    assert len(found["message"].partition("\n")[0]) == 72
    assert told.home.git("rev-parse", found["branch"]) == found["commit"]


def test_a_pin_keeps_what_runs_when_something_newer_comes(told: Told) -> None:
    told.commit("No more asking", {"environments.yaml": ENVIRONMENTS.replace(", gates: {approvals: 1}", "")})
    told.settle()
    found = told.json("pin", "shop", "live", *WHO)
    assert (found["branch"], found["then"]) == ("reconciler/pin-shop-live-v2", [])
    merge(told, found["branch"])
    told.commit("Three", {"shop/index.html": "three"})
    told.settle()
    assert (told.runs("sandbox"), told.runs("live")) == ("three", "two")
    again = told.type("pin", "shop", "live", *WHO)
    assert (again.status, "nothing would change" in again.err) == (1, True)


def test_a_pause_can_be_declared_and_taken_out_again(told: Told) -> None:
    done = told.type("pause", "shop", "live", "--reason", "the fair", "--until", "2h", "--git", *WHO)
    assert done.status == 0, done.err
    assert "branch reconciler/pause-shop-live" in done.out
    merge(told, "reconciler/pause-shop-live")
    (live,) = (row for row in told.json("status", "shop") if row["environment"] == "live")
    assert (live["paused"]["by"], live["paused"]["reason"]) == ("grace@example.org", "the fair")
    assert told.type("resume", "shop", "live", "--git", *WHO).status == 0
    merge(told, "reconciler/resume-shop-live")
    assert all(row["paused"] is None for row in told.json("status", "shop"))
    none = told.type("resume", "shop", "--git", *WHO)
    assert (none.status, "is not paused in git" in none.err) == (1, True)
    assert told.type("resume", "shop", "--push", *WHO).status == 2


def test_the_author_is_whom_git_knows(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    (told.directory / "gitconfig").write_text("[user]\n\tname = Grace Hopper\n\temail = Grace@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(told.directory / "gitconfig"))
    found = promoted(told, "--to", "live")
    assert told.home.git("log", "-1", "--format=%an", found["branch"]) == "Grace Hopper"


def test_who_writes_at_the_same_time_gets_another_name(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(told.directory)
    settings, names = SETTINGS.validate_python(told.settings), []
    together = threading.Barrier(4)

    def one(number: int, push: bool) -> None:
        who = Signature(Person("Grace", "grace@example.org"), datetime(2026, 5, number, tzinfo=UTC))
        with workplace(settings, print) as place:
            made = commit_files(place.room, place.head, {"late.txt": b"x"}, f"Late {number}", who)
            together.wait(timeout=30)
            names.append(place.put(made, "late", push=push, numbered=True).branch)

    threads = [threading.Thread(target=one, args=(number, number > 2)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == ["late", "late-2", "late-3", "late-4"] == branches(told.home)


@pytest.fixture
def elsewhere(told: Told) -> Iterator[Told]:
    """The same, with a repository that is reached over the network alone."""
    handler = type("Handler", (Backend,), {"root": told.directory, "seen": []})
    told.home.git("config", "http.receivepack", "true")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://deploy:{PASSWORD}@127.0.0.1:{server.server_port}/desired.git"
        told.set(repository={"url": url})
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def test_a_repository_elsewhere_takes_a_push_and_nothing_else(elsewhere: Told) -> None:
    done = promote(elsewhere, "--to", "live")
    assert done.status == 2
    assert "add --push" in done.err
    found = promoted(elsewhere, "--to", "live", "--push")
    assert elsewhere.home.git("rev-parse", found["branch"]) == found["commit"]
    assert PASSWORD not in json.dumps(found) + done.err
    again = promoted(elsewhere, "--to", "live", "--push", "--message", "Again")
    assert again["branch"] == f"{found['branch']}-2"
    onto = promoted(elsewhere, "--to", "live", "--onto-followed-branch")
    assert elsewhere.home.head == onto["commit"]
