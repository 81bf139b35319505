"""Does the comment on a pull request tell a reviewer everything, the same each time, and nothing that is not so?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from reconciler.cli import plan
from reconciler.engine.outcomes import CheckOutcome, note_check
from reconciler.store import gates
from reconciler.targets.checks import CheckResult
from tests.commands import Done, Told
from tests.world import ENVIRONMENTS, app_manifest, season_manifest

GATED = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, target: {type: directory, path: releases/sandbox}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec:
  track: sandbox
  target: {type: directory, path: releases/live}
  gates: {soak: 2h, approvals: 1, checks: [{name: smoke, run: ["true"]}]}
  when: {cron: "0 9 * * mon-thu", timezone: Europe/Paris}
  rollout: {steps: [10, 50, 100], interval: 10m}
"""
SHOP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: shop}
spec:
  bundle: shop
  config: {greeting: Hello}
  migrations: [first]
  environments:
    sandbox: {}
    live: {}
"""
AT = ("--at", "2026-11-21T12:00Z", "--until", "2027-01-31T00:00Z")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    made = Told(tmp_path)
    made.commit("Begin", {"environments.yaml": GATED, "shop.yaml": SHOP, "shop/index.html": "one"})
    return made


def branch(told: Told, message: str, files: dict[str, str | bytes | None], name: str = "feature") -> None:
    """A branch with one commit."""
    told.repo.checkout(name, "main")
    told.commit(message, files, push=False)
    told.repo.git("push", "--quiet", "origin", name)
    told.repo.checkout("main")


def review(told: Told, *more: str, head: str = "feature") -> Done:
    """What is told of merging the branch into main."""
    return told.type("plan", "--base", "main", "--head", head, "-o", "markdown", *(more or AT))


def rows(comment: str) -> list[list[str]]:
    """Cells of the deployments, as they read."""
    part = comment.split("#### Deployments\n\n", 1)[1].split("\n\n", 1)[0]
    lines = [line for line in part.splitlines()[2:] if line.startswith("| ")]
    return [[cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def section(comment: str, title: str) -> str:
    """What stands under a title; '' where there is none."""
    found = re.search(rf"^#### {re.escape(title)}.*?\n(.*?)(?=^#### |\Z)", comment, re.DOTALL | re.MULTILINE)
    return found[1].replace("\\", "") if found else ""


def test_a_change_is_told_with_the_moments_at_which_it_arrives(told: Told) -> None:
    branch(told, "Greet", {"shop/index.html": "two", "shop.yaml": SHOP.replace("Hello", "Hi")})
    done = review(told)
    assert done.status == 0, done.err
    assert done.out.startswith("<!-- reconciler: what merging this does -->\n")
    at_once, later = rows(done.out)
    assert at_once == ["at once", "shop", "sandbox", "release", "v1 → v2", "—", "v2: Greet"]
    # Monday's train; the soak is over by then, and somebody has to approve.
    assert later[0] == "at the earliest 2026-11-23 09:00 CET (2026-11-23 08:00 UTC)"
    assert later[1:5] == ["shop", "live", "promotion", "v1 → v2, by 10 % → 50 % → 100 %, complete 20 min later"]
    after = "soaked until 2026-11-21 14:00 UTC, the train until 2026-11-23 08:00 UTC, an approval, the check smoke"
    assert later[5] == after
    assert '- greeting: "Hello"\n+ greeting: "Hi"' in section(done.out, "Settings")
    assert "+  config: {greeting: Hi}" in section(done.out, "Manifests")
    assert "| shop | v2 | Greet | code, config (greeting) |" in section(done.out, "Versions")
    assert review(told).out == done.out


def test_what_is_told_is_the_same_with_and_without_a_store(told: Told) -> None:
    branch(told, "Greet", {"shop.yaml": SHOP.replace("Hello", "Hi")})
    without = rows(review(told).out)
    told.settle()
    assert rows(review(told).out)[0] == without[0]


def test_what_cannot_be_undone_and_secrets_are_told_with_their_lines(told: Told) -> None:
    changed = SHOP.replace("[first]", "[first, second]").replace(
        "  environments", "  secrets: [{name: KEY, from: 'env:SHOP_KEY'}]\n  environments"
    )
    branch(told, "Migrate", {"shop.yaml": changed})
    comment = review(told).out
    assert "shop** v2 adds second (shop.yaml:7)" in section(comment, "What cannot be undone")
    assert "the secret KEY is new, from env:SHOP_KEY (shop.yaml:8)" in section(comment, "Warnings")


def test_a_season_with_an_edge_in_a_freeze_is_warned_about_and_in_the_calendar(told: Told) -> None:
    season = season_manifest(
        "sale", "2026-12-24T00:00", "2026-12-27T00:00", config={"greeting": "Sale"}, on_freeze="wait"
    )
    freeze = (
        "apiVersion: reconciler/v1\nkind: Freeze\nmetadata: {name: holidays}\nspec:\n  environments: [live]\n"
        "  from: 2026-12-23T00:00\n  until: 2026-12-25T00:00\n  timezone: Europe/Paris\n  reason: Nobody is there\n"
    )
    branch(told, "A sale", {"sale.yaml": season, "freeze.yaml": freeze})
    done = review(told)
    assert done.status == 0
    warned = section(done.out, "Warnings")
    assert "sale.yaml:1:" in warned
    assert "in the freeze holidays: on_freeze is wait, so it begins when the freeze is over" in warned
    calendar = section(done.out, "The calendar")
    assert "season-start sale for shop in live" in calendar
    assert "to call it off, remove the season at sale.yaml:1" in calendar
    assert "freeze-start holidays for live" in calendar
    starts, ends = [row for row in rows(done.out) if row[3].startswith("season")]
    assert starts[0] == "2026-12-24 23:00 UTC"
    assert ends[0] == "2026-12-27 00:00 UTC"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"shop.yaml": SHOP.replace("greeting: Hello", "greeting: [")}, "Mistakes"),
        ({"shop.yaml": SHOP.replace("live: {}", "live: {version: v99}")}, "shop has no version v99"),
        ({"shop.yaml": SHOP.replace("live: {}", "live: {}\n    moon: {}")}, "moon"),
    ],
)
def test_what_must_not_be_merged_ends_with_one(told: Told, files: dict[str, str | bytes | None], said: str) -> None:
    branch(told, "Mistake", files)
    done = review(told)
    assert done.status == 1
    assert said in done.out
    assert "shop.yaml:" in done.out
    assert "❌" in done.out


def test_a_version_name_that_is_taken_is_refused(told: Told) -> None:
    named = SHOP.replace("spec:\n", 'spec:\n  version: "1.0"\n')
    told.commit("Name it", {"shop.yaml": named})
    branch(told, "Same name, other content", {"shop.yaml": named.replace("Hello", "Hi")})
    done = review(told)
    assert done.status == 1
    assert "1.0" in section(done.out, "Mistakes")


def test_a_mass_change_says_the_trailer_that_it_needs(tmp_path: Path) -> None:
    told = Told(tmp_path)
    apps = {f"a{n}.yaml": app_manifest(f"a{n}", bundle="pages", environments=["sandbox"]) for n in range(20)}
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, "pages/index.html": "one", **apps})
    branch(told, "Change them all", {"pages/index.html": "two"})
    done = review(told)
    assert done.status == 1
    assert "`Allow-Mass-Change: 20`" in section(done.out, "Refused").replace("\\`", "`")
    branch(told, "Change them all\n\nAllow-Mass-Change: 20", {"pages/index.html": "two"}, "allowed")
    assert review(told, head="allowed").status == 0


def test_a_revert_tells_what_it_takes_back_and_where_that_rolls_back(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    bad = told.commit("Say two", {"shop/index.html": "two"})
    told.settle()
    told.repo.checkout("undo", "main")
    told.repo.revert(bad)
    told.repo.git("push", "--quiet", "origin", "undo")
    told.repo.checkout("main")
    done = review(told, "--until", "1d", head="undo")
    assert done.status == 0, done.out
    taken = "This takes back **shop** v2 by reverting"
    assert taken in section(done.out, "Warnings")
    assert "rolls back: live, pre-release, sandbox" in section(done.out, "Warnings")
    assert [row[2:5] for row in rows(done.out)] == [
        [where, "rollback", "v2 → v1"] for where in ("live", "pre-release", "sandbox")
    ]


def test_a_pin_to_what_was_withdrawn_is_warned_about(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    bad = told.commit("Say two", {"shop/index.html": "two"})
    told.settle()
    told.repo.revert(bad)
    told.repo.push()
    told.settle()
    pinned = app_manifest(environments={"sandbox": {}, "pre-release": {}, "live": {"version": "v2"}})
    branch(told, "Pin", {"shop.yaml": pinned})
    done = review(told, "--until", "1d")
    assert done.status == 0
    assert "pinned to v2" in section(done.out, "Warnings")
    assert "(shop.yaml:1)" in section(done.out, "Warnings")


def test_what_leaves_git_is_told(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    told.settle()
    branch(told, "No live", {"shop.yaml": app_manifest(environments=["sandbox", "pre-release"])})
    assert "**shop** leaves live in git: it stays there as it is" in section(review(told, "--until", "1d").out, "Warn")


def test_nothing_is_told_where_nothing_changes(told: Told) -> None:
    branch(told, "A note", {"NOTES": "nothing"})
    done = review(told)
    assert done.status == 0
    assert "✅ 0 versions are made, 0 deployments follow." in done.out
    assert "Nothing is deployed." in done.out


HOSTILE = "</details><script>alert(1)</script> @everyone ![x](http://evil/x.png) | `c` [l](javascript:x) <!-- #1 &lt;"
HOSTILE = f"{HOSTILE} https://evil.example www.evil.example"


def test_hostile_words_are_only_words(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.start_repository()
    manifest = app_manifest(config={"greeting": f"{HOSTILE}\n````\n# big\n/close"}).replace("greeting", "gr`e|t<b>")
    name = "a`b|<i>.yaml"
    files = {"shop.yaml": None, name: manifest, "shop/index.html": "two"}
    branch(told, f"{HOSTILE}\n\nbody", files, "x`y<b>|z")
    done = review(told, "--until", "1d", head="x`y<b>|z")
    assert done.status == 0, done.err
    html = MarkdownIt("commonmark").enable("table").render(done.out.split("\n", 1)[1])
    for tag in ("script", "img", "details", "b>", "i>", "a href"):
        assert f"<{tag}" not in html
    assert "<h1>" not in html
    assert "&amp;lt;" in html
    for link in ("://evil", "www.evil"):
        assert link not in re.sub(r"```+diff.*?```+", "", done.out, flags=re.DOTALL)
    assert "@everyone" not in re.sub(r"```+diff.*?```+", "", done.out, flags=re.DOTALL)
    assert len([line for line in html.splitlines() if line.startswith("<h4>")]) == done.out.count("\n#### ")
    assert not any(line.startswith("/") for line in done.out.splitlines())


def test_a_huge_change_still_fits_into_a_comment(tmp_path: Path) -> None:
    told = Told(tmp_path)
    begun = {f"apps/a{n}.yaml": app_manifest(f"a{n}", bundle="../pages") for n in range(120)}
    told.commit("Begin", {"environments.yaml": ENVIRONMENTS, "pages/index.html": "one", **begun})
    config = {f"key{n}": "ü" * 300 for n in range(20)}
    after = {f"apps/a{n}.yaml": app_manifest(f"a{n}", bundle="../pages", config=config) for n in range(120)}
    branch(told, "All\n\nAllow-Mass-Change: 1000", {"pages/index.html": "two", **after})
    done = review(told, "--until", "1d")
    assert done.status == 0
    assert len(done.out.encode()) < 65_000
    for title, whole in (("Deployments", 360), ("Versions", 120)):
        part = section(done.out, title)
        left = re.search(r"^… and (\d+) more$", part, re.MULTILINE)
        assert left is not None
        assert part.count("\n| a") + int(left[1]) == whole
    assert "more lines" in done.out
    assert done.out.count("```") == 4


def test_without_a_base_it_is_merged_into_what_was_noted(told: Told) -> None:
    branch(told, "Greet", {"shop.yaml": SHOP.replace("Hello", "Hi")})
    alone = told.type("plan", "--head", "feature", "-o", "markdown")
    assert (alone.status, alone.out) == (1, "")
    assert "nothing that it could be merged into yet" in alone.err
    told.settle()
    assert told.type("plan", "--head", "feature", "-o", "markdown").status == 0


def test_a_check_that_rests_elsewhere_is_not_the_branchs_doing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon goes on asking, also between the look without the branch and the look with it."""
    gated = GATED.replace('["true"]', '["sh", "-c", "exit 75"]').replace("soak: 2h, approvals: 1, ", "")
    gated = "\n".join(line for line in gated.splitlines() if not line.startswith(("  when", "  rollout")))
    shop = SHOP.replace("name: shop", "name: cart").replace("bundle: shop", "bundle: cart")
    cart = {"cart.yaml": shop, "cart/index.html": "one"}
    told.commit("A cart", {"environments.yaml": gated, **cart})
    told.settle()
    paused = SHOP.replace(
        "    live: {}", "    live: {pause: {by: ann, reason: moving house, until: '2099-12-20T00:00:00Z'}}"
    )
    branch(told, "Pause", {"shop.yaml": paused})
    rehearsed, looks = plan._rehearsal, []

    def beside_a_daemon(*arguments: Any) -> Any:
        looks.append(told.now)
        with told.running() as found, found.database.write() as transaction:
            for row in gates.to_run(transaction.connection, told.now + timedelta(hours=1)):
                result = CheckResult(row.name, "later", "")
                outcome = CheckOutcome(app=row.app, environment=row.environment, key=row.key, result=result)
                note_check(transaction, outcome, told.now)
        return rehearsed(*arguments)

    monkeypatch.setattr(plan, "_rehearsal", beside_a_daemon)
    soon = f"{told.now + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    done = review(told, "--until", soon)
    assert len(looks) == 2
    assert "cart" not in section(done.out, "Deployments"), done.out
