"""How does a commit look like a revert? Pure functions over what its message says and its content shows.

    look        the claims of a message, and of the messages that a merge brings in
    resolve     the earlier commits that the claims mean
    direction   whether something goes back, or comes forth again
    verdict     what the commit is, when the content has had its say

Content decides: a commit that restores nothing is an ordinary one, whatever its title. The message says how
urgent it is and why. Contents are compared in `undoing`; what follows for versions and deployments
belongs to the planner. Measured by `python benchmarks/reverts.py FILE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from reconciler.git.bodies import said_by_body
from reconciler.git.claims import Claim, Content
from reconciler.git.titles import bare, headlines, is_second_try, said_by_branch, said_by_title

__all__ = [
    "Candidate",
    "Candidates",
    "Claim",
    "Content",
    "Direction",
    "Verdict",
    "direction",
    "look",
    "resolve",
    "verdict",
]

Direction = Literal["back", "forth"]

_LONGEST = 1 << 16
_LONGEST_MERGED = 1 << 13
_MOST_MERGED = 1_000
_AT_LEAST = 40


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a commit is."""

    kind: Literal["revert", "restore", "ordinary"]
    """A revert that was declared or hinted at; a silent return to an earlier state; anything else."""
    direction: Direction | None = None
    """Whether a revert goes back or brings something forth again; None for what is no revert."""
    partial: bool = False
    """Only some of what it takes back was taken back."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier commit that a claim may mean. `titles` are those it is known by: its subject, and for a
    merge also the title of what it merged."""

    commit: str
    titles: tuple[str, ...] = ()


class Candidates(Protocol):
    """Earlier commits of the branch, looked up; each answer newest first."""

    def by_id_prefix(self, prefix: str) -> Sequence[Candidate]: ...

    def by_pull_request(self, number: int) -> Sequence[Candidate]: ...

    def by_title_prefix(self, prefix: str) -> Sequence[Candidate]: ...


def look(message: str, parents: int = 1, merged: Sequence[str] = ()) -> tuple[Claim, ...]:
    """What a message claims to take back; with `parents` and the messages that a merge brings in.

    Behind a merge only declarations and titles count, and none whose target came in by the same merge.
    """
    own = list(_of_message(message[:_LONGEST], parents))
    texts = [text[:_LONGEST_MERGED] for text in merged[:_MOST_MERGED]]
    behind = [claim for text in texts for claim in _of_message(text, 1)]
    brought = {bare(_subject(text)) for text in texts}
    own += [
        replace(claim, merged=True)
        for claim in behind
        if claim.kind != "mention" and not (claim.title and bare(claim.title) in brought)
    ]
    if any(claim.strength == "declared" for claim in own):
        # What is said in passing adds nothing to a declaration, unless it names something.
        own = [claim for claim in own if claim.names_target or claim.kind not in ("mention", "subject")]
    return tuple(dict.fromkeys(own))


def resolve(claims: Sequence[Claim], candidates: Candidates) -> tuple[str, ...]:
    """The ids of the earlier commits that are taken back, in the order named; empty when none is found.

    Ids count most, then numbers of pull requests, then quoted titles: ids are often wrong after a rebase, but
    a title is sometimes given twice.
    """
    declared = [claim for claim in claims if claim.strength == "declared"]
    hinted = [claim for claim in claims if claim.strength == "hinted"]
    for group in (declared, hinted):
        ids = [_by_id(claim.commit, candidates) for claim in group if claim.commit]
        numbers = [claim.pull_request for claim in group if claim.pull_request and not any(ids)]
        merged = [_first(candidates.by_pull_request(number)) for number in numbers]
        titles = [claim.title for claim in group if claim.title and not any(ids) and not any(merged)]
        titled = [_by_title(title, candidates) for title in titles]
        found = tuple(dict.fromkeys(commit for commit in (*ids, *merged, *titled) if commit))
        if found:
            return found
    return ()


def direction(claims: Sequence[Claim], chain: Sequence[Direction | None] = ()) -> Direction:
    """Back or forth. `chain` holds the direction of each target found, None for one that is no revert.

    What takes back a commit that went back comes forth: the chain knows that better than any title, since git
    writes the same trailer both ways. Without it the words decide.
    """
    if chain and all(target == "back" for target in chain):
        return "forth"
    if chain and "back" not in chain:
        return "back"
    titled = [claim.depth for claim in claims if claim.kind in ("title", "conventional") and not claim.merged]
    depths = titled or [claim.depth for claim in claims]
    return "forth" if any(depth % 2 == 0 for depth in depths) else "back"


def verdict(claims: Sequence[Claim], content: Content, chain: Sequence[Direction | None] = ()) -> Verdict:
    """What a commit is: `claims` from `look`, `content` from comparing, `chain` as for `direction`.

    A hint that names nothing needs a full return to an earlier state; a declaration, or a hint by which a
    target was found, also makes a revert of a partial one.
    """
    firm = any(claim.strength == "declared" or claim.names_target for claim in claims)
    if content == "none" or (content == "partial" and not firm):
        return Verdict("ordinary")
    if not claims:
        return Verdict("restore")
    return Verdict("revert", direction(claims, chain), content == "partial")


def _of_message(message: str, parents: int) -> Iterator[Claim]:
    titles, branch = headlines(message, parents)
    said = [claim for title in titles if (claim := said_by_title(title))]
    by_branch = said_by_branch(branch)
    said += [by_branch] if by_branch else []
    firm = next((claim for claim in said if claim.strength == "declared"), None)
    body = message.partition(titles[0])[2] if titles else message
    told = list(said_by_body(body, firm))
    if not said and titles and is_second_try(titles[0]):
        told = [replace(claim, depth=2) for claim in told]
    # Ids first: they name most certainly.
    yield from (claim for claim in told if claim.strength == "declared")
    yield from said
    yield from (claim for claim in told if claim.strength == "hinted")


def _subject(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "")


def _first(found: Sequence[Candidate]) -> str | None:
    return found[0].commit if found else None


def _by_id(commit: str, candidates: Candidates) -> str | None:
    found = {candidate.commit for candidate in candidates.by_id_prefix(commit)}
    # A short id that fits several commits names none of them.
    return found.pop() if len(found) == 1 else None


def _by_title(title: str, candidates: Candidates) -> str | None:
    """The newest commit of exactly this title, numbers aside; else one that begins with what was cut."""
    cut = title.endswith("…")
    prefix = title.removesuffix("…").rstrip()
    if not prefix:
        return None
    found = candidates.by_title_prefix(prefix)
    same = [one for one in found if any(_same(known, prefix) for known in one.titles)]
    return _first(same) or (_first(found) if cut or len(prefix) >= _AT_LEAST else None)


def _same(known: str, prefix: str) -> bool:
    rest = known.removeprefix(prefix) if known.startswith(prefix) else known
    return not re.sub(r"\(\S*[#!]\d+\)", "", rest).strip(" .")
