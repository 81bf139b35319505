"""Which value does a plain scalar mean, one that is written without quotes?

The core schema of YAML 1.2, as editors read it: `true`, `12`, `0x1f`, `1.5`, `null`; everything else is text.
Readers of YAML 1.1 see truth values in `no` and `off`, dates, numbers with `_` or `:`, and octals in `010`:
such words are found here, since what one tool reads should not be another thing to the next.
"""

from __future__ import annotations

import re

NUMERIC = frozenset("0123456789+-.")
"""What a number may begin with; nothing else has to be looked at closely."""

WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""Words that are no text."""

ELSEWHERE = frozenset(("yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"))
"""Words that are text here and truth values to readers of YAML 1.1."""

_LONGEST_INTEGER = 24
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_OCTAL = re.compile(r"[-+]?0[0-9]+", re.ASCII)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
    re.ASCII,
)
_ODD_NUMBER = re.compile(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?|[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)",
    re.ASCII,
)


class Unfit(ValueError):
    """A number that JSON or the store cannot hold. Its text says why."""


def number(text: str) -> int | float | str:
    """The value of a plain scalar that begins like a number: `text` itself when it is none.

    Raises Unfit for infinity, for what is not a number, and beyond 64 bits.
    """
    if _INTEGER.fullmatch(text):
        return _within(int(text) if len(text) <= _LONGEST_INTEGER else None)
    if _BASED.fullmatch(text):
        return _within(int(text, 0) if len(text) <= _LONGEST_INTEGER else None)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise Unfit("this number is too large")
        return value
    if _NO_NUMBER.fullmatch(text):
        raise Unfit("infinity and not-a-number are no values of JSON")
    return text


def _within(value: int | None) -> int:
    if value is None or not -(2**63) <= value < 2**63:
        raise Unfit("this whole number does not fit into 64 bits")
    return value


def read_otherwise(text: str, value: object) -> str:
    """What readers of YAML 1.1 see in a plain scalar that is `value` here; '' when they see the same."""
    if text in ELSEWHERE:
        return "a truth value"
    if isinstance(value, int):
        return "an octal number" if _OCTAL.fullmatch(text) else ""
    if not isinstance(value, str):
        return ""
    if _DATE.fullmatch(text):
        return "a date"
    return "a number" if _ODD_NUMBER.fullmatch(text) else ""
