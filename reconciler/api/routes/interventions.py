"""What may be asked for over HTTP: the same as on the command line, recorded for whoever leads to act on.

Each answers 202 with what was recorded. `expected` is the id of the deployment that was looked at, or four or more of
its first digits (`none` where there was none): where something else stands there by now, nothing is recorded, and the
answer is 409. A held head is named by its own id, so that is all that is expected of it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from reconciler.api.access import Actor, Approver, Operator
from reconciler.api.asked import Moment, moment_to_come
from reconciler.api.context import Context, context
from reconciler.api.problems import Refused
from reconciler.model.report import Promotion, PromotionAsked
from reconciler.model.shape import PROSE_PATTERN, Flag, Name, Text, Told, shape
from reconciler.model.wish import Recorded
from reconciler.wishes import accepting, approving, going_back, pausing, releasing, stopping
from reconciler.wishes.saying import LONGEST_REASON

router = APIRouter(tags=["interventions"])
Given = Annotated[Context, Depends(context)]
AppName = Annotated[Name, Path(description="The name of an app")]
EnvironmentName = Annotated[Name, Path(description="The name of an environment")]
DeploymentId = Annotated[str, Path(pattern="^[0-9a-fA-F]{1,64}$", description="An id, or the beginning of one")]
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
class AskedWithReason:
    """Why, and what was looked at. The reason is required."""

    reason: RequiredWhy
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
class Pause:
    """Nothing new starts until a moment."""

    reason: RequiredWhy
    until: Moment
    """An instant with an offset, or a length of time from now such as `2h`."""
    environment: Name | None = None
    """In this one alone; else in every one."""
    expected: Expected = None


@shape
class Resume:
    """Where a pause ends, and why."""

    environment: Name | None = None
    reason: Why = ""
    expected: Expected = None


@shape
class Rollback:
    """Where to go back to, and why."""

    to: Text | None = None
    """A version by name, v12, a digest or commit:SHA; by default what ran well before."""
    reason: Why = ""
    expected: Expected = None


@shape
class Promote:
    """Which version an environment is to run, from when on."""

    version: Text | None = None
    """By name, v12, a digest or commit:SHA; by default what completed in the environment that this one follows."""
    at: Told | None = None
    reason: Why = ""
    allow_suspect: Flag = False
    """Even a version that went wrong there."""
    allow_rollback: Flag = False
    """Even past a guard that speaks against going back."""
    dry_run: Flag = False
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
def abort(id: DeploymentId, asked: AskedWithReason, given: Given, actor: Operator) -> Recorded:
    """Stop a deployment that is still to end; no automation begins it again."""
    with given.write() as transaction:
        return stopping.abort(
            transaction, id, reason=asked.reason, actor=actor.name, now=given.now(), expected=asked.expected
        )


@router.post("/deployments/{id}/retry", **RECORDED)
def retry(id: DeploymentId, asked: Asked, given: Given, actor: Operator) -> Recorded:
    """Try a failed or aborted deployment again, or run the checks again that failed at the gate with this id."""
    with given.write() as transaction:
        return stopping.retry(
            transaction, id, actor=actor.name, now=given.now(), reason=asked.reason, expected=asked.expected
        )


@router.post("/apps/{app}/pause", **RECORDED)
def pause(app: AppName, asked: Pause, given: Given, actor: Operator) -> Recorded:
    """Start nothing new for an app until a moment; rollbacks pass."""
    now = given.now()
    with given.write() as transaction:
        return pausing.pause(
            transaction,
            app,
            asked.environment,
            reason=asked.reason,
            until=moment_to_come(asked.until, now),
            actor=actor.name,
            now=now,
            expected=asked.expected,
        )


@router.post("/apps/{app}/resume", **RECORDED)
def resume(app: AppName, asked: Resume, given: Given, actor: Operator) -> Recorded:
    """End the pauses of an app."""
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


@router.post("/apps/{app}/environments/{environment}/rollback", **RECORDED)
def rollback(app: AppName, environment: EnvironmentName, asked: Rollback, given: Given, actor: Operator) -> Recorded:
    """Go back now, hold the environment there, and write the commit onto a branch that makes git say the same."""
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


@router.post("/apps/{app}/environments/{environment}/promote", **RECORDED)
def promote(app: AppName, environment: EnvironmentName, asked: Promote, given: Given, actor: Operator) -> Promotion:
    """Write the commit that lets an environment run a version, onto a branch, ready for a pull request.

    With `dry_run` nothing is written: what is answered tells what would be, and which commits come along.
    """
    wanted = PromotionAsked(
        app=app,
        environment=environment,
        version=asked.version,
        at=asked.at,
        actor=actor.name,
        reason=asked.reason,
        allow_suspect=asked.allow_suspect,
        allow_rollback=asked.allow_rollback,
        expected=asked.expected,
    )
    return given.promote(wanted, asked.dry_run)


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
