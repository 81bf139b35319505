"""The reference is generated from the declarations: what it says is what is read."""

from pathlib import Path

from tools.reference import pages

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_pages_are_those_of_the_code():
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `make reference`"


def test_every_kind_has_its_heading():
    headings = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8").splitlines()
    for kind in ("Alert", "App", "AppSet", "Environment", "Season", "Freeze", "Resource"):
        assert f"## {kind}" in headings
