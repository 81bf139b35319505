"""How well are reverts recognised? Precision, recall and direction over labelled commits.

    python benchmarks/reverts.py FILE [--misses]

FILE has one JSON object a line: `subject`, `body`, `n_parents`, `referenced` (what the message names, and what
that resolves to), `content_class` (full, partial, none), `label` (revert, silent-restore, grey, not-revert),
`direction` (back, forth), `category`, and for merges `merged_revertish` (pairs of commit and how its message
looks like a revert). A commit counts as recognised when `verdict` says so on exactly these facts. Grey ones are
left out of the numbers and reported apart; silent restores should be `restore`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reconciler.git.reverts import Claim, Direction, Verdict, look, verdict

Row = dict[str, Any]
# For a commit behind a merge the file tells only how its message looks; this is a message that looks so.
_LOOKS = {
    "git-trailer": 'Revert "{title}"\n\nThis reverts commit {commit}.',
    "git-trailer-merge": 'Revert "{title}"\n\nThis reverts commit {commit}, reversing\nchanges made to {other}.',
    "git-trailer-othersubject": "Another subject\n\nThis reverts commit {commit}.",
    "revert-title-only": 'Revert "{title}"',
    "reapply": 'Reapply "{title}"',
    "subject-revert-free": "Revert the change",
    "subject-rollback-free": "Roll back the change",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A line of the file, with what we say of it."""

    row: Row
    claims: tuple[Claim, ...]
    verdict: Verdict

    @property
    def label(self) -> str:
        return str(self.row["label"])

    @property
    def behind_merge(self) -> bool:
        """Recognised only by a message that the merge brought in."""
        return bool(self.claims) and all(claim.merged for claim in self.claims)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="labelled commits, one JSON object a line")
    parser.add_argument("--misses", action="store_true", help="list every commit that is judged wrongly")
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.file.read_text("utf-8").splitlines() if line.strip()]
    judged = judge(rows)
    report(judged)
    if options.misses:
        list_misses(judged)


def judge(rows: Sequence[Row]) -> list[Judged]:
    """Every line judged, oldest links of a chain first where the file holds the whole chain."""
    claims = {_key(row): look(_message(row), row.get("n_parents") or 1, _merged(row)) for row in rows}
    by_key = {_key(row): row for row in rows}
    known: dict[tuple[str, str], Verdict] = {}

    def settle(row: Row, above: frozenset[tuple[str, str]]) -> Verdict:
        key = _key(row)
        if key not in known:
            targets = [(key[0], str(named["resolved"])) for named in row["referenced"] if named.get("resolved")]
            chain: list[Direction | None] = [
                settle(by_key[target], above | {key}).direction
                for target in dict.fromkeys(targets)
                if target in by_key and target not in above | {key}
            ]
            known[key] = verdict(claims[key], row["content_class"], chain)
        return known[key]

    return [Judged(row, claims[_key(row)], settle(row, frozenset())) for row in rows]


def _key(row: Row) -> tuple[str, str]:
    return str(row.get("repo", "")), str(row.get("sha", id(row)))


def _message(row: Row) -> str:
    return f"{row['subject']}\n\n{row.get('body') or ''}"


def _merged(row: Row) -> list[str]:
    """Messages that look as those behind the merge did; what they named is in `referenced`, in order."""
    named = row.get("referenced") or []
    commits = iter([one["value"] for one in named if one["kind"] == "trailer"])
    titles = iter([one["value"] for one in named if one["kind"] == "title"])
    messages = []
    for _, looks in row.get("merged_revertish") or []:
        shape = _LOOKS.get(looks, "A change")
        commit = next(commits, "0" * 39 + "1") if "{commit}" in shape else ""
        title = next(titles, "the change") if "{title}" in shape else ""
        messages.append(shape.format(commit=commit, title=title, other="f" * 40))
    return messages


