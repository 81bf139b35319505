"""What is wrong inside one manifest whose shape is right?

Instants, zones, crons, spans and paths: what takes more than a type to judge, and no other manifest. Checks between
manifests are in `links`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from reconciler import schedule
from reconciler.errors import ManifestError, ScheduleError
from reconciler.manifest.kinds import Manifest
from reconciler.manifest.paths import bundle_directory, check_pattern
from reconciler.manifest.problems import Problem
from reconciler.manifest.walk import Field
from reconciler.model.alert import FIELDS, Alert, unknown_fields
from reconciler.model.app import App, AppSpec
from reconciler.model.entry import EnvironmentEntry, Train
from reconciler.model.environment import LATEST, Environment, Resource
from reconciler.model.season import Freeze, FreezeSpec, HolidayRepeat, Season, SeasonSpec
from reconciler.model.sets import AppSet, Group
from reconciler.schedule.crons import check_cron
from reconciler.schedule.public_holidays import check_holiday
from reconciler.schedule.rrules import rule
from reconciler.words import listed, meant

Found = Iterator[tuple[Field, str, str]]
"""Field, message, remedy."""

_SPEC: Field = ("spec",)
_TEMPLATE: Field = ("spec", "template", "spec")


def check(manifest: Manifest, path: str) -> Iterator[Problem]:
    """Every problem inside a manifest that stands in the file `path`."""
    for field, message, remedy in _found(manifest, path):
        yield Problem(manifest.kind, manifest.name, field, message, remedy)
    if isinstance(manifest, Season) and not _does_something(manifest.spec):
        message, remedy = "this season changes nothing", "give config, version or traffic"
        yield Problem("Season", manifest.name, _SPEC, message, remedy, "warning")


def _found(manifest: Manifest, path: str) -> Found:
    match manifest:
        case App():
            yield from _app(manifest.spec, _SPEC)
            yield from _bundle(manifest.spec, _SPEC, path)
        case AppSet():
            yield from _app(manifest.spec.template.spec, _TEMPLATE)
            yield from _directories(manifest)
        case Environment():
            if manifest.name == LATEST:
                yield ("metadata", "name"), "latest stands for the newest content", "choose another name"
            yield from _train(manifest.spec.when, (*_SPEC, "when"))
        case Season() | Freeze():
            yield from _span(manifest.spec)
        case Alert():
            yield from _template(manifest)
        case Group() | Resource():
            return


def _template(alert: Alert) -> Found:
    template = alert.spec.template
    for key, text in (("title", template.title), ("body", template.body)) if template is not None else ():
        here: Field = (*_SPEC, "template", key)
        try:
            unknown = unknown_fields(text or "")
        except ValueError:
            yield here, "a $ in it names nothing", "write $app or ${app} for a field, and $$ for a dollar sign"
            continue
        for name in unknown:
            yield here, f"a notice has no {name[:60]}", meant(name, FIELDS, f"there are {listed(FIELDS)}")


def _app(spec: AppSpec, at: Field) -> Found:
    for index, cron in enumerate(spec.triggers.crons):
        yield from _tried((*at, "triggers", "crons", index), check_cron, cron)
    for name, entry in spec.environments.items():
        yield from _entry(entry, (*at, "environments", name))


def _entry(entry: EnvironmentEntry, at: Field) -> Found:
    yield from _train(entry.when, (*at, "when"))
    if entry.pause is not None:
        yield from _instant(entry.pause.until, entry.pause.timezone, (*at, "pause"), "until")
    if entry.experiment is not None:
        yield from _instant(entry.experiment.until, entry.experiment.timezone, (*at, "experiment"), "until")
    last: datetime | None = None
    for index, item in enumerate(entry.schedule):
        here = (*at, "schedule", index)
        wrong = list(_instant(item.at, item.timezone, here, "at"))
        yield from wrong
        if wrong:
            continue
        moment = schedule.instant(item.at, item.timezone)
        if last is not None and moment <= last:
            said = "is the moment" if moment == last else "is before the moment"
            yield (*here, "at"), f"this {said} of the entry above", "keep entries in order of time"
        last = moment


def _train(train: Train | None, at: Field) -> Found:
    if train is None:
        return
    if train.at is not None:
        yield from _instant(train.at, train.timezone, at, "at")
        return
    yield from _zone(train.timezone, at)
    if train.cron is not None:
        yield from _tried((*at, "cron"), check_cron, train.cron)


def _instant(text: str, timezone: str | None, at: Field, key: str) -> Found:
    wrong_zone = list(_zone(timezone, at))
    yield from wrong_zone
    if not wrong_zone:
        yield from _tried((*at, key), schedule.instant, text, timezone)


def _zone(timezone: str | None, at: Field) -> Found:
    if timezone is not None:
        yield from _tried((*at, "timezone"), schedule.zone, timezone)


def _bundle(spec: AppSpec, at: Field, path: str) -> Found:
    if spec.bundle is not None:
        yield from _tried((*at, "bundle"), bundle_directory, path, spec.bundle)


def _directories(manifest: AppSet) -> Found:
    for index, pattern in enumerate(manifest.spec.directories):
        wrong = list(_tried(("spec", "directories", index), check_pattern, pattern))
        yield from wrong
        if not wrong:
            # A directory that matches has as many segments as the pattern, which is all that counts here.
            yield from _bundle(manifest.spec.template.spec, _TEMPLATE, f"{pattern.rstrip('/')}/")


def _span(spec: SeasonSpec | FreezeSpec) -> Found:
    wrong = [*_zone(spec.timezone, _SPEC), *_recurrence(spec)]
    for key, text in (("from", spec.start), ("until", spec.until)):
        if text is not None:
            wrong += _tried((*_SPEC, key), schedule.wall, text)
    yield from wrong
    if not wrong:
        yield from _whole_span(spec)


def _recurrence(spec: SeasonSpec | FreezeSpec) -> Found:
    if isinstance(spec.repeat, HolidayRepeat):
        yield from _tried((*_SPEC, "repeat", "holiday"), check_holiday, spec.repeat.holiday)
    elif spec.repeat is not None and spec.repeat != "yearly":
        yield from _tried((*_SPEC, "repeat"), rule, spec.repeat)
    if isinstance(spec, FreezeSpec) and spec.cron is not None:
        yield from _tried((*_SPEC, "cron"), check_cron, spec.cron)


def _whole_span(spec: SeasonSpec | FreezeSpec) -> Found:
    if spec.repeat is None:
        for key, text in (("from", spec.start), ("until", spec.until)):
            if text is not None and (wrong := list(_instant(text, spec.timezone, _SPEC, key))):
                yield from wrong
                return
    for _, message, remedy in _tried(_SPEC, schedule.check, spec.span):
        named = re.match("'(from|until|timezone|duration)'", message)
        yield (*_SPEC, *((named[1],) if named else _end(spec))), message, remedy


def _end(spec: SeasonSpec | FreezeSpec) -> Field:
    """What says how long it lasts: to be pointed at when the span as a whole makes no sense."""
    if isinstance(spec.repeat, HolidayRepeat):
        return ("repeat", "until")
    return ("duration",) if isinstance(spec, FreezeSpec) and spec.cron is not None else ("until",)


def _tried(field: Field, attempt: Callable[..., object], *given: object) -> Found:
    try:
        attempt(*given)
    except (ScheduleError, ManifestError) as error:
        yield field, error.message, error.next_step


def _does_something(spec: SeasonSpec) -> bool:
    return bool(spec.config) or spec.version is not None or spec.traffic is not None
