"""Why does a deployment exist, said in one word for machines and one sentence for people?

An ordered cascade: what changed since the last deployment that reached the target, and who changed it. Whether a
deployment is to be made at all is not asked here.
"""

from dataclasses import dataclass, field
from datetime import datetime

from reconciler.desired import Desired, Latest, Pinned, Tracked
from reconciler.model.deployment import Allotment, Cause, Deployment, Grounds, Subject
from reconciler.model.traffic import largest, versions_in
from reconciler.model.version import spoken
from reconciler.planner.promotions import Found
from reconciler.planner.recorded import EnvironmentRecord, Look, RecordedApp, Touch, on_the_way_back

RECONCILER = "reconciler"
"""Who deploys what no commit of that moment asked for: promotions and edges of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Cause and reason of a deployment, and whose doing it is."""

    cause: Cause
    reason: str
    commit: str | None = None
    deployed_by: str = RECONCILER
    reverts: tuple[str, ...] = field(default=())
    due_at: datetime | None = None


def why(
    wanted: Desired,
    found: Found,
    subject: Subject,
    grounds: Grounds,
    app: RecordedApp,
    record: EnvironmentRecord,
) -> Why:
    """The cause of releasing `subject`, given what is recorded."""
    previous = record.change_from(subject.traffic)
    said = spoken(subject.traffic)
    if previous is None:
        return _first(wanted, found, said, app, record)
    edge = _season(wanted, previous, subject, app, record)
    if edge and (previous.grounds.base == grounds.base or _by_season_alone(wanted, subject, previous)):
        return edge
    if previous.grounds.base == grounds.base:
        if again := _once_more(wanted, subject, previous, app, record):
            return again
        return _by_touch(record.touch, subject, previous, app)
    if schedule := _schedule(wanted, previous, record, said):
        return schedule
    if _taken_back(record.touch, found, app, record):
        return _by_touch(record.touch, subject, previous, app)
    other = None
    if versions_in(subject.traffic) != versions_in(previous.traffic):
        other = _other_versions(wanted, found, subject, previous, app, record)
    return other or _by_touch(record.touch or app.content_touch, subject, previous, app)


def _other_versions(
    wanted: Desired,
    found: Found,
    subject: Subject,
    previous: Deployment,
    app: RecordedApp,
    record: EnvironmentRecord,
) -> Why | None:
    """Why others run than before, where no commit of the entry asked for them."""
    said = spoken(subject.traffic)
    if isinstance(wanted.choice, Tracked) and found.source:
        return _promotion(wanted.choice, found, said, app)
    if isinstance(wanted.choice, Latest) and app.content_touch and app.content in versions_in(subject.traffic):
        return _published(app.content_touch, said, goes_back=_leaves_withdrawn(previous, app))
    return _stands_in(wanted, subject, previous, record)


def _first(wanted: Desired, found: Found, said: str, app: RecordedApp, record: EnvironmentRecord) -> Why:
    if isinstance(wanted.choice, Tracked):
        return _promotion(wanted.choice, found, said, app)
    touch = app.content_touch if isinstance(wanted.choice, Latest) else record.touch or app.content_touch
    if touch is None:
        return Why(cause="release", reason=f"{said} is the first here")
    return Why(cause="release", reason=_asked(touch, found.traffic, app), commit=touch.commit, deployed_by=touch.author)


def _asked(touch: Touch, traffic: tuple[Allotment, ...], app: RecordedApp) -> str:
    """That a commit asked for these versions; its subject is not to be taken for the message of another one's."""
    published = app.content_touch is not None and app.content_touch.position == touch.position
    if published and app.content in versions_in(traffic):
        return f"{spoken(traffic)}: {touch.subject}"
    return f"{touch.commit[:10]} asks for {spoken(traffic)}: {touch.subject}"


def _promotion(choice: Tracked, found: Found, said: str, app: RecordedApp) -> Why:
    upstream = app.environments.get(choice.environment)
    came = came_with(upstream, found.traffic) if upstream else None
    source = came or found.source
    return Why(
        cause="promotion",
        reason=f"{said} completed in {choice.environment}",
        commit=source.commit if source else None,
    )


