"""What does a commit mean for an app?

How a commit looks like a revert is the git room's finding and comes in as a value; here it becomes meaning:
what it publishes, what it takes back, whether it changes too much at once. Facts once noted hold whatever lands
on top of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.planner.recorded import Look

MASS_SHARE = 0.30
MASS_LEAST = 10
MOST_ALLOWED = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """A commit that another one declares to revert, as far as it was found."""

    commit: str
    position: int
    touched: dict[tuple[str, str], str | None]
    """What it changed, by (app, environment or '' for the content), and what stood there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """What the git room found out about a commit that looks like a revert."""

    direction: Literal["back", "forth"]
    targets: tuple[Reverted, ...]
    unresolved: bool = False
    """Nobody could find what the message means: then the content alone says how far back it goes."""

    @property
    def commits(self) -> tuple[str, ...]:
        """Ids of the commits that were found."""
        return tuple(target.commit for target in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """How one change of one app is to be understood."""

    look: Look
    reverts: tuple[str, ...] = ()
    withdraw_from: int | None = None
    """Versions that were published from this position on are taken back."""
    partial: bool = False


def content_meaning(
    app: str,
    after: str | None,
    published_at: int | None,
    evidence: Literal["full", "partial", "none"],
    revert: Revert | None,
) -> Meaning:
    """What a commit's change of an app's content means.

    `after` is the version it asks for now, `published_at` where that was asked for last (None: never before),
    `evidence` what git says of the lines when the content itself is new. Content decides what runs; the message
    how urgent it is and why.
    """
    plain: Look = "new" if published_at is None else "restored"
    if revert is None or after is None:
        return Meaning(look=plain)
    concerned = [target for target in revert.targets if (app, "") in target.touched]
    proved = published_at is not None or evidence != "none"
    if not proved or not (concerned or revert.unresolved):
        return Meaning(look=plain)
    commits = tuple(target.commit for target in concerned)
    if revert.direction == "forth":
        return Meaning(look="new" if published_at is None else "reapplied", reverts=commits)
    since = min((target.position for target in concerned), default=None)
    if since is None and published_at is not None:
        since = published_at + 1
    if published_at is None:
        return Meaning(look="new", reverts=commits, withdraw_from=since, partial=evidence == "partial")
    return Meaning(look="reverted", reverts=commits, withdraw_from=since)


def entry_meaning(app: str, environment: str, after: str | None, revert: Revert | None) -> Meaning:
    """What a commit's change of a pin, a split or an environment's own settings means: content proves it here too."""
    concerned = puts_back(app, environment, after, revert)
    return Meaning(look="reverted", reverts=concerned) if concerned else Meaning(look="changed")


def puts_back(app: str, environment: str, after: str | None, revert: Revert | None) -> tuple[str, ...]:
    """The commits that a revert takes back here: what they found here is here again."""
    if revert is None or revert.direction == "forth":
        return ()
    return tuple(target.commit for target in revert.targets if target.touched.get((app, environment), "?") == after)


def weighs_too_much(changed: int, recorded: int) -> bool:
    """Whether one commit changes or removes so much of what is recorded that a person must say so."""
    return changed >= MASS_LEAST and changed > MASS_SHARE * recorded


def allowed_changes(trailers: Iterable[tuple[str, str]]) -> int:
    """The count that a commit acknowledges by `Allow-Mass-Change: <count>`, 0 without one; no more than anybody has."""
    counts = [value for key, value in trailers if key.lower() == "allow-mass-change" and value.isdecimal()]
    return max((int(one) if len(one) < len(str(MOST_ALLOWED)) else MOST_ALLOWED for one in counts), default=0)


def lifted_suspicions(trailers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The (app, environment) pairs that a commit allows again by `Allow-Suspect: <app>/<environment>`."""
    return _pairs(trailers, "allow-suspect")


def allowed_rollbacks(trailers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The (app, environment) pairs whose rollbacks may go past guards by `Allow-Rollback: <app>/<environment>`."""
    return _pairs(trailers, "allow-rollback")


def freeze_override(trailers: Iterable[tuple[str, str]]) -> str:
    """The reason for which a commit's changes pass freezes by `Freeze-Override: <reason>`, '' without one."""
    return next((value.strip() for key, value in trailers if key.lower() == "freeze-override" and value.strip()), "")


def _pairs(trailers: Iterable[tuple[str, str]], wanted: str) -> tuple[tuple[str, str], ...]:
    named = [value.strip().split("/") for key, value in trailers if key.lower() == wanted]
    return tuple(dict.fromkeys((parts[0], parts[1]) for parts in named if len(parts) == 2))
