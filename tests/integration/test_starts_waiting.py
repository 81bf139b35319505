"""Where is it shown that a deployment made elsewhere waits for an approval, and when does it wait no more?"""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bearers import header
from tests.commands import Told
from tests.exposed import scraped
from tests.http_asking import face
from tests.reporter import Reporter, begin
from tests.world import ENVIRONMENTS


def waiting(ci: Reporter, address: str = "/approvals") -> list[tuple[str, str, str]]:
    """What waits for approval: app, environment and what."""
    return [(one["app"], one["environment"], one["what"]) for one in ci.asked.all(address)]


def facts(ci: Reporter) -> list[tuple[str, str]]:
    """What the ledger has of starts that are wanted no more: why, and whose word it was; oldest first."""
    found = ci.asked.all("/ledger?kind=report.withdrawn")
    return [(one["body"]["message"], one["actor"]) for one in reversed(found)]


def test_of_an_app_that_git_does_not_know(ci: Reporter) -> None:
    assert waiting(ci) == []
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    (told,) = ci.asked.json("/approvals")
    assert told["detail"].startswith("reported from elsewhere: 2.0 has 0 of 1 approval: `reconciler approve ")
    assert (told["id"], told["authors"], told["elsewhere"]) == (id_, ["ci", "dev@example.com"], True)
    assert waiting(ci, "/approvals?app=till&environment=careful") == [("till", "careful", "2.0")]
    assert waiting(ci, "/approvals?environment=staging") == waiting(ci, "/approvals?app=shop") == []
    assert ci.asked.get("/approvals?app=tilt").status_code == 404
    (standing,) = [one for one in ci.asked.all("/status") if one["app"] == "till"]
    assert (standing["desired"], standing["in_sync"], standing["waiting"][0]["elsewhere"]) == (None, True, True)
    page = ci.asked.get("/ui/?env=careful").text
    assert "<b>waits for approval</b>: reported from elsewhere: 2.0 has 0 of 1 approval" in page
    assert ">till</a>" in ci.asked.get("/ui/?state=waiting").text
    assert ci.asked.get("/ui/?q=till").headers["location"] == "/ui/apps/till"
    page = ci.asked.get("/ui/apps/till").text
    assert f'popovertarget="approve-{id_}"' in page
    steps = ci.asked.json("/apps/till/environments/careful/why")["steps"]
    assert [one["about"] for one in steps] == ["elsewhere", "deployment", "elsewhere"]
    assert steps[-1]["text"].startswith("2.0 is to start, as is reported from elsewhere: 2.0 has 0 of 1 approval")
    assert ci.approve("qa", id_).status_code == 202
    assert waiting(ci) == []
    # Nothing of it runs anywhere yet; that it may start is told.
    steps = ci.asked.json("/apps/till/environments/careful/why")["steps"]
    assert "2.0 was refused its start, and is approved by quinn@example.com" in steps[-1]["text"]
    assert ci.tell("started", "careful").status_code == 201
    assert "was refused its start" not in ci.asked.get("/apps/till/environments/careful/why").text


OF_GIT_ALONE = (
    "/apps/till",
    "/apps/till/versions",
    "/apps/till/versions/v1",
    "/apps/till/versions/v1/compare/v2",
    "/versions?app=till",
    "/versions/compare?app=till&a=v1&b=v2",
    "/calendar?app=till",
    "/calendar.ics?app=till",
    "/drift?app=till",
    "/status?app=till&at=2026-05-01T00:00:00Z",
    "/ui/apps/till/versions/v1",
    "/ui/apps/till/compare",
    "/ui/calendar?app=till",
)


@pytest.mark.parametrize("once", ["to start", "started"])
def test_what_git_would_know_of_it_is_refused_with_where_it_is_told(ci: Reporter, once: str) -> None:
    if once == "started":
        ci.done("staging")
    else:
        ci.refused(428, "careful")
    for address in OF_GIT_ALONE:
        answer = ci.asked.get(address)
        said = html.unescape(answer.text)
        assert answer.status_code == 404, address
        assert re.search(r"[gG]it declares no app till: it is known from reports alone", said), (address, said)
        told = '<a href="/ui/apps/till">How' if address.startswith("/ui/") else "GET /status?app=till, tells how"
        assert told in said, address
    refused = ci.asked.client.post("/apps/till/pause", json=PAUSE, headers=header(ci.tokens["boss"])).json()
    assert refused["next_step"] == "`reconciler status till`, or GET /status?app=till, tells how it stands"
    # What is known of it is answered, also where it is nothing yet.
    for address in ("/status?app=till", "/deployments?app=till", "/approvals?app=till", "/figures?app=till"):
        assert ci.asked.get(address).status_code == 200, address
    assert ci.asked.refused("/apps/tilll/versions")["next_step"] == (
        "did you mean till?" if once == "started" else MEANT
    )


