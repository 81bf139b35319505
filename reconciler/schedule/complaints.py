"""How is a wrong word shown, and which right word was probably meant?

Only wording lives here: no rule about what is right.
"""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN = 60


def quoted(text: str) -> str:
    """`text` in quotes, control characters escaped and cut to a length that a message can bear."""
    return repr(text) if len(text) <= _SHOWN else repr(text[:_SHOWN]) + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, ignoring case; None when nothing is like it or `word` is huge."""
    import difflib  # only complaints need it

    if not word or len(word) > _SHOWN:
        return None
    lowered = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None
