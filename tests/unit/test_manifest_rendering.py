"""How is a complaint shown, and can a hostile name break out of it?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif

from reconciler.manifest import Complaint, github, sarif
from reconciler.manifest.reference import reference

PLAIN = Complaint("apps/a.yaml", 3, 9, "version takes a text, not a number", 'quote it: "1.10"')
HINT = Complaint("apps/a.yaml", 4, 1, "this season changes nothing", severity="warning")
HOSTILE = Complaint("a\n::error::\x1b[2J\u202e,:%0A.yaml", 1, 2, "no\n::set-output name=x::y\r\x1b[0m\u2028", "100%\n")


def test_a_complaint_reads_as_place_message_and_remedy() -> None:
    assert str(PLAIN) == 'apps/a.yaml:3:9: version takes a text, not a number (quote it: "1.10")'
    assert str(HINT) == "apps/a.yaml:4:1: this season changes nothing"


def test_complaints_are_in_order_of_place() -> None:
    several = [
        Complaint("b", 1, 1, "x"),
        Complaint("a", 10, 1, "x"),
        Complaint("a", 9, 20, "x"),
        Complaint("a", 9, 3, "y"),
        Complaint("a", 9, 3, "x"),
    ]
    assert [str(one) for one in sorted(several)] == ["a:9:3: x", "a:9:3: y", "a:9:20: x", "a:10:1: x", "b:1:1: x"]


def test_nothing_that_does_not_print_gets_through() -> None:
    assert str(HOSTILE).isprintable()
    assert str(HOSTILE).startswith("a\\n::error::\\x1b[2J\\u202e,:%0A.yaml:1:2: no\\n::set-output")
    assert HOSTILE.path.startswith("a\n")
    assert HOSTILE.message.isprintable()
    assert HOSTILE.remedy == "100%\\n"
    assert str(Complaint("\udcff\ud800.yaml", 1, 1, "\ud800")).isprintable()


def test_github_shows_it_beside_the_line() -> None:
    assert github([PLAIN, HINT]).splitlines() == [
        '::error file=apps/a.yaml,line=3,col=9,title=reconciler::version takes a text, not a number (quote it: "1.10")',
        "::warning file=apps/a.yaml,line=4,col=1,title=reconciler::this season changes nothing",
    ]
    assert github([]) == ""


def test_a_hostile_name_stays_one_workflow_command() -> None:
    text = github([HOSTILE])
    assert len(text.splitlines()) == 1
    place = "file=a%0A%3A%3Aerror%3A%3A\\x1b[2J\\u202e%2C%3A%250A.yaml,line=1,col=2"
    assert text.startswith(f"::error {place},title=reconciler::no\\n")
    assert text.endswith("(100%25\\n)\n")


def test_sarif_has_what_code_scanning_asks_for() -> None:
    log = json.loads(json.dumps(sarif([PLAIN, HINT])))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    assert run["tool"]["driver"]["name"] == "reconciler"
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    first, second = run["results"]
    assert {first["ruleId"], second["ruleId"]} == rules
    assert (first["level"], second["level"]) == ("error", "warning")
    assert first["message"]["text"] == 'version takes a text, not a number (quote it: "1.10")'
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "apps/a.yaml"},
        "region": {"startLine": 3, "startColumn": 9},
    }


def test_sarif_is_what_its_standard_allows() -> None:
    for complaints in ([], [PLAIN, HINT, HOSTILE]):
        log = json.loads(json.dumps(sarif(complaints)))
        read = Sarif.model_validate(log)
        assert json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)) == log
        # The standard has `columnKind`, with this value among others; the library does not know it.
        assert list(unknown(read)) == [("columnKind", "unicodeCodePoints")]


def unknown(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys that a model of the standard has no field for."""
    if isinstance(value, BaseModel):
        yield from (value.model_extra or {}).items()
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name))
    elif isinstance(value, list):
        for one in value:
            yield from unknown(one)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("é x.yaml", "%C3%A9%20x.yaml"),
        ("a\n%.yaml", "a%0A%25.yaml"),
        ("a:b?c#d.yaml", "a%3Ab%3Fc%23d.yaml"),
        ("\udcff.yaml", "%FF.yaml"),  # a byte that is no UTF-8, as Python reads it
        ("\ud800.yaml", "%5Cud800.yaml"),
    ],
    ids=["letters", "controls", "marks", "bytes", "surrogates"],
)
def test_sarif_addresses_are_addresses(path: str, address: str) -> None:
    result = sarif([Complaint(path, 1, 1, "x")])["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == address


def test_the_reference_tells_every_key_once() -> None:
    text = reference()
    for kind in ("Environment", "App", "AppSet", "Group", "Season", "Freeze", "Resource"):
        assert f"\n## {kind}\n" in text
    assert "| `soak` | such as `90s` or `15m` | |" in text
    assert (
        "| `environments` | mapping of names to [mapping](#app-specenvironments) or list of name | **required** |"
        in text
    )
    assert "| `from` | `env:NAME` or `file:PATH` | **required** |" in text
    assert "| `limit` | whole number from 0 to 100 | `3` |" in text
    assert text.count("A release train") == 2
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    links = set(re.findall(r"\(#([^)]+)\)", text))
    anchors = {re.sub(r"[^a-z0-9-]", "", heading.lower().replace(" ", "-")) for heading in headings}
    assert links <= anchors
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line for line in rows if len(line.split("|")) != 6] == []
