"""How does the body of a message look like a revert? Trailers, numbers of pull requests, words in passing.

What stands under the bullets of a squashed pull request speaks of its branch and not of this commit, and what
somebody may, will or should take back has not been taken back. Titles are read in `titles`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from reconciler.git.claims import AGAIN, LINKED_ID, NUMBER, REVERT, ROLLBACK, TAKE_BACK, Claim, commit_id
from reconciler.git.titles import bare, said_by_title

_MOST_CLAIMS = 50
_MOST_VERBS = 200
# How far from its verb something may be named.
_NEAR = 200
_FAR = 2_500

_BULLET = re.compile(r"[*+-] |\d{1,3}[.)] ")
_SQUASHED = re.compile(r"\* (?P<title>\S.*)")
_ID_BULLET = re.compile(r"[*+-] (?:commit )?`?[0-9a-f]{7,64}\b")
# Lines of others: quotations, code, the log that `git merge --squash` leaves, tools that rewrite histories.
_OF_OTHERS = re.compile(r">|\t| {4}|(?:Former-commit-id|Change-Id|Bug|Co-authored-by|Signed-off-by):")
_SQUASH_LOG = "Squashed commit of the following:"

_VERB = re.compile(rf"(?P<revert>{REVERT})|(?P<back>{TAKE_BACK})|{ROLLBACK}", re.IGNORECASE)
_AGAIN = re.compile(rf"{AGAIN}|(?<![\w-])re-?submit(?:s|ted|ting)?\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?;](?=\s+[A-Z(]|\s*$)|\n\s*\n|\breversing\b|\bThis\s+(?:partially\s+)?reverts\b")
# Between the verb and what is taken back.
_FILLER = re.compile(
    r"(?:\s|[:(`<\"'=-]|(?:(?:PR|pull request|MR|merge request)s?|back|merge|commits?|changes?|revisions?|hash"
    r"|sha|id|the|from|in|made|introduced|by|of)\b(?![#!]))*",
    re.IGNORECASE,
)
_NEXT_ID = re.compile(rf"(?:\s|[,&+;)`>\"'*-]|\.\.|and\b|commits?\b)*(?P<id>{LINKED_ID})", re.IGNORECASE)
_NEXT_NUMBER = re.compile(rf"(?:\s|[,&+;)-]|and\b)*\(?{NUMBER}", re.IGNORECASE)
_NAMED_LATER = re.compile(rf"\b(?:in|from|by|of|commit)\s+(?:(?P<id>{LINKED_ID})|{NUMBER})", re.IGNORECASE)
_TO_A_STATE = re.compile(r"\s+(?:back\s+)?to\b", re.IGNORECASE)
_STATE = re.compile(rf"\b(?:to|at|from|of|commit)\s+(?P<id>{LINKED_ID})", re.IGNORECASE)
_DIGITS_COUNT = re.compile(r"\b(?:commits?|revision|sha)\b", re.IGNORECASE)
# Taken back some time ago, by somebody else.
_PASSIVE = re.compile(r"\b(?:was|were|been|be|got|had|accidentally)\s+(?:\w+ly\s+)?$", re.IGNORECASE)
_BY = re.compile(rf"\s+(?:in|by|with|as)\s+(?:commits?\s+|PR\s+)?(?:(?P<id>{LINKED_ID})|{NUMBER})", re.IGNORECASE)
_HAD_TO = re.compile(r"\b(?:had|needed)\s+to\s+be\s*$", re.IGNORECASE)
# A statement about this very commit.
_SAYS_SO = re.compile(
    r"\b(?:this|it|that)(?:\s+(?:commit|change|patch|PR|MR))?(?:\s+(?:also|\w+ly))?\s+$", re.IGNORECASE
)
# Not taken back at all, or not yet.
_NOT_YET = re.compile(
    r"(?:\b(?:if|when|whenever|once|until|unless|before|after|can|could|may|might|must|will|would|shall|should|then"
    r"|avoid(?:s|ing)?|prevent(?:s|ing)?|later|eas(?:y|ier|ily)|ability|able|allow(?:s|ing)?|never|not|cannot"
    r"|without|instead|going|to be|no need|support(?:s|ing)?)|n't|n’t|'ll|’ll)\b[^.;:!?]{0,40}$",
    re.IGNORECASE,
)
_ON_CONDITION = re.compile(
    r"\s+(?:(?:this|it|that|the)\s+)?(?:(?:PR|commit|change|patch)\s+)?(?:if|once|when|after|as soon as|later)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Text:
    """A body taken apart: what it says itself, and what it lists."""

    own: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    """Points of a list that somebody wrote: they tell, but declare nothing."""
    squashed: list[tuple[str, list[str]]] = field(default_factory=list)
    """The commits of a squashed branch: title and lines below."""


def said_by_body(body: str, title: Claim | None) -> Iterator[Claim]:
    """The claims of a body; `title` is what the title of the same message claims.

    Where the title takes something back itself, the squashed commit that says the same may name it.
    """
    text = _taken_apart(body.splitlines())
    found = list(_claims("\n".join(text.own)))
    if title is not None and title.strength == "declared":
        for heading, lines in _of_this(text.squashed, title):
            found += [claim for claim in _claims("\n".join([heading, *lines])) if claim.strength == "declared"]
    for line in text.listed[:_MOST_VERBS]:
        found += [replace(claim, kind="mention", strength="hinted") for claim in _claims(line)]
    yield from found[:_MOST_CLAIMS]


def _taken_apart(lines: list[str]) -> _Text:
    text = _Text()
    for at, line in enumerate(lines):
        if line.strip() == _SQUASH_LOG:
            break
        listed = _SQUASHED.match(line)
        if listed and _stands_alone(lines, at):
            text.squashed.append((listed["title"].strip(), []))
        elif line.startswith("-----"):
            continue
        elif text.squashed:
            text.squashed[-1][1].append(line)
        elif _BULLET.match(line) and not _ID_BULLET.match(line):
            text.listed.append(line)
        elif not _OF_OTHERS.match(line):
            text.own.append(line)
    return text


def _stands_alone(lines: list[str], at: int) -> bool:
    """A forge lists squashed commits with empty lines between them; people list reasons without."""
    before = lines[at - 1].strip() if at else ""
    after = lines[at + 1].strip() if at + 1 < len(lines) else ""
    return not before and not after


def _of_this(squashed: list[tuple[str, list[str]]], title: Claim) -> list[tuple[str, list[str]]]:
    """The squashed commits that take back what the title of the whole takes back: the same, or the first."""
    wanted = bare(title.title or "")
    same = [(heading, lines) for heading, lines in squashed if wanted and wanted in bare(heading)]
    told = [(one, said_by_title(one[0])) for one in same or squashed[:1]]
    return [one for one, said in told if said is not None and said.strength == "declared"]


def _claims(text: str) -> Iterator[Claim]:
    """What running text takes back, in the order in which it says so."""
    for found in islice(_VERB.finditer(text), _MOST_VERBS):
        start = _sentence_start(text, found.start())
        before = text[start : found.start()]
        after = _rest_of_sentence(text, found.end())
        past = found.group().lower() == "reverted" and (_PASSIVE.search(before) or _BY.match(after))
        said = _SAYS_SO.search(before) or (past and _HAD_TO.search(before))
        if not said and (_NOT_YET.search(before) or _ON_CONDITION.match(after)):
            continue
        if past:
            # Somebody took it back before, so this commit may bring it again.
            yield replace(_named(_BY.match(after)), depth=2)
        elif found["revert"] or found["back"]:
            yield from _taken_back(after)
        else:
            yield Claim("mention", "hinted")


def _sentence_start(text: str, at: int) -> int:
    ends = [end.end() for end in _SENTENCE_END.finditer(text, max(0, at - _NEAR), at)]
    return ends[-1] if ends else max(0, at - _NEAR)


def _rest_of_sentence(text: str, at: int) -> str:
    end = _SENTENCE_END.search(text, at, at + _FAR)
    return text[at : end.start()] if end else text[at : at + _FAR]


def _taken_back(after: str) -> Iterator[Claim]:
    """What follows the verb: ids, numbers, something named further on, or nothing that could be found."""
    again = _AGAIN.search(after)
    depth = 2 if again else 1
    near = after[: again.start()] if again else after
    filler = _FILLER.match(near)
    at = filler.end() if filler else 0
    certain = bool(_DIGITS_COUNT.search(near[:at]))
    ids = list(_listed_ids(near[at:], certain=certain))
    numbers = [int(found) for found in _listed_numbers(near[at:])] if not ids else []
    for named in ids:
        yield Claim("trailer", "declared", commit=named, depth=depth)
    for number in numbers:
        yield Claim("pull-request", "declared", pull_request=number, depth=depth)
    if not ids and not numbers:
        yield replace(_loosely(near), depth=depth)


def _loosely(near: str) -> Claim:
    if _TO_A_STATE.match(near):
        state = _STATE.search(near[:_NEAR])
        return Claim("mention", "hinted", back_to=commit_id(state["id"], certain=False) if state else None)
    return _named(_NAMED_LATER.search(near[:_NEAR]))


def _named(found: re.Match[str] | None) -> Claim:
    """A hint at the commit or the pull request that a pattern found, if it did."""
    if found is None:
        return Claim("mention", "hinted")
    if found["id"]:
        return Claim("mention", "hinted", commit=commit_id(found["id"], certain=False))
    return Claim("mention", "hinted", pull_request=int(found.group(2)))


def _listed_ids(text: str, *, certain: bool) -> Iterator[str]:
    """Ids one after the other, over the ends of lines, until something else is said."""
    at = 0
    while found := _NEXT_ID.match(text, at):
        named = commit_id(found["id"], certain=certain)
        if named is None:
            return
        yield named
        at = found.end()


def _listed_numbers(text: str) -> Iterator[str]:
    at = 0
    while found := _NEXT_NUMBER.match(text, at):
        yield found.group(1)
        at = found.end()
