"""What concerns every app: does a daemon run, can the branch be read, is its head held, which files are broken?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.cli import asking, printing
from reconciler.errors import NotSo

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.config import Settings
    from reconciler.store.complaining import Broken
    from reconciler.store.repository import Followed
    from reconciler.telemetry.failing import Failing


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whether a daemon runs on the data directory, and what is followed; None before the first start has got so far."""

    daemon: bool
    place: Followed | None
    failing: Failing | None = None
    """Why the turns of the daemon on the data directory fail just now."""
    broken: Broken | None = None
    """Files that are broken."""
    refused: NotSo | None = None
    """Why `run` refuses to go on with the settings as they are now."""

    @property
    def reading(self) -> bool:
        """Whether the repository is being read for the very first time."""
        from reconciler.views.surroundings import reading

        return reading(self.place, self.daemon)


def look(settings: Settings, connection: Connection) -> Surroundings:
    """How it is now."""
    from reconciler.engine import living
    from reconciler.store import complaining, repository

    place = repository.followed(connection)
    return Surroundings(
        daemon=living.somebody_runs(settings.place, connection),
        place=place,
        failing=living.failing(settings.place),
        broken=complaining.broken(connection),
        refused=_refused(settings, place),
    )


def _refused(settings: Settings, place: Followed | None) -> NotSo | None:
    from reconciler.store import repository

    if place is None:
        return None
    try:
        repository.fits(place, repository.Source(url=place.url, branch=settings.repository.branch, root=settings.root))
    except NotSo as refused:
        return refused
    return None


def as_json(found: Surroundings) -> dict[str, Any]:
    """Keys that are added to every entry of `status`."""
    from reconciler.model.surroundings import surroundings_json
    from reconciler.views.surroundings import surroundings

    return surroundings_json(
        surroundings(found.place, found.broken, daemon=found.daemon, failing=found.failing, start=_start())
    )


def _start() -> str:
    file = asking.config_file()
    return f"start it with `reconciler run{f' --config {file}' if file else ''}`"


def echo(found: Surroundings, connection: Connection, now: datetime) -> None:
    """Say what is not as it should be."""
    _complaints(connection)
    _branch(found, now)
    if found.refused is not None:
        printing.echo()
        goes_on = "the daemon goes on with what it was started with" if found.daemon else "`reconciler run` refuses"
        printing.echo(f"the settings were changed: {found.refused.message}; {goes_on}", "bad")
        printing.echo(f"  {found.refused.next_step}", "bad")
    if found.failing is not None:
        _failing(found.failing, now)
    if not found.daemon:
        printing.echo()
        printing.echo(f"no daemon runs on this data directory: nothing goes on by itself; {_start()}", "warning")


def _failing(failing: Failing, now: datetime) -> None:
    many = printing.counted(failing.turns, "turn")
    printing.echo()
    printing.echo(f"the daemon on this data directory gets nothing done since {printing.when(failing.since)}:", "bad")
    printing.echo(f"  {many} failed, the last one since {failing.error}", "bad")
    again = f"the next one is taken at {printing.when(failing.again_at)}" if failing.again_at > now else ""
    printing.echo(f"  {'; '.join(one for one in (failing.next_step, again) if one)}", "bad")


def echo_nothing_known(found: Surroundings) -> None:
    """Why no app can be shown."""
    place = found.place
    if found.reading:
        where = f"{place.url}, branch {place.branch}," if place else "the repository"
        printing.echo(f"{where} is being read for the first time; look again in a moment")
    elif place is None or place.head is None:
        printing.echo("nothing has been read from the repository yet")
    else:
        below = f" below {place.root}" if place.root else ""
        printing.echo(f"no app is known yet: {place.branch} at {place.head[:10]} declares none{below}")


def _complaints(connection: Connection) -> None:
    from reconciler.store import complaining

    complaints = complaining.complaints(connection)
    if complaints:
        printing.echo()
        printing.heading(printing.counted(len(complaints), "complaint"))
    for one in complaints:
        remedy = f" ({one['remedy']})" if one["remedy"] else ""
        where = f"{one['path']}:{one['line']}:{one['column']}"
        printing.echo(f"  {where}: {one['message']}{remedy}", "error")


def _branch(found: Surroundings, now: datetime) -> None:
    place = found.place
    if place is None:
        return
    if place.held_head is not None and place.held_since is not None:
        printing.echo()
        printing.echo(
            f"the branch {place.branch} does not continue {str(place.head)[:10]}, which was noted last: it was "
            f"rewritten, or repository.url names another history. {place.held_head} is held since "
            f"{printing.when(place.held_since)}; `reconciler accept {place.held_head[:10]}` follows it",
            "bad",
        )
    if place.trouble is None:
        return
    trouble = place.trouble
    printing.echo()
    printing.echo(f"{trouble.message}, since {printing.when(trouble.since)}", "bad")
    printing.echo(f"  {trouble.next_step}", "bad")
    if found.daemon:
        again = f"at {printing.when(trouble.again_at)}" if trouble.again_at > now else "with the next poll"
        printing.echo(f"  It is tried again {again}.", "bad")
    if place.head is not None:
        goes_on = "go on" if found.daemon else "go on once a daemon runs"
        printing.echo(f"  Rollouts, retries, schedules and seasons {goes_on} by the commit {place.head[:10]}.", "bad")
