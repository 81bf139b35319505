"""How does a review look as a comment on a pull request?

Markdown that is the same for the same facts, begins with a marker by which a robot finds its comment again, and is
short enough for one. Everything that comes from git is text in it: no markup, nobody mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from reconciler.cli.bounding import bounded, cut, fenced, listed
from reconciler.cli.findings import Made, Review
from reconciler.cli.planned import escaped
from reconciler.engine.unfolding import Happening, spoken_waits
from reconciler.manifest import Complaint
from reconciler.model.deployment import ROLLBACKS
from reconciler.model.output import Edge
from reconciler.model.plan import Deploy
from reconciler.model.rollout import Course
from reconciler.model.shown import Changed
from reconciler.model.version import canonical, label, spoken
from reconciler.views.differences import changed
from reconciler.views.edges import local
from reconciler.words import plain

MARKER = "<!-- reconciler: what merging this does -->"
LONGEST = 60_000
"""Bytes of a comment: GitHub takes 65,536 characters."""
# How much of a comment a section may take: so many lines, so many bytes. The manifests get what is left.
_DEPLOYMENTS, _VERSIONS, _CALENDAR = (60, 15_000), (30, 6_000), (20, 4_000)
_SETTINGS, _MANIFESTS = 4_000, 25_000


def markdown(review: Review) -> str:
    """The comment."""
    sections = [
        _head(review),
        _mistakes(review),
        _refused(review),
        _undoing(review),
        _warnings(review),
        _deployments(review),
        _versions(review),
        _calendar(review),
        _settings(review),
    ]
    parts = ["\n".join(lines) for section in sections if (lines := list(section))]
    left = LONGEST - sum(len(part.encode()) + 2 for part in parts)
    parts += ["\n".join(lines) for lines in [list(_diff(review, left - 200))] if lines]
    return "\n\n".join(parts) + "\n"


def _head(review: Review) -> Iterator[str]:
    yield MARKER
    yield f"### What merging `{review.head[:10]}` into `{review.base[:10]}` does"
    yield ""
    comes = len(review.comes)
    counts = [
        _counted(len(review.made), "version is made", "versions are made"),
        _counted(comes, "deployment follows", "deployments follow"),
    ]
    wrong = len(review.errors) + len([one for one in review.refused if one.rule != "withdrawn"])
    doubts = len(list(_warned(review)))
    yield (
        f"{'❌' if review.fails else '⚠️' if doubts else '✅'} {', '.join(counts)}"
        + (f"; {_counted(wrong, 'mistake or refusal', 'mistakes or refusals')}" if wrong else "")
        + (f"; {_counted(doubts, 'warning', 'warnings')}" if doubts else "")
        + "."
    )
    yield ""
    looked = f"If it is merged at {_utc(review.at)}, looking ahead until {_utc(review.until)}."
    yield f"{looked} Deployments are taken to go well, approvals and checks to be given as soon as they are asked for."
    if review.after.cut_at is not None:
        yield f"So much happens that this ends at {_utc(review.after.cut_at)}."


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _mistakes(review: Review) -> Iterator[str]:
    lines = [f"{_place(one)}: {escaped(one.sentence)}" for one in review.errors]
    return listed("Mistakes: what these files define stays as it is", lines)


def _place(one: Complaint) -> str:
    return escaped(f"{plain(one.path)}:{one.line}:{one.column}")


def _refused(review: Review) -> Iterator[str]:
    several = [one for one in review.refused if one.rule != "withdrawn"]
    return listed("Refused", [f"{_where(review, o.app, o.environment)}: {escaped(o.detail)}" for o in several])


def _where(review: Review, app: str, environment: str) -> str:
    place = review.places.get((app, environment), "")
    return f"**{escaped(app)}** in {escaped(environment)}" + (f" ({escaped(place)})" if place else "")


def _undoing(review: Review) -> Iterator[str]:
    lines = [
        f"{_of(one)} adds {escaped(', '.join(one.migrations))}{_at(one.migrations_at)}: "
        "once that has run, going back to a version without it is refused"
        for one in review.made
        if one.migrations
    ]
    return listed("What cannot be undone", lines)


def _of(one: Made) -> str:
    return f"**{escaped(one.version.app)}** {escaped(label(one.version.number, one.version.name))}"


def _at(place: str) -> str:
    return f" ({escaped(place)})" if place else ""


def _warnings(review: Review) -> Iterator[str]:
    return listed("Warnings", list(_warned(review)))


def _warned(review: Review) -> Iterator[str]:
    yield from _taken_back(review)
    for refusal in review.refused:
        if refusal.rule == "withdrawn":
            yield f"{_where(review, refusal.app, refusal.environment)}: {escaped(refusal.detail)}"
    for complaint in review.warnings:
        yield f"{_place(complaint)}: {escaped(complaint.sentence)}"
    for made in review.made:
        for said in made.secrets:
            yield f"{_of(made)}: the secret {escaped(said)}{_at(made.secrets_at)}"
    retired = {(o.action.app, o.action.environment) for o in review.comes if not _deploy(o).subject.traffic}
    for app, environment in review.removed:
        becomes = "is retired there" if (app, environment) in retired else "stays there as it is, beyond git's reach"
        yield f"**{escaped(app)}** leaves {escaped(environment)} in git: it {becomes}"
    for wait in review.waiting:
        until = f" until {_utc(wait.until)}" if wait.until else ""
        where = _where(review, wait.app, wait.environment)
        yield f"{where} still waits for {escaped(wait.waits_for)}{until} at the end of this: {escaped(wait.detail)}"


def _taken_back(review: Review) -> Iterator[str]:
    for version, row in review.taken_back:
        where = sorted({one.action.environment for one in review.comes if _goes_back(one, version.app)})
        follows = f"rolls back: {', '.join(map(escaped, where))}" if where else "nothing rolls back"
        said = f"**{escaped(version.app)}** {escaped(label(version.number, version.name))}"
        yield f"This takes back {said} by reverting {escaped(row.reverts[:10])}; {follows}"


def _deploy(one: Happening) -> Deploy:
    assert isinstance(one.action, Deploy)
    return one.action


def _goes_back(one: Happening, app: str) -> bool:
    return _deploy(one).app == app and _deploy(one).cause in ROLLBACKS


def _deployments(review: Review) -> Iterator[str]:
    comes = review.comes
    yield "#### Deployments"
    yield ""
    if not comes and not review.triggers:
        yield "Nothing is deployed."
    if comes:
        yield "| When | App | Environment | Cause | Versions | After | Why |"
        yield "|---|---|---|---|---|---|---|"
        yield from bounded([_row(review, one) for one in comes], *_DEPLOYMENTS)
    handed = [f"{_where(review, one.app, one.environment)}: routes, domains or crons" for one in review.triggers]
    if handed:
        yield ""
        yield from listed("Handed over without a deployment", handed)
    if goes := review.goes:
        yield ""
        lines = [f"{escaped(_when(review, o))}: {escaped(_said(o))}" for o in goes]
        yield from listed("No longer happens", lines)


def _row(review: Review, one: Happening) -> str:
    action = _deploy(one)
    cells = [
        _when(review, one),
        action.app,
        action.environment,
        action.cause,
        _change(one),
        ", ".join(spoken_waits(one)) or "—",
        cut(action.reason),
    ]
    return "".join(f"| {escaped(cell)} " for cell in cells) + "|"


def _when(review: Review, one: Happening) -> str:
    """A moment on the clocks that its train or its season goes by, and in UTC."""
    action = _deploy(one)
    zone = review.after.zones.get((action.app, action.environment)) if _took_train(one) else None
    if action.cause in ("season-start", "season-end"):
        zone = review.season_zone(one.at, action.app, action.environment)
    if one.at <= review.at:
        return "at once"
    earliest = "at the earliest " if one.assumed else ""
    return f"{earliest}{local(one.at, zone)}"


def _took_train(one: Happening) -> bool:
    """Whether it has waited for a train."""
    return any(wait.waits_for == "train" for wait in one.waited)


def _change(one: Happening) -> str:
    action = _deploy(one)
    before = one.effect.versions_before if one.effect else ()
    after = spoken(action.subject.traffic) if action.subject.traffic else "retired"
    text = after if not before or spoken(before) == after else f"{spoken(before)} → {after}"
    return f"{text}, {_steps(action.rollout)}" if action.rollout else text


def _steps(course: Course) -> str:
    steps = " → ".join(f"{step} %" for step in course.steps)
    takes = (course.interval or timedelta()) * (len(course.steps) - 1) + (course.bake or timedelta())
    return f"by {steps}, complete {_length(takes)} later" if takes else f"by {steps}"


def _length(length: timedelta) -> str:
    hours, rest = divmod(int(length.total_seconds()), 3600)
    minutes = rest // 60
    return (
        " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
        or "soon"
    )


def _said(one: Happening) -> str:
    action = _deploy(one)
    return f"{action.app} in {action.environment}, {action.cause} of {_change(one)}"


def _versions(review: Review) -> Iterator[str]:
    if not review.made:
        return
    yield "#### Versions"
    yield ""
    yield "| App | Version | Change | What is new |"
    yield "|---|---|---|---|"
    yield from bounded([_version(one) for one in review.made], *_VERSIONS)


def _version(one: Made) -> str:
    cells = [one.version.app, label(one.version.number, one.version.name), cut(one.version.message)]
    return "".join(f"| {escaped(cell)} " for cell in [*cells, ", ".join(_news(one))]) + "|"


def _news(one: Made) -> Iterator[str]:
    was, becomes = one.before, one.version
    if was is None:
        yield "the first version"
        return
    if was.bundle != becomes.bundle:
        yield "code"
    if was.image != becomes.image:
        yield "image"
    if differs := changed(was.config, becomes.config):
        yield f"config ({', '.join(cut(each.key, 40) for each in differs[:5])}{'…' if len(differs) > 5 else ''})"
    if was.bindings != becomes.bindings:
        yield "bindings"
    if was.secrets != becomes.secrets:
        yield "secrets"
    if was.migrations != becomes.migrations:
        yield "migrations"


def _calendar(review: Review) -> Iterator[str]:
    comes, goes = review.edges
    lines = [_edge(one, "") for one in comes if one.cause != "train"]
    lines += [_edge(one, "no longer: ") for one in goes if one.cause != "train"]
    trains = sorted({(one.app, one.environment, one.name) for one in comes if one.cause == "train"})
    lines += [
        f"{escaped(f'{app} in {where}')}: a release train leaves at {escaped(name)}" for app, where, name in trains
    ]
    return listed("The calendar", lines, _CALENDAR)


def _edge(one: Edge, before: str) -> str:
    where = f"{one.app} in {one.environment}" if one.app else one.environment
    name = f" {one.name}" if one.name else ""
    way = f"; {one.cancel}" if one.cancel else ""
    return escaped(f"{before}{_utc(one.at)}: {one.cause}{name} for {where}: {cut(one.detail)}{way}")


def _settings(review: Review) -> Iterator[str]:
    groups: dict[tuple[Changed, ...], list[str]] = {}
    for one in review.comes:
        if isinstance(one.action, Deploy) and one.effect and one.effect.config and one.effect.versions_before:
            groups.setdefault(one.effect.config, []).append(f"{one.action.app} in {one.action.environment}")
    if not groups:
        return
    lines: list[str] = []
    for differs, places in groups.items():
        lines.append(f"@@ {', '.join(dict.fromkeys(places))} @@")
        for each in differs:
            lines += [f"- {each.key}: {canonical(each.before)}"] if each.had else []
            lines += [f"+ {each.key}: {canonical(each.after)}"] if each.has else []
    yield "#### Settings, as the apps see them"
    yield ""
    yield from fenced(lines, _SETTINGS)


def _diff(review: Review, left: int) -> Iterator[str]:
    if review.diff:
        yield "#### Manifests"
        yield ""
        yield from fenced(review.diff.splitlines(), min(left, _MANIFESTS), more=review.cut)
