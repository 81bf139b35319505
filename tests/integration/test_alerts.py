"""Who is told of what, how often, and in which words; over a real web hook and a real mail server."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from reconciler.errors import StoreError
from reconciler.notify.deriving import Deriving
from reconciler.notify.gathering import gather
from reconciler.notify.sending import Sending
from reconciler.store import messages, notices
from tests.receiver import Answer, Receiver, receiving
from tests.stores import content
from tests.telling import FAILING, alert, noted, said, settle_and_tell, to
from tests.world import ENVIRONMENTS, World, app_manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def begin(world: World, *alerts: str, environments: str = ENVIRONMENTS) -> None:
    files = {f"alert-{number}.yaml": one for number, one in enumerate(alerts)}
    files |= {"environments.yaml": environments, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    world.commit("Begin", files)


def titles(receiver: Receiver) -> list[str]:
    return [request.json["title"] for request in receiver.requests]


def test_each_fact_is_told_once_and_to_whom_it_concerns(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/a")
        other = to(world, f"json://127.0.0.1:{receiver.port}/b", "other")
        begin(
            world,
            alert(url, events=["completed"], environments=["live"]),
            alert(other, name="nobody", events=["failed", "completed"], apps=["shop"], causes=["rollback"]),
        )
        assert settle_and_tell(world) == 1
        assert titles(receiver) == ["shop in live: v1 is deployed"]
        assert settle_and_tell(world) == 0
        world.commit("Two", {"shop/index.html": "two"})
        assert settle_and_tell(world) == 1
        world.repo.revert(world.repo.head)
        world.repo.push()
        settle_and_tell(world)
    assert sorted(request.path for request in receiver.requests) == ["/a", "/a", "/a", "/b"]
    to_nobody = next(request.json for request in receiver.requests if request.path == "/b")
    assert to_nobody["title"] == "3 notices: 3 completed"
    assert "shop in sandbox: v1 is deployed" in to_nobody["message"]
    assert {status for _, status, _ in said(world)} == {"sent"}


def test_labels_choose_apps(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["completed"], apps={"team": "web"}, environments=["sandbox"]))
        cafe = app_manifest("cafe").replace('"name": "cafe"', '"name": "cafe", "labels": {"team": "web"}')
        world.commit("Cafe", {"cafe.yaml": cafe, "cafe/index.html": "x"})
        settle_and_tell(world)
    assert titles(receiver) == ["cafe in sandbox: v1 is deployed"]


def test_many_at_once_are_one_message(world: World) -> None:
    files = {f"app{number}.yaml": app_manifest(f"app{number}", environments=["sandbox"]) for number in range(30)}
    files |= {f"app{number}/index.html": "x" for number in range(30)}
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        world.commit("Begin", {"environments.yaml": FAILING, "alert.yaml": alert(url), **files})
        assert settle_and_tell(world) == 1
    (one,) = receiver.requests
    assert one.json["title"] == "30 notices: 30 failed"
    assert one.json["message"].count("FAILED") == 20
    assert "10 more" in one.json["message"]
    assert len(noted(world)) == 30


def test_nothing_old_is_told_to_a_new_alert(world: World) -> None:
    begin(world)
    settle_and_tell(world)
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        world.commit("Tell", {"alert.yaml": alert(url, events=["started", "completed"])})
        assert settle_and_tell(world) == 0
    assert receiver.requests == []


def test_what_fails_is_tried_again_later_and_logged_without_the_address(world: World) -> None:
    answers = [Answer(status=503), Answer(status=200)]
    with receiving(lambda request: answers.pop(0)) as receiver:
        url = to(world, f"json://user:hunter2@127.0.0.1:{receiver.port}/")
        shop = {"shop.yaml": app_manifest(environments=["sandbox"]), "shop/index.html": "one"}
        world.commit("Begin", {"environments.yaml": FAILING, "alert.yaml": alert(url), **shop})
        assert settle_and_tell(world) == 1
        assert settle_and_tell(world) == 0
        world.later(seconds=5)
        assert settle_and_tell(world) == 1
    first, second = receiver.requests
    assert first.headers["x-reconciler-message"] == second.headers["x-reconciler-message"]
    assert b"hunter2" not in content(world.settings["state"]["url"])


def test_an_address_that_is_missing_is_said_in_the_log(world: World) -> None:
    begin(world, alert("env:NO_SUCH_VARIABLE_ANYWHERE", events=["completed"]))
    assert settle_and_tell(world) == 1
    with world.running() as found, found.database.read() as connection:
        (row,) = messages.listed(connection, None, None, 10)
    assert "NO_SUCH_VARIABLE_ANYWHERE" in row.error
    assert "not set" in row.error


def test_own_words(world: World) -> None:
    template = {"title": "$app: $event", "body": "in ${environment} for $$5: $version by $cause"}
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["completed"], environments=["sandbox"], template=template))
        settle_and_tell(world)
    (one,) = receiver.requests
    assert one.json["title"] == "shop: completed"
    assert one.json["message"] == "in sandbox for $5: v1 by release"


def test_mail(world: World) -> None:
    received: list[bytes] = []

    class Keeps:
        async def handle_DATA(  # noqa: N802 - as aiosmtpd calls it
            self, server: Any, session: Any, envelope: Any
        ) -> str:
            received.append(envelope.content)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Keeps(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = to(world, f"mailto://127.0.0.1:{port}?from=reconciler@example.org&to=ann@example.org&mode=insecure")
        begin(world, alert(url, events=["completed"], environments=["sandbox"]))
        assert settle_and_tell(world) == 1
    finally:
        controller.stop()
    (one,) = received
    mail = message_from_bytes(one)
    assert mail["To"] == "ann@example.org"
    assert mail["From"] == "reconciler@example.org"
    assert mail["Subject"] == "shop in sandbox: v1 is deployed"
    assert len(mail["X-Reconciler-Message"]) == 32


def test_a_broken_manifest_a_hold_and_a_held_head_are_told(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        events = ["manifest-broken", "head-held", "refused", "waiting-for-approval", "held", "drifted"]
        begin(world, alert(url, events=events))
        settle_and_tell(world)
        broken = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: shop}\nspec: {bundl: x}\n"
        world.commit("Break", {"shop.yaml": broken})
        settle_and_tell(world)
        assert titles(receiver) == ["a manifest is broken"]
        assert "shop.yaml:4" in receiver.requests[0].json["message"]
        world.repo.git("commit", "--amend", "-m", "Rewritten")
        world.repo.git("push", "--force", "origin", "main")
        settle_and_tell(world)
    assert titles(receiver)[1:] == ["the head of the branch is held"]


def test_who_waits_for_approval_is_told_once(world: World) -> None:
    gated = ENVIRONMENTS.replace("track: pre-release, ", "track: pre-release, gates: {approvals: 1}, ")
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["waiting-for-approval"]), environments=gated)
        settle_and_tell(world)
        world.later(hours=2)
        settle_and_tell(world)
        assert titles(receiver) == ["shop in live waits for approval"]
        assert "reconciler approve" in receiver.requests[0].json["message"]
        world.commit("Two", {"shop/index.html": "two"})
        settle_and_tell(world)
    assert len(receiver.requests) == 2


def test_routes_that_a_target_refuses_are_told_once_until_it_takes_them(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["refused"]))
        world.commit("Routes", {"shop.yaml": app_manifest(triggers={"routes": ["example.com/*"]})})
        way = world.directory / "state" / "releases" / "live" / "shop" / "triggers.json"
        way.mkdir(parents=True)
        for _ in range(3):
            settle_and_tell(world)
            world.later(hours=1)
        assert titles(receiver) == ["shop in live: the target refuses routes, domains or crons"]
        (told,) = receiver.requests
        assert "Is a directory" in told.json["message"]
        assert "`reconciler why shop live`" in told.json["message"]
        way.rmdir()
        settle_and_tell(world)
        way.unlink()
        way.mkdir()
        world.commit("Others", {"shop.yaml": app_manifest(triggers={"routes": ["example.org/*"]})})
        settle_and_tell(world)
        settle_and_tell(world)
    assert len(receiver.requests) == 2


def test_a_freeze_that_begins_is_told(world: World) -> None:
    freeze = (
        "apiVersion: reconciler/v1\nkind: Freeze\nmetadata: {name: night}\nspec: {environments: [live], "
        'from: "2026-06-01T13:00", until: "2026-06-01T14:00", timezone: UTC, reason: sleep}\n'
    )
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["freeze-began"]))
        world.commit("Freeze", {"freeze.yaml": freeze})
        settle_and_tell(world)
        assert receiver.requests == []
        world.later(minutes=61)
        settle_and_tell(world)
        settle_and_tell(world)
    assert titles(receiver) == ["the freeze night of live has begun"]


def test_a_message_on_its_way_when_the_process_ended_goes_again_with_a_word_of_warning(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["completed"], environments=["sandbox"]))
        with world.running() as found:
            found.daemon.settle(found.notifying.begin)
            found.membership.join()
            hangs = threading.Event()
            receiver.answer = lambda request: Answer(after=hangs)
            found.notifying._derive(found.notifying._window * 0)
            with found.database.read() as connection:
                (row,) = messages.due(connection, ["alert"], world.now, 5)
            with found.database.write() as transaction:
                assert messages.claim(transaction, row, world.now)
        receiver.answer = lambda request: Answer()
        assert settle_and_tell(world) == 1
    assert "may have arrived before" in receiver.requests[0].json["message"]
    assert said(world) == [("team", "sent", "shop in sandbox: v1 is deployed")]


def test_while_a_message_waits_what_comes_is_gathered_behind_it_and_a_mended_address_is_used_at_once(
    world: World,
) -> None:
    with receiving() as receiver:
        right = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert("env:NO_SUCH_VARIABLE_ANYWHERE", events=["completed"], environments=["live"]))
        assert settle_and_tell(world) == 1
        for text in ("two", "three", "four"):
            world.commit(text, {"shop/index.html": text})
            assert settle_and_tell(world) == 0
        world.commit("Mend", {"alert-0.yaml": alert(right, events=["completed"], environments=["live"])})
        settle_and_tell(world)
        world.later(seconds=1)
        settle_and_tell(world)
    assert titles(receiver) == ["shop in live: v1 is deployed", "3 notices: 3 completed"]


def test_an_alert_that_left_git_is_told_nothing_more(world: World) -> None:
    begin(world, alert("env:NO_SUCH_VARIABLE_ANYWHERE", events=["completed"], environments=["live"]))
    assert settle_and_tell(world) == 1
    world.commit("Away", {"alert-0.yaml": None, "shop/index.html": "two"})
    world.later(hours=1)
    assert settle_and_tell(world) == 0
    assert {status for _, status, _ in said(world)} == {"dropped"}


def test_a_restored_store_tells_nothing_old(world: World) -> None:
    from reconciler.store import leases

    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["completed"], environments=["live"]))
        with world.running() as found:
            found.daemon.settle(found.notifying.begin)
        with world.running() as found, found.database.write() as transaction:
            leases.begin_lineage(transaction, world.now)
        assert settle_and_tell(world) == 0
        world.commit("Two", {"shop/index.html": "two"})
        assert settle_and_tell(world) == 1
    assert titles(receiver) == ["shop in live: v2 is deployed"]


def test_a_rollback_is_told_once_to_whom_it_is_a_completion_too(world: World) -> None:
    with receiving() as receiver:
        url = to(world, f"json://127.0.0.1:{receiver.port}/")
        begin(world, alert(url, events=["completed", "rolled-back"], environments=["live"]))
        settle_and_tell(world)
        world.commit("Two", {"shop/index.html": "two"})
        settle_and_tell(world)
        world.repo.revert(world.repo.head)
        world.repo.push()
        settle_and_tell(world)
    assert titles(receiver)[-1] == "shop in live: rolled back to v1"
    assert len(receiver.requests) == 3


def test_what_breaks_in_the_midst_of_a_look_leaves_nothing_and_the_next_look_makes_it_once(world: World) -> None:
    def breaks(*_: Any) -> None:
        raise OSError("the disk is full")

    begin(world, alert("env:CHAT", events=["completed"]))
    with world.running() as found:
        found.daemon.settle(found.notifying.begin)
        with pytest.raises(OSError, match="full"):
            Deriving(found.database, [breaks]).look(world.now)
        with found.database.read() as connection:
            assert notices.gathered(connection) == {}
        assert Deriving(found.database).look(world.now).notices == 3
        assert Deriving(found.database).look(world.now).notices == 0


@pytest.mark.sqlite_only(reason="the store is lost by moving its file away")
def test_a_store_that_is_away_when_the_answer_comes_hears_of_it_later(world: World) -> None:
    begin(world, alert("env:CHAT", events=["completed"], environments=["live"]))
    store = world.directory / "state" / "reconciler.db"
    calls: list[str] = []

    def carry(row: Any) -> None:
        calls.append(row.id)
        store.rename(store.with_suffix(".away"))

    with world.running() as found:
        found.daemon.settle(found.notifying.begin)
        Deriving(found.database).look(world.now)
        gather(found.database, world.now, timedelta())
        sending = Sending(found.database, {"alert": carry}, lambda: world.now)
        with pytest.raises(StoreError):
            sending.send_due(lambda: True)
        store.with_suffix(".away").rename(store)
        assert sending.send_due(lambda: True) == 0
    assert len(calls) == 1
    assert said(world) == [("team", "sent", "shop in live: v1 is deployed")]
