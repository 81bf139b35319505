"""What is one environment to release now, and why?

The answer to one app in one environment before it is known what is active there: an ordered cascade, a rung a
rule. What is then done about it (wait, abort, deploy, nothing) is `plan`'s question.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired import Desired, Latest, Tracked
from reconciler.model.deployment import Deployment, Grounds, Subject
from reconciler.model.environment import EnvironmentSpec
from reconciler.model.plan import Lift, Refused, Waiting
from reconciler.model.version import spoken
from reconciler.planner import refusals, rollbacks
from reconciler.planner.answer import Aim, Answer
from reconciler.planner.causes import Why, grounds_of, is_pin, why
from reconciler.planner.gates import Candidate, key_of, passage
from reconciler.planner.joint import ALONE, Back, Joint
from reconciler.planner.promotions import Besides, Found, authors, candidate, entering, find, own, rolling
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp, Suspicion
from reconciler.words import address


def aim(wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec) -> Answer:
    """What this environment is to release now, given what is desired and recorded."""
    if app.complaints:
        return Answer(waiting=(_broken(wanted, app),))
    hit = rollbacks.withdrawal(wanted, app, record)
    if hit and (way := rollbacks.retreat(wanted, app, record, *hit)):
        subject, grounds, words = way
        guarded = rollbacks.guard(subject, wanted, app, record, spec.rollback.limit, hit[0].position)
        if isinstance(guarded, Refused):
            return Answer(refused=(guarded,))
        back_from = hit[1].id
        return Answer(aim=Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=back_from, remarks=guarded))
    joint = app.joint.get(wanted.environment, ALONE)
    together = _with_the_group(joint.back, wanted, app, record, spec) if joint.back else Answer()
    if together.aim is not None:
        return together
    found = find(wanted.choice, wanted, app, record)
    if isinstance(found, Besides):
        return Answer().besides(found)
    base = found if wanted.choice == wanted.base_choice else find(wanted.base_choice, wanted, app, record)
    answer = _towards(wanted, found, base, app, record, spec)
    if not isinstance(wanted.choice, Tracked):
        answer = _gated(answer, wanted, app, record, spec)
    stays = (refusals.nothing_good(wanted, hit[0]),) if hit and found.source is None else ()
    answer = answer.refusing(*stays, *refusals.pinned_to_withdrawn(wanted, found, app))
    answer = answer.besides(found.besides).besides(_experiment(wanted, app, record))
    joined = _joined(answer, joint, wanted, app, record, spec)
    if together.refused:
        joined = replace(joined, refused=(*together.refused, *joined.refused))
    return _beside_a_freeze(joined, wanted, app, record, spec)


def _beside_a_freeze(
    answer: Answer, wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec
) -> Answer:
    """While a freeze may hold back what would enter, seasons still reach what is here."""
    stays = own(record)
    if not wanted.freezes or stays is None or answer.aim is None or answer.aim.urgent:
        return answer
    if not entering(answer.aim.subject.traffic, record, app):
        return answer
    return replace(answer, staying=_staying(stays, wanted, app, record, spec).aim)


def goes_along(goal: Aim, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> bool:
    """Whether a group moves this: new versions that enter by themselves.

    What a person names (a pin, a split, a season's version, another try), settings and ways back go alone.
    """
    by_itself = wanted.chosen_by != "season" and not is_pin(wanted) and goal.why.cause != "retry"
    return by_itself and not goal.urgent and entering(goal.subject.traffic, record, app)


def _joined(
    answer: Answer,
    joint: Joint,
    wanted: Desired,
    app: RecordedApp,
    record: EnvironmentRecord,
    spec: EnvironmentSpec,
) -> Answer:
    """What enters waits for its group, while settings still reach what is here; or it bears the mark of the move."""
    goal = answer.aim
    if joint == ALONE:
        return answer
    if goal is None or not goes_along(goal, wanted, app, record):
        if joint.refused is None:
            return answer
        lost = joint.lost and goal is not None and not goal.urgent and goal.why.cause != "retry"
        return replace(answer, aim=None if lost else goal, refused=(*answer.refused, joint.refused))
    if joint.waiting is None:
        grounds = replace(goal.grounds, move=joint.move, moved_with=joint.moved_with)
        return replace(answer, aim=replace(goal, grounds=grounds))
    active = record.active if record.active and record.active.grounds.chosen_by != "season" else None
    stays = active if active and not active.goes_back else own(record)  # what has begun goes on
    here = _staying(stays, wanted, app, record, spec) if stays else Answer()
    return Answer(
        aim=here.aim,
        waiting=(*here.waiting, *answer.waiting, joint.waiting),
        refused=(*here.refused, *answer.refused),
        checks=answer.checks,
        lift=None if joint.fallen else here.lift,
        wake_at=answer.wake_at,
    )


def _with_the_group(
    back: Back, wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec
) -> Answer:
    """The way back that a group's member goes with another, with today's settings; the same guards stand in it."""
    subject = wanted.subject(back.traffic)
    since = record.touch.position if record.touch else 0
    guarded = rollbacks.guard(subject, wanted, app, record, spec.rollback.limit, since)
    if isinstance(guarded, Refused):
        return Answer(refused=(guarded,))
    grounds = grounds_of(wanted, back.traffic)
    words = Why(
        cause=back.cause,
        reason=back.reason,
        commit=back.commit,
        deployed_by=back.deployed_by,
        reverts=back.reverts,
    )
    return Answer(aim=Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=back.left, remarks=guarded))


def _staying(
    stays: Deployment, wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec
) -> Answer:
    """What is here stays, with today's settings: what would enter waits for something."""
    here = Found(stays.traffic, stays=True)
    return _towards(wanted, here, here, app, record, spec)


def _towards(
    wanted: Desired,
    found: Found,
    base: Found | Besides,
    app: RecordedApp,
    record: EnvironmentRecord,
    spec: EnvironmentSpec,
) -> Answer:
    subject = wanted.subject(found.traffic)
    grounds = grounds_of(wanted, base.traffic if isinstance(base, Found) else ())
    if again := _retry(subject, grounds, app, record):
        return Answer(aim=again)
    if bad := rollbacks.suspicion(subject, wanted, app, record):
        return _instead(wanted, subject, bad, app, record, spec)
    if found.stays and _waits_for_a_person(record, spec):
        return Answer()
    words = why(wanted, found, subject, grounds, app, record)
    guarded: Refused | tuple[str, ...] = ()
    if words.cause == "rollback":
        since = record.touch.position if record.touch else 0
        guarded = rollbacks.guard(subject, wanted, app, record, spec.rollback.limit, since)
    if isinstance(guarded, Refused):
        return Answer(refused=(guarded,))
    if words.cause == "promotion" and found.due_at:
        words = replace(words, due_at=found.due_at)
    left = record.change_from(subject.traffic) if words.cause == "rollback" else None
    back_from = left.id if left else None
    remarks = (*found.remarks, *guarded)
    aim = Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=back_from, remarks=remarks)
    return Answer(aim=aim, lift=_lift(wanted, subject, record))


