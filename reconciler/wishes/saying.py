"""Which reasons and names of people can be recorded, and shown to others later?"""

from __future__ import annotations

from reconciler.errors import WrongUse

LONGEST_REASON = 2_000
LONGEST_NAME = 200


def reason(text: str, *, required: bool = False) -> str:
    """Why somebody asks for something. Raises WrongUse where it is too long, or says nothing though it has to."""
    said = text.strip()
    if required and not said:
        raise WrongUse("no reason is given", f"say something in at most {LONGEST_REASON} letters")
    if len(said) > LONGEST_REASON:
        raise WrongUse(f"the reason has {len(said)} letters", f"say something in at most {LONGEST_REASON} letters")
    if not _storable(said):
        raise WrongUse("the reason has letters that are none", "say it in letters that can be written as UTF-8")
    return said


def name(text: str) -> str:
    """Who somebody is: an address as a rule, or the name of a robot. Raises WrongUse for what is no such line."""
    said = text.strip()
    if not said:
        raise WrongUse("it is not said who asks", "say who you are")
    if len(said) > LONGEST_NAME:
        raise WrongUse(f"the name has {len(said)} letters", f"say who you are in at most {LONGEST_NAME} letters")
    if not said.isprintable():
        raise WrongUse("the name is not one line", "say who you are in one line, without control characters")
    return said


def role(text: str | None) -> str | None:
    """In which role somebody approves. Raises WrongUse for what cannot be the name of one."""
    if text is None or (len(text) <= LONGEST_NAME and text.isprintable()):
        return text
    raise WrongUse("that is no name of a role", f"a role is one line of at most {LONGEST_NAME} letters")


def _storable(text: str) -> bool:
    """Whether every store can hold it: no half letters, and not the letter that ends a text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
