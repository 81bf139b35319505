"""How notices read, whatever is in them."""

from __future__ import annotations

from typing import Any

from reconciler.manifest.kinds import decode
from reconciler.model.alert import Alert
from reconciler.notify.wording import words


def alert(**spec: Any) -> Alert:
    said = {"to": "env:CHAT", "events": ["failed"], **spec}
    document = {"apiVersion": "reconciler/v1", "kind": "Alert", "metadata": {"name": "team"}, "spec": said}
    found = decode("Alert", document)
    assert isinstance(found, Alert)
    return found


def said(**more: str) -> dict[str, str]:
    return {"event": "failed", "app": "shop", "environment": "live", "version": "v2", "message": "exit 3"} | more


def test_what_comes_from_outside_is_no_template_and_moves_no_cursor() -> None:
    template = {"body": "$message"}
    told = words(alert(template=template), [said(message="$app ${alert} \x1b[31m")])
    assert told.body == "$app ${alert} \\x1b[31m"


def test_markdown_from_outside_is_shown_as_it_is_written() -> None:
    told = words(alert(format="markdown"), [said(message="[click](https://evil.example) **now** @everyone")])
    assert r"\[click\]\(https://evil.example\) \*\*now\*\* \@everyone" in told.body


def test_the_reconciler_s_own_commands_are_code_in_markdown() -> None:
    message = "v2_x has 0 of 1 approvals: `reconciler approve 12ab` or `reconciler retry my_shop --to v1` lets it in"
    for several in ([said(message=message)], [said(message=message)] * 2):
        told = words(alert(format="markdown"), several).body
        assert r"v2\_x has" in told
        assert "`reconciler approve 12ab` or `reconciler retry my_shop --to v1` lets" in told
    in_full = words(
        alert(format="markdown", template={"body": "$next"}), [said(next="`reconciler why a b` tells more")]
    )
    assert in_full.body == "`reconciler why a b` tells more"


def test_no_other_code_is_taken_for_a_command_of_ours() -> None:
    for hostile in (
        "`reconciler approve @everyone`",
        "`reconciler [a](b)`",
        "``reconciler approve 1``",
        "`reconciler approve 1",
        "`rm reconciler`",
        "`reconciler <b>`",
        "`reconciler a\n\nb`",
    ):
        told = words(alert(format="markdown"), [said(message=hostile)]).body
        assert "`" not in told.replace("\\`", ""), told
    # One of several is cut: half a command is none.
    cut = "x" * 135 + "`reconciler approve 12ab`"
    told = words(alert(format="markdown"), [said(message=cut)] * 2).body
    assert "`" not in told.replace("\\`", "")


def test_a_very_long_text_is_cut_and_many_notices_are_counted() -> None:
    one = words(alert(), [said(message="x" * 100_000)])
    assert len(one.body) < 1_500
    many = words(alert(), [said(message="x" * 500, app=f"shop{number}") for number in range(200)])
    assert many.title == "200 notices: 200 failed"
    assert len(many.body) < 5_000
    shown = many.body.count("FAILED")
    assert f"and {200 - shown} more" in many.body


def test_a_title_has_one_line() -> None:
    told = words(alert(template={"title": "$app: $message"}), [said(message="one\ntwo")])
    assert "\n" not in told.title
