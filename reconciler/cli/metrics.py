"""`reconciler metrics`: how often, how fast and how well is something deployed, beside the time before?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import asking, opened, printing

if TYPE_CHECKING:
    from reconciler.model.figures import Figures, FiguresOf, Measured, Spread

SHOWN = 10
"""So many apps, and environments, are listed in text; JSON has more."""
NONE = "–"


@asking.verb
@click.option("--app", type=asking.APP, help="Of this app.")
@click.option("--environment", type=asking.ENVIRONMENT, help="In this environment.")
@click.option(
    "--since",
    type=asking.AGO,
    help="From a moment on (without an offset by this machine's time), or from a length of time ago; 30d by default.",
)
@asking.output_option()
def command(app: str | None, environment: str | None, since: datetime | None, form: str) -> None:
    """Show how often and how well is deployed.

    Deployment frequency, lead time, change failure rate and time to restore, and more; beside each, what it was in the
    period of the same length before.
    """
    from reconciler.engine import clock
    from reconciler.model.figures import measured_json
    from reconciler.views import history
    from reconciler.views.figures import measured

    with opened.store(opened.settings()) as store, store.read() as connection:
        history.known(connection, app, environment)
        found = measured(connection, clock.system(), since, app, environment)
    if form == "json":
        printing.as_json(measured_json(found))
    else:
        _print(found)


def _print(found: Measured) -> None:
    now, earlier = found.figures, found.earlier
    of = f"{found.app or 'all apps'} in {found.environment or 'all environments'}"
    length = printing.age(now.until - now.since)
    printing.heading(f"{of}, {length} since {printing.when(now.since)}")
    printing.table(("FIGURE", "MEDIAN OR SHARE", "P90", f"{length.upper()} BEFORE", "OF"), _rows(now, earlier))
    if now.not_restored:
        printing.echo()
        printing.echo(f"{printing.counted(now.not_restored, 'failure')} not made good yet", "bad")
    for title, parts in (("APP", found.apps), ("ENVIRONMENT", found.environments)):
        if len(parts) > 1:
            printing.echo()
            _print_parts(title, parts)


def _rows(now: Figures, earlier: Figures) -> list[Sequence[str]]:
    failed = f"{now.changes_failed} failed or were left"
    ended = f"{now.completed} completed, {now.failed} failed"
    return [
        ("deployment frequency", _often(now), "", _often(earlier), printing.counted(now.changes, "change")),
        _spread("lead time for changes", now.lead_time, earlier.lead_time),
        ("change failure rate", _share(now.change_failure_rate), "", _share(earlier.change_failure_rate), failed),
        _spread("time to restore", now.time_to_restore, earlier.time_to_restore),
        _spread("time between changes", now.time_between, earlier.time_between),
        _spread("duration", now.duration, earlier.duration),
        ("success rate", _share(now.success_rate), "", _share(earlier.success_rate), ended),
        ("failure rate", _share(now.failure_rate), "", _share(earlier.failure_rate), ended),
        ("deployments", str(now.deployments), "", str(earlier.deployments), _kinds(now)),
    ]


def _kinds(now: Figures) -> str:
    counts = (
        ("aborted", now.aborted),
        ("still to end", now.active),
        ("rollbacks", now.rollbacks),
        ("restores", now.restores),
    )
    return ", ".join(f"{count} {what}" for what, count in counts if count)


def _print_parts(title: str, parts: Sequence[FiguresOf]) -> None:
    headings = (title, "CHANGES", "LEAD TIME", "FAILURE RATE", "TO RESTORE", "DURATION")
    printing.table(headings, [(part.name, *_part(part.figures)) for part in parts[:SHOWN]])
    if len(parts) > SHOWN:
        printing.echo(f"and {len(parts) - SHOWN} more: -o json")


def _part(of: Figures) -> tuple[str, ...]:
    rate = _share(of.change_failure_rate)
    return str(of.changes), _length(of.lead_time), rate, _length(of.time_to_restore), _length(of.duration)


def _spread(name: str, now: Spread, earlier: Spread) -> Sequence[str]:
    return name, _length(now), spelt(now.p90), _length(earlier), str(now.count)


def _length(of: Spread) -> str:
    return spelt(of.median)


def spelt(seconds: float | None) -> str:
    """A length of time in its largest units: `3.2 s`, `4 min 10 s`, `19 h 5 min`, `3 days 4 h`."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, name in ((86_400, "days", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size * (2 if unit == "days" else 1):
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{whole} s"


def _share(of: float | None) -> str:
    return NONE if of is None else f"{of * 100:.1f} %"


def _often(of: Figures) -> str:
    if not of.changes:
        return NONE
    if of.deployment_frequency >= 1:
        return f"{of.deployment_frequency:.1f} a day"
    if of.deployment_frequency * 7 >= 1:
        return f"{of.deployment_frequency * 7:.1f} a week"
    return f"{of.deployment_frequency * 30:.1f} in 30 days"
