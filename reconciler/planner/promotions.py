"""Which versions does a choice stand for, given what is recorded?

A promotion moves the very version that completed in the tracked environment. What a season chose there, a
split, and a version that was withdrawn are never promoted.
"""

from dataclasses import dataclass

from reconciler.desired import Choice, Desired, Latest, Pinned, Tracked
from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.plan import Refused, Waiting, WaitsFor
from reconciler.model.version import Version
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp


@dataclass(frozen=True, slots=True)
class Found:
    """The versions and shares that a choice stands for, and the deployment that they come from by promotion."""

    traffic: tuple[Allotment, ...]
    source: Deployment | None = None


def whole(version: Version) -> tuple[Allotment, ...]:
    """All of the traffic for one version."""
    return (Allotment(version=version.id, number=version.number, name=version.name, percent=100),)


def find(choice: Choice, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Found | Waiting | Refused:
    """The versions that `choice` stands for, or what is missing for it."""
    match choice:
        case Latest():
            return _latest(wanted, app)
        case Pinned():
            return _pinned(choice, wanted, app)
        case Tracked():
            return _tracked(choice, wanted, app, record)


def _latest(wanted: Desired, app: RecordedApp) -> Found | Waiting:
    if app.content is None:
        return _waiting(wanted, "version", "no content has been published yet")
    return Found(whole(app.versions[app.content]))


def _pinned(choice: Pinned, wanted: Desired, app: RecordedApp) -> Found | Refused:
    allotted: list[Allotment] = []
    for share in choice.shares:
        version = app.versions.get(app.references.get(share.version) or "")
        if version is None:
            return Refused(
                app=wanted.app,
                environment=wanted.environment,
                rule="version",
                detail=f"{wanted.app} has no version {share.version}; "
                f"`reconciler versions list {wanted.app}` shows those it has",
            )
        allotted.append(Allotment(version=version.id, number=version.number, name=version.name, percent=share.percent))
    return Found(tuple(sorted(allotted, key=lambda part: part.number)))


def _tracked(choice: Tracked, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Found | Waiting:
    upstream = app.environments.get(choice.environment)
    source = candidate(upstream, app) if upstream else None
    if source is not None and not _overtaken(source, record):
        return Found(source.traffic, source)
    # Where nothing good is known, what runs here keeps its versions: settings and ends of seasons still reach it.
    if stays := newest_good(record, app) or _by_own_choice(record.running):
        return Found(stays.traffic)
    if upstream is not None and upstream.running is not None:
        return _waiting(wanted, "promotion", f"what runs in {choice.environment} is not to be promoted")
    return _waiting(wanted, "promotion", f"nothing has completed in {choice.environment} yet")


def _overtaken(source: Deployment, record: EnvironmentRecord) -> bool:
    """Whether something newer came here past `source`: an environment that returns to the chain must not bring old
    code back. What this environment's own entry asks for since then is a person's word and counts."""
    running = record.running
    came = next((d for d in record.completed if d.cause == "promotion"), None)
    if running is None or came is None or came.traffic != running.traffic or came.traffic == source.traffic:
        return False
    asked_since = record.touch is not None and record.touch.at >= came.created_at
    return source.finished_at is not None and came.created_at > source.finished_at and not asked_since


def _by_own_choice(running: Deployment | None) -> Deployment | None:
    return running if running and running.traffic and running.grounds.chosen_by != "season" else None


def candidate(upstream: EnvironmentRecord, app: RecordedApp) -> Deployment | None:
    """What may be promoted out of an environment: the newest that completed there by its own choice, if it holds."""
    for deployment in upstream.completed:
        if deployment.grounds.chosen_by == "season":
            continue
        whole_traffic = len(deployment.traffic) == 1 and not withdrawn_in(deployment, app)
        return deployment if whole_traffic else None
    return None


def newest_good(record: EnvironmentRecord, app: RecordedApp) -> Deployment | None:
    """The newest that completed here by the environment's own choice, holds something, and was not withdrawn since."""
    for deployment in record.completed:
        if deployment.grounds.chosen_by != "season" and deployment.traffic and not withdrawn_in(deployment, app):
            return deployment
    return None


def withdrawn_in(deployment: Deployment, app: RecordedApp) -> tuple[str, ...]:
    """Ids of the versions in a deployment that a revert took back."""
    return tuple(part.version for part in deployment.traffic if part.version in app.withdrawn)


def _waiting(wanted: Desired, waits_for: WaitsFor, detail: str) -> Waiting:
    return Waiting(app=wanted.app, environment=wanted.environment, waits_for=waits_for, detail=detail)
