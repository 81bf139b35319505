"""Are reverts in real repositories recognised, from message to content?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.git.history import history
from reconciler.git.objects import Objects
from reconciler.git.reverts import Candidate, Direction, Verdict, look, resolve, verdict
from reconciler.git.shapes import Commit
from reconciler.git.undoing import undoing
from tests.gitrepo import Repo

LINES = "".join(f"line {n}\n" for n in range(20))


class Branch:
    """The commits of a branch, judged one after the other as they came."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.judged: dict[str, tuple[Commit, Verdict]] = {}

    def judge_up_to(self, head: str) -> dict[str, Verdict]:
        """What each commit is, by its subject."""
        told = history(self.objects, None, head, 1000)
        for commit in told.commits:
            behind = [one.message for one in told.merged.get(commit.id, ())]
            self.judged[commit.id] = (commit, self._judge(commit, behind))
        return {commit.subject: judged for commit, judged in self.judged.values()}

    def _judge(self, commit: Commit, behind: list[str]) -> Verdict:
        claims = look(commit.message, len(commit.parents), behind)
        targets = resolve(claims, self)
        if not targets:
            return verdict(claims, "none")
        chain: list[Direction | None] = [
            self.judged[one][1].direction if one in self.judged else None for one in targets
        ]
        evidence = undoing(self.objects, list(self.objects.commits(targets)), commit)
        return verdict(claims, evidence.content, chain)

    def _known(self) -> list[Candidate]:
        return [Candidate(one, (commit.subject,)) for one, (commit, _) in reversed(self.judged.items())]

    def by_id_prefix(self, prefix: str) -> list[Candidate]:
        found = self.objects.read(prefix)
        return [Candidate(found.id)] if found else []

    def by_pull_request(self, number: int) -> list[Candidate]:
        return [one for one in self._known() if f"(#{number})" in one.titles[0]]

    def by_title_prefix(self, prefix: str) -> list[Candidate]:
        return [one for one in self._known() if one.titles[0].startswith(prefix)]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "desired")
    repo.write({"app": LINES, "other": "1\n"}).commit("Base")
    return repo


@pytest.fixture
def objects(repo: Repo) -> Iterator[Objects]:
    with Objects(repo.path / ".git") as opened:
        yield opened


def judge(repo: Repo, objects: Objects) -> dict[str, Verdict]:
    return Branch(objects).judge_up_to(repo.head)


def test_a_plain_revert(repo: Repo, objects: Objects) -> None:
    repo.revert(repo.write({"app": "new\n"}).commit("Change"))
    verdicts = judge(repo, objects)
    assert verdicts['Revert "Change"'] == Verdict("revert", "back")
    assert verdicts["Change"] == Verdict("ordinary")


def test_a_chain_of_reverts_goes_back_and_forth_whatever_the_titles_say(repo: Repo, objects: Objects) -> None:
    at = repo.write({"app": "new\n"}).commit("Change")
    for name in ("First", "Second", "Third", "Fourth"):
        at = repo.revert(at, f"{name}\n\nThis reverts commit {at}.")
    verdicts = judge(repo, objects)
    assert [verdicts[name].direction for name in ("First", "Second", "Third", "Fourth")] == [
        "back",
        "forth",
        "back",
        "forth",
    ]


def test_a_revert_with_other_commits_in_between(repo: Repo, objects: Objects) -> None:
    change = repo.write({"app": LINES.replace("line 3\n", "line three\n")}).commit("Change")
    later = LINES.replace("line 3\n", "line three\n").replace("line 17\n", "line seventeen\n")
    repo.write({"app": later}).commit("Later")
    commit = objects.commit(repo.revert(change))
    evidence = undoing(objects, [objects.commit(change)], commit)
    assert (evidence.content, evidence.exact, evidence.inverse) == ("full", False, ("app",))
    assert judge(repo, objects)['Revert "Change"'] == Verdict("revert", "back")


def test_half_a_revert(repo: Repo, objects: Objects) -> None:
    change = repo.write({"app": "new\n", "other": "2\n"}).commit("Change")
    repo.write({"other": "1\n"}).commit(f'Revert "Change"\n\nThis reverts commit {change}, but for the app.')
    assert judge(repo, objects)['Revert "Change"'] == Verdict("revert", "back", partial=True)


