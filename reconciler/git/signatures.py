"""Who writes a commit, when, and with which words? What no commit can hold is refused here.

Values only; the commit itself is made in `writing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote or made a commit."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote a commit, who made it, and when; `at` has a time zone, which the commit keeps."""

    author: Person
    at: datetime
    committer: Person | None = None
    """Where it is not the author."""

    def environment(self) -> dict[str, str]:
        """The variables from which git takes them. Raises WrongUse for what no commit can hold."""
        if self.at.tzinfo is None:
            raise WrongUse("The moment of a commit has no time zone", "Give one with an offset.")
        # git knows offsets of whole minutes only.
        date = f"@{int(self.at.timestamp())} {format(self.at, '%z')[:5]}"
        variables: dict[str, str] = {}
        for role, person in (("AUTHOR", self.author), ("COMMITTER", self.committer or self.author)):
            variables |= {
                f"GIT_{role}_NAME": _identity(person.name),
                f"GIT_{role}_EMAIL": _identity(person.email),
                f"GIT_{role}_DATE": date,
            }
        return variables


def _identity(text: str) -> str:
    plain = "".join(one for one in text if one.isprintable() and one not in "<>").strip(" .,:;\"'")
    if not plain:
        raise WrongUse("A commit needs the name and the address of a person", "Set user.name and user.email in git.")
    return plain


def message_bytes(message: str) -> bytes:
    """A message as a commit has it. Raises WrongUse for one that no commit can hold."""
    try:
        text = message.strip().encode()
    except UnicodeEncodeError as error:
        raise WrongUse("The message of the commit holds what is no text", "Give it as plain text.") from error
    if not text or b"\0" in text:
        raise WrongUse("The message of the commit is empty or holds a NUL", "Say what the commit does.")
    return text + b"\n"
