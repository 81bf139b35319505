"""What should run for one app in one environment, at this commit and at this moment?

Layers, the later over the earlier: the environment's base entry, the last `schedule` entry whose moment has
passed, the active seasons by (priority, start, name). Nobody fires anything: the clock is an argument, so the
future can be computed. Which version a reference or a tracked environment stands for is recorded, so finding it
belongs to the planner.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from reconciler import freezing, schedule
from reconciler.freezing import ActiveFreeze
from reconciler.model.app import App
from reconciler.model.deployment import Allotment, Subject, subject_of
from reconciler.model.entry import EnvironmentEntry, Experiment, ScheduleEntry, Train
from reconciler.model.environment import LATEST, Environment
from reconciler.model.gates import Gates, Rollout
from reconciler.model.season import Freeze, Season
from reconciler.model.traffic import Share
from reconciler.model.version import canonical


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest content of the branch."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What completed in another environment."""

    environment: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """Versions by reference, with their shares in percent."""

    shares: tuple[Share, ...]


Choice = Latest | Tracked | Pinned
ChosenBy = Literal["base", "schedule", "season"]


@dataclass(frozen=True, slots=True)
class ActiveSeason:
    """A season that holds at this moment, and the window that it holds for (UTC)."""

    name: str
    window: schedule.Window


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause in force: who asked for it, why, and when it expires (UTC)."""

    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Departures:
    """The last departure of a release train up to now, and the next one (UTC)."""

    last: datetime | None
    next: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What should run in one environment. `base_…` is the same without seasons."""

    app: str
    environment: str
    at: datetime
    """The moment that this is the answer for (UTC)."""
    choice: Choice
    chosen_by: ChosenBy
    config: Mapping[str, Any]
    base_choice: Choice
    base_config: Mapping[str, Any]
    scheduled_at: datetime | None
    scheduled_next: datetime | None = None
    """The moment of the next entry of its schedule (UTC)."""
    seasons: tuple[ActiveSeason, ...]
    pause: Paused | None
    next_edge: datetime | None
    """The earliest moment after `now` at which any of this can change without a commit."""
    gates: Gates | None = None
    """What a version must pass before it enters: the entry's word, else the Environment's."""
    train: Departures | None = None
    """When what has completed moves on; None: as soon as it may."""
    rollout: Rollout | None = None
    """How gradually a version is released: the entry's word, else the Environment's."""
    experiment_until: datetime | None = None
    """Until when an experiment holds the split, or when it ended without a winner being committed (UTC)."""
    follows: Latest | Tracked | None = None
    """What it would follow without pin, split or experiment."""
    freezes: tuple[ActiveFreeze, ...] = ()
    """The freezes that hold here at this moment."""
    lenient_seasons: frozenset[str] = frozenset()
    """Names of the seasons whose edges pass a freeze: all that do not wait for its end. A start that is skipped has no
    edge, and an end belongs to the season."""
    target: str = ""
    """A digest of where the environment is."""
    repairs_drift: bool = False
    """Whether what somebody else changed there is deployed again."""

    def subject(self, traffic: tuple[Allotment, ...]) -> Subject:
        """These versions with the settings of this moment."""
        return subject_of(traffic, dict(self.config))

    def base_subject(self, traffic: tuple[Allotment, ...]) -> Subject:
        """These versions with the settings that hold without seasons."""
        return subject_of(traffic, dict(self.base_config))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of one layer over another, key by key. A null stays, since it deletes the version's own key too."""
    return {**below, **above}


def effective(version: Mapping[str, Any], layers: Mapping[str, Any]) -> dict[str, Any]:
    """A version's settings with the environment's layers over them; null has deleted its key."""
    return {key: value for key, value in {**version, **layers}.items() if value is not None}


def desired(
    app: App,
    environment: Environment,
    environments: Mapping[str, Environment],
    seasons: Sequence[Season],
    now: datetime,
    freezes: Sequence[Freeze] = (),
) -> Desired:
    """What should run for `app` in `environment` at `now` (UTC). The app must list the environment."""
    entry = app.spec.environments[environment.name]
    freezes = freezing.concerning(freezes, app.name, app.metadata.labels, environment.name)
    scheduled, scheduled_at, next_scheduled = _in_force(entry, now)
    trial_until = _ends(entry.experiment)
    base_choice, chosen_by = _base_choice(app, entry, scheduled, environment, environments, now)
    if trial_until and trial_until <= now and scheduled_at is None:
        chosen_by, scheduled_at = "schedule", trial_until
    base_config = merged(entry.config, scheduled.config if scheduled else {})
    covering = [
        s for s in seasons if environment.name in s.spec.environments and s.covers(app.name, app.metadata.labels)
    ]
    active = _active(covering, freezes, now)
    choice, config = base_choice, base_config
    for season, _window in active:
        config = merged(config, season.spec.config)
        if overlay := _season_choice(season):
            choice, chosen_by = overlay, "season"
    pause = _pause(entry, now)
    train = _departures(entry.when or environment.spec.when, now)
    edges = [next_scheduled, pause.until if pause else None]
    edges += [trial_until if trial_until and trial_until > now else None]
    edges += [freezing.season_next_edge(season, freezes, now) for season in covering]
    return Desired(
        app=app.name,
        environment=environment.name,
        at=now,
        choice=choice,
        chosen_by=chosen_by,
        config=config,
        base_choice=base_choice,
        base_config=base_config,
        scheduled_at=scheduled_at,
        scheduled_next=next_scheduled,
        seasons=tuple(ActiveSeason(season.name, window) for season, window in active),
        pause=pause,
        next_edge=earliest(edges),
        gates=entry.gates or environment.spec.gates,
        train=train,
        rollout=entry.rollout or environment.spec.rollout,
        experiment_until=trial_until,
        follows=upstream(app, entry.track or environment.spec.track, environments),
        freezes=freezing.active(freezes, now),
        lenient_seasons=frozenset(season.name for season in covering if season.spec.on_freeze != "wait"),
        target=place(environment),
        repairs_drift=environment.spec.drift.repair,
    )


