"""What does it come to when the answer to `what should run` changes at a moment?

Two answers of `desired` for one app in one environment, before and at the moment, become the entries of the calendar
with their words: what exactly changes, and how it is called off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from reconciler import schedule
from reconciler.desired import Choice, Desired, Latest, Pinned, Tracked, effective
from reconciler.model.app import App
from reconciler.model.deployment import Deployment
from reconciler.model.output import Edge
from reconciler.model.traffic import Allotment, largest
from reconciler.model.version import Version, label, spoken
from reconciler.store import deployments, versions
from reconciler.views.cancelling import Ways
from reconciler.views.differences import changed, known_versions, spelled

RECENT = 20
"""Deployments of an environment among which its own choice is looked for."""
COVERED = "nothing changes, since another layer covers it"


@dataclass(slots=True)
class Known:
    """What the words of an edge are made of, besides the two answers."""

    connection: Connection
    zones: Mapping[str, str | None]
    """The seasons' own clocks."""
    ways: Ways
    known: dict[str, dict[str, Deployment]] = field(default_factory=dict)
    """By app and environment, the newest that completed by the environment's own choice, as far as it was asked for."""
    versions: dict[str, Version] = field(default_factory=dict)
    pins: dict[tuple[str, str], Version | None] = field(default_factory=dict)
    """Versions by app and reference, as far as they have been looked up."""

    def edges(self, app: App, before: Desired, after: Desired) -> Iterator[Edge]:
        """What becomes another at the moment of `after`."""
        said = self._difference(app, before, after)
        bare = Edge(at=after.at, cause="", app=app.name, environment=after.environment, name="", detail=said)
        yield from self._of_seasons(bare, before, after)
        if after.scheduled_at != before.scheduled_at:
            cause = "experiment-end" if after.scheduled_at == before.experiment_until else "schedule"
            way = self.ways.entry(app, after.environment, after.scheduled_at)
            yield replace(bare, cause=cause, cancel=way.said, place=way.place)
        if before.pause is not None and after.pause is None:
            detail = f"the pause of {before.pause.by} ends: {before.pause.reason}"
            way = self.ways.pause_end(app, after.environment)
            yield replace(bare, cause="pause-end", detail=detail, cancel=way.said, place=way.place)

    def _of_seasons(self, bare: Edge, before: Desired, after: Desired) -> Iterator[Edge]:
        was = {(season.name, season.window.start): season for season in before.seasons}
        holds = {(season.name, season.window.start): season for season in after.seasons}
        for key, season in was.items():
            if key not in holds:
                way, since = self.ways.season_end(season.name), season.window.start
                end = replace(bare, cause="season-end", name=season.name, since=since)
                yield replace(end, cancel=way.said, place=way.place)
        for key, season in holds.items():
            if key not in was:
                ends, way = season.window.until, self.ways.season_start(season.name)
                detail = f"until {local(ends, self.zones.get(season.name))}: {bare.detail}"
                start = replace(bare, cause="season-start", name=season.name, detail=detail, until=ends)
                yield replace(start, cancel=way.said, place=way.place)

    def _difference(self, app: App, before: Desired, after: Desired) -> str:
        parts = []
        if before.choice != after.choice:
            parts.append(f"{self._chosen(app, before)} → {self._chosen(app, after)}")
        was, becomes = (effective(self._own_config(app, one), one.config) for one in (before, after))
        parts += spelled(changed(was, becomes))
        return "; ".join(parts) or COVERED

    def _chosen(self, app: App, wanted: Desired) -> str:
        """What a choice says, with the version that runs by it today where it names none."""
        if isinstance(wanted.choice, Pinned):
            shares = [(self._pinned(app.name, one.version), one) for one in wanted.choice.shares]
            names = [(label(found.number, found.name) if found else one.version, one.percent) for found, one in shares]
            return names[0][0] if len(names) == 1 else ", ".join(f"{name} {percent:g} %" for name, percent in names)
        own = self._own(app.name).get(wanted.environment)
        return f"{chosen(wanted.choice)} ({spoken(own.traffic)} today)" if own is not None else chosen(wanted.choice)

    def _own(self, app: str) -> Mapping[str, Deployment]:
        if app not in self.known:
            own: dict[str, Deployment] = {}
            for one in deployments.recent(self.connection, [app], RECENT):
                newest = own.get(one.environment)
                if newest is None or newest.number < one.number:
                    own |= {one.environment: one} if _by_own_choice(one) else {}
            self.known[app] = own
            self.versions |= known_versions(self.connection, (one.traffic for one in own.values()))
        return self.known[app]

    def _pinned(self, app: str, reference: str) -> Version | None:
        if (app, reference) not in self.pins:
            self.pins[app, reference] = versions.find(self.connection, app, reference)
        return self.pins[app, reference]

    def _own_config(self, app: App, wanted: Desired) -> Mapping[str, Any]:
        """The settings of the version that runs by this choice, as far as it is known today."""
        if isinstance(wanted.choice, Pinned):
            pinned = [(share.percent, self._pinned(app.name, share.version)) for share in wanted.choice.shares]
            known = {found.id: found for _, found in pinned if found is not None}
            first = largest(_part(found, percent) for percent, found in pinned if found is not None)
            return known[first.version].config if first is not None else app.spec.config
        own = self._own(app.name).get(wanted.environment)
        if own is None or isinstance(wanted.choice, Latest):
            return app.spec.config
        leading = largest(own.traffic)
        version = self.versions.get(leading.version) if leading is not None else None
        return version.config if version is not None else app.spec.config


def _part(version: Version, percent: float) -> Allotment:
    return Allotment(version=version.id, number=version.number, name=version.name, percent=percent)


def _by_own_choice(one: Deployment) -> bool:
    return one.status == "completed" and one.grounds.chosen_by != "season" and bool(one.traffic)


def chosen(choice: Choice) -> str:
    """What a choice says, in words."""
    match choice:
        case Latest():
            return "the newest content"
        case Tracked():
            return f"what completed in {choice.environment}"
        case Pinned():
            if len(choice.shares) == 1 and choice.shares[0].percent == 100:
                return choice.shares[0].version
            return ", ".join(f"{share.version} {share.percent:g} %" for share in choice.shares)


def local(moment: datetime, timezone: str | None) -> str:
    """A moment as the clocks of a zone show it, and in UTC."""
    here = moment.astimezone(schedule.zone(timezone or "UTC"))
    if not here.utcoffset():
        return f"{here:%Y-%m-%d %H:%M} UTC"
    return f"{here:%Y-%m-%d %H:%M %Z} ({moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
