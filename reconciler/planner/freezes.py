"""Does a deployment pass the freezes that hold at its start?

The verdict by kind of deployment. Rollbacks always pass; what runs already goes on; a commit may override with its
reason, which is remembered. When freezes hold is asked in `reconciler.freezing`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.desired import Desired
from reconciler.freezing import ActiveFreeze
from reconciler.model.deployment import EXTERNAL, ROLLBACKS, Cause
from reconciler.model.plan import Waiting
from reconciler.planner.recorded import Override

_KINDS: dict[Cause, str] = {"season-start": "season", "season-end": "season", EXTERNAL: "release"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A deployment that is about to start, as far as freezes ask."""

    cause: Cause
    hotfix: bool = False
    lenient: bool = False
    """It is an edge of seasons that pass freezes by their own declaration."""


def kind_of(cause: Cause) -> str:
    """The word that a freeze's `allow` has for a cause."""
    return _KINDS.get(cause, cause)


def stoppers(start: Start, freezes: Iterable[ActiveFreeze]) -> tuple[ActiveFreeze, ...]:
    """Those of the freezes that hold this start back."""
    if start.cause in ROLLBACKS or (start.lenient and kind_of(start.cause) == "season"):
        return ()
    passes = {kind_of(start.cause), *(["hotfix"] if start.hotfix else [])}
    return tuple(freeze for freeze in freezes if not passes & set(freeze.allow))


def waiting(wanted: Desired, freezes: Sequence[ActiveFreeze], said: str) -> Waiting:
    """The words for waiting until the last of these freezes ends."""
    last = max(freezes, key=lambda freeze: freeze.until)
    names = ", ".join(f"{freeze.name} ({freeze.reason})" for freeze in freezes)
    way_out = "a commit of it with the trailer `Freeze-Override: <reason>` passes, and so does every rollback"
    return Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for="freeze",
        until=last.until,
        detail=f"{said} waits for the end of the freeze {names}; {way_out}",
    )


def overridden(freezes: Sequence[ActiveFreeze], override: Override) -> str:
    """The remark on a start that passed freezes by a commit's word."""
    names = ", ".join(freeze.name for freeze in freezes)
    return f"passed the freeze {names} by the word of {override.author} in {override.commit[:10]}: {override.reason}"
