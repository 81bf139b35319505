"""Does each button do what it says, in a real browser against a running daemon; and does it refuse what it should?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import NAME, token
from tests.browser.watched import GATED, PATIENCE, Watched

expect.set_options(timeout=PATIENCE)
APP = "/ui/apps/shop"


def press(page: Page, button: str, send: str, **fields: str) -> None:
    """Open a dialog, fill it in and send it."""
    page.get_by_role("button", name=button).first.click()
    dialog = page.locator("[popover]:popover-open")
    for name, text in fields.items():
        dialog.locator(f"[name={name}]").fill(text)
    dialog.get_by_role("button", name=send).click()


def card(page: Page, environment: str) -> Locator:
    """The app in an environment."""
    return page.locator(f"[id='shop.{environment}']")


def two_versions(watched: Watched, **app: object) -> None:
    """Both have run everywhere."""
    watched.begin(**app)
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    watched.commit("A second one", {"shop/index.html": "two"})
    watched.wait_for(lambda: watched.history("shop", "live")[-1].traffic[0].number == 2, "the second comes to live")
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the second is live")


def test_an_approval_lets_it_enter_and_is_written_down_under_the_name_of_the_token(watched: Watched) -> None:
    watched.begin(environments=GATED)
    page = watched.page(APP)
    expect(card(page, "live")).to_contain_text("nothing runs yet")
    press(page, "Approve v1 for live", "Approve", reason="tried it")
    expect(page.get_by_text("Approved. It enters as soon as every gate is passed.")).to_be_visible()
    expect(card(page, "live")).to_contain_text("running")
    page.goto("/ui/ledger?kind=gate.approved")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("tried it")
    expect(row).to_contain_text(NAME)


def test_a_rollback_goes_back_at_once_holds_and_writes_the_revert_until_it_is_merged(watched: Watched) -> None:
    two_versions(watched)
    page = watched.page(APP)
    press(page, "Roll back live", "Roll back now", reason="orders are lost")
    expect(page.get_by_text("The rollback is asked for.")).to_be_visible()
    expect(card(page, "live")).to_contain_text("#1")
    expect(card(page, "live")).to_contain_text("held")
    branch = "reconciler/"
    watched.wait_for(lambda: branch in watched.home.git("for-each-ref", "refs/heads"), "the branch is written")
    (name,) = [
        line for line in watched.home.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
        if line.startswith(branch)
    ]  # fmt: skip
    expect(page.locator("#why")).to_contain_text(name)
    page.get_by_role("button", name="Lift the hold").wait_for()
    watched.repo.git("fetch", "--quiet", "origin")
    watched.repo.git("merge", "--quiet", "--ff-only", f"origin/{name}")
    watched.repo.push()
    expect(page.get_by_role("button", name="Lift the hold")).to_have_count(0)
    assert [one.cause for one in watched.history("shop", "live")][:3] == ["promotion", "promotion", "rollback"]


def test_a_hold_that_is_lifted_lets_git_have_its_way(watched: Watched) -> None:
    two_versions(watched)
    page = watched.page(APP)
    press(page, "Roll back live", "Roll back now", reason="orders are lost")
    expect(card(page, "live")).to_contain_text("held")
    press(page, "Lift the hold", "Carry out what git says", reason="it was not that")
    expect(page.get_by_text("The hold is lifted")).to_be_visible()
    expect(card(page, "live")).to_contain_text("#2")
    expect(card(page, "live")).not_to_contain_text("held")


def test_a_pause_holds_a_release_back_until_it_is_ended(watched: Watched) -> None:
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    page = watched.page(APP)
    until = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    press(page, "Pause", "Pause", reason="the fair", until=until)
    expect(card(page, "live")).to_contain_text("paused by priya@example.org, “the fair”")
    watched.commit("A second one", {"shop/index.html": "two"})
    expect(card(page, "pre-release")).to_contain_text("#2")
    expect(card(page, "live")).to_contain_text("#1")
    press(page, "Resume", "Resume")
    expect(page.get_by_text("The pause is over.")).to_be_visible()
    expect(card(page, "live")).to_contain_text("#2")


def test_what_failed_is_tried_again_and_what_moves_is_stopped(watched: Watched) -> None:
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    watched.commit("It fails", {"shop/fails-in-sandbox": ""})
    watched.wait_for(lambda: watched.status_is("sandbox", "failed"), "it fails")
    failed = watched.history("shop", "sandbox")[-1]
    page = watched.page(f"/ui/deployments/{failed.id}")
    expect(page.locator("#sentence")).to_contain_text("failed")
    press(page, "Try again", "Try again")
    expect(page.get_by_text("It is to be tried again.")).to_be_visible()
    watched.wait_for(lambda: watched.history("shop", "sandbox")[-1].cause == "retry", "it is tried again")

    watched.commit("It is slow", {"shop/fails-in-sandbox": None, "shop/slow-in-sandbox": ""})
    watched.wait_for(lambda: watched.status_is("sandbox", "started"), "it is under way")
    page.goto(f"/ui/deployments/{watched.history('shop', 'sandbox')[-1].id}")
    press(page, "Stop", "Stop it now", reason="it takes too long")
    expect(page.get_by_text("It is told to stop.")).to_be_visible()
    watched.wait_for(lambda: watched.status_is("sandbox", "aborted"), "it is stopped")


def test_what_waits_for_its_next_attempt_is_tried_now_or_stopped(watched: Watched) -> None:
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    watched.commit("Not yet", {"shop/later-in-sandbox": ""})
    watched.wait_for(lambda: watched.history("shop", "sandbox")[-1].next_attempt_at is not None, "it is put off")
    address = f"/ui/deployments/{watched.history('shop', 'sandbox')[-1].id}"
    page = watched.page(address)
    attempts = page.locator("#events").get_by_text("attempt 1")
    before = attempts.count()
    press(page, "Try now", "Try again")
    expect(page.get_by_text("It is to be tried again.")).to_be_visible()
    page.goto(address)
    expect(attempts).not_to_have_count(before)
    press(page, "Stop", "Stop it now", reason="not today")
    expect(page.get_by_text("It is told to stop.")).to_be_visible()
    watched.wait_for(lambda: watched.status_is("sandbox", "aborted"), "it is stopped")


def test_a_promotion_is_a_commit_on_a_branch(watched: Watched) -> None:
    two_versions(watched)
    page = watched.page(APP)
    page.get_by_role("button", name="Promote").click()
    dialog = page.locator("[popover]:popover-open")
    dialog.locator("[name=environment]").select_option("live")
    dialog.locator("[name=version]").select_option("v1")
    dialog.locator("[name=reason]").fill("as before")
    dialog.get_by_role("button", name="Write the commit").click()
    expect(page.get_by_text("The commit is on its branch")).to_be_visible()
    assert "as before" in watched.home.git("log", "--branches=reconciler/*", "-1", "--format=%B")


def test_a_form_about_something_that_is_gone_is_refused_and_says_what_is_there_now(watched: Watched) -> None:
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    watched.commit("A second one", {"shop/index.html": "two"})
    watched.wait_for(lambda: len(watched.history("shop", "live")) == 2, "the second comes")
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the second is live")
    page = watched.page(APP)
    page.get_by_role("button", name="Roll back live").click()
    dialog = page.locator("[popover]:popover-open")
    dialog.locator("[name=reason]").fill("half typed")
    stale = dialog.locator("[data-stale]")
    expect(stale).to_be_hidden()
    watched.commit("A third one", {"shop/index.html": "three"})
    watched.wait_for(lambda: watched.history("shop", "live")[-1].traffic[0].number == 3, "the third comes")
    # The dialog stays as it is under somebody's hands, and warns.
    expect(stale).to_be_visible()
    assert dialog.locator("[name=reason]").input_value() == "half typed"
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        dialog.get_by_role("button", name="Roll back now").click()
    assert answered.value.status == 409
    expect(page.get_by_role("alert").first).to_contain_text("has changed meanwhile")
    assert not [one for one in watched.history("shop", "live") if one.cause == "rollback"]


def test_without_script_everything_is_read_and_done_as_well(watched: Watched) -> None:
    watched.begin(environments=GATED)
    page = watched.page(APP, script=False)
    assert "soak" not in page.inner_text("main")
    press(page, "Approve v1 for live", "Approve", reason="tried it")
    assert "Approved." in page.inner_text("main")
    watched.wait_for(lambda: watched.status_is("live", "completed"), "it is live")
    page.reload()
    expect(card(page, "live")).to_contain_text("running")
    page.get_by_role("button", name="dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="as the system").click()
    assert page.locator("html").get_attribute("data-theme") is None


def test_nobody_acts_without_a_session_a_scope_and_a_form_of_ours(watched: Watched) -> None:
    watched.begin(environments=GATED)
    watched.now = datetime.now(UTC)
    reading = token(watched, "read", name="rita@example.org")
    page = watched.page("/ui/sign-in", signed_in=False)
    page.locator("input[name=token]").fill("rec_000000000000_" + "x" * 43)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("no valid token")
    page.locator("input[name=token]").fill(reading)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("rita@example.org")).to_be_visible()
    page.goto(APP)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[popover]:popover-open")).to_contain_text("needs a token with the scope operate")

    signed_in = watched.page(APP)
    cookies = {one["name"]: one["value"] for one in signed_in.context.cookies()}
    assert all(one["httpOnly"] for one in signed_in.context.cookies() if one["name"] == "reconciler_session")
    with httpx2.Client(base_url=watched.url, cookies=cookies, trust_env=False) as client:
        form = {"environment": "live", "reason": "a page elsewhere made this", "until": "2199-01-01T00:00"}
        for word in ("", "0" * 64):
            forged = client.post(f"{APP}/pause", data={**form, "csrf": word})
            assert forged.status_code == 403
            assert "did not come from a page of the reconciler" in forged.text
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_role("link", name="Sign in").first).to_be_visible()
    with httpx2.Client(base_url=watched.url, cookies=cookies, trust_env=False) as client:
        assert client.post(f"{APP}/pause", data=form).status_code == 303  # to sign in
    assert not [one for one in watched.ledger() if one["kind"] == "intervention.pause"]


def test_what_somebody_writes_stays_text(watched: Watched) -> None:
    reason = "<script>document.title = 'owned'</script> “quoted” & <b>bold</b>"
    watched.begin()
    watched.wait_for(lambda: watched.status_is("live", "completed"), "the first is live")
    page = watched.page(APP)
    until = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    press(page, "Pause", "Pause", reason=reason, until=until)
    expect(card(page, "live")).to_contain_text(reason)
    page.goto("/ui/ledger?kind=intervention")
    expect(page.locator("tbody tr").first).to_contain_text(reason)
    assert page.title() == "Ledger · Reconciler"