def _lift(wanted: Desired, subject: Subject, record: EnvironmentRecord) -> Lift | None:
    """A hold ends where git asks for nothing that went wrong here."""
    if record.hold is None:
        return None
    reason = f"git asks for {spoken(subject.traffic)}, and nothing speaks against it here any more"
    return Lift(app=wanted.app, environment=wanted.environment, reason=reason)


def _gated(
    answer: Answer,
    wanted: Desired,
    app: RecordedApp,
    record: EnvironmentRecord,
    spec: EnvironmentSpec,
) -> Answer:
    """What comes from the branch, a pin or a split and enters passes the gates, or what is here stays."""
    goal = answer.aim
    if goal is None or goal.urgent or (wanted.gates is None and wanted.train is None):
        return answer
    if not entering(goal.subject.traffic, record, app):
        return answer
    asked = wanted if isinstance(wanted.choice, Latest) else replace(wanted, train=None)
    through = passage(_from_branch(goal, asked, app, record), asked, app, record)
    if through.passed_at is not None:
        words = replace(goal.why, due_at=through.due_at) if through.due_at else goal.why
        passed = replace(goal, remarks=(*goal.remarks, *through.remarks), why=words)
        return replace(answer, aim=passed, checks=through.checks)
    stays = rolling(record, app) or own(record)
    if stays is None:
        return replace(answer, aim=None, lift=None).besides(through)
    return _staying(stays, wanted, app, record, spec).besides(through)


