"""How does a person learn what is wrong with a file as text or as YAML?

libyaml says it in the words of a parser; here are ours, with what to do instead. What the values mean is no
question here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from yaml import MarkedYAMLError, YAMLError

_NOT_YAML = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTE = "put the text in quotes"
_INDENT = "put it in line with its siblings, indented by spaces"

# What libyaml says (in part), what we say, and the remedy. The first that fits counts.
_SENTENCES = (
    ("mapping values are not allowed", "a key cannot stand here", f"{_QUOTE}, or correct the indentation"),
    ("block sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own"),
    ("did not find expected key", "a key was expected here: the indentation does not fit", _INDENT),
    ("could not find expected ':'", "a key has no ':' after it", "write 'key: value', or correct the indentation"),
    ("did not find expected '-' indicator", "'- ' was expected here: the indentation does not fit", _INDENT),
    ("did not find expected ',' or ']'", "a list in brackets is not closed", "add ',' or ']'"),
    ("did not find expected ',' or '}'", "a mapping in braces is not closed", "add ',' or '}'"),
    ("did not find expected <document start>", "something stands after the document's end", "begin the next with ---"),
    ("unexpected end of stream", "the file ends inside quotes", "close them"),
    ("unexpected document indicator", "the document ends inside quotes", "close them"),
    ("escape", "a wrong escape after a backslash", "write it out, double the backslash, or use single quotes"),
    ("tab character", "a tab stands where only spaces may", "indent with spaces"),
    ("tag", "a tag that YAML does not know", "leave tags out"),
    ("incompatible YAML document", "a version of YAML that is not known", "leave the line %YAML out"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake at a place of a text, given as an index in characters."""

    index: int
    message: str
    remedy: str = ""


class Stop(Exception):
    """The rest of the file is not read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def broken_yaml(error: YAMLError, text: str) -> Fault:
    """What libyaml found wrong, where, and what helps."""
    if not isinstance(error, MarkedYAMLError):
        return _unreadable(text)
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark else 0
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return _cannot_start(text, index)
    for said, message, remedy in _SENTENCES:
        if said in problem:
            return Fault(index, message, remedy)
    return Fault(index, f"this is not YAML: {problem}", "correct it")


def _cannot_start(text: str, index: int) -> Fault:
    if text[index : index + 1] == "\t":
        return Fault(index, "a tab stands where only spaces may", "indent with spaces")
    return Fault(index, f"a text cannot begin with {text[index : index + 1]!r}", _QUOTE)


def _unreadable(text: str) -> Fault:
    found = _NOT_YAML.search(text)
    index = found.start() if found else 0
    name = f"U+{ord(text[index]):04X} " if found else ""
    return Fault(index, f"the control character {name}cannot stand in YAML", "remove it")


def decoded(data: bytes) -> str | Fault:
    """The text of a file, which is to be UTF-8, without its byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:2]:
        return Fault(0, "the file is UTF-16", "save it as UTF-8")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        return Fault(len(before), f"the byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