PAUSE = {"reason": "the fair", "until": "1d"}
MEANT = "`reconciler status` lists the apps that are known"


def test_they_are_measured(ci: Reporter) -> None:
    labels = {"environment": "careful", "gate": "approval"}
    assert not scraped(ci.world).value("reconciler_waiting", **labels)
    ci.refused(428, "careful")
    id_ = ci.refused(428, "careful", product_name="shop", version="9")["details"]["approval"]["id"]
    found = scraped(ci.world, timedelta(minutes=5))
    assert found.value("reconciler_waiting", **labels) == 2
    assert found.value("reconciler_waiting_oldest_seconds", **labels) == 300
    assert ci.approve("qa", id_).status_code == 202
    assert scraped(ci.world).value("reconciler_waiting", **labels) == 1
    # Of an app of ours, where git does not place it, the same is told.
    assert "9 was refused its start" in ci.asked.get("/apps/shop/environments/careful/why").text


def test_of_an_app_of_ours_beside_what_git_asks_for(ci: Reporter) -> None:
    id_ = ci.refused(428, "careful", product_name="shop", version="9")["details"]["approval"]["id"]
    assert waiting(ci) == [("shop", "careful", "9")]
    assert "9 is to start" in ci.asked.get("/apps/shop/environments/careful/why").text
    ci.world.commit("Ours too", {"environments.yaml": GUARDED})
    ci.world.settle()
    ci.refused(428, "sandbox", product_name="shop", version="10")
    here = {one["environment"]: one for one in ci.asked.all("/status?app=shop")}["sandbox"]
    assert here["in_sync"]
    assert [(one["for"], one["what"], one["elsewhere"]) for one in here["waiting"]] == [("approval", "10", True)]
    assert [one["about"] for one in ci.asked.json("/apps/shop/environments/sandbox/why")["steps"]][-2:] == [
        "elsewhere",
        "in sync",
    ]
    page = ci.asked.get("/ui/apps/shop").text
    assert f'popovertarget="approve-{id_}"' in page
    assert "Approve 10 for sandbox, from elsewhere" in page
    cell = "waits for approval</b>: reported from elsewhere: 10 has 0 of 1 approval"
    assert cell in ci.asked.get("/ui/?env=sandbox").text
    assert [one["name"] for one in ci.asked.all("/apps?state=approval")] == ["shop"]
    # Nothing of it holds up what git asks for.
    ci.world.commit("Two", {"shop/index.html": "two"})
    ci.world.settle()
    (ours,) = [one["id"] for one in ci.asked.json("/approvals?environment=sandbox") if not one["elsewhere"]]
    assert ci.approve("qa", ours).status_code == 202
    ci.world.settle()
    assert ci.world.runs("sandbox") == "two"


GUARDED = ENVIRONMENTS.replace("track: latest,", "track: latest, gates: {approvals: 1},")


def test_approved_by_the_button_of_its_page(ci: Reporter) -> None:
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    client = ci.asked.client
    signed = client.post("/ui/sign-in", data={"token": ci.tokens["dev"]}, follow_redirects=False)
    assert signed.status_code == 303, signed.text
    # Whoever deploys it finds no button, and a form that they make themselves is refused on the page.
    page = client.get("/ui/apps/till").text
    assert "2.0: you wrote it, so somebody else approves it" in page
    (word,) = {*re.findall('name="csrf" value="([0-9a-f]+)"', page)}
    form = {"csrf": word, "id": id_, "reason": "mine"}
    refused = client.post("/ui/apps/till/approve", data=form)
    assert (refused.status_code, "the author&#39;s approval does not count" in refused.text) == (409, True)
    client.cookies.clear()
    client.post("/ui/sign-in", data={"token": ci.tokens["qa"]}, follow_redirects=False)
    page = client.get("/ui/apps/till").text
    (word,) = {*re.findall('name="csrf" value="([0-9a-f]+)"', page)}
    done = client.post("/ui/apps/till/approve", data={"csrf": word, "id": id_, "reason": "looked at it"})
    assert done.status_code == 200
    assert "Approved. Whoever deploys it may start it again." in done.text
    client.cookies.clear()
    assert waiting(ci) == []
    assert ci.tell("started", "careful").status_code == 201


