"""What is to be done about one app now?

Every environment ends in exactly one bucket: in sync, an action, something it waits for, or a refusal. Planning
again after the actions were carried out gives no action.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.desired import Desired, earliest
from reconciler.model.app import App
from reconciler.model.deployment import Cause, Deployment, Grounds, Subject
from reconciler.model.environment import Environment
from reconciler.model.plan import Abort, Action, Advance, Deploy, Plan, Waiting, together
from reconciler.model.rollout import Course
from reconciler.model.version import spoken
from reconciler.planner import brakes, freezes, repairs, rollouts, triggers
from reconciler.planner.aim import aim
from reconciler.planner.answer import Aim, Answer
from reconciler.planner.causes import RECONCILER, Why
from reconciler.planner.gates import is_hotfix
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp


def plan(
    app: App | None,
    desired: Mapping[str, Desired],
    environments: Mapping[str, Environment],
    recorded: RecordedApp,
    now: datetime,
) -> Plan:
    """The plan of one app in all its environments at `now` (UTC). `app` is None once it has left git."""
    names = sorted({*desired, *recorded.environments})
    plans = {
        name: _environment(app, desired.get(name), environments.get(name), recorded, recorded.record(name), now)
        for name in names
    }
    found = together(plans.values())
    return replace(found, unbraked=brakes.nothing_left(plans, desired, recorded)) if recorded.brakes else found


def _environment(
    app: App | None,
    wanted: Desired | None,
    environment: Environment | None,
    recorded: RecordedApp,
    record: EnvironmentRecord,
    now: datetime,
) -> Plan:
    if stop := _asked_to_stop(recorded, record):
        return Plan(actions=(stop,))
    if wanted is None or app is None or environment is None:
        answer = _retirement(recorded, record, environment)
        active, goal = record.active, answer.aim
        retires = active is not None and goal is not None and goal.subject.same_as(active.subject)
        if active and _idle(active) and not active.rolling and not retires:
            return Plan(actions=(_abort(active, "it left git before its turn came"),))
    else:
        answer = _beneath_freeze(aim(wanted, recorded, record, environment.spec), wanted, recorded, record)
    done = _reconcile(answer, wanted, recorded, record, now)
    step, halted = _next_step(wanted, recorded, record, done, now)
    waiting = (*done.waiting, *halted)
    handed = triggers.due(app, wanted, recorded, record)
    wakes = [
        wanted.next_edge if wanted else None,
        record.active.next_attempt_at if record.active else None,
        record.active.rollout.until if record.active and record.active.rollout else None,
        record.triggers.retry_at if record.triggers else None,
        answer.wake_at,
        *(item.until for item in waiting),
    ]
    besides = [action for action in (answer.checks, answer.lift) if action is not None]
    return Plan(
        actions=(*done.actions, *step, *handed, *besides),
        waiting=waiting,
        refused=done.refused,
        wake_at=earliest([moment for moment in wakes if moment and moment > now]),
    )


def _asked_to_stop(recorded: RecordedApp, record: EnvironmentRecord) -> Abort | None:
    active = record.active
    request = next((r for r in recorded.aborts if active and r.deployment == active.id), None)
    if active is None or request is None:
        return None
    why = f": {request.reason}" if request.reason else ""
    return _abort(active, f"{request.actor} asked to stop it{why}", request.actor)


def _idle(active: Deployment) -> bool:
    """Nothing of it runs at this moment: it waits for its turn, for its next attempt, or between two steps."""
    return active.status == "pending" or active.next_attempt_at is not None or active.resting


def _abort(active: Deployment, reason: str, actor: str = RECONCILER) -> Abort:
    return Abort(
        app=active.app,
        environment=active.environment,
        deployment=active.id,
        running=not _idle(active),
        reason=reason,
        actor=actor,
    )


def _retirement(recorded: RecordedApp, record: EnvironmentRecord, environment: Environment | None) -> Answer:
    """What left git stays as it is, unless its environment prunes."""
    running = record.running
    if recorded.complaints or running is None or not running.traffic or not (environment and environment.spec.prune):
        return Answer()
    touch = record.touch or recorded.content_touch
    reason = f"{touch.commit[:10]} removed it from git" if touch else "it left git"
    back = touch is not None and touch.look == "reverted"
    words = Why(
        cause="rollback" if back else "release",
        reason=f"{reason}, and {record.environment} prunes",
        commit=touch.commit if touch else None,
        deployed_by=touch.author if touch else RECONCILER,
        reverts=touch.reverts if touch else (),
    )
    nothing = Subject(traffic=())
    return Answer(aim=Aim(subject=nothing, grounds=Grounds(base=nothing.fingerprint), why=words))


def _reconcile(
    answer: Answer, wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord, now: datetime
) -> Plan:
    """The aim against what is active and what ran last."""
    active, goal = record.active, answer.aim
    if active is None:
        return _against_settled(goal, answer, wanted, recorded, record, now, uncertain=False)
    if goal is None or goal.subject.same_as(active.subject):
        if stopped := _before_its_turn(active, wanted, recorded, record, now):
            early = _abort(active, f"its turn had not come yet: {stopped.detail}")
            return Plan(actions=(early,), waiting=(*answer.waiting, stopped), refused=answer.refused)
        return Plan(waiting=(*answer.waiting, *_rolling(active), *_next_attempt(active)), refused=answer.refused)
    if active.rolling and not goal.urgent:
        behind = rollouts.waiting(active, spoken(goal.subject.traffic))
        return Plan(waiting=(*answer.waiting, behind, *_next_attempt(active)), refused=answer.refused)
    if _idle(active):
        superseded = _abort(active, f"superseded: {goal.why.reason}")
        rest = _against_settled(goal, answer, wanted, recorded, record, now, uncertain=active.status == "started")
        if active.rollout is not None and active.status == "started" and not rest.actions:
            return replace(rest, waiting=(*rest.waiting, *_next_attempt(active)))
        return Plan(actions=(superseded, *rest.actions), waiting=rest.waiting, refused=rest.refused)
    if goal.urgent:
        stop = _abort(active, goal.why.reason)
        return Plan(actions=(stop,), waiting=(*answer.waiting, _running(active)), refused=answer.refused)
    return Plan(waiting=(*answer.waiting, _running(active)), refused=answer.refused)


def _rolling(active: Deployment) -> tuple[Waiting, ...]:
    """How far a rollout has come."""
    return (rollouts.waiting(active),) if active.rolling else ()


def _next_step(
    wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord, done: Plan, now: datetime
) -> tuple[tuple[Action, ...], tuple[Waiting, ...]]:
    """A rollout whose moment has come goes on; in a pause it stays at its step. To go on watching needs no leave."""
    active = record.active
    if active is None or not rollouts.is_due(active, now) or any(isinstance(one, Abort) for one in done.actions):
        return (), ()
    progress = active.rollout
    paused = _paused(wanted, recorded, record, now)
    if paused is not None and progress is not None and progress.phase == "holding":
        return (), (replace(paused, detail=f"{paused.detail}; {rollouts.said(active)}"),)
    going_on = Advance(
        app=active.app, environment=active.environment, deployment=active.id, reason=rollouts.said(active)
    )
    return (going_on,), ()


def _before_its_turn(
    active: Deployment, wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord, now: datetime
) -> Waiting | None:
    """What began to hold while a deployment waited for its turn: starts are held back, running work finishes."""
    if active.status != "pending" or active.goes_back:
        return None
    frozen, _ = _frozen(active.subject, active.cause, active.commit, wanted, recorded, record)
    return _paused(wanted, recorded, record, now) or frozen


def _against_settled(
    goal: Aim | None,
    answer: Answer,
    wanted: Desired | None,
    recorded: RecordedApp,
    record: EnvironmentRecord,
    now: datetime,
    *,
    uncertain: bool,
) -> Plan:
    said = Plan(waiting=answer.waiting, refused=answer.refused)
    settled = record.settled
    if goal is None or (not uncertain and settled is not None and _same(settled, goal)):
        goal, rests = repairs.again(answer, wanted, recorded, record, now)
        if goal is None:
            return replace(said, waiting=(*said.waiting, *rests))
    if settled is not None and _elsewhere(settled, goal) and settled.subject.same_as(goal.subject):
        goal = _moved(goal, record)
    # What has never been here is added, not changed. A store that was made anew may only not have found what is here.
    if not goal.urgent and (settled is not None or record.recent) and (brake := brakes.holding(goal, recorded, record)):
        return Plan(waiting=answer.waiting, refused=(*answer.refused, brakes.refused(brake, recorded, record)))
    held = None if goal.urgent else _paused(wanted, recorded, record, now) or _dependency(recorded, record)
    under = None if goal.urgent else wanted
    frozen, remark = _frozen(goal.subject, goal.why.cause, goal.why.commit, under, recorded, record)
    # A freeze holds it back as well while something else does, and has since it began.
    if stops := [one for one in (held, frozen) if one is not None]:
        return Plan(waiting=(*answer.waiting, *stops), refused=answer.refused)
    deploy = Deploy(
        app=recorded.app,
        environment=record.environment,
        cause=goal.why.cause,
        subject=goal.subject,
        reason=goal.why.reason,
        commit=goal.why.commit,
        deployed_by=goal.why.deployed_by,
        reverts=goal.why.reverts,
        rolled_back_from=goal.rolled_back_from,
        grounds=goal.grounds,
        due_at=goal.why.due_at,
        remarks=(*goal.remarks, *remark),
        rollout=_course(goal, wanted, record),
    )
    return Plan(actions=(deploy,), waiting=answer.waiting, refused=answer.refused)


def _course(goal: Aim, wanted: Desired | None, record: EnvironmentRecord) -> Course | None:
    """The steps to the aim from what completed last, if that runs where the aim is to run."""
    before = record.running
    if before is not None and _elsewhere(before, goal):
        before = None
    return rollouts.course(wanted.rollout if wanted and not goal.urgent else None, goal.subject, goal.why.cause, before)


def _same(settled: Deployment, goal: Aim) -> bool:
    there = settled.status == "completed" and not _elsewhere(settled, goal)
    return there and settled.subject.same_as(goal.subject)


def _elsewhere(settled: Deployment, goal: Aim) -> bool:
    """Whether the environment's target has changed since: what runs in the old place does not run in the new one."""
    return bool(settled.traffic and settled.grounds.target and goal.grounds.target != settled.grounds.target)


