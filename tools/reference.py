"""Write the generated pages of `docs/` anew: `make reference`. A test compares them with the code."""

import json
from pathlib import Path

from reconciler.manifest.reference import reference
from reconciler.manifest.schemas import combined
from tools import commands_page, settings_page

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages() -> dict[Path, str]:
    """Every generated page and what it says."""
    return {
        DOCS / "manifests.md": reference().rstrip("\n") + "\n",
        DOCS / "manifests.schema.json": json.dumps(combined(), indent=2, ensure_ascii=False) + "\n",
        DOCS / "commands.md": commands_page.page(),
        DOCS / "settings.md": settings_page.page(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
