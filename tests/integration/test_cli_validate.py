"""Does `validate` find what the daemon would complain about, before anything is pushed, and touch nothing?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commands import typed
from tests.e2e.daemon import resource_manifest
from tests.gitrepo import Repo
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

SOUND = {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"}
CIRCLE = ENVIRONMENTS.replace("track: latest", "track: live")


def wrong(repo: Repo, *options: object) -> list[str]:
    """The complaints, as `path: message`."""
    found = typed("validate", *options, "-o", "json", at=repo.path)
    assert found.json["valid"] is (found.status == 0)
    return [f"{one['path']}: {one['message']}" for one in found.json["complaints"]]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.create(tmp_path / "work")
    made.write(SOUND).commit("Begin")
    return made


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_what_is_right_is_counted(repo: Repo) -> None:
    repo.write({"other.yaml": "a: 1\n---\nb: 2\n", "shop/inside.yaml": "apiVersion: reconciler/v1\nkind: Nonsense\n"})
    done = typed("validate", at=repo.path)
    assert done.status == 0
    assert done.out == "2 files with 1 App, 3 Environments: no mistakes; 1 other YAML document left alone\n"


def test_mistakes_are_found_before_they_are_committed(repo: Repo) -> None:
    before = snapshot(repo.path / ".git")
    repo.write({"shop.yaml": app_manifest(bundle="shpo", depends_on=["blgo"]), "shop/index.html": "two"})
    done = typed("validate", at=repo.path)
    assert done.status == 1
    assert "shop.yaml:1:" in done.out
    assert "there is no directory shpo" in done.out
    assert "there is no app blgo" in done.out
    assert "2 errors" in done.out
    assert snapshot(repo.path / ".git") == before


EXPERIMENT = {"control": "v1", "variant": "v9", "percent": 20, "until": "2050-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"environments.yaml": CIRCLE}, "leads back to itself"),
        (
            {"environments.yaml": ENVIRONMENTS.replace("type: directory", "type: direct" + "ry")},
            "did you mean directory",
        ),
        ({"environments.yaml": ENVIRONMENTS.replace("track: sandbox", "track: sandbux")}, "no environment sandbux"),
        ({"again.yaml": ENVIRONMENTS}, "declared in again.yaml already"),
        ({"shop2.yaml": app_manifest()}, "declared twice"),
        ({"shop.yaml": app_manifest(depends_on=["shop"])}, "depends on itself"),
        ({"shop.yaml": app_manifest(environments={"live": {"version": "v9"}})}, "has no version v9"),
        ({"shop.yaml": app_manifest(environments={"live": {"experiment": EXPERIMENT}})}, "has no version v9"),
        (
            {"shop.yaml": app_manifest(environments={"live": {"experiment": EXPERIMENT | {"variant": "v1"}}})},
            "v1 is compared with itself",
        ),
        (
            {
                "shop.yaml": app_manifest(bindings=[{"name": "C", "type": "d1", "resource": "calendar"}]),
                "calendar.yaml": resource_manifest("calendar"),
            },
            "the resource calendar is of type kv, not d1",
        ),
        ({"shop.yaml": app_manifest(version="v2")}, "v2 is how version number 2 is called"),
        ({"shop.yaml": app_manifest(environments={"moon": {}})}, "no environment moon"),
        ({"s.yaml": season_manifest("s", "2026-01-02T00:00", "2026-01-01T00:00")}, "s.yaml"),
        ({"s.yaml": season_manifest("s", "2050-01-01T00:00", "2050-01-02T00:00", apps=["sop"])}, "there is no app sop"),
        (
            {
                "s.yaml": season_manifest(
                    "s", "2026-01-01T00:00", "2026-01-09T00:00", repeat="yearly", config={"a": 1}
                ),
                "t.yaml": season_manifest(
                    "t", "2026-01-05T00:00", "2026-01-12T00:00", repeat="yearly", config={"a": 2}
                ),
            },
            "both set a",
        ),
        (
            {"s.yaml": season_manifest("s", "2050-01-01T00:00", "2050-01-02T00:00", version="1.9")},
            "has no version 1.9",
        ),
        ({"binary.yaml": b"apiVersion: reconciler/v1\n\xff\xfe\x00"}, "not UTF-8"),
        ({"large.yaml": b"# reconciler/v1\n" * 70_000}, "more than a manifest may have"),
        ({"tab.yaml": "apiVersion: reconciler/v1\n\tkind: App\n"}, "a tab stands"),
        ({"set.yaml": '{"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": "s"}}'}, "spec"),
    ],
)
def test_every_kind_of_mistake_is_found(repo: Repo, files: Mapping[str, str | bytes], said: str) -> None:
    repo.write(files)
    found = wrong(repo)
    assert any(said in one for one in found), found


def test_versions_are_known_from_the_history(repo: Repo) -> None:
    repo.write({"shop/index.html": "two"}).commit("Second")
    pinned = {"shop.yaml": app_manifest(environments={"sandbox": {}, "live": {"version": "v2"}})}
    assert wrong(repo.write(pinned)) == []
    # What is not committed yet makes a version as well.
    pinned = {"shop.yaml": app_manifest(environments={"sandbox": {}, "live": {"version": "v3"}}), "shop/new": "x"}
    assert wrong(repo.write(pinned)) == []


def test_a_version_name_that_was_used_for_other_content_is_refused(repo: Repo) -> None:
    repo.write({"shop.yaml": app_manifest(version="1.0")}).commit("Name it")
    assert wrong(repo) == []
    (said,) = wrong(repo.write({"shop/index.html": "other"}))
    assert "1.0 already means other content" in said


def test_one_directory_or_one_file(repo: Repo) -> None:
    inner = {f"inner/{name}": text for name, text in SOUND.items()}
    repo.write({name: None for name in SOUND if "/" not in name} | {"shop": None} | inner)
    repo.write(
        {"inner/shop.yaml": app_manifest(bundle="nowhere"), "outer.yaml": "apiVersion: reconciler/v1\nkind: X\n"}
    )
    assert [one.split(":")[0] for one in wrong(repo, "inner")] == ["inner/shop.yaml"]
    assert [one.split(":")[0] for one in wrong(repo, "inner/shop.yaml")] == ["inner/shop.yaml"]
    assert wrong(repo, "inner/environments.yaml") == []
    assert {one.split(":")[0] for one in wrong(repo)} == {"inner/shop.yaml", "outer.yaml"}


def test_one_file_is_judged_with_everything_in_its_checkout(repo: Repo) -> None:
    blog = app_manifest("blog", bundle="../blog", depends_on=["shop"], environments={"live": {}, "moon": {}})
    repo.write({"apps/blog.yaml": blog, "blog/index.html": "b", "broken.yaml": "apiVersion: reconciler/v1\nkind: X\n"})
    assert wrong(repo, "apps/blog.yaml") == ["apps/blog.yaml: there is no environment moon"]
    repo.write({"apps/blog.yaml": blog.replace("moon", "sandbox")})
    done = typed("validate", "blog.yaml", at=repo.path / "apps")
    assert (done.status, done.out) == (0, "1 file with 1 App: no mistakes\n")
    assert wrong(repo, "shop.yaml") == []
    assert len(wrong(repo, "broken.yaml")) == 1


def test_one_file_is_judged_below_the_followed_path(repo: Repo) -> None:
    kept = {f"desired/{name}": text for name, text in SOUND.items()} | dict.fromkeys(SOUND)
    repo.write(kept | {"zoo/shop.yaml": app_manifest(), "zoo/shop/x": "x"})
    assert wrong(repo, "desired/shop.yaml") != []
    repo.write({"reconciler.yaml": "repository: {path: desired}\n"})
    assert wrong(repo, "desired/shop.yaml") == []


@pytest.mark.parametrize("name", ["README.md", "other.yaml", "shop/inside.yaml", "ignored.yaml", "shop/index.html"])
def test_a_file_that_is_no_manifest_is_told_to_be_none(name: str, repo: Repo) -> None:
    inside = "apiVersion: reconciler/v1\nkind: Nonsense\n"
    repo.write({"README.md": "# Read me\n", "other.yaml": "a: 1\n", "shop/inside.yaml": inside})
    repo.write({".gitignore": "ignored.yaml\n", "ignored.yaml": inside})
    done = typed("validate", name, at=repo.path)
    assert done.status == 1
    assert f"there is no manifest in {name}" in done.err
    assert "apiVersion: reconciler/v1 and is a .yaml" in done.err
    assert done.out == ""


def test_a_linked_file_that_leads_away_is_no_traceback(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "far.yaml").write_text(app_manifest("far"))
    repo.link("near.yaml", str(tmp_path / "far.yaml"))
    done = typed("validate", "near.yaml", at=repo.path)
    assert done.status == 1
    assert "near.yaml" in done.out + done.err


def test_what_no_target_releases_is_told_at_the_bundle(repo: Repo) -> None:
    """As a deployment would say it, before there is one; what stays inside of the bundle is fine."""
    bundle = repo.path / "shop"
    (bundle / "in").symlink_to("index.html")
    (bundle / "pages").mkdir()
    (bundle / "pages" / "up").symlink_to("../index.html")
    (repo.path / "elsewhere").symlink_to("/etc")  # no content of an app
    assert wrong(repo) == []
    (bundle / "pages" / "out").symlink_to("../../environments.yaml")
    assert wrong(repo) == [
        "shop.yaml: the symbolic link shop/pages/out leads out of the bundle, to ../../environments.yaml"
    ]
    (bundle / "away").symlink_to("/etc/passwd")
    repo.git("add", ".")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},shop/sub")
    repo.git("commit", "--quiet", "-m", "Links")
    home = repo.bare()
    repo.push()
    assert wrong(home) == [
        "shop.yaml: the symbolic link shop/away leads out of the bundle, to /etc/passwd; so with 2 others"
    ]


def test_bundles_of_a_set_and_beside_the_followed_path_are_looked_into(repo: Repo) -> None:
    site = {"bundle": ".", "environments": {"live": {}}}
    made = {"apiVersion": "reconciler/v1", "kind": "AppSet", "metadata": {"name": "sites"}}
    made["spec"] = {"directories": ["sites/*"], "template": {"spec": site}}
    manifests = {"apps/sites.yaml": json.dumps(made), "apps/blog.yaml": app_manifest("blog", bundle="../shared/blog")}
    repo.write({**SOUND, **manifests, "shared/blog/x": "x", "apps/sites/a/x": "x", "apps/sites/b/x": "x"})
    for place in ("shared/blog", "apps/sites/a", "apps/sites/b"):
        (repo.path / place / "away").symlink_to("/etc")
    told = [
        "apps/blog.yaml: the symbolic link shared/blog/away leads out of the bundle, to /etc",
        "apps/sites.yaml: the symbolic link apps/sites/a/away leads out of the bundle, to /etc",
        "apps/sites.yaml: the symbolic link apps/sites/b/away leads out of the bundle, to /etc",
    ]
    assert [one for one in wrong(repo, repo.path / "apps") if "link" in one] == told


def test_without_git_the_files_are_enough(tmp_path: Path) -> None:
    place = tmp_path / "plain"
    for name, text in SOUND.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    before = snapshot(tmp_path)
    assert typed("validate", place, at=tmp_path).status == 0
    (place / "shop.yaml").write_text(app_manifest(bundle="nowhere"))
    done = typed("validate", "plain", at=tmp_path)
    assert done.status == 1
    assert done.out.startswith("shop.yaml:1:")
    (place / "shop.yaml").write_bytes(before["plain/shop.yaml"])
    assert snapshot(tmp_path) == before


def test_a_bare_repository_is_checked_at_its_head(repo: Repo) -> None:
    home = repo.bare()
    repo.push()
    assert wrong(home) == []


def test_where_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    Repo.create(tmp_path)
    done = typed("validate", at=tmp_path)
    assert done.status == 1
    assert "there is no manifest" in done.err


def test_for_github_and_for_code_scanners(repo: Repo) -> None:
    repo.write({"shop.yaml": app_manifest(bundle="nowhere")})
    for_github = typed("validate", "-o", "github", at=repo.path)
    assert for_github.status == 1
    assert for_github.out.startswith("::error file=shop.yaml,line=1,col=")
    assert len(for_github.out.splitlines()) == 1
    sarif = json.loads(typed("validate", "-o", "sarif", at=repo.path).out)
    assert sarif["version"] == "2.1.0"
    assert sarif["runs"][0]["results"][0]["level"] == "error"


def test_hostile_trees_give_complaints_and_no_traceback(repo: Repo) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    repo.write(
        {
            "bomb.yaml": f"apiVersion: reconciler/v1\nkind: App\n{bomb}",
            "new\nline.yaml": "apiVersion: reconciler/v1\nkind: App\n",
            "empty.yaml": "",
            "out.yaml": app_manifest("out", bundle="../../etc"),
            "through.yaml": app_manifest("through", bundle="link"),
            "::error file=x.yaml": "not looked at",
        }
    )
    (repo.path / "bytes\udcff.yaml".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")).write_text(
        "apiVersion: reconciler/v1\n"
    )
    repo.link("link", "/etc").link("linked.yaml", "shop.yaml")
    done = typed("validate", at=repo.path)
    assert done.status == 1
    assert "leaves the repository" in done.out
    assert "a link" in done.out
    places = [line.split(":")[0] for line in done.out.splitlines()]
    assert {"bomb.yaml", "out.yaml", "through.yaml", "linked.yaml"} <= set(places)
    assert any("new\\nline.yaml" in place for place in places)
    assert any("bytes" in place for place in places)


def test_a_repository_in_the_middle_of_something_is_read_as_it_is(repo: Repo) -> None:
    nested = Repo.create(repo.path / "nested")
    nested.write({"deep.yaml": "apiVersion: reconciler/v1\nkind: Nonsense\n"}).commit("Its own")
    repo.write({".gitignore": "ignored/\n", "ignored/x.yaml": "apiVersion: reconciler/v1\nkind: Nonsense\n"})
    repo.git("add", "shop.yaml")
    assert wrong(repo) == []
    repo.git("worktree", "add", "--quiet", str(repo.path.parent / "second"), "-b", "second")
    assert wrong(Repo(repo.path.parent / "second")) == []


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        ("command: ls", "command", "command takes a list, not a text (write [ls])"),
        ("command: []", "command", "command is empty (add one)"),
        ("command: [a], env: [A B]", "env", "entry 1 of env is no name of a variable"),
        ("command: [a], timeout: soon", "timeout", "timeout: 'soon' is not a duration"),
        ("command: [a], kommand: b", "kommand", "kommand is unknown: did you mean command?"),
        ("env: []", "target", "command is missing"),
    ],
)
def test_a_wrong_setting_of_a_target_is_told_in_plain_words_at_its_key(
    settings: str, key: str, said: str, repo: Repo
) -> None:
    text = "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: bench}\n"
    last = f"spec: {{target: {{type: exec, {settings}}}}}"
    repo.write({"bench.yaml": text + last})
    (one,) = typed("validate", "-o", "json", at=repo.path).json["complaints"]
    assert one["message"].startswith(said)
    assert not any(word in one["message"] for word in ("tuple", "nput should", "String", "validation"))
    assert (one["line"], one["column"]) == (4, last.index(f"{key}:") + 1)
