"""How did a deployment fare, and what is recorded of it?

A target's answer becomes exactly one of: completed, another attempt at a moment, failed, aborted. Runs inside a
cycle's transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row

from reconciler.engine import rolling
from reconciler.engine.carry import EDGES, by_person
from reconciler.engine.holding import hold_failed
from reconciler.model.environment import Environment, EnvironmentSpec
from reconciler.model.rollout import progress_of
from reconciler.model.version import label
from reconciler.planner import rollouts
from reconciler.planner.gates import failed_but_reported, filed_under
from reconciler.schedule import backoff
from reconciler.store import deployments, due, gates, interventions, suspicions, triggers
from reconciler.store.database import Transaction
from reconciler.store.rows import deployment_of
from reconciler.targets.checks import CheckResult

PATIENCE = timedelta(days=1)
"""How long a target may go on saying `try again later` before that counts as a failure."""
LONGEST_PUT_OFF = timedelta(minutes=5)
"""It is asked again after as long as it has been put off already, and at least after this."""
CHECK_PAUSE, LONGEST_CHECK_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
"""A check that could not tell is asked again after as long as it has been asked already, within these bounds."""

RECENT = 50
"""Deployments of an environment among which the one is looked for that a check of its gate was about."""

Kind = Literal["completed", "later", "failed", "person", "aborted", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a target answered about one attempt."""

    deployment: str
    kind: Kind
    message: str = ""
    output: tuple[str, ...] = ()
    checked: tuple[CheckResult, ...] = ()
    """The checks of a rollout's step that ended with it."""
    stage: str | None = None
    """Which stage of a rollout it is about."""
    fence: int | None = None
    """As what it was handed out; None: whoever answers is the only one who can."""
    ours: bool = False
    """Whether this daemon's own place hindered it, so that another daemon may do better."""


Gate = tuple[str, str, str]
"""App, environment and the key of what is to enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """How a check of a gate ended."""

    app: str
    environment: str
    key: str
    result: CheckResult

    @property
    def gate(self) -> Gate:
        """The gate that it belongs to."""
        return self.app, self.environment, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersOutcome:
    """What a target answered about trigger settings; `error` None means that it has them."""

    app: str
    environment: str
    digest: str | None
    fence: int
    """As what they were handed out."""
    error: str | None = None
    later: bool = False
    """Whether the target only asked for time."""

    @property
    def refused(self) -> bool:
        """Whether the target did not take them."""
        return self.error is not None and not self.later


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What a success ends, as it stood before the outcomes of a turn were noted."""

    suspected: set[str]
    """Apps of which something is suspect."""
    to_stop: set[str | None]
    """Deployments that a person asked to stop."""


def note_outcomes(
    transaction: Transaction, outcomes: Sequence[Outcome], environments: Mapping[str, Environment], now: datetime
) -> None:
    """Record how attempts ended, and mark for planning whatever that can concern."""
    connection = transaction.connection
    if not outcomes:
        return
    rows = deployments.by_ids(connection, list({one.deployment for one in outcomes}))
    # Mostly nothing is suspect, and nobody has asked to stop anything: told for all at once.
    past = _Past(
        suspected=suspicions.apps(connection, [row.app for row in rows.values()]) if rows else set(),
        to_stop={wish.subject for wish in interventions.open_of(connection, "abort")},
    )
    ended: set[str] = set()
    for outcome in outcomes:
        # A second answer to the same finds what the first one has made of it.
        row = rows.pop(outcome.deployment, None) or deployments.by_ids(connection, [outcome.deployment]).get(
            outcome.deployment
        )
        if row is not None and _note(transaction, row, outcome, past, environments, now):
            ended.add(row.app)
    due.mark_with_dependents(transaction, ended, now)


def _note(
    transaction: Transaction,
    row: Row[Any],
    outcome: Outcome,
    past: _Past,
    environments: Mapping[str, Environment],
    now: datetime,
) -> bool:
    """Record how an attempt ended; False when this answer counts no more."""
    if row.status != "started" or row.next_attempt_at is not None or rolling.is_old(row, outcome.stage):
        return False  # this answer has been recorded before
    if outcome.fence is not None and outcome.fence != row.fence:
        return False  # it was handed out anew meanwhile: that one answers
    _keep_output(transaction, row, outcome, now)
    _keep_checks(transaction, row, outcome, now)
    spec = environments[row.environment].spec if row.environment in environments else EnvironmentSpec()
    _settle(transaction, row, outcome, past, spec, now)
    return True


