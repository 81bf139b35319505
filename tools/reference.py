"""Write the generated parts of `docs/` anew: `python tools/reference.py`. A test compares them with the code."""

import json
from pathlib import Path

from reconciler.manifest.reference import reference
from reconciler.manifest.schemas import combined

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages() -> dict[Path, str]:
    """Every generated page and what it says."""
    return {
        DOCS / "manifests.md": reference().rstrip("\n") + "\n",
        DOCS / "manifests.schema.json": json.dumps(combined(), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
