"""How is a commit written: what is everybody asked who wants one, by whom is it, and in which words?

What it changes is in `writing`, where it can be put in `workplaces`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.drafting import scratch as scratches
from reconciler.errors import WrongUse
from reconciler.words import plain

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.drafting.workplaces import Put, Workplace
    from reconciler.git.signatures import Person, Signature

LONGEST_MESSAGE = 10_000
SUBJECT = 72
"""Letters that the first line of a message has at most."""
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_LINE = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a commit is written: what everybody is asked alike who wants one."""

    actor: str
    message: str | None
    branch: str | None
    push: bool
    onto_followed: bool
    dry_run: bool
    freeze_override: str | None

    @property
    def given(self) -> bool:
        """Whether anything was said about it."""
        asked = (self.message, self.branch, self.push, self.onto_followed, self.dry_run, self.freeze_override)
        return any(one not in (None, False) for one in asked)


def own_words(value: str | None, name: str, *, one_line: bool = False) -> str | None:
    """What somebody says in a commit, without blanks around it; None: nothing. Raises WrongUse, by its `name`."""
    if value is None:
        return None
    text = value.strip()
    if not text or len(text) > LONGEST_MESSAGE:
        raise WrongUse(f"{name} has {len(text)} letters", f"say something in at most {LONGEST_MESSAGE} letters")
    if one_line and not text.isprintable():
        raise WrongUse(f"{name} is not one line", "say it in one line, without control characters")
    return text


def person(actor: str) -> Person:
    """Who a commit is by: the name that git knows for the address, else what is in front of the @."""
    from reconciler.git.signatures import Person

    known = {key: _configured(f"user.{key}") for key in ("email", "name")}
    if known["name"] and known["email"].casefold() == actor.casefold():
        return Person(known["name"], actor)
    return Person(actor.partition("@")[0] or actor, actor)


def _configured(key: str) -> str:
    done = scratches.run(["config", "--get", key], environment=scratches.own_environment())
    return done.stdout.decode("utf-8", "replace").strip()


def signature(actor: str, now: datetime) -> Signature:
    """Who makes a commit now; author and committer are one."""
    from reconciler.git.signatures import Signature

    return Signature(person(actor), now)


def _filled(text: str) -> str:
    """A paragraph in lines that fit. What is indented stays as it is: words of others, which must begin no line."""
    if any(line.startswith(" ") for line in text.splitlines()):
        return text
    return textwrap.fill(text, _LINE, break_long_words=False, break_on_hyphens=False)


def overrides(how: How) -> list[tuple[str, str]]:
    """The trailers that everybody is asked for alike."""
    return [("Freeze-Override", how.freeze_override)] if how.freeze_override else []


def message(how: How, subject: str, paragraphs: Sequence[str], trailers: Sequence[tuple[str, str]] = ()) -> str:
    """What a commit says: what is done, or a person's own words; then who asked for it, from where, and trailers."""
    from reconciler.git.taking_back import with_trailers
    from reconciler.git.trailers import trailers as found_in

    title = subject if len(subject) <= SUBJECT else f"{subject[: SUBJECT - 1]}…"
    # Those of a person's own words would not be the last paragraph any more.
    more = [*found_in(how.message or ""), *overrides(how)]
    asked = f"Asked for by {plain(how.actor)}."
    return with_trailers("\n\n".join([how.message or title, *map(_filled, paragraphs), asked]), [*trailers, *more])


def branch_name(settings: Settings, *words: str) -> str:
    """A name that says what is done, from words that may hold anything."""
    parts = (_UNFIT.sub("-", word).replace("..", "-").strip("-.") for word in words)
    name = "-".join(part for part in parts if part)[:100].removesuffix(".lock").rstrip("-.")
    return f"{settings.write.prefix}{name}"


def put(settings: Settings, place: Workplace, commit: str, branch: str, how: How) -> Put | None:
    """Put a drafted commit where it is to lie; None for a dry run."""
    if how.dry_run:
        return None
    if how.onto_followed:
        found = place.put_onto_followed(commit)
        settings.nudge()
        return found
    return place.put(commit, branch, push=how.push, numbered=how.branch is None)