def _moved(goal: Aim, record: EnvironmentRecord) -> Aim:
    touch = record.touch
    words = Why(
        cause="release",
        reason=f"the target of {record.environment} changed: {spoken(goal.subject.traffic)} runs there now",
        commit=touch.commit if touch else goal.why.commit,
        deployed_by=touch.author if touch else RECONCILER,
    )
    return replace(goal, why=words)


def _beneath_freeze(answer: Answer, wanted: Desired, recorded: RecordedApp, record: EnvironmentRecord) -> Answer:
    """Where a freeze holds back what would enter, what is here still gets what the freeze lets through."""
    goal, active = answer.aim, record.active
    if goal is None or answer.staying is None:
        return answer
    if active is not None and active.status == "started" and active.subject.same_as(goal.subject):
        return answer  # running work finishes
    frozen, _ = _frozen(goal.subject, goal.why.cause, goal.why.commit, wanted, recorded, record)
    if frozen is None:
        return answer
    return replace(answer, aim=answer.staying, waiting=(*answer.waiting, frozen))


def _frozen(
    subject: Subject,
    cause: Cause,
    commit: str | None,
    wanted: Desired | None,
    recorded: RecordedApp,
    record: EnvironmentRecord,
) -> tuple[Waiting | None, tuple[str, ...]]:
    """What holds a start back in a freeze, or the remark on how it passed one by a commit's word."""
    if wanted is None or not wanted.freezes:
        return None, ()
    start = freezes.Start(
        cause=cause,
        hotfix=is_hotfix(subject.traffic, recorded),
        lenient=_lenient(wanted, record),
    )
    holding = freezes.stoppers(start, wanted.freezes)
    if not holding:
        return None, ()
    parts = [recorded.versions[p.version] for p in subject.traffic if p.version in recorded.versions]
    commits = [commit or "", *(version.commit for version in parts)]
    override = next((recorded.overrides[commit] for commit in commits if commit in recorded.overrides), None)
    if override is not None:
        return None, (freezes.overridden(holding, override),)
    return freezes.waiting(wanted, holding, spoken(subject.traffic)), ()


