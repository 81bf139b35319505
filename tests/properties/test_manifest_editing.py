"""Does an edit change what was asked for and nothing else, however the file is laid out?

Documents are laid out by a writer of our own that varies what people vary: indentation, dashes, quotes, braces,
comments, empty lines, line ends. What a value means is asked of PyYAML's own loader as well, which shares nothing with
the editor.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifest.editing import change, remove_value, set_value
from reconciler.manifest.editing_splices import same
from reconciler.manifest.text import read

WORDS = st.sampled_from(
    ["a", "b", "live", "pre-release", "x y", "1.10", "no", "0123", "2026-01-01", "é", "a: b", "c #d"]
)
NO_TEXT = {"codec": "utf-8", "exclude_categories": ["Cc"], "exclude_characters": "\ufffe\uffff"}
TEXTS = st.one_of(WORDS, st.text(st.characters(**NO_TEXT), max_size=6))
ODD_TEXTS = st.one_of(TEXTS, st.text(st.characters(**NO_TEXT, include_characters="\t\n\r"), max_size=8))
SCALARS = st.one_of(TEXTS, st.integers(-99, 99), st.booleans(), st.none(), st.just(1.5), st.just("one\ntwo\n"))
KEYS = st.one_of(WORDS, st.sampled_from([f"k{number}" for number in range(9)]))


def collections(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3))


VALUES = st.recursive(SCALARS, collections, max_leaves=6)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


@dataclass
class Writer:
    """Lays a document out; every choice of style is drawn."""

    draw: st.DrawFn
    step: int
    dash: int
    newline: str

    def chance(self, of: int = 4) -> bool:
        return self.draw(st.integers(1, of)) == 1

    def blocks(self, document: dict[str, Any]) -> list[str]:
        """One text for each key at the top, comments above it included."""
        return [self.newline.join([*self.remarks(0), *self.pair(key, document[key], 0), ""]) for key in document]

    def remarks(self, column: int) -> Iterator[str]:
        if self.chance():
            yield self.draw(st.sampled_from(["", " " * column + "# remark: {x", " "]))

    def pair(self, key: str, value: Any, column: int) -> list[str]:
        start = f"{' ' * column}{self.inline(key)}:"
        return self.value(start, value, column, self.step if isinstance(value, dict) else self.dash)

    def value(self, start: str, value: Any, column: int, by: int) -> list[str]:
        comment = self.draw(st.sampled_from(["", "", "", "  # said"]))
        if value is None and self.chance(2) and not start.endswith("-"):
            return [start + comment]
        if value == "one\ntwo\n" and self.chance(2):
            return [f"{start} |{comment}", *(f"{' ' * (column + 2)}{line}" for line in value.splitlines())]
        if not isinstance(value, dict | list) or not value or self.chance():
            return [f"{start} {self.inline(value)}{comment}"]
        lines = []
        for one in value:
            lines += self.remarks(column + by)
            inner = column + by
            lines += (
                self.pair(one, value[one], inner)
                if isinstance(value, dict)
                else self.value(f"{' ' * inner}-", one, inner, 2)
            )
        return [start + comment, *lines]

    def inline(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.inline(key)}: {self.inline(one)}" for key, one in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.inline(one) for one in value) + "]"
        if isinstance(value, str) and value in ("a", "b", "live", "pre-release", "x y", "é") and self.chance(2):
            return value
        if isinstance(value, str) and value.isprintable() and self.chance():
            return "'" + value.replace("'", "''") + "'"
        return "".join(
            one if one.isprintable() else f"\\U{ord(one):08x}" for one in json.dumps(value, ensure_ascii=False)
        )


@dataclass
class File:
    blocks: list[str]
    document: dict[str, Any]
    before: str
    after: str

    @property
    def data(self) -> bytes:
        return (self.before + "".join(self.blocks) + self.after).encode()


@st.composite
def files(draw: st.DrawFn) -> File:
    """A file whose second document is edited; the others are a nuisance."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    writer = Writer(draw, draw(st.integers(1, 4)), draw(st.sampled_from([0, 2, 4])), newline)
    document = draw(DOCUMENTS)
    before = draw(st.sampled_from(["\ufeffx: [1,\r\n  2]\n---\n", "# only a remark\r\na: b # c\n--- # two\n"]))
    after = draw(st.sampled_from(["", "---\nz: 'y'   # end\n", "...\n---\n{ z: y }"]))
    blocks = writer.blocks(document)
    if not after and draw(st.booleans()):
        blocks[-1] = blocks[-1].removesuffix(newline)
        # A text in lines that ends with the file has no last line end either.
        document = read("".join(blocks).encode()).documents[0].value
    return File(blocks, document, before, after)


def unchanged_but_for(file: File, data: bytes, key: str) -> None:
    """Only the bytes of one key at the top may differ; a new one is put somewhere between the others."""
    if key not in file.document:
        pairs = enumerate(zip(file.data, data, strict=False))
        alike = next((at for at, (old, new) in pairs if old != new), len(file.data))
        assert data.endswith(file.data[alike:])
        return
    at = list(file.document).index(key)
    before = (file.before + "".join(file.blocks[:at])).encode()
    after = ("".join(file.blocks[at + 1 :]) + file.after).encode()
    assert data.startswith(before)
    assert data.endswith(after)
    assert len(data) >= len(before) + len(after)