def _settle(
    transaction: Transaction, row: Row[Any], outcome: Outcome, past: _Past, spec: EnvironmentSpec, now: datetime
) -> None:
    if outcome.kind == "completed" and row.abort_reason is None and rolling.go_on(transaction, row, outcome.stage, now):
        return
    if outcome.kind == "completed" and not _stops_on_its_way(row, now):
        deployments.move(transaction, row, "completed", now, outcome.message)
        if row.app in past.suspected:
            subject = deployment_of(row).subject
            suspected = [subject.fingerprint, *(part.version for part in subject.traffic)]
            suspicions.clear(transaction, row.app, row.environment, suspected)
        if row.id in past.to_stop:
            interventions.finish(transaction, "abort", row.id, now, "it had completed by then")
        if not row.traffic:
            triggers.forget(transaction, row.app, row.environment)
    elif row.abort_reason is not None or outcome.kind == "superseded":
        deployments.move(transaction, row, "aborted", now, row.abort_reason or outcome.message)
        by_person(transaction, row, now, row.abort_reason or outcome.message)
    elif outcome.kind in ("later", "aborted") and now - rolling.since(row) < PATIENCE:  # nobody asked it to stop
        waited = min(now - rolling.since(row), LONGEST_PUT_OFF)
        again = now + max(backoff(spec.retry.backoff, row.attempts + 1), waited)
        deployments.put_off(transaction, row, now, again, outcome.message, counted=False)
    elif outcome.kind != "person" and not outcome.checked and row.attempts < spec.retry.limit:
        again = now + backoff(spec.retry.backoff, row.attempts + 1)
        deployments.put_off(transaction, row, now, again, outcome.message, counted=True)
    else:
        _fail(transaction, row, outcome, spec, now)


def _fail(transaction: Transaction, row: Row[Any], outcome: Outcome, spec: EnvironmentSpec, now: datetime) -> None:
    deployments.move(transaction, row, "failed", now, outcome.message)
    failed = deployment_of(row)
    before = [d for d in deployments.recent(transaction.connection, [row.app], 1) if d.environment == row.environment]
    good = {part.version for d in before if d.status == "completed" for part in d.traffic}
    fresh = [part.version for part in failed.traffic if part.version not in good]
    # Going back to a version that worked says nothing against that version: only this very step is not repeated.
    blamed = [] if failed.goes_back else fresh
    suspicions.note(transaction, failed, failed.subject, blamed, now, "failed")
    if spec.on_failure == "hold":
        ran_before = any(d.status == "completed" and d.traffic for d in before)
        hold_failed(transaction, failed, fresh, now, ran_before=ran_before)


def _keep_output(transaction: Transaction, row: Row[Any], outcome: Outcome, now: datetime) -> None:
    for text in outcome.output:
        transaction.note(
            "deployment.output",
            now,
            {"number": row.number, "message": text},
            app=row.app,
            environment=row.environment,
            subject=row.id,
        )


def _stops_on_its_way(row: Row[Any], now: datetime) -> bool:
    """Whether what was told to stop still had steps to go: then it has not become complete."""
    progress = progress_of(row.rollout)
    return row.abort_reason is not None and progress is not None and rollouts.follows(progress, now) is not None


def _keep_checks(transaction: Transaction, row: Row[Any], outcome: Outcome, now: datetime) -> None:
    for one in outcome.checked:
        deployments.tell(transaction, row, "check", now, f"{one.name}: {one.verdict}, {one.message}")
        if one.output:
            deployments.tell(transaction, row, "output", now, one.output)


def note_check(transaction: Transaction, outcome: CheckOutcome, now: datetime) -> None:
    """Record how a check of a gate ended. One that was stopped is run again by the next start."""
    here, result = outcome.gate, outcome.result
    if result.verdict == "stopped":
        return
    if result.verdict == "later":
        waited = now - (gates.asked_for(transaction.connection, *here, result.name) or now)
        if waited < PATIENCE:
            pause = min(max(waited, CHECK_PAUSE), LONGEST_CHECK_PAUSE)
            gates.ask_again(transaction, *here, result.name, pause, now)
            due.mark(transaction, [outcome.app], now)  # a newer one may be checked meanwhile
            return
        result = replace(result, verdict="failed", message=f"{result.message}, and did not for a day")
    verdict: gates.Verdict = "passed" if result.verdict == "passed" else "failed"
    asked_at = gates.asked_for(transaction.connection, *here, result.name)
    if gates.ended(transaction, *here, result.name, verdict, result.message, result.output, now):
        due.mark(transaction, [outcome.app], now)
        if verdict == "failed" and asked_at is not None:
            _remark(transaction, outcome, result.message, asked_at, now)


def _remark(transaction: Transaction, outcome: CheckOutcome, message: str, asked_at: datetime, now: datetime) -> None:
    """Note with a deployment that a check failed which has not held it back, since it was only to be reported.

    What enters later is told by the gates themselves. A check that holds back lets in nothing that it was asked
    about, so what was made since then has entered past one that does not.
    """
    found = [
        one
        for one in deployments.recent(transaction.connection, [outcome.app], RECENT)
        if one.environment == outcome.environment and one.created_at >= asked_at and one.cause not in EDGES
        if filed_under(one.app, one.environment, one.grounds.base) == outcome.key
    ]
    if not found:
        return
    entered = max(found, key=lambda one: one.number)
    said = ", ".join(label(part.number, part.name) for part in entered.traffic)
    body = {"number": entered.number, "message": failed_but_reported(outcome.result.name, said, message)}
    where = {"app": outcome.app, "environment": outcome.environment}
    transaction.note("deployment.remark", now, body, subject=entered.id, **where)


def note_triggers(transaction: Transaction, outcome: TriggersOutcome, now: datetime) -> bool:
    """Record whether a target took its trigger settings; whether that counts any more."""
    where = (outcome.app, outcome.environment)
    due.mark(transaction, [outcome.app], now)
    return triggers.answered(
        transaction, *where, outcome.digest, outcome.error, now, fence=outcome.fence, later=outcome.later
    )