def _from_branch(goal: Aim, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Candidate:
    latest = isinstance(wanted.choice, Latest)
    touch = app.content_touch if latest else record.touch
    writers = authors(goal.subject.traffic, app)
    if not latest and touch is not None:
        writers |= {address(touch.author)}
    return Candidate(
        traffic=goal.subject.traffic,
        key=key_of(goal.subject.traffic, wanted),
        ready_at=touch.at if touch else wanted.at,
        source=None,
        authors=writers,
    )


def _experiment(wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Besides:
    """Promotions wait while an experiment holds the split."""
    follows = wanted.follows
    if wanted.experiment_until is None or not isinstance(follows, Tracked):
        return Besides()
    over = wanted.experiment_until <= wanted.at
    upstream = app.environments.get(follows.environment)
    ready = candidate(upstream, app) if upstream else None
    if ready is None or not entering(ready.traffic, record, app):
        return Besides()
    state = "is over and the control runs alone" if over else "is to end"
    detail = f"{spoken(ready.traffic)} waits, since an experiment {state}: commit the winner in place of it"
    waiting = Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for="experiment",
        until=None if over else wanted.experiment_until,
        detail=detail,
    )
    return Besides(waiting=(waiting,))


def _instead(
    wanted: Desired,
    subject: Subject,
    bad: Suspicion,
    app: RecordedApp,
    record: EnvironmentRecord,
    spec: EnvironmentSpec,
) -> Answer:
    """What runs while the wanted subject is suspect here: what a person holds it at, else the last good one."""
    settled, hold = record.settled, record.hold
    refused = (refusals.suspect(wanted, subject, bad, record, held=bool(hold and hold.traffic)),)
    if hold is not None and hold.traffic:
        return _held(wanted, app, record, spec, refused)
    if again := _way_back_again(wanted, app, record):
        return Answer(aim=again, refused=refused)
    if settled is None or (settled.status == "aborted" and not settled.left_a_mixture):
        return Answer(refused=refused)
    if _waits_for_a_person(record, spec) or (settled.status == "failed" and rollbacks.goes_nowhere(settled)):
        return Answer(refused=refused)
    good = rollbacks.last_good(wanted, app, record, subject if settled.status == "completed" else settled.subject)
    if good is None:
        return Answer(refused=refused)
    stand_in, grounds = good
    guarded: Refused | tuple[str, ...] = ()
    if settled.status != "completed":
        guarded = rollbacks.guard(stand_in, wanted, app, record, spec.rollback.limit, settled)
    if isinstance(guarded, Refused):
        return Answer(refused=(*refused, guarded))
    left = _left(record, stand_in)
    words = (
        rollbacks.after_failure(left, stand_in)
        if left
        else why(wanted, Found(stand_in.traffic), stand_in, grounds, app, record)
    )
    aim = Aim(
        subject=stand_in,
        grounds=grounds,
        why=words,
        rolled_back_from=left.id if left else None,
        remarks=guarded,
    )
    return Answer(aim=aim, refused=refused)


def _waits_for_a_person(record: EnvironmentRecord, spec: EnvironmentSpec) -> bool:
    """Whether something failed where nothing goes back by itself: what is there stays as it is."""
    settled = record.settled
    if settled is None or settled.status != "failed" or rollbacks.goes_nowhere(settled):
        return False
    return spec.on_failure == "hold"


def _left(record: EnvironmentRecord, stand_in: Subject) -> Deployment | None:
    """The deployment that went wrong and is left for `stand_in`, if it is not only settings that change."""
    settled, active = record.settled, record.active
    if settled is not None and settled.status != "completed":
        return settled
    return active if active is not None and active.traffic != stand_in.traffic else None


def _way_back_again(wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Aim | None:
    """A way back that failed is gone again because a person asks for it."""
    settled = record.settled
    if settled is None or settled.status != "failed" or not settled.goes_back:
        return None
    return _retry(settled.subject, grounds_of(wanted, settled.traffic), app, record)


def _held(
    wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec, refused: tuple[Refused, ...]
) -> Answer:
    """What a person went back to runs, with today's settings."""
    hold = record.hold
    assert hold is not None
    subject = wanted.subject(hold.traffic)
    grounds = replace(grounds_of(wanted, hold.traffic), held_by=hold.by)
    if again := _retry(subject, grounds, app, record):
        return Answer(aim=again, refused=refused)
    if bad := record.suspicions.get(subject.fingerprint):  # going back went wrong too: a person is needed
        return Answer(refused=(*refused, refusals.suspect(wanted, subject, bad, record)))
    before = record.change_from(hold.traffic)
    if before is not None and before.traffic == hold.traffic:
        words = why(wanted, Found(hold.traffic), subject, grounds, app, record)
        return Answer(aim=Aim(subject=subject, grounds=grounds, why=words), refused=refused)
    words = Why(
        cause="rollback",
        reason=f"{hold.by} rolled it back to {spoken(hold.traffic)}: {hold.reason}",
        commit=before.commit if before else None,
        deployed_by=hold.by,
    )
    # The guards have been asked before the hold began: here it is only told by whose word they were passed.
    passed = rollbacks.guard(subject, wanted, app, record, spec.rollback.limit, before or 0)
    aim = Aim(
        subject=subject,
        grounds=grounds,
        why=words,
        rolled_back_from=hold.deployment,
        remarks=() if isinstance(passed, Refused) else passed,
    )
    return Answer(aim=aim, refused=refused)


def _retry(subject: Subject, grounds: Grounds, app: RecordedApp, record: EnvironmentRecord) -> Aim | None:
    """What a person asks to be tried again, if it is this; a way back stays one."""
    if not app.retries:
        return None
    asked = {request.deployment: request for request in app.retries}
    for deployment in record.recent:
        request = asked.get(deployment.id)
        if request and deployment.subject.same_as(subject):
            reason = f"{request.actor} asked to try deployment {deployment.number} again: {spoken(subject.traffic)}"
            words = Why(cause="retry", reason=reason, commit=deployment.commit, deployed_by=request.actor)
            left = deployment.rolled_back_from if deployment.goes_back else None
            return Aim(subject=subject, grounds=grounds, why=words, rolled_back_from=left)
    return None


def _broken(wanted: Desired, app: RecordedApp) -> Waiting:
    return Waiting(
        app=wanted.app,
        environment=wanted.environment,
        waits_for="manifest",
        detail=f"{app.complaints[0]}; stays as it is until the file is mended",
    )
