"""A real daemon tells of what happened, once, although it is killed meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from tests.e2e.daemon import Live, Nursery
from tests.receiver import Answer, Request, receiving
from tests.world import app_manifest

BROKEN = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, retry: {limit: 0}, target: {type: exec, command: [sh, -c, "exit 3"]}}
"""


def alert(name: str = "team", **spec: Any) -> str:
    said = {"events": ["failed"], **spec}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "Alert", "metadata": {"name": name}, "spec": said})


def ids_of(requests: Iterable[Request]) -> set[str]:
    return {request.headers["x-reconciler-message"] for request in requests}


@pytest.fixture(autouse=True)
def _ready(nursery: Nursery) -> None:
    """Daemons find what they send with imported already."""
    nursery.ask({"readies": "alerts"})


def test_a_failed_deployment_is_told_once_although_the_daemon_is_killed_meanwhile(live: Live) -> None:
    with receiving() as receiver:
        (live.directory / "address").write_text(f"json://127.0.0.1:{receiver.port}/hook\n")
        to = f"file:{live.directory / 'address'}"
        live.commit(
            "Begin",
            {
                "environments.yaml": BROKEN,
                "shop.yaml": app_manifest(environments=["sandbox"]),
                "shop/index.html": "one",
                "alert.yaml": alert(to=to),
            },
        )
        live.start()
        live.wait_for(lambda: live.history()[-1].status == "failed", "the deployment fails")
        live.kill()
        live.start()
        live.wait_for(lambda: receiver.requests, "somebody is told")
        live.kill()
        live.start()
        live.commit("More", {"shop/index.html": "two"})
        live.wait_for(lambda: len(ids_of(receiver.requests)) > 1, "the next failure is told")
    first, second = receiver.requests[0], receiver.requests[-1]
    assert "sandbox" in first.json["title"]
    assert "FAILED" in first.json["title"]
    # A kill between the arrival and the note of it may repeat a message, under the id of the first.
    assert len(ids_of(receiver.requests)) == 2
    assert "sandbox" in second.json["title"]
    assert f"{receiver.port}" not in live.log


def test_a_message_whose_answer_was_lost_is_sent_again_under_the_same_id(live: Live) -> None:
    never = threading.Event()
    held: list[str] = []

    def answer(request: Request) -> Answer:
        if not held:
            held.append(request.headers["x-reconciler-message"])
            return Answer(after=never)
        return Answer()

    with receiving(answer) as receiver:
        (live.directory / "address").write_text(f"json://127.0.0.1:{receiver.port}/hook?cto=30&rto=30\n")
        to = f"file:{live.directory / 'address'}"
        files = {"environments.yaml": BROKEN, "shop.yaml": app_manifest(environments=["sandbox"])}
        live.commit("Begin", {**files, "shop/index.html": "one", "alert.yaml": alert(to=to)})
        live.start()
        live.wait_for(lambda: held, "a message is on its way")
        live.kill()
        never.set()
        live.start()
        live.wait_for(lambda: len(receiver.requests) > 1, "it is sent again")
    first, again = receiver.requests
    assert first.headers["x-reconciler-message"] == again.headers["x-reconciler-message"]
    assert "may have arrived before" in again.json["message"]
    assert "may have arrived before" not in first.json["message"]