def came_with(record: EnvironmentRecord, traffic: tuple[Allotment, ...]) -> Deployment | None:
    """The deployment with which these versions came last: whose settings were changed since is not told by that."""
    wish, found = versions_in(traffic), None
    for deployment in record.completed:
        if versions_in(deployment.traffic) == wish:
            found = deployment
        elif found is not None:
            break
    return found


_KEPT: frozenset[Cause] = frozenset({"release", "promotion", "schedule", "season-start", "season-end", "restore"})


def _once_more(
    wanted: Desired, subject: Subject, previous: Deployment, app: RecordedApp, record: EnvironmentRecord
) -> Why | None:
    """What was begun and did not arrive comes again: by a newer commit's word, else for the reason that it had."""
    if previous.status not in ("failed", "aborted") or not previous.subject.same_as(subject):
        return None
    newer = [touch for touch in (record.touch, app.content_touch) if touch and touch.at > previous.created_at]
    if isinstance(wanted.choice, Latest) and app.content_touch in newer and app.content in versions_in(subject.traffic):
        return _published(app.content_touch, spoken(subject.traffic), goes_back=_leaves_withdrawn(previous, app))
    if record.touch in newer:
        return _by_touch(record.touch, subject, previous, app)
    ended = "failed" if previous.status == "failed" else "was stopped"
    return Why(
        cause=previous.cause if previous.cause in _KEPT else "release",
        reason=f"{spoken(subject.traffic)} once more, since deployment {previous.number} {ended}",
        commit=previous.commit,
        deployed_by=previous.deployed_by,
    )


def _stands_in(wanted: Desired, subject: Subject, previous: Deployment, record: EnvironmentRecord) -> Why | None:
    """What comes back since nothing newer may run: neither the entry nor the newest content asked for it."""
    if isinstance(wanted.choice, Pinned) or (record.touch and record.touch.look == "reverted"):
        return None
    came = came_with(record, subject.traffic)
    if came is None:
        return None
    return Why(
        cause="rollback" if moves_back(subject, previous) else "release",
        reason=f"back to {spoken(subject.traffic)}, which ran well here before",
        commit=came.commit,
    )


_PUBLISHED: dict[Look, tuple[Cause, str]] = {
    "new": ("release", "{said}: {subject}"),
    "changed": ("release", "{said}: {subject}"),
    "season": ("release", "{said}: {subject}"),
    "environment": ("release", "{said}: {subject}"),
    "reapplied": ("release", "{short} brings {said} back"),
    "restored": ("restore", "{short} returns to the content of {said}"),
    "reverted": ("rollback", "{short} reverts {reverted}: back to {said}"),
}


def _leaves_withdrawn(previous: Deployment, app: RecordedApp) -> bool:
    """Whether what a revert took back is here: where it never arrived, nothing goes back."""
    return not previous.traffic or any(part.version in app.withdrawn for part in previous.traffic)


def _published(touch: Touch, said: str, *, goes_back: bool) -> Why:
    cause, reason = _PUBLISHED[touch.look if goes_back or touch.look != "reverted" else "new"]
    return Why(
        cause=cause,
        reason=reason.format(
            short=touch.commit[:10], said=said, subject=touch.subject, reverted=_shorts(touch.reverts)
        ),
        commit=touch.commit,
        deployed_by=touch.author,
        reverts=touch.reverts,
    )


def _shorts(commits: tuple[str, ...]) -> str:
    return ", ".join(commit[:10] for commit in commits) or "an earlier commit"


def _by_season_alone(wanted: Desired, subject: Subject, previous: Deployment) -> bool:
    """Whether what changed beneath a season did not show before its edge: the edge is what changes something now."""
    same_versions = versions_in(subject.traffic) == versions_in(previous.traffic)
    return same_versions or "season" in (wanted.chosen_by, previous.grounds.chosen_by)


def _taken_back(touch: Touch | None, found: Found, app: RecordedApp, record: EnvironmentRecord) -> bool:
    """Whether a revert of this environment's entry brings back versions that ran here and have not changed since."""
    if touch is None or touch.look != "reverted":
        return False
    if any(d.commit == touch.commit and not on_the_way_back(d, found.traffic) for d in record.recent):
        return False
    if not any(versions_in(d.traffic) == versions_in(found.traffic) for d in record.completed):
        return False
    if found.source is not None:
        return found.source.finished_at is not None and found.source.finished_at <= touch.at
    return app.content_touch is None or app.content_touch.position < touch.position


