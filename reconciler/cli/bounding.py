"""How does a part of a comment stay short, and whole? Lists, tables and blocks of code say what they leave out.

What stands in them is decided in `reviewed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from reconciler.words import plain

LIST = (30, 7_000)
"""So many lines and so many bytes a list may take."""
_LONGEST_LINE = 400
_LONGEST_ITEM = 2_000


def bounded(lines: Sequence[str], most: int, size: int) -> Iterator[str]:
    """As many of the lines as may be, by number and by bytes; how many are left out is said."""
    taken = 0
    for line in lines[:most]:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        taken += 1
        yield line
    if taken < len(lines):
        in_list = lines[0].startswith("- ")
        yield from () if in_list else ("",)  # what follows a table without a gap would be a row of it
        yield f"{'- ' if in_list else ''}… and {len(lines) - taken} more"


def listed(title: str, lines: Sequence[str], most: tuple[int, int] = LIST) -> Iterator[str]:
    """A list under a title; nothing at all where there is nothing to list."""
    if lines:
        yield f"#### {title}"
        yield ""
        yield from bounded([f"- {cut(line, _LONGEST_ITEM)}" for line in lines], *most)


def cut(text: str, longest: int = 200) -> str:
    """A text of so many letters at most."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def fenced(lines: Iterable[str], most: int, *, more: bool = False) -> Iterator[str]:
    """A block of code that nothing inside can end, of `most` bytes at most."""
    shown: list[str] = []
    size = left = 0
    for line in lines:
        text = cut(plain(line.replace("\t", "    ")), _LONGEST_LINE)
        size += len(text.encode()) + 1
        if size > most:
            left += 1
        else:
            shown.append(text)
    fence = "`" * (1 + max([2, *(len(found) for line in shown for found in re.findall(r"`+", line))]))
    yield f"{fence}diff"
    yield from shown
    yield fence
    if left or more:
        yield ""
        yield f"… and {left} more lines." if left else "… and more files."
