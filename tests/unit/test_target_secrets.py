"""Where do secret values come from, and what is said when they do not come?"""

from __future__ import annotations

import os

import pytest

from reconciler.errors import PersonNeeded
from reconciler.model.app import SecretReference
from reconciler.targets import variables
from reconciler.targets.secrets import LARGEST, Blanker, resolve


def reference(source: str, name: str = "API_KEY") -> SecretReference:
    return SecretReference(name=name, source=source)


def test_a_value_comes_from_a_variable_or_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_bytes("zwölf\n".encode())
    (tmp_path / "lines").write_bytes(b"one\ntwo\r\n")
    found = resolve(
        [
            reference("env:BOOKING_KEY"),
            reference(f"file:{tmp_path}/key", "FILED"),
            reference("file:lines", "RELATIVE"),
        ],
        {"BOOKING_KEY": " from the environment "},
    )
    assert found == {"API_KEY": " from the environment ", "FILED": "zwölf", "RELATIVE": "one\ntwo"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"top \xff secret", "it is not text in UTF-8"),
        (b"top \0 secret", "it holds a NUL character"),
        (b"x" * (LARGEST + 1), "it is over 64 KiB"),
    ],
)
def test_a_value_that_cannot_be_handed_over_is_named_but_not_shown(tmp_path, content, complaint):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(PersonNeeded) as raised:
        resolve([reference(f"file:{tmp_path}/key")], {})
    assert f"API_KEY (from file:{tmp_path}/key): {complaint}" in str(raised.value)
    assert "top" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_value_of_the_largest_size_with_its_line_end_is_taken(tmp_path):
    (tmp_path / "key").write_bytes(b"x" * LARGEST + b"\r\n")
    assert len(resolve([reference(f"file:{tmp_path}/key")], {})["API_KEY"]) == LARGEST


def test_all_that_is_missing_is_named_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PersonNeeded) as raised:
        resolve(
            [
                reference("env:NOT_SET", "A"),
                reference(f"file:{tmp_path}/missing", "B"),
                reference(f"file:{tmp_path}", "C"),
                reference(f"file:{tmp_path}/pipe", "D"),
                reference("env:SET", "E"),
            ],
            {"SET": "value"},
        )
    text = str(raised.value)
    assert "A (from env:NOT_SET): the variable is not set" in text
    assert f"B (from file:{tmp_path}/missing): No such file or directory" in text
    assert f"C (from file:{tmp_path}): " in text
    assert f"D (from file:{tmp_path}/pipe): it is not a file" in text
    assert "E (" not in text
    assert "set it where the daemon runs" in raised.value.next_step


@pytest.mark.parametrize("name", ["PATH", "RECONCILER_APP", "RECONCILER_ANYTHING", "DEPLOY_HOST"])
def test_a_secret_cannot_take_the_place_of_another_variable(name):
    with pytest.raises(PersonNeeded, match=f"the secret {name} has the name of a variable"):
        variables.surroundings({"RECONCILER_APP": "a"}, ["DEPLOY_HOST"], {name: "value"}, {"DEPLOY_HOST": "h"})


def test_ways_to_write_a_secret_are_blanked_too():
    blanker = Blanker({"key": 'pa/ss "wörd"'})
    for written in ('pa/ss \\"wörd\\"', 'pa/ss \\"w\\u00f6rd\\"', "pa%2Fss%20%22w%C3%B6rd%22", "cGEvc3MgInfDtnJkIg"):
        assert blanker.text(f"<{written}>") == "<***>"


def test_no_description_of_a_blanker_or_of_what_is_lent_shows_a_value():
    assert "correct-horse" not in repr(Blanker({"key": "correct-horse"}))


def test_a_short_value_is_not_blanked_but_told():
    blanker = Blanker({"PIN": "123", "SPACES": "  1  ", "KEY": "1234"})
    assert blanker.too_short == ("PIN", "SPACES")
    assert blanker.text("1234 123") == "*** 123"