def test_the_page_of_another_app_approves_nothing(ci: Reporter) -> None:
    id_ = ci.refused(428, "careful", product_name="shop", version="9")["details"]["approval"]["id"]
    client = ci.asked.client
    client.post("/ui/sign-in", data={"token": ci.tokens["qa"]}, follow_redirects=False)
    (word,) = {*re.findall('name="csrf" value="([0-9a-f]+)"', client.get("/ui/apps/shop").text)}
    form = {"csrf": word, "id": id_}
    ci.refused(428, "careful")
    refused = client.post("/ui/apps/till/approve", data=form, follow_redirects=False)
    assert (refused.status_code, "hat is about shop, not about till" in refused.text) == (404, True)
    done = client.post("/ui/apps/shop/approve", data=form, follow_redirects=False)
    # Nothing of the refused one was kept: it counts now.
    assert done.status_code == 303
    said = done.headers["location"]
    assert said.startswith("/ui/apps/shop?done=approve-")
    approved = "Approved. It enters as soon as every gate is passed."
    assert approved in client.get(said).text
    # What anybody can write, or take along to another app's page, says nothing.
    assert approved not in client.get("/ui/apps/shop?done=approve").text
    assert approved not in client.get(said.replace("shop", "till")).text
    client.cookies.clear()
    assert approved not in client.get(said).text
    client.post("/ui/sign-in", data={"token": ci.tokens["qa"]}, follow_redirects=False)
    assert approved not in client.get(said).text
    client.cookies.clear()
    assert waiting(ci) == [("till", "careful", "2.0")]


@pytest.mark.parametrize("end", ["cancelled", "failed", "completed"])
def test_a_deployment_that_has_ended_waits_no_more(ci: Reporter, end: str) -> None:
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    assert ci.tell(end, "careful").status_code == 201
    assert waiting(ci) == []
    how = {"cancelled": "aborted"}.get(end, end)
    why = "it was started there since" if end != "cancelled" else ""
    assert facts(ci) == ([] if why else [(f"it was reported {how} since", "ci")])
    said = ci.approve("qa", id_)
    assert (said.status_code, "waits for no approval in careful any more" in said.json()["detail"]) == (409, True)
    # It is asked for again: it waits again.
    ci.refused(428, "careful", version="2.1")
    assert waiting(ci) == [("till", "careful", "2.1")]


def test_one_that_was_cancelled_before_and_is_so_again(ci: Reporter) -> None:
    assert ci.tell("cancelled", "careful").status_code == 201
    ci.world.later(minutes=5)
    ci.refused(428, "careful")
    # A late word about the first one means nothing to the second.
    ci.tell("cancelled", "careful", occurred_at="2026-06-01T12:00:00Z")
    assert waiting(ci) == [("till", "careful", "2.0")]
    assert ci.tell("cancelled", "careful").status_code == 200
    assert waiting(ci) == []
    assert facts(ci) == [("it was reported aborted since", "ci")]
    ci.refused(428, "careful")
    assert waiting(ci) == [("till", "careful", "2.0")]
    assert [kind for kind, _ in ci.facts()].count("report.refused") == 2


def test_another_version_was_started_since(ci: Reporter) -> None:
    first = ci.refused(428, "careful", version="1.9")["details"]["approval"]["id"]
    second = ci.refused(428, "careful")["details"]["approval"]["id"]
    assert ci.approve("qa", second).status_code == 202
    assert waiting(ci) == [("till", "careful", "1.9")]
    assert ci.tell("started", "careful").status_code == 201
    assert waiting(ci) == []
    assert facts(ci) == [("2.0 was started there since", "ci")]
    said = ci.approve("qa", first).json()["detail"]
    assert said == "1.9 of till waits for no approval in careful any more: 2.0 was started there since"


