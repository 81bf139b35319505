"""Does a message that takes something back look like it, in every form people and forges write?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.git.reverts import Claim, direction, look

A = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"
B = "b0c1d2e3f405162738495a6b7c8d9e0f11223344"


def commits(claims: Sequence[Claim]) -> list[str]:
    return [claim.commit for claim in claims if claim.commit]


def numbers(claims: Sequence[Claim]) -> set[int]:
    return {claim.pull_request for claim in claims if claim.pull_request}


def titles(claims: Sequence[Claim]) -> list[str]:
    return [claim.title for claim in claims if claim.title]


def declared(claims: Sequence[Claim]) -> bool:
    return any(claim.strength == "declared" for claim in claims)


# Ids

TRAILERS = {
    "git's own": f"This reverts commit {A}.",
    "no full stop": f"This reverts commit {A}",
    "before other trailers": f"This reverts commit {A}.\n\nSigned-off-by: Ada <ada@example.org>",
    "of a merge": f"This reverts commit {A}, reversing\nchanges made to {B}.",
    "with a reason": f"It flickers.\n\nThis reverts commit {A}.\n\nReason for revert: flicker\nChange-Id: I{B}",
    "with the title": f'This reverts commit {A} ("Dim the lamp").',
    "with a reference": f"This reverts commit {A} (Dim the lamp, 2026-02-03).",
    "with an exception": f"This reverts commit {A} (but keeps the new label).",
    "in part": f"This partially reverts commit {A}.",
    "in part, otherwise": f"This partly reverts {A}.",
    "without the word commit": f"This reverts {A}.",
    "over two lines": f"This partially reverts commit\n{A}.",
    "upper case": f"This reverts commit {A.upper()}.",
    "with an address": f"This reverts https://git.example.org/lamps/commit/{A} because of the flicker.",
    "in quotes": f"This reverts commit `{A}`.",
    "as a sentence": f"So, basically revert commit {A} and go on with the old bulbs.",
    "as a participle": f"The old bulbs were brighter, so reverting commit {A}.",
    "after a list of reasons": f"Reasons:\n* it flickers\n* it hums\n\nThis reverts commit {A}.",
    "after a list with dashes": f"- dim it\n- hang it higher\n\nThis reverts commit {A}.",
    "after a question": f"Will it be reverted again?\n\nThis reverts commit {A}.",
    "after a wish": f'Instead of "the old way"\nThis reverts commit {A}.',
    "windows line ends": f"Why not.\r\n\r\nThis reverts commit {A}.\r\n",
}


@pytest.mark.parametrize("body", TRAILERS.values(), ids=TRAILERS)
def test_an_id_is_named(body: str) -> None:
    for subject in ('Revert "Dim the lamp"', "Lamp: bright again"):
        claims = look(f"{subject}\n\n{body}\n")
        assert commits(claims) == [A]
        assert declared(claims)


@pytest.mark.parametrize(
    "body",
    [
        f"This reverts commit {A}.\nThis reverts commit {B}.",
        f"This reverts commit {A}.\n\nThis reverts commit {B}.\n\nBug: 7",
        f"This reverts commits {A} and {B}.",
        f"This reverts commits {A}\nand {B}",
        f"This reverts commit {A} and commit {B}.",
        f"This reverts commits:\n- {A}\n- {B}\n",
        f"This reverts {A}, {B}.",
        f'Revert "Dim"\nThis reverts commit {A}.\n\nRevert "Dim instead of dark"\nThis reverts commit {B}.',
    ],
)
def test_several_ids_are_named(body: str) -> None:
    assert commits(look(f"Back to the candle\n\n{body}")) == [A, B]


def test_short_ids() -> None:
    assert commits(look("Brighter\n\nThis reverts commits a1b2c3d4e5, b0c1d2e3f405\nand c9d8e7f6.")) == [
        "a1b2c3d4e5",
        "b0c1d2e3f405",
        "c9d8e7f6",
    ]
    assert commits(look("Partially revert lamps@a1b2c3d (#12)")) == ["a1b2c3d"]
    assert commits(look("lamps: revert a1b2c3d4")) == ["a1b2c3d4"]
    assert commits(look("Backed out changeset a1b2c3d4e5f6 (bug 7)")) == ["a1b2c3d4e5f6"]
    assert commits(look("Undo a1b2c3d4")) == commits(look("Lamp\n\nThis backs out commit a1b2c3d4.")) == ["a1b2c3d4"]
    assert commits(look("Brighter\n\nThis reverts commit 20260203.")) == ["20260203"], "all digits, but called a commit"


@pytest.mark.parametrize(
    "message",
    [
        "Revert lamp to 1.20.1-a1b2c3d4",
        "Revert lamp to lamp:1.20.1.a1b2c3d",
        "Lamps\n\nThis reverts the change of 20260203.",
        "Lamps\n\nThis reverts the defaced effaced lamp.",
        f"Lamps\n\nReverts I{A}.",
        f"Lamps\n\n(cherry picked from commit {A})",
        f"Lamps\n\nFixes: {A[:12]} (Dim the lamp)",
    ],
)
def test_what_only_looks_like_an_id(message: str) -> None:
    assert commits(look(message)) == []


def test_ids_of_what_was_returned_to_are_not_reverted() -> None:
    for message in (f"lamps - revert to the state at {A}", f"Revert lamps to commit {A}"):
        (claim,) = look(message)
        assert claim.commit is None
        assert claim.back_to == A
        assert claim.names_target
    (claim,) = look(f"Lamps\n\nReverted to the proven bulbs from commit {A[:9]}")
    assert (claim.commit, claim.back_to) == (None, A[:9])


def test_ids_named_further_on_are_hints() -> None:
    (claim,) = look(f"Lamps: no switch at the door\n\nReverts the second switch that came in {A[:9]} - too many.")
    assert (claim.kind, claim.strength, claim.commit) == ("mention", "hinted", A[:9])
    (claim,) = look("Lamps: no switch at the door\n\nThis reverts parts of #12.")
    assert claim.pull_request == 12


# Titles


@pytest.mark.parametrize(
    ("subject", "title", "number", "depth"),
    [
        ('Revert "Dim the lamp"', "Dim the lamp", None, 1),
        ('Revert "Dim the lamp" (#13)', "Dim the lamp", None, 1),
        ('Revert "Dim the lamp (#12)" (#13)', "Dim the lamp (#12)", 12, 1),
        ('Revert "Dim the lamp (#11) (#12)" (#13)', "Dim the lamp (#11) (#12)", 12, 1),
        ('fix(lamp): Revert "Dim the lamp (#12)" (#13) (#14)', "Dim the lamp (#12)", 12, 1),
        ('💡 Revert "Dim the lamp"', "Dim the lamp", None, 1),
        ('[lamp] Revert "Dim the lamp"', "Dim the lamp", None, 1),
        ('Partially revert "Dim the lamp"', "Dim the lamp", None, 1),
        ("Revert “Dim the lamp”", "Dim the lamp", None, 1),
        ("Revert 'Dim the lamp'", "Dim the lamp", None, 1),
        ('Revert: "Dim the lamp"', "Dim the lamp", None, 1),
        ('Revert "Say "good night" and dim"', 'Say "good night" and dim', None, 1),
        ('Revert "Dim the lamp" and follow-up', "Dim the lamp", None, 1),
        ('Revert "Dim the lamp" [skip ci]', "Dim the lamp", None, 1),
        ('[release-2] Revert "Dim the lamp (#12)" (cherry-pick #13) (#14)', "Dim the lamp (#12)", 12, 1),
        ('Revert "Dim the lamp": it hums', "Dim the lamp", None, 1),
        ('Revert "Dim the lamp" - it hums', "Dim the lamp", None, 1),
        ('Revert "Revert "Dim the lamp""', 'Revert "Dim the lamp"', None, 2),
        ('Revert "Revert "Dim (#1)" (#2)" (#3)', 'Revert "Dim (#1)" (#2)', 2, 2),
        ('Revert "Revert "Dim the lamp (#11)" (#1…" (#13)', 'Revert "Dim the lamp (#11)" (#1…', None, 2),
        ('Revert "Revert "Dim the la…', 'Revert "Dim the la…', None, 2),
        ('Revert "Dim the lamp in the ha..."', "Dim the lamp in the ha…", None, 1),
        ('Revert "Revert "Revert "Dim"""', 'Revert "Revert "Dim""', None, 3),
        ('Revert "Merge "Revert "Dim the lamp"""', 'Merge "Revert "Dim the lamp""', None, 2),
        ('Revert "Merge pull request #7 from ada/dim"', "Merge pull request #7 from ada/dim", None, 1),
        ('Reapply "Dim the lamp"', 'Revert "Dim the lamp"', None, 2),
        ('Reapply "Dim the lamp (#12)" (#14)', 'Revert "Dim the lamp (#12)"', None, 2),
        ('Revert "Reapply "Dim the lamp""', 'Reapply "Dim the lamp"', None, 3),
        ('Reland "Dim the lamp"', 'Revert "Dim the lamp"', None, 2),
        ('Revert^2 "Dim the lamp"', 'Revert "Dim the lamp"', None, 2),
        ('Revert^5 "Dim the lamp"', 'Revert^4 "Dim the lamp"', None, 5),
        ("revert: dim the lamp (#13)", "dim the lamp", None, 1),
        ("revert(lamp)!: dim it", "dim it", None, 1),
        ("feat(lamp): revert: dim it", "dim it", None, 1),
        ('revert: "dim it"', "dim it", None, 1),
        ("revert: revert: dim it", "revert: dim it", None, 2),
        ('Revert "revert: dim it"', "revert: dim it", None, 2),
        ('Revert "Revert back to the candle"', "Revert back to the candle", None, 1),
    ],
)
def test_a_title_is_taken_apart(subject: str, title: str, number: int | None, depth: int) -> None:
    (claim,) = look(subject)
    assert claim.strength == "declared"
    assert (claim.title, claim.pull_request, claim.depth) == (title, number, depth)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Revert #12", {12}),
        ("revert #12 (#13)", {12}),
        ("chore: revert #12 (#13)", {12}),
        ("Revert PR #12", {12}),
        ("Reverted PR 12", {12}),
        ("Revert lamps/lamp#12", {12}),
        ("Revert changes introduced in PR #12", {12}),
        ("lamp: rollback #12", {12}),
        ("Brighter\n\nReverts lamps/lamp#12", {12}),
        ("Brighter\n\nReverts #12. The dimming is over.", {12}),
        ("Brighter\n\nThis reverts pull request #12.", {12}),
        ("Brighter\n\nThis reverts PR (#12) as it hums.", {12}),
        ("Brighter\n\nThis reverts merge request !12", {12}),
        ("Brighter\n\nThis reverts merge request lamps/lamp!12", {12}),
        ("Brighter\n\nThis reverts https://git.example.org/lamps/lamp/pull/12", {12}),
        ("Brighter\n\nThis reverts #12 and #14.", {12, 14}),
        ("Merge pull request #13 from ada/revert-12-dim-the-lamp\n\nBrighter", {12}),
        ("Merge pull request #15 from ada/revert-14-revert-12-dim\n\nDim again", {14}),
        ("Merged in revert-pr-12-dim (pull request #13)\n\nBrighter", {12}),
    ],
)
def test_a_pull_request_is_named(message: str, expected: set[int]) -> None:
    claims = look(message, parents=2 if message.startswith("Merge") else 1)
    assert numbers(claims) == expected
    assert declared(claims)


