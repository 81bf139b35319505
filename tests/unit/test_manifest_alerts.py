"""What is wrong with an Alert is said at its place, and an address that was pasted is never repeated."""

from __future__ import annotations

import pytest

from reconciler.manifest import parse

KNOWN = "started, completed, failed, aborted and rolled-back"


def complaints(spec: str) -> list[str]:
    text = f"apiVersion: reconciler/v1\nkind: Alert\nmetadata: {{name: team}}\nspec: {{{spec}}}\n"
    found = parse("alert.yaml", text.encode())
    return [f"{one.line}: {one.message} ({one.remedy})" for one in found.complaints]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("to: 'env:CHAT', events: [failed]", []),
        ("to: 'file:/run/secrets/chat', events: [failed], apps: {team: web}, causes: [release]", []),
        (
            "to: 'env:CHAT', events: [change-ahead]",
            ["4: change-ahead needs ahead (say how long before, such as ahead: 24h)"],
        ),
        (
            "to: 'env:CHAT', events: [failed], ahead: 2h",
            ["4: ahead is about change-ahead alone (add change-ahead to events, or remove ahead)"],
        ),
        (
            "to: 'env:CHAT', events: [failed], template: {body: '$enviro'}",
            ["4: a notice has no enviro (did you mean environment?)"],
        ),
        (
            "to: 'env:CHAT', events: [failed], template: {title: 'costs $5'}",
            ["4: a $ in it names nothing (write $app or ${app} for a field, and $$ for a dollar sign)"],
        ),
        (
            "to: 'env:CHAT', events: [completed, held], format: cdevents",
            ["4: CDEvents has no word for held (it has for started, completed, failed, aborted, rolled-back)"],
        ),
        (
            "to: 'env:CHAT', events: [failed], format: cdevents, template: {title: x}",
            ["4: cdevents are data, which no template words (remove template)"],
        ),
        ("to: 'env:CHAT', events: [], format: text", ["4: events is empty (add one)"]),
    ],
)
def test_what_is_said(spec: str, said: list[str]) -> None:
    assert complaints(spec) == said


@pytest.mark.parametrize("pasted", ["https://hooks.example/T0/B0/xyzzy", "[xyzzy]", "'mailto://ann:xyzzy@example.org'"])
def test_an_address_that_was_pasted_is_not_repeated(pasted: str) -> None:
    (said,) = complaints(f"to: {pasted}, events: [failed]")
    assert "xyzzy" not in said
