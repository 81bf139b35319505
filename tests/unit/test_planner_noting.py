"""What a commit means: what it publishes and takes back, how much is too much, and what its trailers allow."""

from __future__ import annotations

import pytest

from reconciler.planner.noting import (
    Meaning,
    Revert,
    Reverted,
    allowed_changes,
    allowed_rollbacks,
    content_meaning,
    entry_meaning,
    freeze_override,
    lifted_suspicions,
    weighs_too_much,
)

A, B = "a" * 40, "b" * 40


def revert(direction: str = "back", unresolved: bool = False, **touched: dict) -> Revert:
    """A declared revert of the commits `a` at position 3 and `b` at position 5."""
    targets = [
        Reverted(commit=letter * 40, position=place, touched=touched[letter])
        for letter, place in (("b", 5), ("a", 3))
        if letter in touched
    ]
    return Revert(direction=direction, targets=tuple(targets), unresolved=unresolved)


SHOP = {("shop", ""): "before"}
BOOKS = {("books", ""): "before"}


@pytest.mark.parametrize(
    ("published_at", "evidence", "found", "expected"),
    [
        (None, "none", None, Meaning(look="new")),
        (4, "none", None, Meaning(look="restored")),
        # A revert of what changed another app alone says nothing about this one.
        (4, "full", revert(a=BOOKS), Meaning(look="restored")),
        (None, "full", revert(a=BOOKS), Meaning(look="new")),
        # A message that nothing proves.
        (None, "none", revert(a=SHOP), Meaning(look="new")),
        (2, "none", revert(a=SHOP), Meaning(look="reverted", reverts=(A,), withdraw_from=3)),
        (2, "none", revert(a=SHOP, b=SHOP), Meaning(look="reverted", reverts=(B, A), withdraw_from=3)),
        (2, "none", revert(a=BOOKS, b=SHOP), Meaning(look="reverted", reverts=(B,), withdraw_from=5)),
        (None, "full", revert(a=SHOP), Meaning(look="new", reverts=(A,), withdraw_from=3)),
        (None, "partial", revert(a=SHOP), Meaning(look="new", reverts=(A,), withdraw_from=3, partial=True)),
        # What was reverted is not known: the content says how far back it goes, if it is not new.
        (2, "none", revert(unresolved=True), Meaning(look="reverted", withdraw_from=3)),
        (None, "full", revert(unresolved=True), Meaning(look="new")),
        (None, "none", revert(unresolved=True), Meaning(look="new")),
        # A revert of a revert.
        (2, "none", revert("forth", a=SHOP), Meaning(look="reapplied", reverts=(A,))),
        (None, "full", revert("forth", a=SHOP), Meaning(look="new", reverts=(A,))),
    ],
)
def test_a_change_of_content(published_at: int | None, evidence: str, found: Revert | None, expected: Meaning):
    assert content_meaning("shop", "after", published_at, evidence, found) == expected


def test_an_app_that_left_restores_nothing():
    assert content_meaning("shop", None, None, "full", revert(a=SHOP)) == Meaning(look="new")


def test_a_change_of_an_entry_is_a_revert_where_it_restores_what_stood_there():
    found = revert(a={("shop", "live"): "pinned"}, b={("shop", "live"): "free"})
    assert entry_meaning("shop", "live", "pinned", found) == Meaning(look="reverted", reverts=(A,))
    assert entry_meaning("shop", "live", "free", found) == Meaning(look="reverted", reverts=(B,))
    for changed in (
        entry_meaning("shop", "live", "other", found),
        entry_meaning("shop", "sandbox", "pinned", found),
        entry_meaning("books", "live", "pinned", found),
        entry_meaning("shop", "live", "pinned", None),
        entry_meaning("shop", "live", "pinned", revert("forth", a={("shop", "live"): "pinned"})),
        entry_meaning("shop", "sandbox", None, found),
    ):
        assert changed == Meaning(look="changed")


def test_an_entry_that_was_added_and_is_reverted_away():
    found = revert(a={("shop", "live"): None})
    assert entry_meaning("shop", "live", None, found) == Meaning(look="reverted", reverts=(A,))


@pytest.mark.parametrize(
    ("changed", "recorded", "too_much"),
    [(10, 33, True), (10, 34, False), (9, 9, False), (10, 10, True), (30, 100, False), (31, 100, True)],
)
def test_a_mass_change_is_ten_at_least_and_more_than_three_in_ten(changed: int, recorded: int, too_much: bool):
    assert weighs_too_much(changed, recorded) is too_much


def test_a_commit_acknowledges_how_much_it_changes():
    assert allowed_changes([]) == 0
    assert allowed_changes([("allow-MASS-change", "40"), ("Allow-Mass-Change", "12"), ("Reviewed-by", "99")]) == 40
    assert allowed_changes([("Allow-Mass-Change", "all"), ("Allow-Mass-Change", "-5"), ("Allow-Mass-Change", "")]) == 0


@pytest.mark.parametrize(("key", "read"), [("Allow-Suspect", lifted_suspicions), ("Allow-Rollback", allowed_rollbacks)])
def test_a_commit_names_apps_and_environments(key: str, read):
    trailers = [
        (key, " shop/live "),
        (key.upper(), "books/sandbox"),
        (key, "shop/live"),
        (key, "shop"),
        (key, "shop/live/now"),
        ("Reviewed-by", "ann/bob"),
    ]
    assert read(trailers) == (("shop", "live"), ("books", "sandbox"))
    other = {"Allow-Suspect": allowed_rollbacks, "Allow-Rollback": lifted_suspicions}[key]
    assert other(trailers) == ()


def test_a_commit_gives_its_reason_to_pass_a_freeze():
    assert freeze_override([]) == ""
    assert freeze_override([("Freeze-Override", "  "), ("Reviewed-by", "ann")]) == ""
    assert freeze_override([("x", "y"), ("FREEZE-override", " the shop is down "), ("Freeze-Override", "b")]) == (
        "the shop is down"
    )
