"""Does the page about HTTP tell of every path that reads, and of no other?"""

from __future__ import annotations

import re
from pathlib import Path

from tests.http_asking import described

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
_DESCRIBED = described()
PATHS, SCHEMAS = _DESCRIBED["paths"], _DESCRIBED["components"]["schemas"]


def test_every_path_that_reads_has_its_heading():
    told = re.findall(r"^### GET (\S+)$", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(path for path, operations in PATHS.items() if "get" in operations)


def test_every_filter_is_told():
    for path, operations in PATHS.items():
        if "get" not in operations:
            continue
        section = PAGE.partition(f"### GET {path}\n")[2].partition("\n#")[0]
        if "The same" in section:
            continue
        for one in operations["get"].get("parameters", ()):
            if one["in"] == "query" and one["name"] not in ("limit", "cursor"):
                assert one["name"] in section, f"{path} does not tell of {one['name']}"


def test_every_path_without_a_tag_is_told() -> None:
    for path, operations in PATHS.items():
        if "get" in operations:
            section = PAGE.partition(f"### GET {path}\n")[2].partition("\n#")[0]
            has_none = "ETag" not in operations["get"]["responses"]["200"].get("headers", {})
            assert ("has no tag" in section) == has_none, path
