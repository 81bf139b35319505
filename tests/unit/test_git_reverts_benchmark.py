"""Does the measurement of reverts count right?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import reverts

A = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"
B = "b0c1d2e3f405162738495a6b7c8d9e0f11223344"


def row(subject: str, label: str, content: str, direction: str | None = None, **more: object) -> dict[str, object]:
    facts = {"subject": subject, "label": label, "content_class": content, "direction": direction}
    return {"repo": "lamps/lamp", "body": "", "n_parents": 1, "referenced": [], "category": label, **facts, **more}


ROWS = [
    row('Revert "Dim"', "revert", "full", "back", sha=A),
    row(
        "Dim",
        "revert",
        "full",
        "forth",
        sha=B,
        body=f"This reverts commit {A}.",
        referenced=[{"kind": "trailer", "value": A, "resolved": A}],
    ),
    row("Dim the hall", "revert", "full", "back", sha="3"),
    row('Revert "Paint"', "not-revert", "none", sha="4"),
    row("Roll back the paint", "not-revert", "full", sha="5"),
    row("A tweak", "silent-restore", "full", sha="6"),
    row("Merge branch 'x'", "silent-restore", "full", sha="7", n_parents=2, merged_revertish=[["8", "git-trailer"]]),
    row("revert: paint", "grey", "partial", sha="9"),
]


def test_numbers_and_misses(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in ROWS) + "\n\n")
    script = Path(reverts.__file__)
    done = subprocess.run([sys.executable, script, file, "--misses"], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == ""
    told = done.stdout
    assert "8 commits: 3 reverts, 2 others, 2 silent restores, 1 grey" in told
    assert "precision 0.6667  recall 0.6667  F1 0.6667" in told
    assert "silent restores: revert 1, restore 1, ordinary 0; 1 of the reverts by a message behind the merge" in told
    assert "direction 1.0000 of 2" in told, "the chain within the file tells that the second goes forth"
    assert "restore instead of revert: lamps/lamp 3" in told
    assert "revert instead of ordinary: lamps/lamp 5" in told
    assert "revert instead of restore: lamps/lamp 7" in told


def test_a_file_without_reverts(capsys) -> None:
    reverts.report(reverts.judge([]))
    assert "precision 1.0000  recall 1.0000" in capsys.readouterr().out
