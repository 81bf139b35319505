"""In which words is it refused to release something, and what is the way out?

Why something is refused is decided in `aim`.
"""

from reconciler.desired import Desired
from reconciler.model.deployment import Subject
from reconciler.model.plan import Refused
from reconciler.model.version import spoken
from reconciler.planner.causes import is_pin
from reconciler.planner.promotions import Found
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp, Suspicion, Withdrawal


def suspect(
    wanted: Desired, subject: Subject, bad: Suspicion, record: EnvironmentRecord, *, held: bool = False
) -> Refused:
    """What went wrong here is not deployed again by automation; `held` where a person keeps it out."""
    again = ""
    if held:
        again = f"`reconciler release {wanted.app} {wanted.environment}`, or "
    elif record.may_be_retried(bad.deployment):
        again = f"`reconciler retry {bad.deployment}`, or "
    return Refused(
        app=wanted.app,
        environment=wanted.environment,
        rule="suspect",
        detail=f"{spoken(subject.traffic)} {bad.why} here (deployment {bad.number}, {bad.deployment}): commit a fix, "
        f"or {again}a commit with `Allow-Suspect: {wanted.app}/{wanted.environment}`",
    )


def nothing_good(wanted: Desired, taken_back: Withdrawal) -> Refused:
    """A revert took back what is here, and there is nothing to go back to."""
    return Refused(
        app=wanted.app,
        environment=wanted.environment,
        rule="withdrawn",
        detail=f"{taken_back.commit[:10]} reverts {taken_back.reverts[:10]}, and nothing without it ran here before: "
        f"it stays until something else is promoted to {wanted.environment}",
    )


def pinned_to_withdrawn(wanted: Desired, found: Found, app: RecordedApp) -> tuple[Refused, ...]:
    """A pin holds what a revert took back: the pin is the newer word, and that is said loudly."""
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
