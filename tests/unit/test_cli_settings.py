"""Is every mistake in the settings told with its place, its name and what can stand there?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler import config
from reconciler.model.release import Release
from reconciler.targets import variables
from tests.commands import typed


def refused(at: Path, text: str = "") -> str:
    """What a command complains about with this settings file; it must end as wrong use."""
    if text:
        (at / "reconciler.yaml").write_text(text)
    done = typed("status", at=at)
    assert (done.status, done.out) == (2, ""), done.err
    assert not any(word in done.err.lower() for word in ("input should", "timedelta", "dictionary", "instance of"))
    assert len(done.err.splitlines()) <= 2
    return done.err


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("drain: -5s", "1: drain", "'-5s' is not a duration (write a number and a unit"),
        ("drain: 0s", "1: drain", "'0s' is no time at all"),
        ("full_pass: 10", "1: full_pass", "10 has no unit (write a number and a unit"),
        ("full_pass: true", "1: full_pass", "true cannot stand here"),
        ("data: x\nrepository:\n  interval: abc", "3: repository.interval", "'abc' is not a duration"),
        ("repository: {url: [a]}", "1: repository.url", "a list cannot stand here (write a text"),
        ("repository: {url: ''}", "1: repository.url", "'' cannot stand here (write a text that is not empty"),
        ("repository: {allow_rewrites: sometimes}", "1: repository.allow_rewrites", "(write true or false)"),
        ("repository: {history: 0}", "1: repository.history", "a whole number from 1 to 1,000,000"),
        ("data: ''", "1: data", "'' cannot stand here"),
        ("data:", "1: data", "an empty value cannot stand here"),
        ("\n\nworkers: 999", "3: workers", "999 cannot stand here (write a whole number from 1 to 256)"),
        ("workers: {a: 1}", "1: workers", "a mapping cannot stand here"),
        ("state: sqlite:///x.db", "1: state", "it has settings of its own, and no value"),
        ("api: {listen: 8080}", "1: api.listen", "8080 cannot stand here"),
        ("branch: main", "1: branch", "there is no such setting (did you mean repository.branch?)"),
        ("repository: {interval_: 3s}", "1: repository.interval_", "did you mean interval?"),
        ("a: [\n", "2", "this is no YAML"),
        ("a: b: c", "1", "this is no YAML"),
        ("1: 2", "1: 1", "the name of a setting is a text"),
        ("drain: 1s\nworkers: 2\ndrain: 3s", "3: drain", "it stands here twice, first in line 1 (remove one"),
        ("state:\n  url: sqlite:///a\n  url: sqlite:///b", "3: state.url", "it stands here twice, first in line 2"),
        ("repository: {branch: a, branch: b}", "1: repository.branch", "it stands here twice"),
        ("state: {url: 'sqlite://'}", "1: state.url", "in memory would be gone with the process (write sqlite:///"),
        ("state: {url: 'sqlite:///'}", "1: state.url", "in memory"),
        ("state: {url: 'sqlite:///:memory:'}", "1: state.url", "in memory"),
        ("state: {url: 'sqlite+pysqlite://'}", "1: state.url", "in memory"),
        ("state: {url: 'sqlite:///file:z.db?uri=true'}", "1: state.url", "takes no options"),
        ("state: {url: 'sqlite:///x.db?mode=ro'}", "1: state.url", "takes no options"),
        ("state: {url: 'sqlite://x.db'}", "1: state.url", "does not name the file of a store (write sqlite:///"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(text: str, place: str, said: str, tmp_path: Path) -> None:
    told = refused(tmp_path, text)
    assert "reconciler.yaml:" in told
    assert f"{place}: " in told
    assert said in told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RECONCILER_DRAIN", "abc", "RECONCILER_DRAIN: drain: 'abc' is not a duration"),
        ("RECONCILER_WORKERS", "many", "RECONCILER_WORKERS: workers: 'many' cannot stand here (write a whole number"),
        ("RECONCILER_REPOSITORY__INTERVAL", "-1s", "RECONCILER_REPOSITORY__INTERVAL: repository.interval: '-1s'"),
        ("RECONCILER_DATA", "", "RECONCILER_DATA: data: '' cannot stand here"),
        ("RECONCILER_DRIAN", "5s", "RECONCILER_DRIAN: there is no such variable (did you mean RECONCILER_DRAIN?)"),
        ("RECONCILER_REPOSITORY_URL", "x", "did you mean RECONCILER_REPOSITORY__URL?"),
        ("RECONCILER_REPOSITORY", "x", "did you mean RECONCILER_REPOSITORY__URL?"),
        ("RECONCILER_", "x", "RECONCILER_: there is no such variable"),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_its_name(
    name: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert said in refused(tmp_path)


def test_all_mistakes_are_told_at_once_and_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_REPOSITORY__HISTORY", "-3")
    monkeypatch.setenv("RECONCILER_WORKRES", "3")
    told = refused(tmp_path, "drain: 5\nstate: postgresql://ann:hunter2@db/x\nrepository: {interval: 1}\n")
    for name in (
        "1: drain",
        "2: state",
        "3: repository.interval",
        "REPOSITORY__HISTORY: repository.history",
        "WORKRES",
    ):
        assert name in told
    assert "hunter2" not in told


def test_a_variable_lies_over_the_file_and_a_group_may_be_empty(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("repository:\ndrain: 1h\nworkers: 3\n")
    found = config.load(str(file), {"RECONCILER_REPOSITORY__URL": "x", "RECONCILER_DRAIN": "2h", "HOME": "y"})
    assert (found.repository.url, found.drain, found.workers) == ("x", timedelta(hours=2), 3)
    assert found.repository.branch == "main"


def test_a_mistake_in_the_file_is_not_hidden_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_REPOSITORY__URL", "x")
    assert "1: repository: it has settings of its own" in refused(tmp_path, "repository: here\n")


@pytest.mark.parametrize("url", ["sqlite:///x.db", "sqlite:////var/lib/x.db", "postgresql://db/x?sslmode=require"])
def test_a_store_that_outlasts_the_process_is_taken(url: str) -> None:
    assert config.load(None, {"RECONCILER_STATE__URL": url}).state.url == url


def test_a_key_that_is_merged_in_may_be_set_anew(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("repository: &r {branch: a}\nstate: {}\ndrain: 3s\n")
    assert config.load(str(file), {}).repository.branch == "a"
    file.write_text("repository:\n  <<: {branch: a}\n  branch: b\n")
    assert config.load(str(file), {}).repository.branch == "b"


@pytest.mark.parametrize(
    ("path", "root"), [(".", ""), ("./", ""), ("", ""), ("/", ""), ("./a//b/", "a/b"), ("a/../b", "b"), ("a", "a")]
)
def test_a_path_has_one_way_to_be_written(path: str, root: str) -> None:
    assert config.load(None, {"RECONCILER_REPOSITORY__PATH": path}).root == root


def test_what_a_command_of_a_target_is_given_is_no_wrong_setting() -> None:
    release = Release(
        deployment="d", number=1, app="shop", environment="live", cause="release", commit=None, traffic=()
    )
    environ = variables.of_release(release, "bundle")
    assert environ.keys() <= config.NO_SETTINGS
    assert config.load(None, environ) == config.SETTINGS.validate_python({})
