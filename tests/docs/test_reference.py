"""The reference is generated from the declarations: what it says is what is read."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = runpy.run_path(str(ROOT / "tools" / "reference.py"))["pages"]()


def test_the_generated_pages_are_those_of_the_code():
    stale = [path.name for path, text in PAGES.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `python tools/reference.py`"


def test_every_kind_has_its_heading():
    headings = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8").splitlines()
    for kind in ("Alert", "App", "AppSet", "Environment", "Season", "Freeze", "Resource"):
        assert f"## {kind}" in headings


def test_every_link_between_the_pages_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
