"""Do processes beside the daemon carry out just what it would itself?"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.engine.apart import PROCESSES, THREADS
from reconciler.engine.hands import MANY
from reconciler.git.objects import Objects
from reconciler.targets.rehearsal import release, version
from tests import noting_target
from tests.gitrepo import Repo
from tests.waiting import until
from tests.with_hands import HERE, Daemon, repository, shop, threads_begun


@pytest.fixture(scope="module")
def busy(bundles: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that has others carry out what there is; what is released here is of no use to another test."""
    made = Daemon(bundles.path / ".git", tmp_path_factory.mktemp("data") / "data").begin()
    yield made
    made.close()
    assert made.others == set()


def laid_out(place: Path) -> dict[str, tuple[int, str]]:
    """Every file, link and folder with its mode; what was noted of times is no part of it."""
    found = {}
    for path in sorted(place.rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
        found[str(path.relative_to(place))] = (path.lstat().st_mode, "" if path.suffix == ".files" else content)
    return found


def test_few_are_carried_out_here(daemon: Daemon) -> None:
    begun = threads_begun()
    assert {daemon.noted(type="noting") for _ in range(MANY - 1)} == {HERE}
    daemon.moment += 2.5  # by now the first are too long ago
    assert {daemon.noted(type="noting") for _ in range(MANY - 1)} == {HERE}
    assert (threads_begun(), daemon.others) == (begun, set())


def test_those_that_are_decided_at_once_are_carried_out_by_others_from_the_first_on(daemon: Daemon) -> None:
    daemon.hands.expect([{"type": "noting"}] * MANY)
    until(lambda: len(daemon.hands._free) == PROCESSES * THREADS)
    by = [daemon.noted(type="noting") for _ in range(MANY)]
    assert set(by) <= daemon.others
    assert daemon.noted(type="noting") in daemon.others  # there were many just now
    daemon.moment += 2.5
    assert daemon.noted(type="noting") == HERE


@pytest.mark.parametrize(
    "targets",
    [[{"type": "noting"}] * (MANY - 1), [{"type": "noting-at-home"}] * MANY, [{"type": "no-such"}] * MANY],
)
def test_for_what_is_decided_elsewhere_or_for_few_nobody_is_begun(
    daemon: Daemon, targets: list[dict[str, str]]
) -> None:
    begun = threads_begun()
    daemon.hands.expect(targets)
    until(lambda: threads_begun() == begun)
    assert daemon.others == set()
    assert daemon.noted(type="noting-at-home") == HERE


@pytest.mark.parametrize("kind", ["noting-at-home", "noting-nearly"])
def test_a_target_that_does_not_say_so_is_never_called_elsewhere(daemon: Daemon, busy: Daemon, kind: str) -> None:
    begun = threads_begun()
    assert {daemon.noted(type=kind) for _ in range(MANY * 2)} == {HERE}
    assert (threads_begun(), daemon.others) == (begun, set())
    assert {busy.noted(type=kind) for _ in range(MANY)} == {HERE}


def test_a_release_is_the_same_as_one_that_was_made_here(busy: Daemon, bundles: Repo) -> None:
    there = {"type": "directory", "path": "there"}
    busy.hands.act(shop(bundles), there, busy.work, lambda: pytest.fail("it was to be done elsewhere"))
    assert busy.perform(shop(bundles), at_home=True, path="here").kind == "completed"
    assert laid_out(busy.place / "there") == laid_out(busy.place / "here")
    assert (busy.place / "there/shop/current/home").read_text() == "one"
    seen = busy.targets.make("live", there).observe("shop")
    assert seen is not None
    assert (seen.deployment, seen.changed) == ("d-shop", ())
    assert busy.perform(release("d-gone", app="shop", number=2), **there).kind == "completed"
    assert busy.targets.make("live", there).observe("shop") is None


@pytest.mark.parametrize("workers", [1, 16, 40])
def test_many_are_carried_out_by_others_each_once(busy: Daemon, workers: int) -> None:
    by = set[int]()
    with ThreadPoolExecutor(workers) as pool:
        until(lambda: by.update(pool.map(lambda _: busy.noted(type="noting"), range(100))) or len(by - {HERE}) >= 2)
    assert by - {HERE} <= busy.others


@pytest.mark.parametrize("error", noting_target.ERRORS)
def test_errors_and_lines_come_back_as_they_are_told_here(busy: Daemon, error: str) -> None:
    name, told = f"wrong-{error}", {"type": "noting", "notes": str(busy.notes), "does": error}
    here = busy.perform(release(name, version()), at_home=True, **told)
    assert busy.perform(release(name, version()), **told) == here
    first, second = busy.called(name)
    assert (first, second != HERE) == (HERE, True)
    assert here.message
    assert here.output


def test_what_is_wrong_with_a_target_is_said_by_the_daemon(busy: Daemon) -> None:
    unknown = busy.perform(release("d-1", version()), type="pigeon")
    assert (unknown.kind, "there is no target of type 'pigeon'" in unknown.message) == ("person", True)
    wrong = busy.perform(release("d-2", version()), type="directory", pth="x")
    assert (wrong.kind, "pth is unknown: did you mean path?" in wrong.message) == ("person", True)


def test_settings_that_change_count_at_once(busy: Daemon, bundles: Repo) -> None:
    for number in range(20):
        folder = f"out-{number % 2}"
        assert busy.perform(shop(bundles, f"d-{number}"), path=folder).kind == "completed"
        assert os.readlink(busy.place / folder / "shop/current") == f"releases/d-{number}"


def test_a_stop_reaches_whoever_carries_it_out(busy: Daemon) -> None:
    for number in range(20):  # those that were stopped are of use afterwards
        name, stop = f"stopped-{number}", threading.Event()
        with ThreadPoolExecutor(1) as pool:
            under_way = busy.held(pool, name, stop)
            assert busy.called(name) != [HERE]
            stop.set()
            assert under_way.result(30).kind == "aborted"
    assert busy.noted(type="noting") != HERE


def test_a_stop_that_comes_with_the_answer_disturbs_nothing(busy: Daemon) -> None:
    for number in range(20):
        name, stop = f"late-{number}", threading.Event()
        with ThreadPoolExecutor(1) as pool:
            under_way = busy.held(pool, name, stop)
            threading.Thread(target=stop.set).start()
            busy.let_go(name)
            assert under_way.result(30).kind in {"aborted", "completed"}
    assert HERE not in {busy.noted(type="noting") for _ in range(40)}


def test_what_the_mirror_lacks_is_left_to_the_daemon(daemon: Daemon, tmp_path: Path) -> None:
    repo = repository(tmp_path / "damaged")
    whole = Objects(repo.bare().path)
    repo.push()
    blob = repo.tree(path="shop/index.html")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    damaged = Daemon(repo.path / ".git", tmp_path / "there").begin()
    damaged.objects = whole  # the daemon knows how to fetch it again
    assert damaged.perform(shop(repo), path="out").kind == "completed"
    assert (damaged.place / "out/shop/current/index.html").read_text() == "one"
    assert damaged.noted(type="noting") != HERE
    damaged.close()


def test_a_target_that_is_found_only_here_is_called_here(
    daemon: Daemon, bundles: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    until(lambda: daemon.perform(shop(bundles), path="out") and daemon.others)
    assert {daemon.noted(type="noting") for _ in range(MANY)} == {HERE}


def test_a_data_directory_may_be_named_from_where_the_daemon_was_started(
    bundles: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    daemon = Daemon(Path(os.path.relpath(bundles.path / ".git")), Path("data")).begin()
    daemon.hands.act(shop(bundles), {"path": "out"}, daemon.work, lambda: pytest.fail("it was to be done elsewhere"))
    daemon.close()
    assert (tmp_path / "data/out/shop/current/index.html").read_text() == "one"
