"""Which tricks of YAML and of bytes are found, and what is left alone?"""

from __future__ import annotations

import time

import pytest
import yaml

from reconciler.manifest import locate, parse

HEAD = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: calendar}\nspec: {type: kv}\n"
APP = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: a}\nspec:\n  environments: []\n  config:\n"


def said(text: str | bytes) -> list[str]:
    """The complaints of a file named f."""
    data = text if isinstance(text, bytes) else text.encode()
    return [str(complaint) for complaint in parse("f", data).complaints]


ESCAPE = "a wrong escape after a backslash (write it out, double the backslash, or use single quotes)"

WRONG = [
    # Keys.
    (APP + "    x: 1\n    x: 2\n", "f:8:5: the key 'x' stands twice in one mapping (remove one of the two)"),
    (APP + "    {x: 1, x: 2}\n", "f:7:12: the key 'x' stands twice in one mapping (remove one of the two)"),
    (APP + "    8080: web\n", 'f:7:5: the key 8080 is no text (quote it: "8080")'),
    (APP + "    true: web\n", 'f:7:5: the key true is no text (quote it: "true")'),
    (APP + "    ? [a, b]\n    : c\n", "f:7:7: a mapping or a list cannot be a key (use a text as the key)"),
    (APP + "    x: &x {y: 1}\n    <<: *x\n", "f:8:5: merge keys (<<) are not supported (write the keys out)"),
    (HEAD + "kind: Resource\n", "f:5:1: the key 'kind' stands twice in one mapping (remove one of the two)"),
    # Tags.
    (
        APP + "    x: !!python/object/apply:os.system [ls]\n",
        "f:7:8: the tag !!python/object/apply:os.system is not accepted (leave it out: manifests are plain data)",
    ),
    (APP + "    x: !Ref y\n", "f:7:8: the tag !Ref is not accepted (leave it out: manifests are plain data)"),
    (APP + "    x: !!int '5'\n", "f:7:8: the tag !!int is not accepted (leave it out: manifests are plain data)"),
    (APP + "    x: !!set {a}\n", "f:7:8: the tag !!set is not accepted (leave it out: manifests are plain data)"),
    (APP + "    x: !e!y z\n", "f:7:8: a tag that YAML does not know (leave tags out)"),
    # Aliases.
    (APP + "    x: *nothing\n", "f:7:8: the alias *nothing refers to nothing (write the value out)"),
    (APP + "    x: &x [1, *x]\n", "f:7:15: the alias *x refers to what it stands in (write the value out)"),
    (APP + "    x: &x {y: {z: *x}}\n", "f:7:19: the alias *x refers to what it stands in (write the value out)"),
    # Indentation and the like.
    (HEAD + "\tx: 1\n", "f:5:1: a tab stands where only spaces may (indent with spaces)"),
    (HEAD + "x: @y\n", "f:5:4: a text cannot begin with '@' (put the text in quotes)"),
    (HEAD + "x: y: z\n", "f:5:5: a key cannot stand here (put the text in quotes, or correct the indentation)"),
    (HEAD + "x\ny: z\n", "f:6:1: a key has no ':' after it (write 'key: value', or correct the indentation)"),
    (
        HEAD + "x:\n    y: z\n  y: z\n",
        "f:7:3: a key was expected here: the indentation does not fit"
        " (put it in line with its siblings, indented by spaces)",
    ),
    (HEAD + "x: [1, 2\ny: 3\n", "f:6:2: a list in brackets is not closed (add ',' or ']')"),
    (HEAD + "x: {a: 2\ny: 3\n", "f:6:2: a mapping in braces is not closed (add ',' or '}')"),
    (HEAD + 'x: "y\n', "f:6:1: the file ends inside quotes (close them)"),
    (
        HEAD + 'x: "\\q"\n',
        f"f:5:5: {ESCAPE}",
    ),
    (
        HEAD + 'x: "\\ud800"\n',
        f"f:5:7: {ESCAPE}",
    ),
    (HEAD + "x: - y\n", "f:5:4: a list cannot begin here (begin it on a line of its own)"),
    ("%YAML 3.0\n---\n" + HEAD, "f:1:1: a version of YAML that is not known (leave the line %YAML out)"),
    # Characters and encodings.
    (HEAD + "x: é😀\x00y\n", "f:5:6: the control character U+0000 cannot stand in YAML (remove it)"),
    (HEAD + "x: \x1b[31m\n", "f:5:4: the control character U+001B cannot stand in YAML (remove it)"),
    (HEAD.encode() + b"x: \xc3\xa9\xff\n", "f:5:5: the byte 0xff is not UTF-8 (save the file as UTF-8)"),
    (HEAD.encode() + b"x: \xed\xa0\x80\n", "f:5:4: the byte 0xed is not UTF-8 (save the file as UTF-8)"),
    (HEAD.encode("utf-16"), "f:1:1: the file is UTF-16 (save it as UTF-8)"),
    (HEAD.encode("utf-16-be"), "f:1:1: the file is UTF-16 (save it as UTF-8)"),
    # Sizes.
    (HEAD + "#" * (1 << 20), "f:1:1: the file has 1,048,661 bytes; 1,048,576 is the most (split it)"),
    (APP + "    x: " + "[" * 100_000, "f:7:105: this is nested more than 100 levels deep (make it flatter)"),
    (
        APP + "    x: [" + "1," * 150_000 + "]\n",
        "f:7:199975: the file has more than 100,000 values, aliases written out (split it, and write aliases out)",
    ),
    ("%TAG !a! b\n" * 30_000 + "---\n" + HEAD, "f:1:1: there are too many %TAG lines (leave tags out)"),
]


