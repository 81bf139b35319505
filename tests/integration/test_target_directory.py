"""Does the directory target leave on disk exactly what people are told it does?"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path

import pytest

from reconciler.errors import PersonNeeded, TryAgainLater
from reconciler.model.app import Binding, SecretReference, Triggers
from reconciler.model.release import Release, ReleasedVersion
from reconciler.targets import bundle
from reconciler.targets.base import Observed, Running
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import LEADING_OUT, PLAIN, Link, Rehearsal, release, version

DIGESTS = {number: version(number).version for number in range(1, 10)}


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    return DirectoryTarget("live", {"path": "out", "keep": 2}, tmp_path)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "out" / "booking"


def deploy(target: DirectoryTarget, deployment: str, *parts: ReleasedVersion, lent: Rehearsal | None = None) -> None:
    target.deploy(release(deployment, *parts), (lent or Rehearsal()).work())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def record(folder: Path) -> dict[str, object]:
    return json.loads((folder / ".reconciler.json").read_text())


def test_a_release_lies_where_it_is_documented(target, app):
    deploy(target, "d1", version(1, name="1.4.0"))
    assert names(app) == [".reconciler", "current", "releases", "traffic.json"]
    assert names(app / "releases") == ["d1"]
    assert os.readlink(app / "current") == "releases/d1"
    assert (app / "current" / "index.html").read_text() == "<h1>hello</h1>"
    assert json.loads((app / "traffic.json").read_text()) == [
        {"version": DIGESTS[1], "number": 1, "name": "1.4.0", "percent": 100, "directory": "releases/d1"}
    ]


def test_the_running_app_finds_beside_it_all_that_is_known_of_it(target, app):
    part = ReleasedVersion(
        version=DIGESTS[7],
        number=7,
        name="1.4.0",
        percent=100,
        message="Open at 9",
        tags=("HOTFIX",),
        created_at="2026-11-20T09:00:00Z",
        bundle="plain",
        config={"greeting": "Fröhliche Weihnachten"},
        bindings=(Binding(name="CALENDAR", type="kv", resource="calendar"),),
        secrets=(SecretReference(name="API_KEY", source="env:BOOKING_API_KEY"),),
        migrations=("v1",),
    )
    deploy(target, "d1", part)
    assert record(app / "current") == {
        "deployment": "d1",
        "app": "booking",
        "environment": "live",
        "version": DIGESTS[7],
        "number": 7,
        "name": "1.4.0",
        "message": "Open at 9",
        "tags": ["HOTFIX"],
        "created_at": "2026-11-20T09:00:00Z",
        "cause": "release",
        "commit": "c" * 40,
        "bundle": "plain",
        "image": None,
        "config": {"greeting": "Fröhliche Weihnachten"},
        "bindings": [{"name": "CALENDAR", "type": "kv", "resource": "calendar"}],
        "secrets": [{"name": "API_KEY", "from": "env:BOOKING_API_KEY"}],
        "migrations": ["v1"],
    }
    assert "Fröhliche" in (app / "current" / ".reconciler.json").read_text(encoding="utf-8")


def test_a_split_has_a_directory_for_each_version(target, app):
    deploy(target, "d1", version(1, 10), version(2, 60), version(3, 30))
    assert names(app / "releases") == ["d1", "d1.1", "d1.3"]
    assert os.readlink(app / "current") == "releases/d1"
    traffic = json.loads((app / "traffic.json").read_text())
    assert [(share["number"], share["percent"], share["directory"]) for share in traffic] == [
        (1, 10, "releases/d1.1"),
        (2, 60, "releases/d1"),
        (3, 30, "releases/d1.3"),
    ]
    assert [record(app / share["directory"])["number"] for share in traffic] == [1, 2, 3]


def test_a_step_of_a_rollout_moves_shares_and_writes_no_release_again(target, app):
    deploy(target, "d1", version(1, 90), version(2, 10))
    before = {name: (app / "releases" / name / "index.html").stat().st_ino for name in ("d1", "d1.2")}
    deploy(target, "d1", version(1, 40), version(2, 60))
    assert os.readlink(app / "current") == "releases/d1.2"
    deploy(target, "d1", version(2))
    assert os.readlink(app / "current") == "releases/d1.2"
    assert {name: (app / "releases" / name / "index.html").stat().st_ino for name in before} == before


def test_executable_files_stay_executable_and_harmless_links_stay_links(target, app):
    files = {"run": "#!/bin/sh\n", "notes": "", "bin/again": Link("../run"), "later": Link("not/yet/there")}
    deploy(target, "d1", version(1, bundle="linked"), lent=Rehearsal(bundles={"linked": files}))
    assert os.access(app / "current" / "run", os.X_OK)
    assert not os.access(app / "current" / "notes", os.X_OK)
    assert os.readlink(app / "current" / "bin" / "again") == "../run"
    assert os.readlink(app / "current" / "later") == "not/yet/there"


@pytest.mark.parametrize("files", LEADING_OUT.values(), ids=LEADING_OUT)
def test_a_link_that_leads_out_is_named_and_nothing_is_left(target, app, files):
    deploy(target, "d1", version(1))
    with pytest.raises(PersonNeeded, match=r"the symbolic link .+ leads out of the bundle, to .+replace it"):
        deploy(target, "d2", version(2, bundle="links"), lent=Rehearsal(bundles={"links": files}))
    assert names(app / "releases") == ["d1"]
    assert names(app) == [".reconciler", "current", "releases", "traffic.json"]


def test_something_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PersonNeeded, match="pipe is neither a file nor a link"):
        bundle.look(str(tmp_path))


@pytest.mark.parametrize(
    "files",
    [
        {".reconciler.json": '{"deployment": "forged"}', "x": ""},
        {".reconciler.json": Link("x"), "x": "kept"},
        {".reconciler.json/deep/forged": "", "x": ""},
    ],
    ids=["file", "link", "directory"],
)
def test_a_bundle_cannot_forge_the_record(target, app, files):
    deploy(target, "d1", version(1, bundle="forged"), lent=Rehearsal(bundles={"forged": files}))
    assert record(app / "current")["deployment"] == "d1"
    assert not (app / "current" / ".reconciler.json").is_symlink()
    assert (app / "current" / "x").read_text() == files["x"]


def test_without_a_bundle_there_is_only_the_record(target, app):
    deploy(target, "d1", version(1, bundle=None))
    assert names(app / "current" / "") == [".reconciler.json"]
    assert str(record(app / "current")["image"]).startswith("registry.example/booking@")


def test_many_files_and_folders_come_through(target, app):
    files = {f"part-{number % 7}/{number}.txt": str(number) for number in range(400)}
    deploy(target, "d1", version(1, bundle="many"), lent=Rehearsal(bundles={"many": files}))
    assert {str(p.relative_to(app / "current" / "")) for p in (app / "current" / "").rglob("*.txt")} == set(files)


def test_old_releases_are_pruned_but_none_in_use(target, app):
    for number in range(1, 6):
        deploy(target, f"d{number}", version(number))
    assert names(app / "releases") == ["d3", "d4", "d5"]
    deploy(target, "d6", version(6, 50), version(7, 50))
    assert names(app / "releases") == ["d4", "d5", "d6", "d6.7" if (app / "releases/d6.7").exists() else "d6.6"]
    deploy(target, "d8", version(8))
    assert [name for name in names(app / "releases") if "." not in name] == ["d5", "d6", "d8"]


def test_with_keep_0_only_what_is_in_use_stays(tmp_path):
    target = DirectoryTarget("live", {"path": "out", "keep": 0}, tmp_path)
    for number in (1, 2, 3):
        deploy(target, f"d{number}", version(number))
    assert names(tmp_path / "out/booking/releases") == ["d3"]


def test_pruning_follows_no_link(target, app, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    deploy(target, "d1", version(1))
    (app / "releases" / "aaa").symlink_to(precious)
    (app / "releases" / "d1" / "escape").symlink_to(precious)
    for number in range(2, 8):
        deploy(target, f"d{number}", version(number))
    assert names(app / "releases") == ["d5", "d6", "d7"]
    assert names(precious) == ["file"]


def test_an_app_that_became_a_link_is_refused(target, app, tmp_path):
    deploy(target, "d1", version(1))
    app.rename(tmp_path / "moved")
    app.symlink_to(tmp_path / "moved")
    with pytest.raises(PersonNeeded, match="booking is a symbolic link"):
        deploy(target, "d2", version(2))
    assert names(tmp_path / "moved/releases") == ["d1"]


@pytest.mark.parametrize("link", ["booking", "booking/releases"])
def test_an_app_that_is_a_link_is_refused(target, tmp_path, link):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / "out" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(elsewhere)
    with pytest.raises(PersonNeeded, match=f"{link} is a symbolic link"):
        deploy(target, "d1", version(1))
    assert names(elsewhere) == []


def test_the_path_itself_may_be_a_link(target, app, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    deploy(target, "d1", version(1))
    assert (tmp_path / "disk/booking/current/index.html").exists()


def test_what_a_killed_process_left_is_thrown_away(target, app):
    deploy(target, "d1", version(1))
    half = app / "releases" / ".d2"
    half.mkdir()
    (half / "index.html").write_text("<h1>ha")
    (app / ".traffic.json.new").write_text("[{")
    (app / ".current.new").symlink_to("releases/nowhere")
    deploy(target, "d2", version(2))
    assert names(app) == [".reconciler", "current", "releases", "traffic.json"]
    assert names(app / "releases") == ["d1", "d2"]
    assert (app / "current/index.html").read_text() == PLAIN["index.html"]


def test_a_damaged_release_is_neither_used_nor_overwritten(target, app):
    deploy(target, "d1", version(1))
    (app / "releases/d1/.reconciler.json").write_text("{")
    assert target.observe("booking") == Observed(None, (Running(DIGESTS[1], 100),), (".reconciler.json was changed",))
    deploy(target, "d1", version(1))
    assert os.readlink(app / "current") == "releases/d1.1"
    (app / "releases/d1.1/.reconciler.json").unlink()
    with pytest.raises(PersonNeeded, match=r"releases/d1\.1 is not what this deployment put there"):
        deploy(target, "d1", version(1))


def test_retiring_keeps_the_releases(target, app):
    deploy(target, "d1", version(1, 50), version(2, 50))
    target.retire(release("d2"), Rehearsal().work())
    assert names(app) == [".reconciler", "releases", "traffic.json"]
    assert json.loads((app / "traffic.json").read_text()) == []
    assert names(app / "releases") == ["d1", "d1.1"]


def test_triggers_are_replaced_as_a_whole_without_a_deployment(target, app):
    first = Triggers(routes=("book.example.com/*",), crons=("*/5 * * * *",))
    for triggers, written in [
        (first, {"routes": ["book.example.com/*"], "domains": [], "crons": ["*/5 * * * *"]}),
        (Triggers(domains=("example.com",)), {"routes": [], "domains": ["example.com"], "crons": []}),
    ]:
        target.triggers("booking", triggers, Rehearsal().work())
        assert json.loads((app / "triggers.json").read_text()) == written
    assert names(app) == [".reconciler", "releases", "triggers.json"]


def test_the_same_triggers_again_write_nothing(target, app):
    for _ in range(2):
        target.triggers("booking", Triggers(routes=("a",)), Rehearsal().work())
        number = (app / "triggers.json").stat().st_ino
        target.triggers("booking", Triggers(routes=("a",)), Rehearsal().work())
        assert (app / "triggers.json").stat().st_ino == number


@pytest.mark.parametrize(
    "harm",
    [
        lambda app: (app / "current").unlink(),
        lambda app: ((app / "current").unlink(), (app / "current").symlink_to("releases/d1")),
        lambda app: ((app / "current").unlink(), (app / "current").symlink_to("/etc")),
        lambda app: (app / "traffic.json").write_text("[]"),
        lambda app: (app / "traffic.json").write_text("nonsense"),
        lambda app: (app / "traffic.json").unlink(),
    ],
    ids=["current gone", "current elsewhere", "current outside", "traffic empty", "traffic broken", "traffic gone"],
)
def test_what_somebody_changed_by_hand_is_no_deployment_and_is_mended(target, app, harm):
    deploy(target, "d1", version(1))
    deploy(target, "d2", version(2))
    assert target.observe("booking") == Observed("d2", (Running(DIGESTS[2], 100),))
    harm(app)
    observed = target.observe("booking")
    assert observed is not None
    assert observed.deployment is None
    deploy(target, "d2", version(2))
    assert target.observe("booking") == Observed("d2", (Running(DIGESTS[2], 100),))


def test_another_process_at_work_on_the_app_is_waited_for(target, app):
    deploy(target, "d1", version(1))
    folder = os.open(app, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(TryAgainLater, match=rf"process {os.getpid()} is changing booking"):
            deploy(target, "d2", version(2))
    finally:
        os.close(folder)
    deploy(target, "d2", version(2))


def test_a_disk_that_refuses_is_named_with_the_place_and_no_failure_of_the_version(target, app, tmp_path):
    app.parent.mkdir()
    app.write_text("a file where the directory should be")
    with pytest.raises(TryAgainLater, match=r"File exists at booking|Not a directory at booking") as raised:
        deploy(target, "d1", version(1))
    assert str(tmp_path) not in str(raised.value)


def test_a_deployment_that_fails_leaves_no_trace(target, app):
    deploy(target, "d1", version(1))

    def full(_tree: str, folder: Path) -> None:
        (folder / "index.html").write_text("<h1>")
        raise OSError(28, "No space left on device", str(folder / "index.html"))

    work = Rehearsal().work()
    with pytest.raises(TryAgainLater, match=r"No space left on device at booking/releases/\.d2/index\.html"):
        target.deploy(release("d2", version(2)), type(work)(full, work.stop, work.say, work.environ))
    assert names(app / "releases") == ["d1"]
    assert target.observe("booking") == Observed("d1", (Running(DIGESTS[1], 100),))


def test_a_deployment_id_that_is_no_name_is_refused(target, app):
    for bad in ("", "..", "../d1", ".d1", "a/b", "a\n"):
        with pytest.raises(PersonNeeded, match=r"the deployment .+ cannot be the name of a directory"):
            deploy(target, bad, version(1))
    assert names(app / "releases") == []


def test_readers_see_one_release_or_the_other_and_never_a_mixture(target, app):
    """A reader opens `current` once and reads on from there, as a web server or a starting app does."""
    lent = Rehearsal(bundles={f"b{n}": {"first": str(n), "second": str(n)} for n in (1, 2)})
    deploy(target, "start", version(1, bundle="b1"), lent=lent)
    over, mixtures, reads = threading.Event(), [], []

    def read() -> None:
        while not over.is_set():
            folder = os.open(app / "current", os.O_RDONLY)
            try:
                found = [_read_at(folder, name) for name in ("first", "second")]
                number = str(json.loads(_read_at(folder, ".reconciler.json"))["number"])
            finally:
                os.close(folder)
            reads.append(number)
            if found != [number, number]:
                mixtures.append((number, found))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for step in range(40):
            number = step % 2 + 1
            # Enough is kept that the release being read is not pruned under the reader.
            keeping = DirectoryTarget("live", {"path": str(app.parent), "keep": 100}, app)
            deploy(keeping, f"d{step}", version(number, bundle=f"b{number}"), lent=lent)
    finally:
        over.set()
        reader.join()
    assert mixtures == []
    assert set(reads) == {"1", "2"}


def _read_at(folder: int, name: str) -> str:
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    with open(file, encoding="utf-8") as stream:
        return stream.read()


def test_a_release_can_be_a_retirement_only_through_retire(target):
    empty: Release = release("d1")
    assert empty.largest is None
    target.retire(empty, Rehearsal().work())
    assert target.observe("booking") is None