def place(environment: Environment) -> str:
    """A digest of an environment's target: what runs in one place does not run in another."""
    return hashlib.sha256(canonical(environment.spec.target).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def earliest(moments: Sequence[datetime | None]) -> datetime | None:
    """The first of the moments that there are."""
    return min((moment for moment in moments if moment is not None), default=None)


def _in_force(entry: EnvironmentEntry, now: datetime) -> tuple[ScheduleEntry | None, datetime | None, datetime | None]:
    """The schedule entry that holds now, its moment, and the moment of the next one."""
    timed = sorted(
        ((schedule.instant(item.at, item.timezone), item) for item in entry.schedule),
        key=lambda pair: pair[0],
    )
    passed = [(at, item) for at, item in timed if at <= now]
    at, item = passed[-1] if passed else (None, None)
    return item, at, earliest([moment for moment, _ in timed if moment > now])


def _ends(experiment: Experiment | None) -> datetime | None:
    return schedule.instant(experiment.until, experiment.timezone) if experiment else None


def _departures(train: Train | None, now: datetime) -> Departures | None:
    if train is None:
        return None
    if train.at is not None:
        at = schedule.instant(train.at, train.timezone)
        return Departures(at, None) if at <= now else Departures(None, at)
    zone, cron = schedule.zone(train.timezone or "UTC"), train.cron or ""
    return Departures(schedule.cron_previous(cron, zone, now), schedule.cron_next(cron, zone, now))


def _split(experiment: Experiment, now: datetime) -> Pinned:
    """An experiment's split while it lasts; after that the control alone, until a commit picks the winner."""
    control = Share(version=experiment.control, percent=100)
    if now >= schedule.instant(experiment.until, experiment.timezone):
        return Pinned((control,))
    variant = Share(version=experiment.variant, percent=experiment.percent)
    return Pinned((Share(version=experiment.control, percent=100 - experiment.percent), variant))


def _base_choice(
    app: App,
    entry: EnvironmentEntry,
    scheduled: ScheduleEntry | None,
    environment: Environment,
    environments: Mapping[str, Environment],
    now: datetime,
) -> tuple[Choice, ChosenBy]:
    if scheduled and (choice := _explicit(scheduled.version, scheduled.traffic)):
        return choice, "schedule"
    if scheduled and scheduled.track:
        return upstream(app, scheduled.track, environments), "schedule"
    if entry.experiment:
        return _split(entry.experiment, now), "base"
    if choice := _explicit(entry.version, entry.traffic):
        return choice, "base"
    return upstream(app, entry.track or environment.spec.track, environments), "base"


def _explicit(version: str | None, traffic: tuple[Share, ...] | None) -> Pinned | None:
    if version is not None:
        return Pinned((Share(version=version, percent=100),))
    return Pinned(traffic) if traffic else None


def upstream(app: App, track: str, environments: Mapping[str, Environment]) -> Latest | Tracked:
    """What an app that tracks `track` follows: the nearest environment up the chain that it is in, else the branch."""
    seen: set[str] = set()
    while track != LATEST and track not in app.spec.environments and track in environments and track not in seen:
        seen.add(track)
        track = environments[track].spec.track
    return Tracked(track) if track in app.spec.environments else Latest()


def _active(
    seasons: Sequence[Season], freezes: Sequence[Freeze], now: datetime
) -> list[tuple[Season, schedule.Window]]:
    found = [(season, window) for season in seasons if (window := freezing.season_active(season, freezes, now))]
    return sorted(found, key=lambda pair: (pair[0].spec.priority, pair[1].start, pair[0].name))


def _season_choice(season: Season) -> Pinned | None:
    return _explicit(season.spec.version, season.spec.traffic)


def _pause(entry: EnvironmentEntry, now: datetime) -> Paused | None:
    if entry.pause is None:
        return None
    until = schedule.instant(entry.pause.until, entry.pause.timezone)
    return Paused(entry.pause.by, entry.pause.reason, until) if now < until else None
