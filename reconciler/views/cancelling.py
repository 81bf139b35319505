"""How does a person call a change off that comes by itself? One way each, with the line in git to be changed."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler import schedule
from reconciler.model.app import App
from reconciler.model.deployment import Cause, Deployment
from reconciler.model.plan import Deploy
from reconciler.views.sources import Sources


@dataclass(frozen=True, slots=True)
class Way:
    """One way out. `place` is the file and line in it, '' where nobody knows one."""

    said: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out, with their places."""

    sources: Sources

    def season_start(self, season: str) -> Way:
        """A season that has not begun."""
        return self._way("to call it off, remove the season", "Season", season)

    def season_end(self, season: str) -> Way:
        """The end of a season."""
        return self._way("to keep it, write a later end", "Season", season, "spec", "until")

    def entry(self, app: App, environment: str, at: object) -> Way:
        """An entry of a schedule, by its moment; the end of an experiment, where none has it."""
        entry = app.spec.environments[environment]
        here = ("spec", "environments", environment)
        for number, item in enumerate(entry.schedule):
            if schedule.instant(item.at, item.timezone) == at:
                return self._way("to call it off, remove the entry", "App", app.name, *here, "schedule", number)
        if entry.experiment is None:
            return Way()
        return self._way("commit the winner in place of the experiment", "App", app.name, *here, "experiment")

    def pause_end(self, app: App, environment: str) -> Way:
        """A pause that git declares."""
        here = ("spec", "environments", environment, "pause", "until")
        return self._way("to stay paused, write a later end", "App", app.name, *here)

    def asked_pause(self, app: str, environment: str) -> Way:
        """A pause that a person asked for."""
        return Way(f"to stay paused, `reconciler pause {app} {environment} --until …`")

    def freeze(self, name: str) -> Way:
        """A freeze."""
        return self._way("it is declared", "Freeze", name)

    def train(self, app: App, environment: str) -> Way:
        """A release train."""
        if app.spec.environments[environment].when is not None:
            return self._way("its timetable is", "App", app.name, "spec", "environments", environment, "when")
        return self._way("its timetable is", "Environment", environment, "spec", "when")

    def deployment(self, wish: Deploy, before: Deployment | None, app: App | None) -> str:
        """A deployment that is planned, given what ran there before."""
        was = set(before.grounds.seasons) if before is not None else set()
        seasons = set(wish.grounds.seasons)
        edges: dict[Cause, set[str]] = {"season-start": seasons - was, "season-end": was - seasons}
        if names := edges.get(wish.cause):
            tell = self.season_start if wish.cause == "season-start" else self.season_end
            return "; ".join(tell(name).said for name in sorted(names))
        if wish.cause == "schedule" and app is not None and wish.environment in app.spec.environments:
            return self.entry(app, wish.environment, wish.grounds.scheduled_at).said
        if wish.cause in ("release", "promotion", "restore") and wish.commit:
            return f"to call it off, revert {wish.commit[:10]}"
        return ""

    def _way(self, words: str, kind: str, name: str, *field: str | int) -> Way:
        place = self.sources.place(kind, name, *field)
        return Way(f"{words} at {place}" if place else f"{words} {name}", place)
