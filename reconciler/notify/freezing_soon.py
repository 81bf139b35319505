"""Which freezes have begun since the clock was looked at last?

No fact of the ledger says so, since nobody fires a freeze. One that began and ended while nobody looked is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from reconciler import schedule
from reconciler.model.alert import Alert
from reconciler.notify.facts import Happening, stable_id
from reconciler.schedule import rfc3339
from reconciler.views.scene import declared_freezes


def freezes_begun(connection: Connection, alerts: Sequence[Alert], since: datetime, now: datetime) -> list[Happening]:
    """Freezes that hold now and began after `since`, once for each of their environments."""
    if since >= now or not any("freeze-began" in alert.spec.events for alert in alerts):
        return []
    # With the first alert of this kind: it brings along how edges are told.
    from reconciler.views.edges import local

    found = []
    for freeze in declared_freezes(connection):
        window = next(iter(schedule.windows(freeze.spec.span, since, now)), None)
        if window is None or not since < window.start <= now < window.until:
            continue
        ends = local(window.until, freeze.spec.timezone)
        for environment in freeze.spec.environments:
            said = {
                "event": "freeze-began",
                "title": f"the freeze {freeze.name} of {environment} has begun",
                "message": f"until {ends} nothing starts but what it allows: {freeze.spec.reason}",
                "environment": environment,
                "at": rfc3339(window.start),
                "reason": freeze.spec.reason,
            }
            found.append(
                Happening(
                    fact=f"freeze:{stable_id(freeze.name, environment, rfc3339(window.start))}",
                    at=window.start,
                    event="freeze-began",
                    environment=environment,
                    said=said,
                )
            )
    return found
