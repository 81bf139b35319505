"""Does the page of the HTTP API say of every length of time from where it is counted, and is that so?"""

from __future__ import annotations

import re
from pathlib import Path

from tests import http_asking

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
ROW = re.compile(r"^\| (?P<names>`(?:since|until|at)`.*) \| (?P<way>a day ago|in a day) \|$", re.MULTILINE)
NAMED = re.compile(r"(?P<names>`[a-z]+`(?: and `[a-z]+`)*) of (?P<paths>`/[a-z./]+`(?:(?:,| and) `/[a-z./]+`)*)")


def told() -> dict[tuple[str, str], str]:
    """How each parameter counts, by its path and name, as the page says."""
    return {
        (path, name): row["way"]
        for row in ROW.finditer(PAGE.read_text())
        for found in NAMED.finditer(row["names"])
        for path in re.findall("`([^`]+)`", found["paths"])
        for name in re.findall("`([^`]+)`", found["names"])
    }


def described() -> dict[tuple[str, str], str]:
    """The same, as the description of the API says."""
    return {
        (path, one["name"]): "a day ago" if "length of time ago" in one["description"] else "in a day"
        for path, those in http_asking.described()["paths"].items()
        for one in those.get("get", {}).get("parameters", ())
        if one["name"] in ("since", "until", "at")
    }


def test_each_parameter_counts_as_the_page_says() -> None:
    assert len(told()) > 5
    assert told() == described()
