"""How does a sentence from the other rooms look on a page: its commands, its moments, its lengths of time?

Whatever it holds is text: only what is marked here becomes an element.
"""

from __future__ import annotations

import re
from datetime import datetime

from markupsafe import Markup, escape

from reconciler.api.dashboard.clocks import Clocks
from reconciler.model.version import canonical
from reconciler.words import still

_MARKED = re.compile(r"`(?P<code>[^`]{1,300})`|(?P<at>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")
LONGEST_IN_CELL = 300
"""Letters of a remark that a cell of the matrix shows."""


def said(text: str, clocks: Clocks) -> Markup:
    """A sentence with what is between backticks as code, and moments on the page's clocks."""
    text, found, at = still(text), Markup(), 0
    for match in _MARKED.finditer(text):
        found += escape(text[at : match.start()])
        at = match.end()
        if match["code"] is not None:
            found += Markup("<code>{}</code>").format(match["code"])
        else:
            found += _moment(match["at"], clocks)
    return found + escape(text[at:])


def _moment(text: str, clocks: Clocks) -> Markup:
    try:
        return clocks.when(datetime.fromisoformat(text))
    except (ValueError, OverflowError):  # it only looks like one
        return escape(text)


def in_cell(text: str) -> str:
    """As much of a text as is read in a cell among many."""
    return text if len(text) <= LONGEST_IN_CELL else f"{text[:LONGEST_IN_CELL].rstrip()}…"


def not_understood(**asked: str) -> tuple[str, ...]:
    """What of an address nobody knows, in words: each by what it is called on the page; '' is what was understood."""
    return tuple(f"{name.replace('_', ' ')} “{text}”" for name, text in asked.items() if text)


def spent(seconds: float | None) -> str:
    """A length of time in full: `3.1 s`, `1 min 48 s`, `5 h 12 min`, `2 d 20 h`; `–` for none."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, rest, below in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            more = whole % size // rest
            return f"{whole // size} {name}" + (f" {more} {below}" if more else "")
    return f"{whole} s"


def share(part: float | None) -> str:
    """A part of one in percent: `3.1 %`; `–` for none."""
    return "–" if part is None else f"{100 * part:.3g} %"


def value(found: object) -> str:
    """A setting as it is read: text as it is, everything else as JSON."""
    return found if isinstance(found, str) else canonical(found)


_OUR_WORDS = """
    a an another as drifted held if it manifest more neither no nobody nothing one only orphaned others paused refused
    retirement rolling several so somebody such that the there these this those too two until waits what whatever when
    where whoever without
    act add approve ask begin choose close correct declare did free give install leave look make mend move name open put
    remove rename replace say send set sign signing start stop take try use wait write
"""
_OURS = frozenset(_OUR_WORDS.split())
"""What our own clauses begin with, and nobody calls an app, a version or an environment."""


def opened(text: str) -> str:
    """A clause with which a sentence begins. What may be a name keeps its letters: v2 is not V2."""
    word = re.match(r"[a-z]+(?=[ ,:;.]|$)", text)
    return text[:1].upper() + text[1:] if word is not None and word[0] in _OURS else text


def sentence(text: str) -> str:
    """A clause as a sentence of its own."""
    return opened(text) + ("" if text.endswith((".", "?", "!")) else ".")