@pytest.mark.parametrize(("text", "first"), WRONG)
def test_what_is_said(text: str | bytes, first: str) -> None:
    began = time.thread_time()
    found = said(text)
    assert time.thread_time() - began < 2
    assert found == [first]


def test_aliases_that_explode_are_refused_at_once() -> None:
    lines = ["    a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    found = said(APP + "\n".join(lines))
    assert len(found) == 1
    assert "more than 100,000 values, aliases written out" in found[0]


def test_aliases_that_get_too_deep_are_refused() -> None:
    lines = ["    a0: &a0 [x]", *(f"    a{n}: &a{n} [*a{n - 1}]" for n in range(1, 120))]
    assert said(APP + "\n".join(lines)) == ["f:104:16: this is nested more than 100 levels deep (make it flatter)"]


def test_plain_aliases_and_text_tags_are_fine() -> None:
    parsed = parse("f", (APP + "    x: &x {y: [1, !!str 010]}\n    z: *x\n    w: ! 12\n").encode())
    assert parsed.complaints == ()
    config = parsed.declarations[0].document["spec"]["config"]
    assert config == {"x": {"y": [1, "010"]}, "z": {"y": [1, "010"]}, "w": "12"}


def test_what_follows_from_a_trick_is_not_said_as_well() -> None:
    text = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: !!binary aGk=}\nspec: {type: *x, 5: 6}\n"
    assert [line.partition(" (")[0] for line in said(text)] == [
        "f:3:18: the tag !!binary is not accepted",
        "f:4:14: the alias *x refers to nothing",
        "f:4:18: the key 5 is no text",
    ]


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        (b"", 0),
        (b" \n\n", 0),
        (b"# a comment about reconciler/v1\n", 0),
        (b"---\n# reconciler/v1\n---\n", 0),
        (b"just: text\n", 1),
        (b"{{ template }}: [broken\n", 1),
        (b"\x00\x01\xff binary", 1),
        (b"a: &a [*a]\n", 1),
        (b"x: !Ref y # see reconciler/docs\n", 1),
        (b"- reconciler/v1\n--- \n8080: x\n", 2),
        (b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: reconciler/x, name: y}\n", 1),
        (b"apiVersion: [reconciler/v1]\n", 1),
        (b"#" * (1 << 21), 1),
        ("just: text\n".encode("utf-16"), 1),
    ],
)
def test_other_yaml_is_left_alone_and_counted(text: bytes, foreign: int) -> None:
    parsed = parse("f", text)
    assert (parsed.declarations, parsed.complaints, parsed.foreign) == ((), (), foreign)


def test_what_stands_before_a_mistake_is_read() -> None:
    parsed = parse("f", (HEAD + "---\nx: [\n").encode())
    assert [one.name for one in parsed.declarations] == ["calendar"]
    assert [(one.line, one.column) for one in parsed.complaints] == [(7, 1)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_places_are_those_that_an_editor_shows(end: str, mark: str) -> None:
    text = mark + (HEAD + "---\n# é 😀\n" + HEAD + 'more: "😀"\n').replace("\n", end)
    assert said(text) == ["f:11:1: the key more is not known here (there are apiVersion, kind, metadata and spec)"]
    data = text.encode()
    assert locate(data, 1, ("more",)) == (11, 7)
    assert locate(data, 0, ("spec", "type")) == (4, 14)
    assert locate(data, 0, ("spec", "missing", "below")) == (4, 1)
    assert locate(data, 1, ()) == (7, 1)
    assert locate(data, 5, ("spec",)) == (1, 1)


def test_an_entry_of_a_list_of_environments_is_found_by_its_name() -> None:
    text = b"apiVersion: reconciler/v1\nspec:\n  environments:\n    - sandbox\n    - live\n"
    assert locate(text, 0, ("spec", "environments", "live", "track")) == (5, 7)
    assert locate(text, 0, ("spec", "environments", 0)) == (4, 7)


def test_locating_in_a_broken_file_never_fails() -> None:
    assert locate(b"[" * 100_000, 0, ("spec",)) == (1, 1)
    assert locate(b"\xff", 0, ("spec",)) == (1, 1)
    assert locate(b"a: 1\n---\nb: [\n", 0, ("a",)) == (1, 4)
    assert locate(b"a: *b\n", 0, ("a",)) == (1, 4)


MANIFEST = """\
apiVersion: reconciler/v1
kind: App
metadata:
  name: a000123
  labels:
    team: team-26
    tier: gold
    region: eu-west-1
    cost-center: "1123"
spec:
  owner: team-26@example.com
  version: "1.4.0"
  bundle: code
  config:
    LOG_LEVEL: INFO
    REGION: eu-west-1
    MAX_CONNECTIONS: 43
    FEATURE_X: true
    greeting: Hello
  bindings:
    - name: CALENDAR
      type: kv
      resource: calendar
  secrets:
    - name: API_KEY
      from: "env:BOOKING_API_KEY"
  triggers:
    routes:
      - "book.example.com/*"
  depends_on:
    - a000122
  environments:
    dev: {}
    staging:
      track: dev
    prod:
      track: staging
      config:
        LOG_LEVEL: WARN
        workers: 8
"""


def test_reading_and_checking_costs_no_more_than_bare_yaml() -> None:
    text = MANIFEST.encode()
    assert parse("f", text).complaints == ()

    def best(work: object) -> float:
        taken = []
        for _ in range(40):
            began = time.thread_time()
            for _ in range(5):
                work()  # type: ignore[operator]
            taken.append(time.thread_time() - began)
        return min(taken)

    bare = best(lambda: yaml.load(text, yaml.CSafeLoader))
    assert best(lambda: parse("f", text)) < 1.3 * bare