@pytest.mark.parametrize(
    "message",
    [
        'Merge "Revert "Dim the lamp""',
        'Merge "Revert "Dim the lamp"" into main',
        'Merge pull request #13 from ada/brighter\n\nRevert "Dim the lamp"',
        "Merge branch 'brighter' into 'main'\n\nRevert \"Dim the lamp\"\n\nSee merge request lamps/lamp!13",
        "Merge pull request 'Revert \"Dim the lamp\"' (#13) from brighter into main",
        'Merged PR 13: Revert "Dim the lamp"',
        'Merged in brighter (pull request #13)\n\nRevert "Dim the lamp"',
        'Pull request #13: Revert "Dim the lamp"\n\nMerge in LAMPS/lamp from brighter to main',
        'Merge #13\n\n13: Revert "Dim the lamp" r=grace a=ada',
    ],
)
def test_the_title_that_a_merge_wraps(message: str) -> None:
    assert "Dim the lamp" in titles(look(message, parents=2))


def test_names_of_merged_branches() -> None:
    (claim,) = look("Merge branch 'revert-a1b2c3d4' into 'main'", parents=2)
    assert (claim.kind, claim.strength, claim.commit) == ("branch", "declared", "a1b2c3d4")
    (claim,) = look("Merge pull request #13 from ada/hall/revert-dimming", parents=2)
    assert (claim.kind, claim.strength) == ("branch", "hinted")
    (claim,) = look("Merge pull request #15 from ada/revert-14-revert-12-dim", parents=2)
    assert direction([claim]) == "forth"
    for branch in ("revert-risk-model", "rollbacker-group", "irreversible", "convert-12-lamps"):
        assert look(f"Merge pull request #13 from ada/{branch}", parents=2) == (), branch
    assert look("Merge branch 'main' into revert-dimming", parents=2) == (), "that is where it goes to"