def test_a_revert_that_restores_nothing(repo: Repo, objects: Objects) -> None:
    change = repo.write({"app": "new\n"}).commit("Change")
    repo.write({"other": "3\n"}).commit(f'Revert "Change"\n\nThis reverts commit {change}.')
    repo.commit(f'Revert "Change" (#2)\n\nThis reverts commit {change}.')
    verdicts = judge(repo, objects)
    assert verdicts['Revert "Change"'] == verdicts['Revert "Change" (#2)'] == Verdict("ordinary")


def test_several_commits_taken_back_at_once(repo: Repo, objects: Objects) -> None:
    one = repo.write({"app": "one\n"}).commit("One")
    two = repo.write({"app": "two\n", "new": "file\n"}).commit("Two")
    repo.write({"app": LINES, "new": None}).commit(f"Back\n\nThis reverts commits {two[:10]}\nand {one[:10]}.")
    assert judge(repo, objects)["Back"] == Verdict("revert", "back")


def test_a_merge_that_is_taken_back(repo: Repo, objects: Objects) -> None:
    base = repo.head
    repo.checkout("feature", base).write({"app": "feature\n"}).commit("Feature")
    merge = repo.checkout("main").merge("feature", message="Merge feature")
    repo.revert(merge)
    assert judge(repo, objects)['Revert "Merge feature"'] == Verdict("revert", "back")


def test_a_revert_behind_a_merge_that_says_nothing(repo: Repo, objects: Objects) -> None:
    change = repo.write({"app": "new\n"}).commit("Change")
    repo.checkout("fix", change).revert(change)
    repo.checkout("main").merge("fix", message="Merge branch 'fix'")
    assert judge(repo, objects)["Merge branch 'fix'"] == Verdict("revert", "back")


def test_a_forge_that_names_only_numbers_and_titles(repo: Repo, objects: Objects) -> None:
    repo.write({"app": "new\n"}).commit("Change (#7)")
    repo.write({"app": LINES}).commit('Revert "Change (#7)" (#8)')
    repo.write({"app": "new\n"}).commit('Revert "Revert "Change (#7)" (#8)" (#9)')
    repo.write({"app": LINES}).commit("Bright\n\nReverts lamps/lamp#9")
    verdicts = judge(repo, objects)
    assert verdicts['Revert "Change (#7)" (#8)'] == Verdict("revert", "back")
    assert verdicts['Revert "Revert "Change (#7)" (#8)" (#9)'] == Verdict("revert", "forth")
    assert verdicts["Bright"] == Verdict("revert", "back")


def test_an_id_that_a_rebase_made_wrong(repo: Repo, objects: Objects) -> None:
    repo.write({"app": "new\n"}).commit("Change")
    repo.write({"app": LINES}).commit(f'Revert "Change"\n\nThis reverts commit {"d" * 40}.')
    assert judge(repo, objects)['Revert "Change"'] == Verdict("revert", "back")


def test_only_what_belongs_to_one_app(repo: Repo, objects: Objects) -> None:
    change = objects.commit(repo.write({"a/x": "new\n", "b/x": "new\n"}).commit("Change"))
    back = objects.commit(repo.write({"a/x": None}).commit("Back"))
    assert undoing(objects, [change], back).content == "partial"
    assert undoing(objects, [change], back, lambda path: path.startswith("a/")).content == "full"
    assert undoing(objects, [change], back, lambda path: path.startswith("b/")).content == "none"


def test_binary_files_are_compared_whole(repo: Repo, objects: Objects) -> None:
    change = objects.commit(repo.write({"x": b"\0one\n" * 9}).commit("Change"))
    repo.write({"x": b"\0one\n" * 9 + b"\0two\n"}).commit("Later")
    half = objects.commit(repo.write({"x": b"\0two\n"}).commit("Half"))
    assert undoing(objects, [change], half).content == "none"
    whole = objects.commit(repo.write({"x": None}).commit("Whole"))
    assert undoing(objects, [change], whole).content == "full"


def test_a_submodule_that_goes_back(repo: Repo, objects: Objects) -> None:
    inner = Repo.create(repo.path / "inner")
    one = inner.write({"f": "1"}).commit("Inner one")
    repo.commit("Pin one")
    inner.write({"f": "2"}).commit("Inner two")
    change = objects.commit(repo.commit("Pin two"))
    inner.force(one)
    assert undoing(objects, [change], objects.commit(repo.commit("Pin one again"))).content == "full"
