"""Do the pages of a shop in which everything occurs say what is so, in the words of the other faces?"""

from __future__ import annotations

import json

import httpx2
import pytest
from playwright.sync_api import Locator

from reconciler.api.dashboard.wording import spent
from reconciler.store import ledger
from tests.browser.estate import HOSTILE, Estate
from tests.browser.looking import Looking
from tests.browser.serving import Served


def test_the_matrix_begins_with_what_needs_a_person(looking: Looking) -> None:
    page = looking.open("/ui/")
    groups = {
        group: page.locator(f"tbody[data-group={group}] tr th[scope=row] a").all_inner_texts()
        for group in ("person", "motion", "quiet", "elsewhere")
    }
    assert groups["person"] == ["search", "payments", "storefront"]
    # The last one waits for the end of a freeze, a week and more from now.
    assert groups["motion"] == ["checkout", "legacy-import", "recommendations", "invoices"]
    assert len(groups["quiet"]) == 11
    assert groups["elsewhere"] == ["warehouse-erp"]
    live = {name: page.locator(f"[id='{name}.live']").inner_text() for name in ("payments", "storefront", "search")}
    assert "held by reconciler: v2 failed (deployment 2): back to v1" in live["payments"]
    assert "rolling out, 2.14.1 at 25 % of traffic until 10:51" in live["storefront"]
    assert "waits for approval: 2.15.0 has 0 of 1 approvals of qa, by someone other than" in live["storefront"]
    assert "manifest broken, left as it is: search.yaml:4:1" in live["search"]
    assert "reconciler " not in "".join(live.values()).replace("by reconciler", "")  # buttons stand for commands
    split = page.locator("[id='storefront.live'] svg.split").get_attribute("aria-label")
    assert split == "2.14.0 takes 75 %, 2.14.1 takes 25 % of traffic"
    assert "partly frozen until 1 Dec 12:00" in page.locator("thead").inner_text()
    assert "next change: storefront goes on" in page.locator("#facts").inner_text()


@pytest.mark.parametrize(
    ("query", "apps"),
    [
        ("state=failed", ["search"]),
        ("state=started", ["storefront"]),
        ("state=waiting", ["storefront", "checkout"]),
        ("state=held", ["payments", "legacy-import", "recommendations", "invoices"]),
        ("team=money", ["payments", "invoices", "fraud-scoring"]),
        ("q=2.15", ["storefront"]),
        ("q=money&only=1", ["payments", "invoices"]),
        ("q=lena", ["storefront", "recommendations", "booking-agent"]),
        ("q=erp", ["warehouse-erp"]),
    ],
)
def test_a_filter_shows_those_apps_alone(shop: Served, query: str, apps: list[str]) -> None:
    assert _apps(_get(shop, f"/ui/?{query}").text) == apps


def test_pages_of_quiet_apps_neither_repeat_nor_leave_out(shop: Served) -> None:
    first = _get(shop, "/ui/?after=edge-router").text
    assert _apps(first.partition('data-group="quiet"')[2])[:2] == ["email-worker", "fraud-scoring"]


def test_the_exact_name_of_an_app_leads_to_its_page(shop: Served) -> None:
    for name in ("cart", "warehouse-erp"):
        answer = _get(shop, f"/ui/?q={name}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/apps/{name}")
    assert 'Did you mean <a href="/ui/apps/checkout">' in _get(shop, "/ui/?q=checkoutt").text


def test_what_git_holds_stays_harmless_text(looking: Looking) -> None:
    page = looking.open("/ui/apps/cart")
    assert page.get_by_text(HOSTILE).first.is_visible()
    assert page.title() == "cart · Reconciler"
    page = looking.open("/ui/apps/cart/versions/v4")
    assert HOSTILE in page.locator("main").inner_text()
    assert page.title().startswith("cart v4")


def test_what_was_deployed_elsewhere_leads_to_no_version(looking: Looking) -> None:
    page = looking.open("/ui/apps/cart")
    row = page.locator("#timeline li", has_text="cdn-88")
    assert "external" in row.inner_text()
    assert "the CDN answered 503" in row.inner_text()
    assert row.locator("a[href*=versions]").count() == 0
    row.get_by_role("link").click()
    assert "Failed" not in page.locator("h1").inner_text()
    assert "https://ci.example.org/job/5" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Try again").count() == 0
    page = looking.open("/ui/apps/warehouse-erp")
    assert page.locator("a[href*=versions]").count() == 0
    assert "2026.47 started" in page.locator("[id='warehouse-erp.live']").inner_text()