def report(judged: Sequence[Judged]) -> None:
    certain = [one for one in judged if one.label in ("revert", "not-revert")]
    silent = [one for one in judged if one.label == "silent-restore"]
    grey = [one for one in judged if one.label == "grey"]
    found = [one for one in certain if one.verdict.kind == "revert"]
    right = [one for one in found if one.label == "revert"]
    wanted = [one for one in certain if one.label == "revert"]
    precision = len(right) / len(found) if found else 1.0
    recall = len(right) / len(wanted) if wanted else 1.0
    both = precision + recall
    print(f"{len(judged)} commits: {len(wanted)} reverts, {len(certain) - len(wanted)} others,", end=" ")
    print(f"{len(silent)} silent restores, {len(grey)} grey")
    print(f"precision {precision:.4f}  recall {recall:.4f}  F1 {2 * precision * recall / both if both else 0:.4f}")
    _report_silent(silent, len(right), len(found))
    _report_direction(right)
    print(f"grey: {_counts(grey)}")
    named = [_names_right(one) for one in judged if one.label == "revert" and _ids(one.row)]
    print(f"ids that reverts name, found in the message: {sum(named)} of {len(named)}")
    print()
    _table(judged)


def _report_silent(silent: Sequence[Judged], right: int, found: int) -> None:
    loud = [one for one in silent if one.verdict.kind == "revert"]
    behind = sum(one.behind_merge for one in loud)
    strict = right / (found + len(loud)) if found + len(loud) else 1.0
    print(f"silent restores: {_counts(silent)}; {behind} of the reverts by a message behind the merge")
    print(f"precision if every silent restore counts as no revert: {strict:.4f}")


def _report_direction(right: Sequence[Judged]) -> None:
    told = [one for one in right if one.row.get("direction")]
    hits = sum(one.verdict.direction == one.row["direction"] for one in told)
    accuracy = hits / len(told) if told else 1.0
    crossed = Counter((one.row["direction"], one.verdict.direction) for one in told)
    print(f"direction {accuracy:.4f} of {len(told)};", end=" ")
    print(", ".join(f"{want} said {said}: {count}" for (want, said), count in sorted(crossed.items(), key=str)))


def _counts(judged: Sequence[Judged]) -> str:
    counts = Counter(one.verdict.kind for one in judged)
    return ", ".join(f"{kind} {counts[kind]}" for kind in ("revert", "restore", "ordinary"))


def _ids(row: Row) -> set[str]:
    named = (one for one in row.get("referenced") or [] if one["kind"] in ("trailer", "freehex"))
    return {str(one["value"]).lower() for one in named}


def _names_right(one: Judged) -> bool:
    ours = {claim.commit for claim in one.claims} | {claim.back_to for claim in one.claims}
    return _ids(one.row) <= {commit for commit in ours if commit}


def _wrong(one: Judged) -> str | None:
    """How a commit was judged wrongly; None when it was not."""
    expected = {"revert": "revert", "silent-restore": "restore", "not-revert": "ordinary"}.get(one.label)
    if expected is None:
        return None
    if one.verdict.kind != expected and not (one.label == "not-revert" and one.verdict.kind == "restore"):
        return f"{one.verdict.kind} instead of {expected}"
    if one.label == "revert" and one.row.get("direction") not in (None, one.verdict.direction):
        return f"{one.verdict.direction} instead of {one.row['direction']}"
    return None


def _table(judged: Sequence[Judged]) -> None:
    print(f"{'category':32} {'label':15} {'n':>4} {'revert':>7} {'restore':>8} {'ordinary':>9} {'direction':>10}")
    groups: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        groups.setdefault((str(one.row.get("category", "-")), one.label), []).append(one)
    for (category, label), group in sorted(groups.items()):
        counts = Counter(one.verdict.kind for one in group)
        told = [one for one in group if one.verdict.kind == "revert" and one.row.get("direction")]
        hits = sum(one.verdict.direction == one.row["direction"] for one in told)
        numbers = f"{counts['revert']:7} {counts['restore']:8} {counts['ordinary']:9}"
        print(f"{category:32} {label:15} {len(group):4} {numbers} {f'{hits}/{len(told)}' if told else '':>10}")


def list_misses(judged: Sequence[Judged]) -> None:
    for one in judged:
        wrong = _wrong(one)
        if wrong:
            print(f"\n{wrong}: {one.row.get('repo', '')} {one.row.get('sha', '')} [{one.row.get('category')}]")
            print(f"    content {one.row['content_class']}, parents {one.row.get('n_parents')}")
            print(f"    {one.row['subject']}")
            for claim in one.claims:
                print(f"    {claim}")


if __name__ == "__main__":
    main()
