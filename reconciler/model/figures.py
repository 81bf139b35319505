"""How often and how well is something deployed: which figures are there, and how do they look from outside?

Declared once for `metrics -o json`, HTTP and the page. How they are worked out is in `measuring`.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from reconciler.model.shape import Instant, shape


@shape
class Spread:
    """Lengths of time, in seconds. Median and p90 are lengths that occurred: those at the rank ⌈p · count⌉."""

    count: int = 0
    median: float | None = None
    """None where there are none, as with the others."""
    p90: float | None = None
    mean: float | None = None


@shape
class Figures:
    """The figures of the deployments that were made in one period."""

    since: Instant
    until: Instant
    """The period goes up to this moment, without it."""
    deployments: int = 0
    """Made in the period, for whatever cause, however they ended."""
    completed: int = 0
    failed: int = 0
    aborted: int = 0
    active: int = 0
    """Still to end."""
    changes: int = 0
    """Completed ones that brought something: neither a way back nor a repair."""
    changes_failed: int = 0
    """Changes that failed, or that a rollback left."""
    rollbacks: int = 0
    """Completed ways back, whoever asked for them."""
    restores: int = 0
    """Completed releases of an earlier version that no revert asked for: no failures."""
    deployment_frequency: float = 0.0
    """Changes a day."""
    success_rate: float | None = None
    """Completed ones, of those that completed or failed; from 0 to 1, None where there are none."""
    failure_rate: float | None = None
    """Failed ones of the same."""
    change_failure_rate: float | None = None
    """Changes that failed or were left, of all changes that ended; from 0 to 1."""
    lead_time: Spread = Spread()
    """From the commit to its deployment being completed in the environment."""
    time_to_restore: Spread = Spread()
    """From the end of what failed to the end of the next deployment there that went well."""
    not_restored: int = 0
    """Failures after which nothing has gone well there yet."""
    time_between: Spread = Spread()
    """Between two changes of the same app in the same environment."""
    duration: Spread = Spread()
    """From the start to the end of deployments that were released at once and completed."""


@shape
class FiguresOf:
    """The figures of one app, or of one environment."""

    name: str
    figures: Figures


@shape
class Measured:
    """What `metrics` answers."""

    app: str | None = None
    """None: all of them; so with the environment."""
    environment: str | None = None
    figures: Figures
    earlier: Figures
    """The figures of the period of the same length before."""
    series: tuple[Figures, ...] = ()
    """The period by days or weeks of a calendar; the first and the last one may be parts of one."""
    apps: tuple[FiguresOf, ...] = ()
    """Those with the most changes, the most first; so with environments."""
    environments: tuple[FiguresOf, ...] = ()


MEASURED = TypeAdapter(Measured)


def measured_json(measured: Measured) -> dict[str, Any]:
    """The figures."""
    dumped: dict[str, Any] = MEASURED.dump_python(measured, mode="json")
    return dumped
