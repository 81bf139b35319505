"""Does the directory target see what somebody changed in a release, whatever it is, and nothing where nobody did?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.errors import TargetError
from reconciler.targets.base import Observed
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.rehearsal import HOSTILE, Link, Rehearsal, release, version

LARGE = "x" * 3_000_000


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    return DirectoryTarget("live", {"path": "out"}, tmp_path)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "out" / "booking"


def deploy(target: DirectoryTarget, files: dict, deployment: str = "d1") -> None:
    lent = Rehearsal(bundles={"files": files})
    target.deploy(release(deployment, version(1, bundle="files")), lent.work())


def changed(target: DirectoryTarget) -> tuple[str, ...]:
    """What a quick look finds, which is what a close one finds."""
    looks = [target.observe("booking"), target.inspect("booking")]
    assert all(isinstance(look, Observed) for look in looks)
    quick, close = (look.changed for look in looks)
    assert quick == close
    return close


def test_whatever_a_bundle_holds_it_is_as_it_was_put(target):
    deploy(target, {**HOSTILE, "large": LARGE, "one": "", "b" * 200: "x"})
    assert changed(target) == ()


def test_one_letter_of_a_large_file_is_seen(target, app):
    deploy(target, {"large": LARGE})
    with (app / "current/large").open("r+b") as file:
        file.seek(2_999_999)
        file.write(b"y")
    assert changed(target) == ("large was changed",)


def test_what_disk_and_clock_hide_a_close_look_sees(target, app, monkeypatch):
    """As where the disk keeps no times, or a file was changed beneath it."""
    deploy(target, {"page": "one"})
    real = os.lstat

    def before(path, *given):
        found = real(path, *given)
        return noted if str(path).endswith("/page") else found

    noted = real(app / "releases/d1/page")
    (app / "current/page").write_text("two")
    monkeypatch.setattr(os, "lstat", before)
    assert target.observe("booking").changed == ()
    assert target.inspect("booking").changed == ("page was changed",)


def test_a_link_that_leads_elsewhere_is_seen_and_not_followed(target, app):
    deploy(target, {"a": "x", "link": Link("a"), "gone": Link("nowhere")})
    assert changed(target) == ()
    (app / "current/link").unlink()
    (app / "current/link").symlink_to("/etc/passwd")
    assert changed(target) == ("link was changed",)


def test_a_pipe_in_a_file_s_place_is_not_waited_for(target, app):
    deploy(target, {"a": "x"})
    (app / "current/a").unlink()
    os.mkfifo(app / "current/a")
    assert changed(target) == ("a is no longer a file of its kind",)


def test_of_many_changes_the_first_are_told_and_the_rest_are_counted(target, app):
    deploy(target, {f"f{number}": "x" for number in range(10)})
    for number in range(10):
        (app / f"current/f{number}").unlink()
    said = changed(target)
    assert len(said) == 4
    assert all(one.endswith(" is missing") for one in said[:3])
    assert said[3] == "and 7 others"


def test_names_that_nobody_can_read_are_told_in_letters_that_one_can(target, app):
    deploy(target, {b"\xff\n": "x"})
    os.unlink(os.fsencode(app) + b"/current/\xff\n")
    assert changed(target) == ("\\udcff\\n is missing",)


@pytest.mark.parametrize("damage", ["", "{", "[[1]]", '[["a"]]', "null", '{"a": 1}', "[" * 100_000])
def test_a_damaged_inventory_says_nothing_of_the_files(target, app, damage):
    deploy(target, {"a": "x"})
    (app / ".reconciler/d1.files").write_text(damage)
    (app / "current/a").write_text("y")
    assert changed(target) == ()


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"deployment": []}', '{"deployment": {"number": "9"}}'])
def test_a_damaged_order_holds_nobody_up(target, app, damage):
    deploy(target, {"a": "x"})
    (app / ".reconciler/order.json").write_text(damage)
    deploy(target, {"a": "y"}, "d2")
    assert (app / "current/a").read_text() == "y"
    assert json.loads((app / ".reconciler/order.json").read_text())["deployment"]["deployment"] == "d2"


@pytest.mark.parametrize("size", [600, 70_000])
def test_a_long_order_is_written_over_whole(target, app, size):
    deploy(target, {"a": "x"})
    order = app / ".reconciler/order.json"
    order.write_text(json.dumps({"deployment": {}, "of another release": "x" * size}))
    for number in (2, 3):
        deploy(target, {"a": "y"}, f"d{number}")
        assert json.loads(order.read_text())["deployment"]["deployment"] == f"d{number}"


@pytest.mark.parametrize("other", [os.mkfifo, os.mkdir, lambda path: os.symlink("../traffic.json", path)])
def test_an_order_that_is_no_file_is_complained_about_and_not_waited_for(target, app, other):
    deploy(target, {"a": "x"})
    order = app / ".reconciler/order.json"
    order.unlink()
    other(order)
    with pytest.raises(TargetError, match=r"at booking/\.reconciler/order\.json"):
        deploy(target, {"a": "y"}, "d2")
    assert changed(target) == ()
    order.rmdir() if order.is_dir() else order.unlink()
    deploy(target, {"a": "y"}, "d2")
    assert (app / "current/a").read_text() == "y"


@pytest.mark.parametrize(
    "directory", ["releases/../../../etc", "/etc", "releases/.d1", "releases/", 7, None, "releases/a\0b"]
)
def test_shares_that_name_other_places_are_not_followed(target, app, directory):
    deploy(target, {"a": "x"})
    shares = json.loads((app / "traffic.json").read_text())
    (app / "traffic.json").write_text(json.dumps([{**shares[0], "directory": directory}]))
    assert changed(target) == ("current leads to d1",)


def test_every_version_of_a_split_is_looked_at(target, app):
    lent = Rehearsal()
    target.deploy(release("d1", version(1, 20), version(2, 80)), lent.work())
    assert changed(target) == ()
    (app / "releases/d1.1/index.html").write_text("mine")
    assert changed(target) == ("index.html was changed",)