def test_every_link_of_a_page_leads_somewhere(shop: Served, looking: Looking) -> None:
    seen: set[str] = set()
    for path in ("/ui/", "/ui/apps/storefront", "/ui/apps/payments", "/ui/apps/storefront/compare", "/ui/metrics"):
        page = looking.open(path)
        hrefs = page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
        seen |= {href.partition("#")[0] for href in hrefs}
        ids = page.eval_on_selector_all("a[href^='#']", "links => links.map(link => link.getAttribute('href'))")
        assert all(page.locator(f"[id='{one[1:]}']").count() == 1 for one in ids), ids
    broken = {path: _get(shop, path).status_code for path in sorted(seen)}
    assert {path: status for path, status in broken.items() if status not in (200, 303)} == {}


def test_a_comparison_has_every_difference_with_who_made_it(looking: Looking) -> None:
    page = looking.open("/ui/apps/storefront/compare")
    assert page.locator("select[name=a] option:checked").inner_text() == "2.14.0 #2 (live)"
    rows = {row.split("\t")[1]: row for row in page.locator("[aria-labelledby=h-config] tbody tr").all_inner_texts()}
    assert list(rows) == ["autocomplete", "legacy_form", "timeout"]
    assert "removed" in rows["legacy_form"]
    assert "Lena Vogt" in rows["timeout"]
    assert "migration 0043" in page.locator(".note").first.inner_text()
    code = page.locator("[aria-labelledby=file-2]")
    assert code.locator("h2").inner_text() == "checkout.ts"
    assert "edited by Ana Ruiz" in code.locator("header").inner_text()
    assert code.locator(".skipped").all_inner_texts() == [
        "7 unchanged lines",
        "23 unchanged lines",
        "the rest is unchanged",
    ]
    assert code.locator("ins").all_inner_texts() == ["before10", "retry40"]
    page.get_by_role("link", name="Swap").click()
    assert page.locator("select[name=a] option:checked").inner_text().startswith("2.15.0")
    assert "migration 0043" not in page.locator("main > .note").all_inner_texts()


def test_the_calendar_shows_six_weeks_and_what_will_run(looking: Looking) -> None:
    page = looking.open("/ui/calendar?date=2026-12-25&time=12:00")
    assert page.locator(".month tbody tr").count() == 6
    assert page.locator("td.today time").get_attribute("datetime") == "2026-11-24"
    labels = page.locator(".month .bar span:not(.sr)").all_inner_texts()
    assert "season black-friday · storefront, pricing" in labels
    assert "freeze year-end · live" in labels
    cells = {day: page.locator("td", has=page.locator(f"time[datetime='2026-12-{day}']")) for day in (27, 28)}
    assert [len(_bars(cell)) for cell in cells.values()] == [2, 1]  # the season ends on the 27th
    struck = page.locator(".month .off").all_inner_texts()
    assert struck == ["14:00 train checkout, frozen"] * 4
    agenda = page.locator("[aria-labelledby=h-ag]").inner_text()
    assert "to call it off, remove the season at calendar.yaml:1" in agenda
    assert "inside the freeze year-end, which lets it pass" in agenda
    then = {row.split("\t")[0]: row for row in page.locator("[aria-labelledby=h-on] tbody tr").all_inner_texts()}
    assert sorted(then) == ["checkout", "gift-cards", "invoices", "pricing", "recommendations", "storefront"]
    assert "the train leaves" in then["checkout"]
    assert "1.9.0 + christmas" in then["gift-cards"]
    assert "the pause is over" in then["recommendations"]
    page = looking.open("/ui/calendar?date=2020-01-01&time=12:00")
    assert "that has been" in page.locator("[aria-labelledby=h-on]").inner_text()


def test_the_agenda_tells_each_app_its_own_change(shop: Served, looking: Looking) -> None:
    page = looking.open("/ui/calendar")
    entries = page.locator("[aria-labelledby=h-ag] li", has_text="black-friday").all_inner_texts()
    found = json.loads(_get(shop, "/calendar?until=2026-12-30T00:00:00Z").text)
    ends = {one["app"]: one["detail"] for one in found if (one["cause"], one["name"]) == ("season-end", "black-friday")}
    own = {app: detail.partition("; to keep it")[0] for app, detail in ends.items()}
    assert len(set(own.values())) == 2, own
    for app, detail in own.items():
        (entry,) = [one for one in entries if "season-end" in one and app in one]
        assert f"\n{detail}\n" in entry, app


