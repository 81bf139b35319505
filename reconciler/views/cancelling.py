"""How does a person call a change off that comes by itself? One way each, with the line in git to be changed."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler import schedule
from reconciler.model.app import App
from reconciler.model.deployment import Cause, Deployment
from reconciler.model.plan import Deploy
from reconciler.views.sources import Sources


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out, with their places."""

    sources: Sources

    def season_start(self, season: str) -> str:
        """A season that has not begun."""
        return f"to call it off, remove the season{self._at('Season', season)}"

    def season_end(self, season: str) -> str:
        """The end of a season."""
        return f"to keep it, write a later end{self._at('Season', season, 'spec', 'until')}"

    def entry(self, app: App, environment: str, at: object) -> str:
        """An entry of a schedule, by its moment; the end of an experiment, where none has it."""
        entry = app.spec.environments[environment]
        here = ("spec", "environments", environment)
        for number, item in enumerate(entry.schedule):
            if schedule.instant(item.at, item.timezone) == at:
                return f"to call it off, remove the entry{self._at('App', app.name, *here, 'schedule', number)}"
        if entry.experiment is None:
            return ""
        return f"commit the winner in place of the experiment{self._at('App', app.name, *here, 'experiment')}"

    def pause_end(self, app: App, environment: str) -> str:
        """A pause that git declares."""
        here = self._at("App", app.name, "spec", "environments", environment, "pause", "until")
        return f"to stay paused, write a later end{here}"

    def asked_pause(self, app: str, environment: str) -> str:
        """A pause that a person asked for."""
        return f"to stay paused, `reconciler pause {app} {environment} --until …`"

    def freeze(self, name: str) -> str:
        """A freeze."""
        return f"it is declared{self._at('Freeze', name)}"

    def train(self, app: App, environment: str) -> str:
        """A release train."""
        if app.spec.environments[environment].when is not None:
            return f"its timetable is{self._at('App', app.name, 'spec', 'environments', environment, 'when')}"
        return f"its timetable is{self._at('Environment', environment, 'spec', 'when')}"

    def deployment(self, wish: Deploy, before: Deployment | None, app: App | None) -> str:
        """A deployment that is planned, given what ran there before."""
        was = set(before.grounds.seasons) if before is not None else set()
        seasons = set(wish.grounds.seasons)
        edges: dict[Cause, set[str]] = {"season-start": seasons - was, "season-end": was - seasons}
        if names := edges.get(wish.cause):
            tell = self.season_start if wish.cause == "season-start" else self.season_end
            return "; ".join(tell(name) for name in sorted(names))
        if wish.cause == "schedule" and app is not None and wish.environment in app.spec.environments:
            return self.entry(app, wish.environment, wish.grounds.scheduled_at)
        if wish.cause in ("release", "promotion", "restore") and wish.commit:
            return f"to call it off, revert {wish.commit[:10]}"
        return ""

    def _at(self, kind: str, name: str, *field: str | int) -> str:
        place = self.sources.place(kind, name, *field)
        return f" at {place}" if place else f" {name}"
