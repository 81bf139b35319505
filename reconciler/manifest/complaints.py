"""What is wrong, where, and what helps: how is that said to a person, to a forge and to a code scanner?

A path or a message may come from a hostile commit, so nothing here lets one through that could move a cursor,
fake a line of a log or end a workflow command early. Finding mistakes is not done here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.words import plain

Severity = Literal["error", "warning"]

_URL_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_RULE = {"error": "manifest-error", "warning": "manifest-warning"}


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """One mistake in one file. Lines and columns count from 1, columns in characters; they sort by place.

    `path` is the file's real name; `message` and `remedy` are made safe to show when the complaint is made.
    """

    path: str
    line: int
    column: int
    message: str
    remedy: str = ""
    severity: Severity = "error"

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", plain(self.message))
        object.__setattr__(self, "remedy", plain(self.remedy))

    def __str__(self) -> str:
        return f"{plain(self.path)}:{self.line}:{self.column}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What is wrong and, in brackets, what helps."""
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


def github(complaints: Iterable[Complaint]) -> str:
    """Workflow commands, one a line, that GitHub shows beside the lines of a pull request."""
    return "".join(f"{_command(complaint)}\n" for complaint in complaints)


def _command(complaint: Complaint) -> str:
    place = f"file={_property(complaint.path)},line={complaint.line},col={complaint.column}"
    return f"::{complaint.severity} {place},title=reconciler::{_data(complaint.sentence)}"


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return plain(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(complaints: Iterable[Complaint]) -> dict[str, Any]:
    """A SARIF 2.1.0 log: what code scanners of forges and editors read. Ready for `json.dumps`."""
    rules = [
        {"id": _RULE["error"], "shortDescription": {"text": "A manifest that cannot be accepted"}},
        {"id": _RULE["warning"], "shortDescription": {"text": "A manifest that may not mean what it says"}},
    ]
    driver = {"name": "reconciler", "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(complaint) for complaint in complaints],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {"$schema": schema, "version": "2.1.0", "runs": [run]}


def _result(complaint: Complaint) -> dict[str, Any]:
    region = {"startLine": complaint.line, "startColumn": complaint.column}
    return {
        "ruleId": _RULE[complaint.severity],
        "level": complaint.severity,
        "message": {"text": complaint.sentence},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(complaint.path)}, "region": region}}],
    }


def _uri(path: str) -> str:
    try:
        # Git's paths are bytes; those that are no UTF-8 were read with this handler.
        encoded = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = path.encode("utf-8", "backslashreplace")
    return "".join(chr(byte) if byte in _URL_SAFE else f"%{byte:02X}" for byte in encoded)
