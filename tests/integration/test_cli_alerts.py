"""`reconciler alerts` shows who is told of what and how that went, and never an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Told, typed
from tests.receiver import Answer, receiving
from tests.telling import FAILING, alert, to
from tests.world import app_manifest


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_alerts_messages_attempts_and_what_each_carries(told: Told, tmp_path: Path) -> None:
    answers = [Answer(503)]
    with receiving(lambda request: answers.pop() if answers else Answer()) as receiver:
        url = to(told, f"json://ann:hunter2@127.0.0.1:{receiver.port}/")
        shop = {"shop.yaml": app_manifest(environments=["sandbox"]), "shop/index.html": "one"}
        told.commit("Begin", {"environments.yaml": FAILING, "alert.yaml": alert(url, apps=["shop"]), **shop})
        assert typed("alerts", "list", at=tmp_path).status != 2
        once = typed("run", "--once", at=tmp_path)
        assert once.status == 1  # the deployment failed
        assert len(receiver.requests) == 1
    listed = typed("alerts", "list", "-o", "json", at=tmp_path).json
    assert listed[0] | {"messages": None} == {
        "name": "team",
        "to": url,
        "events": ["failed"],
        "apps": ["shop"],
        "environments": None,
        "causes": None,
        "format": "text",
        "messages": None,
    }
    assert listed[0]["messages"] == {"waiting": 1}
    (message,) = typed("alerts", "log", "-o", "json", at=tmp_path).json
    assert message["status"] == "waiting"
    assert message["deliveries"][0]["outcome"] == "failed"
    assert message["error"] == "the service answered with status 503"
    text = typed("alerts", "log", "team", "--status", "waiting", at=tmp_path).out
    assert "shop in sandbox: v1 FAILED" in text
    assert "attempt 1: failed: the service answered with status 503" in text
    shown = typed("alerts", "show", message["id"][:8], at=tmp_path).out
    assert "failed" in shown
    assert "hunter2" not in text + shown + once.out + once.err


def test_an_alert_that_there_is_not_is_named_with_the_nearest_one(told: Told, tmp_path: Path) -> None:
    told.commit("Begin", {"environments.yaml": FAILING, "alert.yaml": alert("env:CHAT")})
    typed("run", "--once", at=tmp_path)
    done = typed("alerts", "log", "taem", at=tmp_path)
    assert done.status == 1
    assert "did you mean team?" in done.err
    assert typed("alerts", "log", "team", at=tmp_path).out == "nothing was sent yet\n"
    assert typed("alerts", "show", "abc", at=tmp_path).status == 1


def test_doctor_tells_of_alerts_that_reach_nobody(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple[str, str]]:
        done = typed("doctor", "-o", "json", at=tmp_path)
        every = done.json
        return [(one["status"], one["detail"]) for one in every if one["check"] == "alert team"]

    shop = {"shop.yaml": app_manifest(environments=["sandbox"]), "shop/index.html": "one"}
    told.commit("Begin", {"environments.yaml": FAILING, "alert.yaml": alert("env:OUR_CHAT"), **shop})
    monkeypatch.delenv("OUR_CHAT", raising=False)
    with receiving(lambda _request: Answer(404)) as receiver:
        assert typed("run", "--once", at=tmp_path).status == 1
        unset, failed = found()
        assert unset[0] == "note"
        assert "env:OUR_CHAT" in unset[1]
        assert failed[0] == "bad"
        assert "its last message did not arrive" in failed[1]
        monkeypatch.setenv("OUR_CHAT", f"json://ann:hunter2@127.0.0.1:{receiver.port}/")
        (status, detail), *rest = found()
        assert (status, rest) == ("bad", [])
        assert "hunter2" not in detail