def test_the_reconciler_deployed_there_since(ci: Reporter) -> None:
    ci.world.commit("A gate", {"gate.yaml": CAREFUL_SHOP})
    ci.world.settle()
    id_ = ci.refused(428, "guarded", product_name="shop", version="9")["details"]["approval"]["id"]
    assert ("shop", "guarded", "9") in waiting(ci)
    ci.world.later(minutes=1)
    ci.world.commit("Settings", {"shop.yaml": SHOP_GUARDED})
    ci.world.settle()
    (ours,) = [one for one in ci.asked.json("/approvals") if not one["elsewhere"]]
    assert ci.approve("qa", ours["id"]).status_code == 202
    ci.world.settle()
    assert ci.world.runs("guarded") == "one"
    assert waiting(ci) == []
    assert "something else was started there since" in ci.approve("qa", id_).json()["detail"]


CAREFUL_SHOP = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: guarded}
spec: {track: latest, target: {type: directory, path: releases/guarded}, gates: {approvals: 1}}
"""
SHOP_GUARDED = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: shop}
spec:
  bundle: shop
  environments: [guarded]
"""


def test_what_nobody_asks_for_is_forgotten_after_a_week(ci: Reporter) -> None:
    id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    ci.world.later(days=6)
    ci.refused(428, "careful")
    ci.world.later(days=6)
    assert waiting(ci) == [("till", "careful", "2.0")]
    ci.world.later(days=1)
    assert waiting(ci) == []
    assert "waits for approval" not in ci.asked.get("/ui/?env=careful").text
    assert "nobody asked for it within 7 days" in ci.approve("qa", id_).json()["detail"]
    ci.refused(428, "careful")
    assert waiting(ci) == [("till", "careful", "2.0")]


def test_a_list_of_ours_page_by_page(ci: Reporter) -> None:
    manifests: dict[str, Any] = {
        f"app-{n}.yaml": SHOP_GUARDED.replace("name: shop", f"name: app-{n}") for n in range(5)
    }
    ci.world.commit("Apps", {"gate.yaml": CAREFUL_SHOP, **manifests})
    ci.world.settle()
    ci.refused(428, "careful")
    found = waiting(ci, "/approvals?limit=2")
    assert found == [*((f"app-{n}", "guarded", "v1") for n in range(5)), ("till", "careful", "2.0")]
    assert ci.asked.client.get("/approvals", headers=header("rec_x")).status_code == 401


def test_on_the_command_line(tmp_path: Path) -> None:
    told = Told(tmp_path)
    begin(told)
    with face(told) as asked:
        asked.made.state.context.now = lambda: told.now
        ci = Reporter(asked, told)
        assert ci.tell("started", "staging", "1.0", product_name="shop").status_code == 201
        assert ci.tell("started", "sandbox", "9", product_name="shop").status_code == 201
        id_ = ci.refused(428, "careful")["details"]["approval"]["id"]
    out = told.type("status").out
    assert re.search(r"^shop +sandbox .*in sync, 9 started elsewhere", out, re.MULTILINE)
    assert "shop in sandbox: 9 started elsewhere, since " in out
    assert ", as dev@example.com reported" in out
    assert re.search(r"^till +careful .*deployed elsewhere, 2.0 from elsewhere waits for approval", out, re.MULTILINE)
    assert f"reported from elsewhere: 2.0 has 0 of 1 approval: `reconciler approve {id_}`" in out
    (only,) = told.type("status", "till", "-o", "json").json
    assert (only["environment"], only["waiting"][0]["id"]) == ("careful", id_)
    why = told.type("why", "shop", "sandbox").out
    assert "deployment 1 (9), made elsewhere, is started, as dev@example.com reported" in why
    assert "2.0 is to start" in told.type("why", "till", "careful").out
    refused = told.type("why", "till", "staging")
    assert (refused.status, "it was in: careful" in refused.err) == (1, True)
    for typed in (("versions", "list", "till"), ("pause", "till", "--reason", "the fair", "--until", "1d")):
        refused = told.type(*typed)
        assert (refused.status, "git declares no app till: it is known from reports alone" in refused.err) == (1, True)
        assert "`reconciler status till`" in refused.err, refused.err


def test_an_older_ask_is_not_younger_for_being_frozen(ci: Reporter) -> None:
    """A freeze speaks first: what waits for people is still shown, and is still wanted."""
    ci.refused(428, "careful")
    ci.world.later(hours=13)
    ci.refused(423, "careful")
    assert waiting(ci) == [("till", "careful", "2.0")]