@pytest.mark.parametrize(
    "message",
    [
        "revert",
        "Revert the last change",
        "lamp: revert the dimming",
        "lamp - revert to the candle",
        "fix: (revert) dimming came too early",
        "[Revert] Dim the lamp",
        "Brighten, and revert the dimming (#13)",
        "Temporarily revert the dimming",
        "Reverting the dimming",
        'Revert the other half of "Dim the lamp"',
        "rollback lamp",
        "Roll back lamp to 1.2",
        "rolled back all lamps",
        "lamp 1.2 - rollback because of the flicker",
        "hall: Rolling lamp back to 1.2",
        "downgrade lamp",
        "chore(lamp): downgrade until the flicker is gone",
        "back to 3 lamps",
        "Lamp back to 1.2",
        "Switch back to the candle",
        "undo the dimming",
        "Back out the dimming",
        "Lamp downgrade",
        "Merge pull request #13 from ada/lamp-rollback\n\nBrighter",
        "Brighter\n\nThis patch reverts the dimming of the lamp.",
        "Brighter\n\nWe are rolling back to the candle.",
        "Brighter\n\n- reverted the dimming\n- new label",
        "Brighter\n\nThis patch aims to revert the previous one.",
        'Revert "Dim the lamp" & reapply "Hang it higher"',
    ],
)
def test_free_words_are_hints(message: str) -> None:
    claims = look(message, parents=2 if message.startswith("Merge") else 1)
    assert claims
    assert not declared(claims)


