"""What is one environment to release now, and why?

The answer to one app in one environment before it is known what is active there: an ordered cascade, a rung a
rule. What is then done about it (wait, abort, deploy, nothing) is `plan`'s question.
"""

from dataclasses import dataclass, replace

from reconciler.desired import Desired
from reconciler.model.deployment import Grounds, Subject
from reconciler.model.environment import EnvironmentSpec
from reconciler.model.plan import Refused, Waiting
from reconciler.planner import rollbacks
from reconciler.planner.causes import Why, grounds_of, is_pin, spoken, why
from reconciler.planner.promotions import Found, find
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp, Suspicion, Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to run here, and the words for getting there."""

    subject: Subject
    grounds: Grounds
    why: Why
    rolled_back_from: str | None = None

    @property
    def urgent(self) -> bool:
        """Going back waits for nothing."""
        return self.why.cause in ("rollback", "auto-rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """At most one aim, and what is to be said besides."""

    aim: Aim | None = None
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()


def aim(wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec) -> Answer:
    """What this environment is to release now, given what is desired and recorded."""
    if app.complaints:
        return Answer(waiting=(_broken(wanted, app),))
    hit = rollbacks.withdrawal(wanted, app, record)
    if hit and (way := rollbacks.retreat(wanted, app, record, *hit)):
        subject, grounds, words = way
        if far := rollbacks.too_far(subject, wanted, record, spec.rollback.limit):
            return Answer(refused=(far,))
        return Answer(aim=Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=hit[1].id))
    found = find(wanted.choice, wanted, app, record)
    if isinstance(found, Waiting):
        return Answer(waiting=(found,))
    if isinstance(found, Refused):
        return Answer(refused=(found,))
    base = found if wanted.choice == wanted.base_choice else find(wanted.base_choice, wanted, app, record)
    answer = _towards(wanted, found, base, app, record, spec)
    stays = (_nothing_good(wanted, hit[0]),) if hit and found.source is None else ()
    return replace(answer, refused=(*answer.refused, *stays, *_pinned_to_withdrawn(wanted, found, app)))


def _towards(
    wanted: Desired,
    found: Found,
    base: Found | Waiting | Refused,
    app: RecordedApp,
    record: EnvironmentRecord,
    spec: EnvironmentSpec,
) -> Answer:
    subject = Subject(traffic=found.traffic, config=dict(wanted.config))
    base_traffic = base.traffic if isinstance(base, Found) else ()
    grounds = grounds_of(wanted, Subject(traffic=base_traffic, config=dict(wanted.base_config)))
    if again := _retry(subject, app, record):
        return Answer(aim=Aim(subject=subject, grounds=grounds, why=again))
    if bad := rollbacks.suspicion(subject, wanted, app, record):
        return _instead(wanted, subject, bad, app, record, spec.on_failure)
    words = why(wanted, found, subject, grounds, app, record)
    if words.cause == "rollback" and (far := rollbacks.too_far(subject, wanted, record, spec.rollback.limit)):
        return Answer(refused=(far,))
    back_from = record.reached.id if words.cause == "rollback" and record.reached else None
    return Answer(aim=Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=back_from))


def _instead(
    wanted: Desired,
    subject: Subject,
    bad: Suspicion,
    app: RecordedApp,
    record: EnvironmentRecord,
    on_failure: str,
) -> Answer:
    """What runs while the wanted subject is suspect here: the last good one, with today's settings."""
    refused = (_suspect(wanted, subject, bad),)
    settled = record.settled
    if settled is None or settled.status == "aborted":
        return Answer(refused=refused)
    if settled.status == "failed" and (on_failure != "rollback" or rollbacks.is_rollback(settled)):
        return Answer(refused=refused)
    good = rollbacks.last_good(wanted, app, record, settled.subject if settled.status == "failed" else subject)
    if good is None:
        return Answer(refused=refused)
    stand_in, grounds = good
    if settled.status == "failed":
        words, back_from = rollbacks.after_failure(settled, stand_in), settled.id
    else:
        words, back_from = why(wanted, Found(stand_in.traffic), stand_in, grounds, app, record), None
    return Answer(aim=Aim(subject=stand_in, grounds=grounds, why=words, rolled_back_from=back_from), refused=refused)


def _retry(subject: Subject, app: RecordedApp, record: EnvironmentRecord) -> Why | None:
    asked = {request.deployment: request for request in app.retries}
    for deployment in record.recent:
        request = asked.get(deployment.id)
        if request and deployment.subject.fingerprint == subject.fingerprint:
            reason = f"{request.actor} asked to try deployment {deployment.number} again: {spoken(subject.traffic)}"
            return Why(cause="retry", reason=reason, commit=deployment.commit, deployed_by=request.actor)
    return None


def _broken(wanted: Desired, app: RecordedApp) -> Waiting:
    return Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for="manifest",
        detail=f"{app.complaints[0]}; stays as it is until the file is mended",
    )


def _suspect(wanted: Desired, subject: Subject, bad: Suspicion) -> Refused:
    return Refused(
        app=wanted.app,
        environment=wanted.environment,
        rule="suspect",
        detail=f"{spoken(subject.traffic)} {bad.why} here (deployment {bad.number}, {bad.deployment}): commit a fix, "
        f"or `reconciler retry {bad.deployment}`, or a commit with `Allow-Suspect: {wanted.app}/{wanted.environment}`",
    )


def _nothing_good(wanted: Desired, taken_back: Withdrawal) -> Refused:
    return Refused(
        app=wanted.app,
        environment=wanted.environment,
        rule="withdrawn",
        detail=f"{taken_back.commit[:10]} reverts {taken_back.reverts[:10]}, and nothing without it ran here before: "
        f"it stays until something else is promoted to {wanted.environment}",
    )


def _pinned_to_withdrawn(wanted: Desired, found: Found, app: RecordedApp) -> tuple[Refused, ...]:
    if not is_pin(wanted):
        return ()
    taken_back = [app.withdrawn[part.version] for part in found.traffic if part.version in app.withdrawn]
    return tuple(
        Refused(
            app=wanted.app,
            environment=wanted.environment,
            rule="withdrawn",
            detail=f"pinned to {spoken(found.traffic)}, which {one.commit[:10]} took back by reverting "
            f"{one.reverts[:10]}: it stays, since the pin was written by hand; move the pin to leave it",
        )
        for one in taken_back
    )
