"""Which directories may a manifest name, and which Apps does an AppSet stand for?"""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.errors import ManifestError
from reconciler.manifest import below, bundle_directory, check_expand, expand, is_manifest_file, matches
from reconciler.model.sets import AppSet


def appset(*patterns: str, **spec: Any) -> AppSet:
    """An AppSet with these patterns."""
    template = {"metadata": {"labels": {"team": "web"}}, "spec": {"bundle": ".", "environments": ["live"], **spec}}
    given = {"metadata": {"name": "sites"}, "spec": {"directories": patterns, "template": template}}
    return TypeAdapter(AppSet).validate_python(given)


@pytest.mark.parametrize(
    ("manifest", "bundle", "directory"),
    [
        ("app.yaml", "agent", "agent"),
        ("app.yaml", ".", ""),
        ("apps/a/app.yaml", "agent", "apps/a/agent"),
        ("apps/a/app.yaml", "./agent//x/.", "apps/a/agent/x"),
        ("apps/a/app.yaml", "agent/", "apps/a/agent"),
        ("apps/a/app.yaml", ".", "apps/a"),
        ("apps/a/app.yaml", "../shared", "apps/shared"),
        ("apps/a/app.yaml", "../..", ""),
        ("apps/a/app.yaml", "x/../../b", "apps/b"),
        ("apps/a/app.yaml", "...", "apps/a/..."),
        ("apps/a/app.yaml", "mit Raum/ß", "apps/a/mit Raum/ß"),
    ],
)
def test_a_bundle_is_relative_to_its_manifest(manifest: str, bundle: str, directory: str) -> None:
    assert bundle_directory(manifest, bundle) == directory


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ("../../..", "leaves the repository"),
        ("x/../../../../y", "leaves the repository"),
        ("../../../apps/a", "leaves the repository"),
        ("/etc/passwd", "is absolute"),
        ("~/x", "is absolute"),
        ("", "is no path"),
        ("a\0b", "is no path"),
        ("a\nb", "is no path"),
        ("\u202egnp", "is no path"),
        ("..\\..\\x", "is no path"),
        ("C:\\x", "is no path"),
        (".git/hooks", "leads into .git"),
        ("a/" * 60 + "b", "nested too deep"),
        ("x" * 2_000, "is no path"),
    ],
)
def test_a_bundle_stays_in_the_repository(bundle: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said) as caught:
        bundle_directory("apps/a/app.yaml", bundle)
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_directory_is_walked_from_where_it_is_named() -> None:
    assert below("sites/a", ".") == "sites/a"
    assert below("", "sites") == "sites"


@pytest.mark.parametrize(
    ("path", "whether"),
    [
        ("a.yaml", True),
        ("x/b.yml", True),
        (".github/workflows/ci.yml", True),
        ("a.yaml.txt", False),
        ("a.json", False),
        ("ayaml", False),
        (".git/config.yaml", False),
        ("x/.git/a.yaml", False),
    ],
)
def test_which_files_may_hold_manifests(path: str, whether: bool) -> None:
    assert is_manifest_file(path) is whether


@pytest.mark.parametrize(
    ("pattern", "directory", "whether"),
    [
        ("sites/*", "sites/a", True),
        ("sites/*/", "sites/a", True),
        ("sites/*", "sites", False),
        ("sites/*", "sites/a/b", False),
        ("sites/*/*", "sites/a/b", True),
        ("*", "a", True),
        ("*", "", False),
        ("*", ".hidden", False),
        (".*", ".hidden", True),
        ("sites/*-page", "sites/front-page", True),
        ("sites/*-page", "sites/page", False),
        ("sites/?", "sites/a", True),
        ("sites/?", "sites/ab", False),
        ("s*t*s/x", "sites/x", True),
        ("a*b*c", "abbbc", True),
        ("a*b*c", "abbb", False),
        ("a+b", "a+b", True),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("**", "a", True),
        ("**", "a/b", False),
    ],
)
def test_patterns_match_segment_by_segment(pattern: str, directory: str, whether: bool) -> None:
    assert matches(pattern, directory) is whether


def test_a_hostile_pattern_takes_no_time() -> None:
    began = time.thread_time()
    assert not matches("*a" * 400 + "b", "a" * 1_000)
    assert time.thread_time() - began < 2


def test_a_set_stands_for_an_app_in_each_directory() -> None:
    made = expand(appset("sites/*", "shops/*"), ["sites/b", "sites/a", "sites", "sites/a/x", "shops/c", "sites/b"])
    assert [(directory, app.name) for directory, app in made] == [("shops/c", "c"), ("sites/a", "a"), ("sites/b", "b")]
    app = made[0][1]
    assert app.kind == "App"
    assert app.metadata.labels == {"team": "web"}
    assert app.spec.bundle == "."
    assert list(app.spec.environments) == ["live"]
    assert check_expand(appset("sites/*"), ["sites/a"]) == []


def test_directories_that_give_no_name_become_no_app() -> None:
    several = ["sites/a", "sites/b c", "sites/\x1b[31m", "sites/" + "x" * 101, "sites/é"]
    assert [directory for directory, _ in expand(appset("sites/*"), several)] == ["sites/a"]
    found = check_expand(appset("sites/*"), several)
    assert len(found) == 4
    assert {problem.field for problem in found} == {("spec", "directories")}
    assert all("gives no name that an App can have" in problem.message for problem in found)
    assert "\x1b" not in "".join(problem.message for problem in found)


def test_a_directory_in_one_whose_name_is_no_text_becomes_no_app() -> None:
    several = ["a/one", "b\udcff/two", "c\x01/three"]
    assert [directory for directory, _ in expand(appset("*/*"), several)] == ["a/one"]
    found = check_expand(appset("*/*"), several)
    assert len(found) == 2
    assert all("lies in one whose name is not plain UTF-8 text" in problem.message for problem in found)
    assert all(problem.message.isprintable() for problem in found)


def test_two_directories_of_one_name_become_no_app() -> None:
    several = ["x/a", "y/a", "y/b"]
    assert [directory for directory, _ in expand(appset("x/*", "y/*"), several)] == ["y/b"]
    assert [problem.message for problem in check_expand(appset("x/*", "y/*"), several)] == [
        "the directory 'x/a' gives an App a, as another does",
        "the directory 'y/a' gives an App a, as another does",
    ]


def test_a_bundle_that_would_leave_the_repository_makes_no_app() -> None:
    outside = appset("*", bundle="../..")
    assert expand(outside, ["a"]) == []
    assert [problem.message for problem in check_expand(outside, ["a"])] == [
        "in the directory 'a': '../..' leaves the repository"
    ]


def test_a_set_without_directories_is_a_warning() -> None:
    (found,) = check_expand(appset("sites/*"), ["other"])
    assert (found.severity, found.message) == ("warning", "no directory matches these patterns")


def test_ten_thousand_directories_take_no_time() -> None:
    began = time.thread_time()
    assert len(expand(appset("sites/*"), [f"sites/s{number}" for number in range(10_000)])) == 10_000
    assert time.thread_time() - began < 5
