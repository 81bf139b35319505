"""What can a message say about taking something back? One value, a claim; and the words it is said with.

Only the words: which of them stand in a title is for `titles` to say, which in a body for `bodies`, and what
follows from all of them for `reverts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["trailer", "pull-request", "branch", "title", "conventional", "subject", "mention"]
Strength = Literal["declared", "hinted"]
Content = Literal["full", "partial", "none"]
"""Whether the content is back at an earlier state: wholly, in part, or not."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message says it takes back, as far as it says so."""

    kind: Kind
    """Where it is said: `This reverts commit …`, a number, the name of a merged branch, `Revert "…"`,
    `revert: …`, freely in a title (`subject`), or in passing in the body (`mention`)."""
    strength: Strength
    """Declared in a form that means nothing else, or hinted at in free words."""
    commit: str | None = None
    """The id of what is taken back, full or short."""
    pull_request: int | None = None
    """The number of the pull or merge request that is taken back."""
    title: str | None = None
    """The title of what is taken back; may be cut, then it ends with `…`."""
    back_to: str | None = None
    """The id of the commit whose state is returned to, where the message names that instead."""
    depth: int = 1
    """How many times something is taken back by these words alone: 2 for a revert of a revert."""
    merged: bool = False
    """Said by a commit that the merge brings in, and not by the merge itself."""

    @property
    def names_target(self) -> bool:
        """Whether there is something by which a target can be found and compared."""
        numbered = self.commit or self.pull_request or self.back_to
        return bool(numbered) or (self.title is not None and self.strength == "declared")


# A word of the family, and neither `revert-risk` nor `editquality-reverted` nor `revertable`.
REVERT = r"(?<![\w-])revert(?:s|ed|ing)?(?![\w-])(?!\s+risk\b)"
# To do again what was taken back.
AGAIN = r"(?<![\w-])(?:re-?appl(?:y|ies|ied|ying)|re-?land(?:s|ed|ing)?|un-?revert(?:s|ed|ing)?)(?![\w-])"
# Taking back by other names. Those that are more often nouns count only where a verb stands.
_TAKE_BACK = r"roll(?:s|ed|ing)?[ -]?back|undo(?:es|ing)?|undid|back(?:s|ed|ing)?[ -]?out"
ROLLBACK = rf"(?<![\w-])(?:{_TAKE_BACK}|downgrad(?:e|es|ed|ing))(?![\w-])"
# Those of them that are said of a commit or a pull request.
TAKE_BACK = rf"(?<![\w-])(?:{_TAKE_BACK})(?![\w-])"
_ID = r"[0-9a-fA-F]{7,64}"
# Not the tail of a version such as 1.20-a78fef9a9, and not the beginning of a word.
ID = rf"(?<![\w.#/-]){_ID}(?![\w-]|\.\w)"
# An address of a commit ends with its id.
LINKED_ID = rf"(?:https?://[^\s<>]{{1,200}}/commit/)?(?:(?<![\w.#-])|(?<=/commit/)){_ID}(?![\w-]|\.\w)"
NUMBER = (
    r"(?:(?:[\w.-]+/)*[\w.-]*[#!]|https?://[^\s<>]{1,200}/(?:pull|merge_requests|pull-requests)/)"
    r"(\d{1,9})(?!\w)"
)

_ID_AT_END = re.compile(rf"{_ID}$")


def commit_id(token: str, *, certain: bool) -> str | None:
    """The id at the end of a token; unless `certain`, numbers and English words such as `defaced` are none."""
    found = _ID_AT_END.search(token)
    if not found:
        return None
    digits = found.group().lower()
    if len(digits) in (40, 64):
        return digits
    if len(digits) > 40:
        return None
    mixed = any(digit.isdigit() for digit in digits) and any(digit.isalpha() for digit in digits)
    return digits if mixed or (certain and not digits.isalpha()) else None
