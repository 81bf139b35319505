"""What may be asked for over HTTP: the same as on the command line, recorded for whoever leads to act on.

Each answers 202 with what was recorded, or with the commit that was written onto a branch. `expected` is the id of the
deployment that was looked at, or four or more of its first digits (`none` where there was none): where something else
stands there by now, nothing is recorded, and the answer is 409. A held head is named by its own id, so that is all that
is expected of it.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from reconciler.api.access import Actor, Approver, Operator
from reconciler.api.asked import Moment, moment_to_come
from reconciler.api.context import Context, context
from reconciler.api.problems import Refused
from reconciler.errors import WrongUse
from reconciler.model.report import PauseAsked, Return, RollbackAsked, Told
from reconciler.model.shape import PROSE_PATTERN, Flag, Name, Prose, Text, shape
from reconciler.model.wish import Recorded
from reconciler.wishes import accepting, approving, going_back, pausing, releasing, stopping
from reconciler.wishes.saying import LONGEST_REASON

router = APIRouter(tags=["interventions"])
Given = Annotated[Context, Depends(context)]
AppName = Annotated[Name, Path(description="The name of an app")]
EnvironmentName = Annotated[Name, Path(description="The name of an environment")]
DeploymentId = Annotated[str, Path(description="An id, or the beginning of one")]
Expected = Annotated[str | None, Field(max_length=64)]
Why = Annotated[str, Field(strict=True, max_length=LONGEST_REASON, pattern=PROSE_PATTERN)]
RequiredWhy = Annotated[Why, Field(min_length=1)]
RECORDED: dict[str, Any] = {"status_code": HTTPStatus.ACCEPTED}


@shape
class AskedWhy:
    """Why. What is asked for names by itself what was looked at."""

    reason: Why = ""


@shape
class Asked:
    """Why, and what was looked at."""

    reason: Why = ""
    expected: Expected = None


@shape
class Approval:
    """In which role somebody approves, and what they looked at."""

    id: Annotated[str, Field(min_length=1, max_length=250)]
    """What waits at the gate, by its id (four digits are enough), or as APP/ENVIRONMENT where nothing else waits."""
    role: Text | None = None
    reason: Why = ""
    expected: Expected = None


@shape
class Written:
    """How a commit is written, where one is."""

    dry_run: Flag = False
    """Tell what it would be, and write nothing."""
    message: Annotated[Prose, Field(min_length=1)] | None = None
    """What it says, in place of our words."""
    freeze_override: Annotated[Text, Field(min_length=1)] | None = None
    """Why it passes freezes: it carries the trailer."""

    def require_none(self, unless: str) -> None:
        """Raise WrongUse where anything is said of a commit though none is written; `unless` is what asks for one."""
        said = [name for name in ("dry_run", "message", "freeze_override") if getattr(self, name) not in (None, False)]
        if said:
            raise WrongUse(f"body.{said[0]}: no commit is written here without {unless}", f"say {unless} as well")


@shape
class Pause(Written):
    """Nothing new starts until a moment."""

    reason: RequiredWhy
    until: Moment
    """An instant with an offset, or a length of time from now such as `2h`."""
    environment: Name | None = None
    """In this one alone; else in every one."""
    git: Flag = False
    """Write it into the manifest, as a commit on a branch; it holds when merged."""
    expected: Expected = None


@shape
class Resume(Written):
    """Where a pause ends, and why."""

    environment: Name | None = None
    reason: Why = ""
    git: Flag = False
    """Take it out of the manifest, as a commit on a branch."""
    expected: Expected = None


@shape
class Rollback(Written):
    """Where to go back to, and why."""

    to: Text | None = None
    """A version by name, v12, a digest or commit:SHA; by default what ran well before."""
    branch_only: Flag = False
    """Only write the commit: it goes back when that is merged."""
    reason: Why = ""
    expected: Expected = None


@router.post("/approvals", **RECORDED)
def approve(asked: Approval, given: Given, actor: Approver) -> Recorded:
    """Approve what waits at a gate. One person counts once, the author not; a role must be one of the token's."""
    require_role(actor, asked.role)
    with given.write() as transaction:
        return approving.approve(
            transaction,
            asked.id,
            actor=actor.name,
            now=given.now(),
            role=asked.role,
            reason=asked.reason,
            expected=asked.expected,
        )


def require_role(actor: Actor, role: str | None) -> None:
    """Whether somebody may approve in a role. Raises Refused."""
    if role is not None and role not in actor.roles:
        having = f"has {', '.join(sorted(actor.roles))}" if actor.roles else "has none"
        said = f"{actor.name} may not approve as {role[:100]}: the token {having}"
        raise Refused(HTTPStatus.FORBIDDEN, said, f"make one with `reconciler tokens create --role {role[:100]}`")


