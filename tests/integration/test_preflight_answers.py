"""What is somebody told who wants to start a deployment that is made elsewhere, and is it in the ledger?"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response

from tests.bearers import header
from tests.commands import Told
from tests.http_asking import PROBLEM, face
from tests.reporter import Reporter, begin
from tests.world import app_manifest


def test_another_one_runs_there(ci: Reporter) -> None:
    first = ci.tell("started", "staging", "1.0").json()
    said = ci.refused(409, "staging")
    assert said["details"]["deployment"] == {
        "id": first["id"],
        "number": 1,
        "version": "1.0",
        "external": True,
        "since": "2026-06-01T12:00:00Z",
    }
    assert "report that it was aborted" in said["next_step"]
    assert ci.tell("aborted", "staging", "1.0").status_code == 201
    assert ci.tell("started", "staging").status_code == 201
    # The same start once more is answered as before, not refused.
    assert ci.tell("started", "staging").status_code == 200
    assert [kind for kind, _ in ci.facts()] == ["report.started", "report.refused", "report.aborted", "report.started"]


def test_one_that_waits_in_a_queue_holds_nobody_up(ci: Reporter) -> None:
    assert ci.tell("queued", "staging", "1.0").status_code == 201
    assert ci.tell("queued", "staging", "2.0").status_code == 201
    assert ci.tell("started", "staging", "2.0").status_code == 201
    assert ci.refused(409, "staging", version="1.0")["details"]["deployment"]["version"] == "2.0"


def test_a_deployment_of_ours_runs_there(ci: Reporter) -> None:
    ci.world.commit("Two", {"shop/index.html": "two"})
    with ci.world.running() as running:
        # It has been decided on, and its target has not been told yet.
        running.cycle.turn(ci.world.now)
        found = ci.refused(409, "sandbox", product_name="shop", version="9")["details"]["deployment"]
        running.daemon.settle()
    assert (found["number"], found["version"], found["external"]) == (2, "v2", False)
    assert ci.tell("started", "sandbox", "9", product_name="shop").status_code == 201


def test_order_then_soak_then_approvals(ci: Reporter) -> None:
    said = ci.refused(428, "shopfront")
    assert (said["details"]["rule"], said["details"]["missing_in"], said["retry_after"]) == ("order", "staging", None)
    ci.done("staging")
    ci.world.later(minutes=30)
    said = ci.refused(428, "shopfront")
    assert [one["rule"] for one in said["details"]["objections"]] == ["soak", "approval"]
    assert said["details"]["until"] == "2026-06-01T14:00:00Z"
    assert said["retry_after"] == 90 * 60
    ci.world.later(minutes=90)
    said = ci.refused(428, "shopfront")
    approval = said["details"]["approval"]
    assert (approval["needed"], approval["approved_by"], approval["missing_roles"]) == ({"qa": 1}, [], ["qa"])
    assert approval["not_counted"] == ["ci", "dev@example.com"]
    assert f"`reconciler approve {approval['id']}`" in said["next_step"]
    # Whoever deploys it does not count, whichever case they write themselves in; nor does a role that the gate lacks.
    assert ci.approve("dev", approval["id"], role="qa").status_code == 409
    assert ci.approve("qa", approval["id"]).status_code == 422
    assert ci.approve("qa", approval["id"], role="qa", reason="looked at it").status_code == 202
    assert ci.approve("qa", "till/shopfront", role="qa").status_code == 409
    assert ci.tell("started", "shopfront").status_code == 201
    kinds = [fact for fact in ci.facts() if fact[0].startswith("gate.")]
    assert kinds == [("gate.asked", "reconciler"), ("gate.approved", "quinn@example.com")]


def test_approved_by_place_and_for_one_version(ci: Reporter) -> None:
    ci.refused(428, "careful")
    assert ci.approve("qa", "till/careful").status_code == 202
    assert ci.tell("started", "careful").status_code == 201
    assert ci.tell("success", "careful").status_code == 201
    assert ci.refused(428, "careful", version="2.1")["details"]["approval"]["approved_by"] == []


def test_a_place_names_nothing_where_several_wait(ci: Reporter) -> None:
    first = ci.refused(428, "careful")["details"]["approval"]["id"]
    second = ci.refused(428, "careful", version="2.1")["details"]["approval"]["id"]
    said = ci.approve("qa", "till/careful")
    assert said.status_code == 409, said.text
    for id_, version in ((first, "2.0"), (second, "2.1")):
        assert f"{id_[:12]} ({version} of till, reported from elsewhere)" in said.json()["detail"]
    assert ci.approve("qa", first[:3]).status_code == 422
    assert "reported from elsewhere" in ci.approve("qa", first).json()["detail"]
    # Only one is left that waits.
    assert ci.approve("qa", "till/careful").json()["detail"].startswith("quinn@example.com approved 2.1 ")


def test_what_ci_reports_is_not_approved_for_what_waits_here(ci: Reporter) -> None:
    ci.world.commit("Ours too", {"shop.yaml": app_manifest(environments=["sandbox", "careful"])})
    ci.world.settle()
    theirs = ci.refused(428, "careful", product_name="shop", version="9")["details"]["approval"]["id"]
    told = ci.approve("qa", "shop/careful")
    assert (told.status_code, told.headers["content-type"]) == (409, PROBLEM)
    said = told.json()["detail"]
    assert f"{theirs[:12]} (9 of shop, reported from elsewhere)" in said
    (ours,) = re.findall("([0-9a-f]{12}) [(]v1 of shop[)]", said)
    assert ci.approve("qa", ours).json()["detail"] == "quinn@example.com approved v1 of shop for careful"
    ci.world.settle()
    assert ci.world.runs("careful") == "one"


def test_who_waits_for_an_approval_may_ask_often(ci: Reporter) -> None:
    for _ in range(5):
        ci.refused(428, "careful")
    assert [kind for kind, _ in ci.facts()] == ["gate.asked", "report.refused"]


def test_a_freeze(ci: Reporter) -> None:
    ci.world.later(hours=12)
    said = ci.refused(423, "careful")
    assert said["details"]["freezes"] == [
        {"name": "stocktaking", "until": "2026-06-03T00:00:00Z", "reason": "shelves are being counted"}
    ]
    assert said["retry_after"] == timedelta(hours=24).total_seconds()
    assert ci.tell("started", "staging").status_code == 201
    assert ci.refused(428, "careful", kind="hotfix")["details"]["rule"] == "approval"
    # What ends is told all the same, and so is what waits.
    assert ci.tell("queued", "careful").status_code == 201
    assert ci.tell("success", "careful").status_code == 201


def test_a_rollback_passes_where_it_is_one(ci: Reporter) -> None:
    assert ci.tell("success", "careful", "1.9").status_code == 201
    ci.world.later(hours=12)
    ci.refused(423, "careful", kind="rollback")
    assert ci.tell("started", "careful", "1.9", kind="rollback", build_url="https://ci/2").status_code == 201


def test_gates_that_report_let_pass_and_say_so(ci: Reporter) -> None:
    answer = ci.tell("started", "tried")
    assert answer.status_code == 201
    (remark,) = answer.json()["remarks"]
    assert remark.startswith("reported only: 2.0 of till has not completed in staging")
    (fact,) = [one for one in ci.asked.all("/ledger?app=till") if one["kind"] == "report.started"]
    assert fact["body"]["remarks"] == [remark]


@pytest.mark.parametrize("way", ["field", "header"])
def test_an_override_needs_operate_and_is_recorded(ci: Reporter, way: str) -> None:
    def start(by: str) -> Response:
        event = {"product_name": "till", "version": "2.0", "environment_name": "careful", "status": "started"}
        if way == "field":
            return ci.tell("started", "careful", by=by, override="the till burns")
        sent = {**header(ci.tokens[by]), "Override": "the till burns"}
        return ci.asked.client.post("/deployment-events/", json=event, headers=sent)

    assert start("ci").status_code == 403
    assert ci.asked.refused("/ledger?app=till")["detail"] == "there is no app till"  # nothing of it was recorded
    answer = start("boss")
    assert answer.status_code == 201
    assert answer.json()["remarks"][0].startswith("overridden by boss@example.com: 2.0 has 0 of 1 approval")
    (fact,) = ci.asked.all("/ledger?app=till")
    assert (fact["kind"], fact["actor"]) == ("report.started", "boss@example.com")
    assert fact["body"]["override"] == "the till burns"


def test_versions_of_ours_count_by_name_and_number(ci: Reporter) -> None:
    ci.world.commit("Name it", {"shop.yaml": app_manifest(version="spring", environments=["staging"])})
    ci.world.settle()
    ci.world.later(hours=3)
    for version in ("spring", "v2", "2"):
        said = ci.refused(428, "shopfront", product_name="shop", version=version)
        assert said["details"]["rule"] == "approval", said["detail"]
    assert ci.refused(428, "shopfront", product_name="shop", version="v3")["details"]["rule"] == "order"


def test_approved_on_the_command_line(tmp_path: Path) -> None:
    told = Told(tmp_path)
    begin(told)
    with face(told) as asked:
        asked.made.state.context.now = lambda: told.now
        ci = Reporter(asked, told)
        key = ci.refused(428, "careful")["details"]["approval"]["id"]
        done = told.type("approve", key, "--actor", "dev@example.com")
        assert (done.status, "the author's approval does not count" in done.err) == (1, True)
        done = told.type("approve", "till/careful", "--actor", "quinn@example.com")
        told_so = "quinn@example.com approved 2.0 of till for careful, reported from elsewhere"
        assert (done.status, done.out.strip()) == (0, told_so)
        assert ci.tell("started", "careful").status_code == 201
        done = told.type("approve", key, "--actor", "zoe@example.com")
        assert (done.status, "waits for no approval" in done.err) == (1, True)
    # The other commands are not put out by it.
    for line in (("status",), ("plan",), ("audit", "verify")):
        assert told.type(*line).status == 0, line
    assert json.loads(told.type("status", "-o", "json").out)
