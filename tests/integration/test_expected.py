"""Is an approval, or a promotion, refused where something else stands than was looked at, whoever deployed it?"""

from __future__ import annotations

import re

import pytest
from httpx2 import Response

from tests.bearers import bearer, header
from tests.reporter import Reporter


def approved(ci: Reporter, id_: str, expected: str) -> tuple[int, str]:
    """How an approval is answered, and why."""
    answer = ci.approve("qa", id_, expected=expected)
    return answer.status_code, answer.json()["detail"]


def test_of_an_app_that_git_does_not_know(ci: Reporter) -> None:
    first = ci.refused(428, "careful", version="1.0")["details"]["approval"]["id"]
    assert approved(ci, first, "0123456789abcdef")[0] == 409
    assert approved(ci, first, "none")[0] == 202
    ci.done("careful", version="1.0")
    (standing,) = ci.asked.all("/status?app=till")
    there = standing["deployment"]["id"]
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    for wrong in ("none", "0123456789abcdef"):
        status, said = approved(ci, id_, wrong)
        assert (status, f"has changed meanwhile: deployment 1 ({there})" in said) == (409, True), said
        assert said.endswith("with 1.0")
    assert [one["id"] for one in ci.asked.json("/approvals")] == [id_]
    assert approved(ci, id_, there)[0] == 202


def test_after_one_that_failed_it_and_what_completed_before_may_have_been_looked_at(ci: Reporter) -> None:
    for version, end in (("1.0", "success"), ("1.1", "failed")):
        id_ = ci.refused(428, "careful", version=version)["details"]["approval"]["id"]
        assert ci.approve("qa", id_).status_code == 202
        for status in ("started", end):
            assert ci.tell(status, "careful", version).status_code == 201
    completed = ci.asked.json("/status?app=till")[0]["deployment"]["id"]
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    status, said = approved(ci, id_, "none")
    assert (status, "deployment 2 (" in said, said.endswith("is failed there now, with 1.1")) == (409, True, True), said
    status, said = approved(ci, id_, completed)
    assert status == 202, said


def test_of_an_app_of_ours_beside_what_git_asks_for(ci: Reporter) -> None:
    id_ = ci.refused(428, "careful", product_name="shop", version="9")["details"]["approval"]["id"]
    assert approved(ci, id_, "0123456789abcdef")[0] == 409
    assert approved(ci, id_, "none")[0] == 202


def test_the_beginning_of_an_id_is_enough(ci: Reporter) -> None:
    operator = header(bearer(ci.world.settings["state"]["url"], "operate", now=ci.world.now))
    (live,) = [one for one in ci.asked.all("/status?app=shop") if one["environment"] == "live"]
    there = live["deployment"]["id"]
    ci.world.commit("Two", {"shop/index.html": "two"})

    def promoted(expected: str) -> Response:
        body = {"version": "v1", "expected": expected, "dry_run": True}
        return ci.asked.client.post("/apps/shop/environments/live/promote", json=body, headers=operator)

    wrong = f"{there[:3]}{'0' if there[3] != '0' else '1'}"
    assert "has changed meanwhile" in promoted(wrong).json()["detail"]
    few = promoted(there[:3])
    assert (few.status_code, "first 4 digits or more" in few.text) == (422, True), few.text
    # It runs there already: what was expected is not what speaks against it.
    for right in (there, there[:4], there[:4].upper()):
        assert "runs v1 of shop already" in promoted(right).json()["detail"]


def sent_from(page: str, id_: str) -> dict[str, str]:
    """What the dialog of a page sends that approves what waits under an id."""
    (form,) = [one for one in page.split("<form")[1:] if f'name="id" value="{id_}"' in one]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.partition("</form>")[0]))


@pytest.mark.parametrize("app", ["till", "shop"])
def test_a_page_says_what_stood_there_when_a_start_elsewhere_is_approved(ci: Reporter, app: str) -> None:
    client = ci.asked.client
    client.post("/ui/sign-in", data={"token": ci.tokens["qa"]}, follow_redirects=False)

    def wanted(version: str) -> tuple[str, dict[str, str]]:
        id_ = ci.refused(428, "careful", product_name=app, version=version)["details"]["approval"]["id"]
        return id_, sent_from(client.get(f"/ui/apps/{app}").text, id_)

    def approved(form: dict[str, str]) -> Response:
        return client.post(f"/ui/apps/{app}/approve", data=form, follow_redirects=False)

    _, form = wanted("1.0")
    assert form["expected"] == "none"
    assert approved(form).status_code == 303
    ci.done("careful", product_name=app, version="1.0")
    (there,) = ci.asked.json(f"/deployments?app={app}&environment=careful")
    id_, form = wanted("2.0")
    assert form["expected"] == there["id"]
    # What was looked at is gone by the time that somebody presses the button.
    hotfix = {"product_name": app, "version": "1.1", "kind": "hotfix"}
    waits = ci.refused(428, "careful", **hotfix)["details"]["approval"]["id"]
    assert approved(sent_from(client.get(f"/ui/apps/{app}").text, waits)).status_code == 303
    ci.done("careful", **hotfix)
    assert ci.refused(428, "careful", product_name=app, version="2.0")["details"]["approval"]["id"] == id_
    late = approved(form)
    assert (late.status_code, "has changed meanwhile" in late.text) == (409, True), late.text
    assert approved(sent_from(client.get(f"/ui/apps/{app}").text, id_)).status_code == 303


def test_a_held_head_is_named_by_its_own_id_and_expects_nothing_besides(ci: Reporter) -> None:
    operator = header(bearer(ci.world.settings["state"]["url"], "operate", now=ci.world.now))
    ci.world.repo.git("reset", "--hard", "HEAD~1")
    ci.world.commit("Anew", {"shop/index.html": "three"}, push=False)
    ci.world.repo.git("push", "--force", "origin", "main")
    ci.world.settle()
    head = ci.world.repo.head
    body = {"reason": "a secret was removed", "expected": "none"}
    refused = ci.asked.client.post(f"/commits/{head}/accept", json=body, headers=operator)
    assert (refused.status_code, refused.json()["detail"]) == (422, "body.expected: there is no such field")
    described = ci.asked.json("/openapi.json")["paths"]["/commits/{sha}/accept"]["post"]["requestBody"]
    name = described["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert list(ci.asked.json("/openapi.json")["components"]["schemas"][name]["properties"]) == ["reason"]
    del body["expected"]
    assert ci.asked.client.post(f"/commits/{head}/accept", json=body, headers=operator).status_code == 202
