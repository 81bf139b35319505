"""How does a manifest, a command or a request point at a version?

`1.4.0` (a name), `v12` (a number), eight or more hexadecimal digits (a digest prefix), `commit:<sha>`.
Finding the version is the recorded side's work; only the reading of the text is here.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from reconciler.model.shape import refusal

# Nine digits: more fit no column of numbers, and whatever looks like that is a name.
NUMBER = re.compile(r"^v([1-9][0-9]{0,8})$")
DIGEST = re.compile(r"^(?:sha256:)?([0-9a-f]{8,64})$")
COMMIT = re.compile(r"^commit:([0-9a-f]{4,40})$")
REFERENCE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+:-]*$"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A reference that has been read. A text of eight hexadecimal digits may be a name too: names win."""

    by: Literal["name", "number", "digest", "commit"]
    value: str


def pointers(reference: str) -> tuple[Pointer, ...]:
    """The ways in which a reference may be meant, the likeliest first."""
    if match := COMMIT.match(reference):
        return (Pointer("commit", match[1]),)
    ways = [Pointer("name", reference)]
    if match := NUMBER.match(reference):
        ways.append(Pointer("number", match[1]))
    if match := DIGEST.match(reference):
        ways.append(Pointer("digest", match[1]))
    return tuple(ways)


def _readable(reference: str) -> str:
    if reference.startswith("commit:") and not COMMIT.match(reference):
        raise refusal("commit: takes 4 to 40 hexadecimal digits", "write commit:<sha>")
    return reference


Reference = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=100, pattern=REFERENCE_PATTERN),
    AfterValidator(_readable),
]
