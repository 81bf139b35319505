"""Which trigger settings has a target still to take?

Routes, domains and crons need no deployment: they are handed over by themselves, once something runs there.
"""

import hashlib

from reconciler.desired import Desired
from reconciler.model.app import App, Triggers
from reconciler.model.plan import ApplyTriggers
from reconciler.model.version import canonical
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp


def digest(triggers: Triggers) -> str | None:
    """What trigger settings are compared by; None for none at all."""
    parts = [list(triggers.routes), list(triggers.domains), list(triggers.crons)]
    return hashlib.sha256(canonical(parts).encode()).hexdigest() if any(parts) else None


def due(
    app: App | None, wanted: Desired | None, recorded: RecordedApp, record: EnvironmentRecord
) -> tuple[ApplyTriggers, ...]:
    """What the target has not been asked to take yet; all of it where the environment's target is another one now."""
    if app is None or wanted is None or record.running is None or recorded.complaints:
        return ()
    if record.running.grounds.target not in ("", wanted.target):
        return ()  # what runs is still somewhere else, and on its way
    there, asked = record.triggers, digest(app.spec.triggers)
    if (there.requested if there else None) == asked and (asked is None or (there and there.target == wanted.target)):
        return ()
    return (
        ApplyTriggers(
            app=app.name,
            environment=record.environment,
            triggers=app.spec.triggers,
            digest=asked,
            target=wanted.target,
        ),
    )