def test_the_ledger_is_verified_and_paged(shop: Served, estate: Estate, looking: Looking) -> None:
    with estate.running() as found, found.database.read() as connection:
        newest = ledger.newest(connection)
    page = looking.open("/ui/ledger")
    assert "Chain intact" in page.locator(".note").inner_text()
    assert page.locator("tbody tr").count() == 100
    shown = int(page.locator("tbody tr td").first.inner_text().replace(",", ""))
    assert shown >= newest
    page.get_by_role("link", name="Older").click()
    assert int(page.locator("tbody tr td").first.inner_text().replace(",", "")) == shown - 100
    assert "out of memory" in _get(shop, "/ui/ledger?kind=deployment.output").text
    assert "No fact fits" in _get(shop, "/ui/ledger?app=nobody").text
    assert "nothing here" not in _get(shop, "/ui/ledger?since=yesterday").text


def test_the_metrics_are_those_of_the_api(shop: Served, looking: Looking) -> None:
    page = looking.open("/ui/metrics?days=90&environment=live")
    since = page.locator("a", has_text="JSON").get_attribute("href")
    figures = json.loads(_get(shop, f"{since}&environment=live").text)["figures"]
    frequency = page.locator("[aria-labelledby=f-frequency] .big").inner_text()
    assert frequency == f"{figures['deployment_frequency']:.3g}"
    rate = page.locator("[aria-labelledby=f-failures] .big").inner_text()
    assert rate == f"{100 * figures['change_failure_rate']:.3g} %"
    between = page.locator("[aria-labelledby=f-between] .line").inner_text()
    assert between.split("\n") == [
        spent(figures["time_between"]["median"]),
        "median, of the same app in the same environment",
    ]
    page.locator("[aria-labelledby=f-lead] summary").click()
    assert page.locator("[aria-labelledby=f-lead] tbody tr").count() == 14


def test_addresses_that_make_no_sense_are_pages_too(shop: Served) -> None:
    for path in (
        "/ui/?rows=x&after=%00&q=%00&env=a",
        "/ui/ledger?before=x&kind=%00&app=%00",
        "/ui/calendar?from=x&time=x",
    ):
        assert _get(shop, path).status_code == 200, path
    for path in ("/ui/apps/%00", "/ui/deployments/zz", "/ui/calendar?app=%00", "/ui/metrics?app=%00", "/ui/x/y"):
        answer = _get(shop, path)
        assert answer.status_code in (404, 422), path
        assert answer.headers["content-type"].startswith("text/html"), path


@pytest.mark.parametrize(
    ("address", "misread"),
    [
        ("/ui/?state=bogus", "state “bogus”"),
        ("/ui/?base=moon&env=mars&env=live", "differs from “moon”, environments “mars”"),
        ("/ui/?rows=abc&team=nobody", "rows “abc”, team “nobody”"),
        ("/ui/?foo=1&environments=nope", "“foo”, “environments”"),
        ("/ui/metrics?days=abc", "days “abc”"),
        ("/ui/metrics?since=9999d", "“since”"),
        ("/ui/ledger?since=abc", "abc"),
        ("/ui/ledger?kind=nonsense&before=x", "kind “nonsense”, before “x”"),
        ("/ui/apps/storefront?cause=luck", "cause “luck”"),
        ("/ui/alerts?status=lost&before=x", "status “lost”, before “x”"),
        ("/ui/apps/storefront/compare?from=v1", "“from”"),
        ("/ui/calendar?from=soon&zone=Mars&place=moon", "from “soon”, zone “Mars”, environment “moon”"),
    ],
)
def test_what_is_asked_for_and_not_known_is_said(shop: Served, address: str, misread: str) -> None:
    told = "Not understood, so left out:"
    plain = _get(shop, address.partition("?")[0]).text
    assert told not in plain
    page = _get(shop, address).text
    assert misread in page.partition(told)[2].partition("</p>")[0]


def test_a_team_that_nobody_knows_hides_nothing(shop: Served) -> None:
    assert _apps(_get(shop, "/ui/?team=nobody").text) == _apps(_get(shop, "/ui/").text)


