"""Which trailers does a commit message carry, and which pull request does it name?

Trailers are `Key: value` lines of the last paragraph, as git reads them. What a trailer allows is the planner's
question.
"""

import re

TRAILER = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*(\S.*)$")
SQUASHED = re.compile(r"\(#(\d{1,9})\)\s*$")
MERGED = re.compile(r"^Merge pull request #(\d{1,9})\b")
LONGEST = 100_000


def trailers(message: str) -> tuple[tuple[str, str], ...]:
    """Key and value of each trailer, in order. A message of one paragraph has none, as in git."""
    paragraphs = re.split(r"\n[ \t]*\n", message[:LONGEST].strip().replace("\r\n", "\n"))
    if len(paragraphs) < 2:
        return ()
    found = (TRAILER.match(line) for line in paragraphs[-1].splitlines())
    return tuple((match[1], match[2].strip()) for match in found if match)


def pull_request(subject: str) -> int | None:
    """The number of the pull request that a commit came from, as forges write it into the subject."""
    match = MERGED.match(subject) or SQUASHED.search(subject)
    return int(match[1]) if match else None
