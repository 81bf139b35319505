"""What is kept of an output, and what is said of it?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.targets.output import AT_ONCE, KEPT, LONGEST_LINE, Output, clean
from reconciler.targets.secrets import Blanker


def put(*pieces: bytes, secrets: dict[str, str] | None = None) -> tuple[Output, list[str]]:
    said: list[str] = []
    output = Output(said.append, Blanker(secrets or {}))
    for piece in pieces:
        output.feed(piece)
    output.close()
    return output, said


def test_lines_are_said_whole_however_they_come():
    output, said = put(b"one\nt", b"wo", b"\nthree")
    assert said == ["one", "two", "three"]
    assert output.text == "one\ntwo\nthree"
    assert output.said


def test_empty_lines_are_kept_and_not_said():
    output, said = put(b"one\n\n   \ntwo\n")
    assert said == ["one", "two"]
    assert output.text == "one\n\n   \ntwo\n"


def test_a_progress_bar_is_lines():
    assert put(b"10%\r20%\r\n")[1] == ["10%", "20%"]


def test_a_long_line_is_said_in_part_and_kept():
    output, said = put(b"x" * 1000 + b"\n")
    assert said == ["x" * LONGEST_LINE + "…"]
    assert output.text == "x" * 1000 + "\n"
    assert not output.said


def test_a_line_that_never_ends_takes_no_memory():
    output, said = put(*[b"y" * 1000] * 1000)
    assert len(output.text) < KEPT + 100
    assert len(said) <= AT_ONCE


def test_the_middle_is_left_out_and_counted():
    output, _ = put(b"a" * KEPT, b"b" * KEPT)
    half = KEPT // 2
    assert output.text == "a" * half + f"\n… {KEPT} bytes left out …\n" + "b" * half


def test_nothing_is_kept_where_nothing_can_be_blanked():
    output, said = put(b"the pin is 12\n", secrets={"PIN": "12"})
    assert said == []
    assert not output.said
    assert output.text == "(not kept: the secret PIN is too short to be blanked out)"


@given(st.text())
def test_clean_text_holds_nothing_that_moves_a_cursor(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert [letter for letter in cleaned if letter not in "\n\t" and (letter < " " or "\x7f" <= letter <= "\x9f")] == []
