"""How does a title look like a revert? `Revert "…"` nested as deep as you like, `revert: …`, and free words.

Also the titles that merges wrap: each forge has its own way to write the merge of a pull request, and the name
of the merged branch often says more than the title. Bodies are read in `bodies`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.git.claims import AGAIN, ID, NUMBER, REVERT, ROLLBACK, TAKE_BACK, Claim, commit_id

_LONGEST = 1000
_DEEPEST = 40
_QUOTES = {'"': '"', "“": "”", "«": "»", "'": "'", "`": "`"}

# Revert "…", Revert^2 "…", Reapply "…": the verb, the power of Gerrit, and the opening quote.
_QUOTED = re.compile(
    r"(?:partial(?:ly)?\s+)?(?P<verb>revert(?:s|ed|ing)?|re-?apply|re-?land|un-?revert|re-?instate|redo)"
    r"(?:\^(?P<power>\d{1,2}))?\s*:?\s*(?P<quote>[\"“«'`])",
    re.IGNORECASE,
)
_CONVENTIONAL = re.compile(r"revert(?:\([^()]{0,80}\))?!?:\s+(?P<rest>\S.*)", re.IGNORECASE)
_NUMBERS_AFTER = re.compile(r"(?:\s*\([#!]\d+\))*\s*\.?\s*$")
# After a quotation tools also put a branch or a label: (release-2.3), [skip ci].
_LABELS_AFTER = re.compile(r"(?:\s*(?:\([^()]{0,60}\)|\[[^\[\]]{0,60}\]))*\s*\.?\s*$")
_LAST_NUMBER = re.compile(r"\([^()\s]{0,80}[#!](\d{1,9})\)")
# What goes on with a sentence after a quotation.
_GOES_ON = re.compile(
    r"\s*(?:[&,;:+–—]|-\s|(?:and|then|but|plus|also|with|for|on|in|from|to|as|since|until|because|due)\b)"
)
_CUT = re.compile(r"(?P<ellipsis>…|\.\.\.)(?:\s*\([#!]\d+\))*\s*$")
_AGAIN = re.compile(AGAIN, re.IGNORECASE)
# What may stand in front: an emoji, [scope], (scope), :emoji:, `scope(x)!:`, `part of the system - `.
_IN_FRONT = re.compile(
    r"[^\w\"“«'`\[(:]+|\[[^\[\]]{0,80}\]|\([^()]{0,80}\)\s|:[a-z0-9_+-]{1,40}:|[\w./@*-]{1,60}(?:\([^()]{0,80}\))?!?:\s"
    r"|[\w./@ -]{1,60}?\s[-–—]\s"
)
_BY_NUMBER = re.compile(
    rf"(?:partial(?:l?y)?\s+)?(?:{REVERT}|{TAKE_BACK})\s+(?:the\s+)?(?:changes?\s+(?:made\s+|introduced\s+)?"
    rf"(?:from|in|of|by)\s+)?(?:(?:(?:PR|pull request|MR|merge request)s?\s*)?\(?{NUMBER}|[PM]R (\d{{1,9}})\b)",
    re.IGNORECASE,
)
_BY_ID = re.compile(
    rf"(?:partial(?:l?y)?\s+)?(?:{REVERT}|{TAKE_BACK})\s+(?P<certain>(?:commit|changeset)s?:?\s+)?"
    rf"['\"`(]?(?:[\w./-]{{1,80}}@)?(?P<id>{ID})",
    re.IGNORECASE,
)
_BACK_TO = re.compile(rf"\bto\s(?:[^.;]{{0,60}}\s)?(?:(?:commit|at|@)\s)?(?P<id>{ID})", re.IGNORECASE)
_FREE = re.compile(
    rf"(?:(?:partial(?:l?y)?|temporarily|manually|just|also)\s+)?[\[(]?"
    rf"(?:(?P<again>{AGAIN})|(?P<revert>{REVERT})|{ROLLBACK})[\])]?",
    re.IGNORECASE,
)
_OF_A_REVERT = re.compile(rf"(?:the\s+)?{REVERT}", re.IGNORECASE)
# As nouns these speak of a feature: "rollback support", "downgrade path", "revert button".
_NOUN = re.compile(
    r"\s*(?:support|groups?|rights?|users?|buttons?|commands?|features?|conditions?|warnings?|progress|paths?"
    r"|scripts?|tests?|docs?|documentation|polic(?:y|ies)|permissions?|history|ui|api|if|when|unless)\b",
    re.IGNORECASE,
)
_FEATURE = re.compile(
    r"\b(?:support|add|allow|enable|implement|improve|fix|prevent|avoid|no|on|during|after|before|for)(?:s|ing)?\s+$",
    re.IGNORECASE,
)
_LATER_IN_TITLE = re.compile(
    rf"(?:[-–—:;.,(&]\s*|\b(?:and|also|then|temporarily|partially)\s+)(?P<verb>{REVERT}|{ROLLBACK}|{AGAIN})",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(rf"{REVERT}|{ROLLBACK}", re.IGNORECASE)
_BACK = re.compile(
    r"\bback\s+to\s+(?:v?\d|[0-9a-f]{7,}|(?:the\s+)?(?:previous|earlier|old|last|original|known)\b)"
    r"|\b(?:go(?:es|ing)?|switch(?:ed|ing)?|chang(?:e|ed|ing)|mov(?:e|ed|ing)|set|pin|pinned)\s+back\s+to\b"
    r"|\broll(?:s|ed|ing)?(?:\s+[\w./-]{1,40}){1,5}\s+back\b"
    r"|\b(?:restore|restored|restoring|return(?:ed|ing)?\s+to)\s+(?:the\s+)?(?:previous|earlier|last)\s",
    re.IGNORECASE,
)
_TAKE_TWO = re.compile(
    r"\b(?:take|attempt|try|round)\s*#?\s*(?:[2-9]|two|three)\b|\b(?:2nd|second|third|another)\s+(?:try|attempt)\b"
    r"|\btry(?:ing)?\s+again\b|\([2-9]\)$",
    re.IGNORECASE,
)

_MERGED = (
    # GitHub, GitLab and plain git, Bitbucket
    re.compile(r"Merge pull request #\d+ from (?P<branch>\S+)"),
    re.compile(r"Merge (?:remote-tracking )?branch ['\"](?P<branch>[^'\"]+)['\"]"),
    re.compile(r"Merged in (?P<branch>\S+) \(pull request #\d+\)"),
    # Gitea and Forgejo, Azure, Bitbucket Server
    re.compile(r"Merge pull request ['\"](?P<title>.+)['\"] \(#\d+\) from (?P<branch>\S+)"),
    re.compile(r"Merged PR \d+: (?P<title>.+)"),
    re.compile(r"Pull request #\d+: (?P<title>.+)"),
    # Gerrit
    re.compile(r"Merge \"(?P<title>.+)\"(?: into \S+)?$"),
    # bors; the titles of what it merges are in the body
    re.compile(r"(?:Auto merge of )?(?:Merge )?#\d+"),
)
_BORS_TITLE = re.compile(r"#?\d+: (?P<title>.+?)(?: r=\S+)?(?: a=\S+)?$")
_BRANCH_NUMBER = re.compile(r"(?:^|/)revert-(?:pr-)?(\d{1,9})-")
_BRANCH_ID = re.compile(r"(?:^|/)revert-([0-9a-f]{8,40})$")
_BRANCH_WORD = re.compile(
    r"(?:^|[/_-])(?:revert(?:s|ed|ing)?|roll-?back|downgrade)(?![/_-]?risk)(?:[/_-]|$)", re.IGNORECASE
)


def headlines(message: str, parents: int) -> tuple[list[str], str | None]:
    """The titles of a message, its own first, and the name of the branch that it merges."""
    lines = [line.strip()[:_LONGEST] for line in message.splitlines()]
    lines = [line for line in lines if line][:20]
    if not lines:
        return [], None
    titles, branch = [lines[0]], None
    match = next((found for shape in _MERGED if (found := shape.match(lines[0]))), None)
    if match:
        told = match.groupdict()
        branch = told.get("branch")
        titles += [title] if (title := told.get("title")) else []
    if match or parents > 1:
        bors = [found["title"] for line in lines[1:] if (found := _BORS_TITLE.match(line))]
        titles += bors or lines[1:2]
    return titles, branch


def said_by_branch(branch: str | None) -> Claim | None:
    """`revert-12-fix`, which GitHub makes, `revert-1a2b3c4d`, which GitLab makes, and free names."""
    if branch is None:
        return None
    numbers = _BRANCH_NUMBER.search(branch)
    if numbers:
        depth = branch.count("revert-")
        return Claim("branch", "declared", pull_request=int(numbers.group(1)), depth=min(depth, _DEEPEST))
    named = _BRANCH_ID.search(branch)
    if named:
        return Claim("branch", "declared", commit=named.group(1))
    return Claim("branch", "hinted") if _BRANCH_WORD.search(branch) else None


def said_by_title(title: str) -> Claim | None:
    """What a title claims, the most certain form first; None when it speaks of something else."""
    title = title[:_LONGEST]
    for rest in _without_front(title):
        claim = _conventional(rest) or _quoted(rest) or _numbered(rest) or _free(rest)
        if claim:
            return claim
    return _in_passing(title)


def is_second_try(title: str) -> bool:
    """Whether a title says that something is tried once more."""
    return bool(_TAKE_TWO.search(title))


def bare(title: str) -> str:
    """A title as it is compared with another: without numbers, quotes, an ellipsis or capitals."""
    plain = re.sub(r"\([#!]\d*\)?|[\"“”«»'`…]|\.\.\.$", " ", title)
    return " ".join(plain.split()).casefold()


def _without_front(title: str) -> Iterator[str]:
    rest = title
    for _ in range(5):
        yield rest
        front = _IN_FRONT.match(rest)
        if not front:
            return
        rest = rest[front.end() :].lstrip()


def _conventional(title: str) -> Claim | None:
    found = _CONVENTIONAL.match(title)
    if not found:
        return None
    rest = found["rest"]
    inner = _quoted(rest)
    if inner:
        # `revert: Revert "…"` says the same thing twice.
        return inner
    title_only = _NUMBERS_AFTER.sub("", rest).strip("\"“”'`")
    return Claim("conventional", "declared", title=title_only, depth=1 + _depth(title_only))


def _quoted(title: str) -> Claim | None:
    found = _QUOTED.match(title)
    if not found:
        return None
    inner, after = _inside(title[found.end() :], _QUOTES[found["quote"]])
    if not inner:
        return None
    if _AGAIN.search(after):
        # One thing back and another forth: only the content can tell what that amounts to.
        return Claim("title", "hinted")
    if not _LABELS_AFTER.fullmatch(after) and not _GOES_ON.match(after):
        # A quoted word in a free sentence.
        return Claim("subject", "hinted", title=inner)
    power = _power(found)
    return Claim(
        "title",
        "declared",
        pull_request=_number(inner) if power == 1 else None,
        title=_title_of_revert(inner, power - 1),
        depth=min(power + _depth(inner), _DEEPEST),
    )


def _power(quoted: re.Match[str]) -> int:
    """How many times this verb takes back: `Revert^3` three times, `Reapply` twice."""
    return int(quoted["power"] or 1) if quoted["verb"].lower().startswith("revert") else 2


def _inside(text: str, closing: str) -> tuple[str, str]:
    """What is quoted and what follows. A quotation that was cut ends with an ellipsis."""
    end = next((at for at in _ends(text, closing) if text.count(closing, 0, at) % 2 == 0), text.rfind(closing))
    inner, after = (text[:end], text[end + 1 :]) if end >= 0 else (text, "")
    cut = _CUT.search(text)
    if end < 0 or (cut and cut.end("ellipsis") > end):
        # Forges cut long titles, and the closing quotes with them.
        inner, after = text[: cut.start()] if cut else text, ""
    inner = inner.strip()
    if end < 0 or cut or inner.endswith("..."):
        inner = inner.removesuffix("...").removesuffix("…").rstrip() + "…"
    return inner, after


def _ends(text: str, closing: str) -> Iterator[int]:
    """Where a quotation ends in the middle of a title, because the sentence goes on."""
    return (at for at, sign in enumerate(text) if sign == closing and _GOES_ON.match(text, at + 1))


def _title_of_revert(title: str, power: int) -> str:
    """The title of the commit that reverts `title` for the power-th time, as git and Gerrit write it."""
    if power <= 0:
        return title
    return f'Revert "{title}"' if power == 1 else f'Revert^{power} "{title}"'


def _number(inner: str) -> int | None:
    """The number of a title: the last one in it, but none of a title that is quoted in it."""
    own = inner[max(inner.rfind(quote) for quote in '"”»') + 1 :] if _depth(inner) else inner
    numbers = _LAST_NUMBER.findall(own)
    return int(numbers[-1]) if numbers else None


def _depth(title: str) -> int:
    """How many reverts are nested in a title that is quoted."""
    depth = 0
    for _ in range(_DEEPEST):
        wrapped = re.match(r"Merge [\"“]", title)
        found = _QUOTED.match(title)
        conventional = _CONVENTIONAL.match(title)
        if wrapped:
            title = title[wrapped.end() :]
        elif found:
            depth, title = depth + _power(found), title[found.end() :]
        elif conventional:
            depth, title = depth + 1, conventional["rest"]
        else:
            break
    return min(depth, _DEEPEST)


def _numbered(title: str) -> Claim | None:
    number = _BY_NUMBER.match(title)
    if number:
        return Claim("pull-request", "declared", pull_request=int(number.group(1) or number.group(2)))
    named = _BY_ID.match(title)
    found = commit_id(named["id"], certain=bool(named["certain"])) if named else None
    return Claim("trailer", "declared", commit=found) if found else None


def _free(title: str) -> Claim | None:
    found = _FREE.match(title)
    if not found or _NOUN.match(title, found.end()):
        return None
    rest = title[found.end() :].strip()
    if found["again"]:
        return Claim("subject", "hinted", depth=2)
    returned = _BACK_TO.search(rest)
    state = commit_id(returned["id"], certain=False) if returned else None
    # What comes after "revert to" is a state and not something that was done.
    named = (
        ""
        if not found["revert"] or re.match(r"(?:back\s+)?to\b", rest)
        else _NUMBERS_AFTER.sub("", rest).strip(" :-–—")
    )
    again = found["revert"] and _OF_A_REVERT.match(rest)
    return Claim("subject", "hinted", title=named or None, back_to=state, depth=2 if again else 1)


def _in_passing(title: str) -> Claim | None:
    later = _LATER_IN_TITLE.search(title)
    if later and not _NOUN.match(title, later.end()):
        return Claim("subject", "hinted", depth=2 if _AGAIN.match(later["verb"]) else 1)
    passing = any(
        not _NOUN.match(title, found.end()) and not _FEATURE.search(title, 0, found.start())
        for found in _ANYWHERE.finditer(title)
    )
    return Claim("subject", "hinted") if passing or _BACK.search(title) else None