@pytest.mark.parametrize(
    "message",
    [
        "Update the revert-risk lamps",
        "Add the rollbacker group",
        "Rollback support for lamps",
        "Support rollback of lamps",
        "Make lamps revertable",
        "Convert and invert lamps",
        "Document what was undocumented",
        "Lamps\n\nWe should revert this as soon as the party is over.",
        "Lamps\n\nRevert if it hums.",
        "Lamps\n\nThis can be reverted once the hall is dark.",
        "Lamps\n\nI'll watch it, then revert this PR.",
        "Lamps\n\nThis will be reverted tomorrow.",
        "Lamps\n\nMakes it easier to find, follow and revert a lamp.",
        "Lamps\n\nMust not be switched on until it won't be rolled back.",
        "Lamps\n\nThe revert-risk of editquality-reverted lamps.",
        "Lamps\n\n> Revert the dimming",
        f'Lamps\n\nSquashed commit of the following:\n\ncommit {A}\n\n    Revert "x"\n\n    This reverts commit {B}.',
        f"Lamps\n\nFormer-commit-id: {A} [reverted]",
        "Restore the notes",
        "Candles back to the hall for parties.",
        "",
        "\n\n",
    ],
)
def test_what_speaks_of_something_else(message: str) -> None:
    assert look(message) == ()
