"""How does a review look as a comment on a pull request?

Markdown that is the same for the same facts, begins with a marker by which a robot finds its comment again, and is
short enough for one. Everything that comes from git is text in it: no markup, nobody mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from reconciler.cli.planned import escaped
from reconciler.cli.reviewing import Made, Review
from reconciler.cli.unfolding import Happening, spoken_waits
from reconciler.manifest import Complaint
from reconciler.model.deployment import ROLLBACKS
from reconciler.model.output import Changed, Edge
from reconciler.model.plan import Deploy
from reconciler.model.rollout import Course
from reconciler.model.version import canonical, label
from reconciler.planner.causes import spoken
from reconciler.views.differences import changed
from reconciler.views.edges import local
from reconciler.words import plain

MARKER = "<!-- reconciler: what merging this does -->"
LONGEST = 60_000
"""Bytes of a comment: GitHub takes 65,536 characters."""
MOST_VERSIONS, MOST_DEPLOYMENTS, MOST_LINES, MOST_DIFF = 30, 60, 30, 25_000
_LONGEST_LINE = 400


def markdown(review: Review) -> str:
    """The comment."""
    parts = [
        _head(review),
        _mistakes(review),
        _refused(review),
        _undoing(review),
        _warnings(review),
        _deployments(review),
        _versions(review),
        _calendar(review),
        _settings(review),
        _diff(review),
    ]
    return _fitting(["\n".join(part) for part in map(list, parts) if part])


def _fitting(parts: Sequence[str]) -> str:
    """The parts that fit, whole: what is left out is the last ones, and that is said."""
    taken: list[str] = []
    left, size = 0, 0
    for part in parts:
        size += len(part.encode()) + 2
        if size > LONGEST:
            left += 1
        elif part:
            taken.append(part)
    if left:
        taken.append(
            "*This is too long for a comment; `reconciler plan` with the same options shows the rest as text.*"
        )
    return "\n\n".join(taken) + "\n"


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
    return _listed("Mistakes: what these files define stays as it is", lines)


def _place(one: Complaint) -> str:
    return escaped(f"{plain(one.path)}:{one.line}:{one.column}")


def _refused(review: Review) -> Iterator[str]:
    several = [one for one in review.refused if one.rule != "withdrawn"]
    return _listed("Refused", [f"{_where(review, o.app, o.environment)}: {escaped(o.detail)}" for o in several])


def _where(review: Review, app: str, environment: str) -> str:
    place = review.places.get((app, environment), "")
    return f"**{escaped(app)}** in {escaped(environment)}" + (f" ({escaped(place)})" if place else "")


def _listed(title: str, lines: Sequence[str], most: int = MOST_LINES) -> Iterator[str]:
    if lines:
        yield f"#### {title}"
        yield ""
        yield from (f"- {line if len(line) <= 2_000 else line[:2_000] + '…'}" for line in lines[:most])
        if len(lines) > most:
            yield f"- … and {len(lines) - most} more"


def _undoing(review: Review) -> Iterator[str]:
    lines = [
        f"{_of(one)} adds {escaped(', '.join(one.migrations))}{_at(one.migrations_at)}: "
        "once that has run, going back to a version without it is refused"
        for one in review.made
        if one.migrations
    ]
    return _listed("What cannot be undone", lines)


def _of(one: Made) -> str:
    return f"**{escaped(one.version.app)}** {escaped(label(one.version.number, one.version.name))}"


def _at(place: str) -> str:
    return f" ({escaped(place)})" if place else ""


def _warnings(review: Review) -> Iterator[str]:
    return _listed("Warnings", list(_warned(review)))


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
        for one in comes[:MOST_DEPLOYMENTS]:
            yield _row(review, one)
        if len(comes) > MOST_DEPLOYMENTS:
            yield ""
            yield f"… and {len(comes) - MOST_DEPLOYMENTS} more."
    handed = [f"{_where(review, one.app, one.environment)}: routes, domains or crons" for one in review.triggers]
    if handed:
        yield ""
        yield from _listed("Handed over without a deployment", handed)
    if goes := review.goes:
        yield ""
        lines = [f"{escaped(_when(review, o))}: {escaped(_said(o))}" for o in goes]
        yield from _listed("No longer happens", lines)


def _row(review: Review, one: Happening) -> str:
    action = _deploy(one)
    cells = [
        _when(review, one),
        action.app,
        action.environment,
        action.cause,
        _change(one),
        ", ".join(spoken_waits(one)) or "—",
        _cut(action.reason),
    ]
    return "".join(f"| {escaped(cell)} " for cell in cells) + "|"


def _cut(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _when(review: Review, one: Happening) -> str:
    """A moment on the clocks that its train or its season goes by, and in UTC."""
    action = _deploy(one)
    zone = review.after.zones.get((action.app, action.environment)) if _took_train(one) else None
    if action.cause in ("season-start", "season-end"):
        names = [*action.grounds.seasons, *review.after.season_zones]
        zone = next((review.after.season_zones[name] for name in names if name in review.after.season_zones), None)
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
    for one in review.made[:MOST_VERSIONS]:
        number = label(one.version.number, one.version.name)
        cells = [one.version.app, number, _cut(one.version.message), ", ".join(_news(one))]
        yield "".join(f"| {escaped(cell)} " for cell in cells) + "|"
    if len(review.made) > MOST_VERSIONS:
        yield ""
        yield f"… and {len(review.made) - MOST_VERSIONS} more."


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
        yield f"config ({', '.join(_cut(each.key, 40) for each in differs[:5])}{'…' if len(differs) > 5 else ''})"
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
    return _listed("The calendar", lines, 20)


def _edge(one: Edge, before: str) -> str:
    where = f"{one.app} in {one.environment}" if one.app else one.environment
    name = f" {one.name}" if one.name else ""
    way = f"; {one.cancel}" if one.cancel else ""
    return escaped(f"{before}{_utc(one.at)}: {one.cause}{name} for {where}: {_cut(one.detail)}{way}")


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
    yield from _fenced(lines, MOST_DIFF // 4)


def _diff(review: Review) -> Iterator[str]:
    if review.diff:
        yield "#### Manifests"
        yield ""
        yield from _fenced(review.diff.splitlines(), MOST_DIFF, more=review.cut)


def _fenced(lines: Iterable[str], most: int, *, more: bool = False) -> Iterator[str]:
    """A block of code that nothing inside can end, of `most` bytes at most."""
    shown: list[str] = []
    size = left = 0
    for line in lines:
        text = _cut(plain(line.replace("\t", "    ")), _LONGEST_LINE)
        size += len(text.encode()) + 1
        if size > most:
            left += 1
        else:
            shown.append(text)
    fence = "`" * (1 + max([2, *(len(found) for line in shown for found in re.findall(r"`+", line))]))
    yield f"{fence}diff"
    yield from shown
    yield fence
    if left or more:
        yield ""
        yield f"… and {left} more lines." if left else "… and more files."