def _lenient(wanted: Desired, record: EnvironmentRecord) -> bool:
    """Whether every season that begins or ends here passes freezes by its own declaration."""
    before = set(record.reached.grounds.seasons) if record.reached else set()
    return (before ^ {season.name for season in wanted.seasons}) <= wanted.lenient_seasons


def _next_attempt(active: Deployment) -> tuple[Waiting, ...]:
    if active.next_attempt_at is None:
        return ()
    # A target that only asks for time has failed in nothing.
    what = f"attempt {active.attempts} of deployment {active.number} failed"
    what = what if active.attempts else f"deployment {active.number} is put off"
    return (
        Waiting(
            app=active.app,
            environment=active.environment,
            waits_for="retry",
            until=active.next_attempt_at,
            detail=f"{what}: {active.error or 'no word why'}",
        ),
    )


def _running(active: Deployment) -> Waiting:
    return Waiting(
        app=active.app,
        environment=active.environment,
        waits_for="deployment",
        detail=f"deployment {active.number} ({spoken(active.traffic)}) is still running",
    )


def _paused(wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord, now: datetime) -> Waiting | None:
    last = recorded.pause(record.environment, now, wanted.pause if wanted else None)
    if last is None:
        return None
    return Waiting(
        app=recorded.app,
        environment=record.environment,
        waits_for="pause",
        until=last.until,
        detail=f"paused by {last.by}: {last.reason}",
    )


def _dependency(recorded: RecordedApp, record: EnvironmentRecord) -> Waiting | None:
    for other in recorded.dependencies:
        if other.environment == record.environment and (other.active or not other.completed):
            state = "is being deployed" if other.active else "has not completed"
            return Waiting(
                app=recorded.app,
                environment=record.environment,
                waits_for="dependency",
                detail=f"{other.app}, which it depends on, {state} in {record.environment}",
            )
    return None