def test_what_is_known_is_not_called_misread(shop: Served) -> None:
    for address in (
        "/ui/?state=failed&base=live&env=live",
        "/ui/?q=&state=&team=money&only=1&rows=400&after=a",
        "/ui/sign-in?then=/ui/",
        "/ui/apps/storefront?env=live&done=pause&own=&reported=",
        "/ui/apps/storefront/compare?a=v1&b=v2&whole=1",
        "/ui/metrics?days=7",
        "/ui/ledger?since=2026-11-20&kind=gate.approved&before=100",
        "/ui/apps/storefront?cause=promotion",
        "/ui/alerts?status=sent",
        "/ui/calendar?from=2026-11-25&zone=UTC&place=live&date=2026-12-24",
    ):
        assert "Not understood" not in _get(shop, address).text, address


def test_what_is_broken_is_never_green_and_marked_once(looking: Looking) -> None:
    page = looking.open("/ui/apps/search")
    assert "Manifest broken" in page.locator("#sentence").inner_text()
    assert "is-bad" in str(page.locator("#sentence").get_attribute("class"))
    marked = page.locator(".chain .env", has_text="manifest broken")
    assert marked.evaluate_all("cards => cards.map(card => card.dataset.environment)") == ["live"]
    page = looking.open("/ui/apps/search?env=sandbox")
    assert "is-bad" in str(page.locator("#sentence").get_attribute("class"))


def test_a_rollback_is_offered_to_each_other_version_once(looking: Looking) -> None:
    page = looking.open("/ui/apps/cart", signed_in=True)
    offered = page.locator("#rollback select[name=to] option").all_inner_texts()
    runs = page.locator("[id='cart.live'] .ver").inner_text().rpartition(" ")[2]
    assert offered[0].endswith("which ran well before")
    numbers = [one.partition(":")[0].rpartition(" ")[2] for one in offered[1:]]
    back = page.locator("#rollback a[href*=compare]").get_attribute("href")
    assert back is not None
    assert runs not in numbers
    assert f"#{back.rpartition('=v')[2]}" not in numbers
    assert len(set(numbers)) == len(numbers) > 0


def test_whoever_is_signed_in_is_told_so_where_people_sign_in(looking: Looking) -> None:
    page = looking.open("/ui/sign-in?then=/ui/ledger")
    assert "You are signed in" not in page.inner_text("main")
    page = looking.open("/ui/sign-in?then=/ui/ledger", signed_in=True)
    assert "You are signed in as priya@example.org." in page.inner_text("main")
    page.get_by_role("link", name="go on").click()
    assert page.locator("h1").inner_text() == "Ledger"


def test_words_in_the_filters_of_the_ledger_are_whole(looking: Looking) -> None:
    page = looking.open("/ui/ledger")
    for width, name in ((width, name) for width in (1280, 768, 320) for name in ("actor", "subject")):
        page.set_viewport_size({"width": width, "height": 844})
        field = page.locator(f"input[name={name}]")
        words = str(field.get_attribute("placeholder"))
        wide = """(field, words) => {
            const ink = document.createElement("canvas").getContext("2d");
            const style = getComputedStyle(field);
            ink.font = `${style.fontSize} ${style.fontFamily}`;
            const around = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
            return ink.measureText(words).width <= field.clientWidth - around;
        }"""
        assert field.evaluate(wide, words), (name, width)


def test_the_moment_stays_beside_a_long_agenda(looking: Looking) -> None:
    page = looking.open("/ui/calendar")
    page.locator("[aria-labelledby=h-ag] li").last.scroll_into_view_if_needed()
    box = page.locator("#on").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] > 0


def test_a_page_is_told_once_while_nothing_changes(shop: Served) -> None:
    first = _get(shop, "/ui/apps/cart")
    again = _get(shop, "/ui/apps/cart", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "script-src" not in first.headers["content-security-policy"]
    assert " style=" not in first.text
    assert "<script>" not in first.text


def _bars(cell: Locator) -> list[str]:
    texts: list[str] = cell.locator(".bar").all_inner_texts()
    return texts


def _get(shop: Served, path: str, **headers: str) -> httpx2.Response:
    with httpx2.Client(base_url=shop.url, trust_env=False, timeout=30) as client:
        return client.get(path, headers=headers)


def _apps(html: str) -> list[str]:
    return [part.partition(">")[2].partition("<")[0] for part in html.split('<th scope="row"><a href="/ui/apps/')[1:]]