def means(data: bytes, file: File, wanted: Any) -> None:
    documents = read(data).documents
    assert same(documents[1].value, wanted)
    old = read(file.data).documents
    assert [one.value for one in documents[:1] + documents[2:]] == [one.value for one in old[:1] + old[2:]]
    by_loader = list(yaml.load_all(data.decode().removeprefix("\ufeff"), yaml.CSafeLoader))[1]
    before = list(yaml.load_all(file.data.decode().removeprefix("\ufeff"), yaml.CSafeLoader))[1]
    if before == file.document:
        assert by_loader == wanted, "to other readers too"


@given(files())
def test_what_is_so_already_gives_the_same_bytes(file: File) -> None:
    assert same(read(file.data).documents[1].value, file.document)
    assert change("f", file.data, 1, copy.deepcopy(file.document)) == file.data


@given(files(), KEYS, st.one_of(VALUES, ODD_TEXTS))
def test_a_value_at_the_top(file: File, key: str, value: Any) -> None:
    wanted = file.document | {key: value}
    changed = set_value("f", file.data, 1, (key,), value)
    means(changed, file, wanted)
    if not same(wanted, file.document):
        unchanged_but_for(file, changed, key)


@given(files(), st.data())
def test_a_value_deeper_down(file: File, data: st.DataObject) -> None:
    """A walk into the document, then a value that replaces, adds or grows."""
    wanted: dict[str, Any] = copy.deepcopy(file.document)
    holder, keys = wanted, []
    while True:
        choices = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from([*choices, "new" if isinstance(holder, dict) else len(holder)]))
        keys.append(key)
        inner = holder[key] if key in choices else None
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    value = data.draw(VALUES)
    if key in choices or isinstance(holder, dict):
        holder[key] = value
    else:
        holder.append(value)
    changed = set_value("f", file.data, 1, keys, value)
    means(changed, file, wanted)
    unchanged_but_for(file, changed, keys[0])


@given(files(), st.data())
def test_a_key_goes(file: File, data: st.DataObject) -> None:
    wanted: dict[str, Any] = copy.deepcopy(file.document)
    holder, keys = wanted, []
    while True:
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        keys.append(key)
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    del holder[key]
    if not wanted:
        return
    changed = remove_value("f", file.data, 1, keys)
    means(changed, file, wanted)
    assert changed.startswith(file.before.encode())
    assert changed.endswith(file.after.encode())
    remarks = [line for block in file.blocks for line in block.splitlines() if line.lstrip().startswith("# remark")]
    if len(keys) == 1 or not isinstance(file.document[keys[0]], dict | list):
        assert changed.count(b"# remark") >= len(remarks) - "".join(
            file.blocks[list(file.document).index(keys[0])]
        ).count("# remark")


@given(files(), DOCUMENTS)
def test_another_document_altogether(file: File, wanted: dict[str, Any]) -> None:
    changed = change("f", file.data, 1, wanted)
    means(changed, file, wanted)
    assert changed.startswith(file.before.encode())
    assert changed.endswith(file.after.encode())


TRICKY = """\
a: &x {b: [1, *y , {c: d}]}   # *x
b: !!map
  ? k
  : - - one
    - *x
    -
      # far away
      z: |+
        text

  "q" : >-
    folded
c: [ {p: 1}, r: s, 'it''s', "x\\
  y" ]
d: { , }
"""


@given(st.data())
def test_any_file_is_edited_well_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([TRICKY, TRICKY.replace("*y ", "2 ").replace("{ , }", "{ }")]))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(text)))
        new = data.draw(st.text(st.sampled_from("ab:-{}[],&*#|> \n\"'?!x"), max_size=3))
        text = text[:start] + new + text[start + data.draw(st.integers(0, 4)) :]
    documents = read(text.encode()).documents
    if not documents or not isinstance(documents[0].value, dict):
        return
    wanted = {**documents[0].value, data.draw(st.sampled_from("abcdx")): data.draw(VALUES)}
    if wanted and data.draw(st.booleans()):
        del wanted[data.draw(st.sampled_from(list(wanted)))]
    changed: bytes | ManifestError
    try:
        changed = change("f", text.encode(), 0, wanted)
    except ManifestError as refused:
        changed = refused
    if isinstance(changed, ManifestError):
        assert changed.message.startswith("f:")
        assert changed.next_step
    else:
        assert same(read(changed).documents[0].value, wanted)


@given(files(), st.data())
def test_a_scalar_in_place_of_another_touches_one_line(file: File, data: st.DataObject) -> None:
    wanted: dict[str, Any] = copy.deepcopy(file.document)
    holder, keys = wanted, []
    while isinstance(holder, dict | list) and holder:
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        keys.append(key)
        above, holder = holder, holder[key]
    if isinstance(holder, str) and "\n" in holder:
        return
    above[key] = data.draw(WORDS)
    changed = set_value("f", file.data, 1, keys, above[key])
    means(changed, file, wanted)
    old, new = file.data.split(b"\n"), changed.split(b"\n")
    assert len(old) == len(new)
    assert sum(one != other for one, other in zip(old, new, strict=True)) <= 1


@given(files(), KEYS, VALUES)
def test_a_new_key_takes_no_line_away(file: File, key: str, value: Any) -> None:
    if key in file.document:
        return
    changed = set_value("f", file.data, 1, (key,), value)
    # The last line of a file without a line end has one now.
    new = iter(line.removesuffix(b"\r") for line in changed.split(b"\n"))
    assert all(line.removesuffix(b"\r") in new for line in file.data.split(b"\n"))