@router.post("/deployments/{id}/abort", **RECORDED)
def abort(id: DeploymentId, asked: Asked, given: Given, actor: Operator) -> Recorded:
    """Stop a deployment that is still to end; no automation begins it again."""
    with given.write() as transaction:
        return stopping.abort(
            transaction, id, reason=asked.reason, actor=actor.name, now=given.now(), expected=asked.expected
        )


@router.post("/deployments/{id}/retry", **RECORDED)
def retry(id: DeploymentId, asked: Asked, given: Given, actor: Operator) -> Recorded:
    """Try a failed or aborted deployment again, make the next attempt of one that waits for it now, or run the checks
    again that failed at the gate with this id."""
    with given.write() as transaction:
        return stopping.retry(
            transaction, id, actor=actor.name, now=given.now(), reason=asked.reason, expected=asked.expected
        )


@router.post("/apps/{app}/pause", **RECORDED)
def pause(app: AppName, asked: Pause, given: Given, actor: Operator) -> Recorded | Told:
    """Start nothing new for an app until a moment; rollbacks pass.

    With `git` it is a commit on a branch in place of that, and holds when it is merged.
    """
    now = given.now()
    until = moment_to_come(asked.until, now)
    if asked.git:
        return given.pause(_paused(app, asked, actor, until), asked.dry_run)
    asked.require_none("`git`")
    with given.write() as transaction:
        return pausing.pause(
            transaction,
            app,
            asked.environment,
            reason=asked.reason,
            until=until,
            actor=actor.name,
            now=now,
            expected=asked.expected,
        )


@router.post("/apps/{app}/resume", **RECORDED)
def resume(app: AppName, asked: Resume, given: Given, actor: Operator) -> Recorded | Told:
    """End the pauses of an app. With `git` those that its manifest holds, by a commit on a branch."""
    if asked.git:
        return given.pause(_paused(app, asked, actor, None), asked.dry_run)
    asked.require_none("`git`")
    with given.write() as transaction:
        return pausing.resume(
            transaction,
            app,
            asked.environment,
            actor=actor.name,
            now=given.now(),
            reason=asked.reason,
            expected=asked.expected,
        )


def _paused(app: str, asked: Pause | Resume, actor: Actor, until: datetime | None) -> PauseAsked:
    return PauseAsked(
        app=app,
        environment=asked.environment,
        until=until,
        actor=actor.name,
        reason=asked.reason,
        expected=asked.expected,
        message=asked.message,
        freeze_override=asked.freeze_override,
    )


@router.post("/apps/{app}/environments/{environment}/rollback", **RECORDED)
def rollback(
    app: AppName, environment: EnvironmentName, asked: Rollback, given: Given, actor: Operator
) -> Recorded | Return:
    """Go back now, hold the environment there, and write the commit onto a branch that makes git say the same.

    With `branch_only` nothing goes back before that commit is merged; with `dry_run` it is only told.
    """
    if asked.branch_only or asked.dry_run:
        wanted = RollbackAsked(
            app=app,
            environment=environment,
            to=asked.to,
            branch_only=asked.branch_only,
            actor=actor.name,
            reason=asked.reason,
            expected=asked.expected,
            message=asked.message,
            freeze_override=asked.freeze_override,
        )
        return given.roll_back(wanted, asked.dry_run)
    asked.require_none("`branch_only`")
    with given.write() as transaction:
        return going_back.rollback(
            transaction,
            app,
            environment,
            actor=actor.name,
            now=given.now(),
            to=asked.to,
            reason=asked.reason,
            expected=asked.expected,
        )


@router.post("/apps/{app}/environments/{environment}/release", **RECORDED)
def release(app: AppName, environment: EnvironmentName, asked: Asked, given: Given, actor: Operator) -> Recorded:
    """End a hold: carry out again what git says."""
    with given.write() as transaction:
        return releasing.release(
            transaction,
            app,
            environment,
            actor=actor.name,
            now=given.now(),
            reason=asked.reason,
            expected=asked.expected,
        )


@router.post("/commits/{sha}/accept", **RECORDED)
def accept(
    sha: Annotated[str, Path(pattern="^[0-9a-fA-F]{7,64}$", description="The held head, or its beginning")],
    asked: AskedWhy,
    given: Given,
    actor: Operator,
) -> Recorded:
    """Follow a branch that was rewritten."""
    with given.write() as transaction:
        return accepting.accept(transaction, sha, actor=actor.name, now=given.now(), reason=asked.reason)
