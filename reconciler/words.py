"""How is a word from outside shown, and which right word was probably meant?

What every room that speaks to people needs, in one place. Only wording lives here: no rule about what is right, and
nothing that writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SHOWN = 60
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]\s/@]+):(?P<port>[0-9]{1,5})", re.ASCII)
_LAST_PORT = 65_535
_MOVES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """`text` on one line, with everything that does not print (controls, line ends, directions of writing) spelled out.

    Text from git and from people cannot move a cursor, fake a line of a log or end a command early then.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _spelled(letter) for letter in text)


def still(text: str) -> str:
    """`text` with what would move its surroundings (controls, directions of writing that stay in force) spelled out;
    its lines and tabs stay. For what people write and pages show."""
    return text if text.isprintable() else _MOVES.sub(lambda found: _spelled(found[0]), text)


def _spelled(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def quoted(text: str) -> str:
    """`text` in quotes, control characters escaped and cut to a length that a message can bear."""
    return repr(text) if len(text) <= _SHOWN else repr(text[:_SHOWN]) + "…"


def host_and_port(text: str) -> tuple[str, int] | None:
    """What HOST:PORT says, an address of IPv6 in brackets; None where it does not say that, or no such port is."""
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > _LAST_PORT:
        return None
    return found["host"].strip("[]"), int(found["port"])


def folded(word: str) -> str:
    """`word` without case, `_` and `-`: what people mix up without meaning another thing."""
    return word.casefold().replace("_", "").replace("-", "")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, ignoring case, `_` and `-`; None when nothing is like it or `word` is huge."""
    import difflib  # only complaints need it

    if not word or len(word) > _SHOWN:
        return None
    names = {folded(name): name for name in known}
    found = difflib.get_close_matches(folded(word), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def meant(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy that names the nearest known word, or else `otherwise`."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found is not None else otherwise


def instead(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or else all that there are."""
    names = sorted(known)
    return meant(word, names, f"there are {listed(names)}" if names else "there are none")


def listed(words: Iterable[str]) -> str:
    """Words as a person lists them: 'a, b and c'."""
    several = list(words)
    return f"{', '.join(several[:-1])} and {several[-1]}" if len(several) > 1 else "".join(several)


def counted(number: int, one: str, several: str = "") -> str:
    """`1 file`, `2 files`; `several` where that is no `s`."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def address(person: str) -> str:
    """What tells one person from another: the address in `Name <address>`, else the whole text; in lower case."""
    _, opened, rest = person.rpartition("<")
    return (rest.rpartition(">")[0] if opened and ">" in rest else person).strip().casefold()