def _season(
    wanted: Desired, previous: Deployment, subject: Subject, app: RecordedApp, record: EnvironmentRecord
) -> Why | None:
    said, touch = spoken(subject.traffic), record.touch
    before = dict(zip(previous.grounds.seasons, previous.grounds.season_ends, strict=False))
    started = [season for season in wanted.seasons if season.name not in before]
    commit = _of_version(subject, previous, app, record)
    if started:
        names = ", ".join(season.name for season in started)
        due = max(season.window.start for season in started)
        words = f"{names} begins: {said}"
        if touch and touch.at > due:  # it was written after its own start: it is nobody's lateness
            return Why(cause="season-start", reason=words, commit=touch.commit, deployed_by=touch.author)
        return Why(cause="season-start", reason=words, commit=commit, due_at=due)
    now_active = {season.name for season in wanted.seasons}
    # One whose end has not come was taken away by a commit.
    ended = [name for name in before if name not in now_active and before[name] <= wanted.at]
    if ended:
        due = max(before[name] for name in ended)
        return Why(cause="season-end", reason=f"{', '.join(ended)} is over: {said}", commit=commit, due_at=due)
    return None


def _of_version(subject: Subject, previous: Deployment, app: RecordedApp, record: EnvironmentRecord) -> str | None:
    """The commit that an edge of time deploys: no commit asked for it at that moment."""
    if app.content_touch and app.content in versions_in(subject.traffic):
        return app.content_touch.commit
    if came := came_with(record, subject.traffic):
        return came.commit
    leading = largest(subject.traffic)
    version = app.versions.get(leading.version) if leading else None
    return version.commit if version else previous.commit


def _schedule(wanted: Desired, previous: Deployment, record: EnvironmentRecord, said: str) -> Why | None:
    at = wanted.scheduled_at
    if at is None or at == previous.grounds.scheduled_at:
        return None
    if record.touch and record.touch.at > at:  # the entry was written after its own moment: an ordinary change
        return None
    commit, by = (record.touch.commit, record.touch.author) if record.touch else (None, RECONCILER)
    return Why(
        cause="schedule",
        reason=f"its scheduled moment has come: {said}",
        commit=commit,
        deployed_by=by,
        due_at=at,
    )


def _by_touch(touch: Touch | None, subject: Subject, previous: Deployment, app: RecordedApp) -> Why:
    said = spoken(subject.traffic)
    if touch is None:
        return Why(cause="release", reason=f"settings changed: {said}")
    returns = touch.look == "reverted" or moves_back(subject, previous)
    if touch.look == "reverted":
        reason = f"{touch.commit[:10]} reverts {_shorts(touch.reverts)}: back to {said}"
    elif returns:
        reason = f"{touch.commit[:10]} moves back to {said}: {touch.subject}"
    else:
        reason = _asked(touch, subject.traffic, app)
    return Why(
        cause="rollback" if returns else "release",
        reason=reason,
        commit=touch.commit,
        deployed_by=touch.author,
        reverts=touch.reverts,
    )


def moves_back(subject: Subject, previous: Deployment) -> bool:
    """Whether a pin or split gives its largest share to an older version than had it before."""
    now, before = largest(subject.traffic), largest(previous.traffic)
    return now is not None and before is not None and 0 < now.number < before.number


def grounds_of(wanted: Desired, traffic: tuple[Allotment, ...]) -> Grounds:
    """What the next deployment is compared with; `traffic` is what would run without seasons."""
    return Grounds(
        chosen_by=wanted.chosen_by,
        base=wanted.base_subject(traffic).fingerprint,
        scheduled_at=wanted.scheduled_at,
        seasons=tuple(season.name for season in wanted.seasons),
        season_ends=tuple(season.window.until for season in wanted.seasons),
        target=wanted.target,
    )


def is_pin(wanted: Desired) -> bool:
    """Whether a person named the versions."""
    return isinstance(wanted.choice, Pinned)
