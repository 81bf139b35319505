"""How is a new version let in step by step, and what comes after each step?

Pure: the course of a rollout, the split at a step, what follows a phase that ended well. The engine acts and writes
down. Whether something is to be released at all is `aim`'s question.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.desired import earliest
from reconciler.model.deployment import ROLLBACKS, Cause, Deployment, Subject
from reconciler.model.gates import Rollout
from reconciler.model.plan import Waiting
from reconciler.model.rollout import Course, Phase, Progress
from reconciler.model.traffic import Allotment, largest, versions_in
from reconciler.model.version import spoken
from reconciler.schedule import to_the_second

EVERY = timedelta(minutes=1)
"""How often the last step is looked at where no interval says so; in a short bake, ten times."""
DIGITS = 6
"""Shares are rounded to so many places, so that a tenth of a third is told the same way each time."""


def course(rollout: Rollout | None, subject: Subject, cause: Cause, before: Deployment | None) -> Course | None:
    """The way to `subject` from what completed `before`; None: at once.

    What goes back, what retires and what is put right again goes at once. Where nothing ran, or the split is the same
    and only settings changed, there is one step; it is checked and watched like any other.
    """
    if rollout is None or not subject.traffic or cause in ROLLBACKS or cause == "repair":
        return None
    ran = before.traffic if before is not None else ()
    steps = rollout.steps if ran and _shares(ran) != _shares(subject.traffic) else rollout.steps[-1:]
    checks = tuple(check for check in rollout.checks if check.mode != "off")
    if len(steps) == 1 and not checks and not rollout.bake:
        return None
    alone = len(steps) == 1
    return Course(
        steps=steps,
        interval=rollout.interval,
        bake=rollout.bake,
        checks=checks,
        before=() if alone else ran,
        before_config={} if alone or before is None else before.config,
    )


def _shares(traffic: tuple[Allotment, ...]) -> dict[str, float]:
    return {part.version: float(part.percent) for part in traffic}


def mix(before: tuple[Allotment, ...], after: tuple[Allotment, ...], percent: float) -> tuple[Allotment, ...]:
    """The split in which `percent` of the traffic goes as in `after`, and the rest as in `before`.

    A version of `after` stays in it with a share of 0; one that only ran before and has no share left does not.
    """
    share = percent / 100
    old, new = _shares(before), _shares(after)
    mixed = []
    for version, part in {part.version: part for part in (*before, *after)}.items():
        percent_now = round((1 - share) * old.get(version, 0) + share * new.get(version, 0), DIGITS)
        if percent_now or version in new:
            mixed.append(replace(part, percent=percent_now))
    return tuple(sorted(mixed, key=lambda part: part.number))


def split(deployment: Deployment) -> tuple[Allotment, ...]:
    """What is to run at the step that a deployment is at."""
    return split_at(deployment, deployment.rollout)


def split_at(deployment: Deployment, progress: Progress | None) -> tuple[Allotment, ...]:
    """What is to run of a deployment once its rollout has come so far."""
    if progress is None or progress.last:
        return deployment.traffic
    return mix(progress.course.before, deployment.traffic, progress.percent)


def left_behind(deployment: Deployment) -> tuple[Allotment, ...] | None:
    """What runs since a rollout failed, where that is known: its target had taken the step, and something else, as a
    check of it, went wrong."""
    progress = deployment.rollout
    if deployment.status != "failed" or progress is None or progress.phase == "releasing":
        return None
    return split(deployment)


def under_test(deployment: Deployment) -> str:
    """The version that checks are about: of those that are new, the one with the largest share."""
    known = versions_in(deployment.rollout.course.before) if deployment.rollout else frozenset[str]()
    leading = largest(part for part in deployment.traffic if part.version not in known) or largest(deployment.traffic)
    assert leading is not None  # what releases nothing has no rollout
    return leading.version


def begin(progress: Progress, now: datetime) -> Progress:
    """The deployment has its turn: its first step is released."""
    return _at(progress, "releasing", now)


def follows(progress: Progress, now: datetime) -> Progress | None:
    """What comes after the phase in which it is, which ended well at `now`; None: it is complete."""
    match progress.phase:
        case "releasing" if progress.course.checks:
            return _at(progress, "checking", now)
        case "releasing" | "checking":
            return _passed(progress, now)
        case "holding":
            return _at(replace(progress, step=progress.step + 1), "releasing", now)
        case "baking":
            return _at(progress, "checking", now)


def _passed(progress: Progress, now: datetime) -> Progress | None:
    course = progress.course
    if not progress.last:
        return _at(progress, "holding", now, now + (course.interval or timedelta()))
    bake = course.bake or timedelta()
    over = progress.bake_until or now + bake
    if over <= now:
        return None
    every = course.interval or min(EVERY, bake / 10)
    again = earliest([over, now + every if course.checks else None])
    return _at(replace(progress, bake_until=over), "baking", now, again)


def _at(progress: Progress, phase: Phase, now: datetime, until: datetime | None = None) -> Progress:
    return replace(progress, phase=phase, since=now, until=until)


def is_due(deployment: Deployment, now: datetime) -> bool:
    """Whether a rollout that rested goes on now."""
    progress = deployment.rollout
    return progress is not None and deployment.resting and (progress.until is None or progress.until <= now)


_DOING = {
    "releasing": "being released",
    "checking": "being checked",
    "holding": "held",
    "baking": "watched",
}


def place(progress: Progress) -> str:
    """Where it is: `step 2 of 3 (50 %)`."""
    return f"step {progress.step + 1} of {len(progress.course.steps)} ({progress.percent} %)"


def said(deployment: Deployment) -> str:
    """How far a rollout has come, in a sentence."""
    progress = deployment.rollout
    if progress is None:
        return ""
    since = f" since {to_the_second(progress.since)}" if progress.since else ""
    text = f"deployment {deployment.number} ({spoken(deployment.traffic)}) is at {place(progress)}"
    if not progress.last:
        then = f", then {progress.course.steps[progress.step + 1]} %"
    elif progress.bake_until:
        then = f", complete at {to_the_second(progress.bake_until)} if all goes well"
    else:
        then = ""
    return f"{text}, {_DOING[progress.phase]}{since}{then}"


def waiting(deployment: Deployment, newer: str = "") -> Waiting:
    """What is said while a rollout is under way; `newer` is what waits for its end."""
    progress = deployment.rollout
    detail = f"{newer} waits: {said(deployment)}" if newer else said(deployment)
    return Waiting(
        app=deployment.app,
        environment=deployment.environment,
        waits_for="rollout",
        until=progress.until if progress else None,
        detail=detail,
    )
