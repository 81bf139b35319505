"""How do complaints about one file go together: all at once, nothing twice, no secret, and an end to them?"""

from __future__ import annotations

import time

import pytest

from reconciler.manifest import Complaint, parse

APP = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: booking}\nspec:\n"
IN = APP + "  environments: [sandbox]\n"
ENVIRONMENT = "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: live}\nspec:\n"
SEASON = (
    "apiVersion: reconciler/v1\nkind: Season\nmetadata: {name: christmas}\nspec:\n"
    "  apps: [booking]\n  environments: [live]\n  config: {greeting: Hi}\n"
)


def test_one_mistake_does_not_hide_the_next() -> None:
    text = (
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: booking, labls: {a: b}}\nspec:\n"
        "  owner: 5\n  bundle: ../../x\n  dependsOn: [a]\n  triggers: {crons: ['61 * * * *']}\n"
        "  environments:\n    live:\n      track: sandbox\n      version: '1'\n"
        "      traffic: [{version: a, percent: 50}]\n      gates: {soak: 3 weeks}\n"
        "---\napiVersion: reconciler/v1\nkind: App\nmetadata: {name: other}\nspec: {environment: [live]}\n"
    )
    found = [(complaint.line, complaint.column) for complaint in parse("a.yaml", text.encode()).complaints]
    assert found == [
        (3, 27),  # labls
        (5, 10),  # owner
        (6, 11),  # bundle
        (7, 3),  # dependsOn
        (8, 22),  # the cron
        (12, 16),  # track and version
        (13, 7),  # the percentages
        (14, 21),  # 3 weeks
        (19, 1),  # environments is missing
        (19, 8),  # environment
    ]


def test_a_wrong_zone_is_not_followed_by_complaints_about_the_clock() -> None:
    text = SEASON + "  timezoen: Europe/Paris\n  from: '2026-12-01'\n  until: '2026-11-01'\n"
    assert [str(one) for one in parse("a.yaml", text.encode()).complaints] == [
        "a.yaml:8:3: the key timezoen is not known here (did you mean timezone?)"
    ]


def test_what_a_secret_may_be_is_never_repeated() -> None:
    text = IN + (
        "  secrets:\n    - {name: A, from: sk-live-4711}\n    - {name: B, from: 47114711}\n"
        "    - {name: C, from: ['sk-4711']}\n    - sk-4711\n    - {name: D, from: 4711:30}\n"
        "    - {name: E, from: 47114711471147114711}\n    - {name: F, from: {sk: x4711}}\n"
        "    - {name: G, from: 4711_0}\n    - {name: H, from: 047114711}\n"
    )
    complaints = parse("a.yaml", text.encode()).complaints
    assert {complaint.line for complaint in complaints} == set(range(7, 16))
    assert not [complaint for complaint in complaints if "4711" in str(complaint)]


def test_odd_words_in_config_stay_as_written_with_a_warning() -> None:
    text = IN + "  config: {a: no, b: 010, c: 2026-12-01, d: 12:30, e: 'yes', f: 1_000}\n"
    parsed = parse("a.yaml", text.encode())
    assert parsed.declarations[0].document["spec"]["config"] == {
        "a": "no",
        "b": 10,
        "c": "2026-12-01",
        "d": "12:30",
        "e": "yes",
        "f": "1_000",
    }
    assert [(one.column, one.severity) for one in parsed.complaints] == [
        (15, "warning"),
        (22, "warning"),
        (45, "warning"),
        (65, "warning"),
    ]


def test_a_season_that_changes_nothing_is_accepted_with_a_warning() -> None:
    text = SEASON.replace("  config: {greeting: Hi}\n", "")
    parsed = parse("a.yaml", f"{text}  from: '2026-12-01T00:00Z'\n  until: '2027-01-01T00:00Z'\n".encode())
    assert parsed.complaints == (
        Complaint("a.yaml", 4, 1, "this season changes nothing", "give config, version or traffic", "warning"),
    )
    assert parsed.declarations[0].name == "christmas"


def test_documents_that_are_right_are_declared_beside_a_broken_one() -> None:
    text = IN + "  owner: 5\n---\n" + ENVIRONMENT + "  track: latest\n---\n" + SEASON
    parsed = parse("a.yaml", text.encode())
    assert [(one.kind, one.name, one.ordinal) for one in parsed.declarations] == [("Environment", "live", 1)]
    assert parsed.broken == (("App", "booking"), ("Season", "christmas"))


HOSTILE = {
    "keys": IN + "".join(f"  unknown{number}: x\n" for number in range(20_000)),
    "documents": "apiVersion: reconciler/v1\n---\n" * 20_000,
    "zones": APP
    + "  environments:\n"
    + "".join(f"    e{n}: {{schedule: [{{at: '2026-12-01', timezone: Europe/Pari{n}}}]}}\n" for n in range(9_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_complaints_about_one_file_have_an_end(name: str) -> None:
    began = time.thread_time()
    complaints = parse("a.yaml", HOSTILE[name].encode()).complaints
    assert time.thread_time() - began < 10
    assert len(complaints) == 101
    assert complaints[0].line < 10
    assert complaints[-1].message == "there are more than 100 complaints about this file"


def test_an_error_is_not_lost_behind_many_warnings() -> None:
    odd = IN + "  config:\n" + "".join(f"    k{number}: no\n" for number in range(150))
    complaints = parse("a.yaml", odd.encode()).complaints
    assert {complaint.severity for complaint in complaints} == {"warning"}
    complaints = parse("a.yaml", f"{odd}  ownr: x\n".encode()).complaints
    assert len(complaints) == 101
    assert [one.severity for one in complaints if one.severity == "error"] == ["error"]
    parsed = parse("a.yaml", f"{odd}  bundle: ../..\n".encode())
    assert parsed.declarations == ()
    assert "error" in {complaint.severity for complaint in parsed.complaints}
