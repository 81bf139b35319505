"""Which versions does a choice stand for, given what is recorded, and which of them may enter?

A promotion moves the very version that completed in the tracked environment. What a season chose there, a
split, and a version that was withdrawn are never promoted. Where gates stand in between, what completed there stands
in line: the newest that has passed every gate enters, and each has its own soak, so that a newer one never makes an
older one wait anew.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.desired import Choice, Desired, Latest, Pinned, Tracked, earliest
from reconciler.model.deployment import Allotment, Deployment
from reconciler.model.plan import Refused, RunChecks, Waiting, WaitsFor
from reconciler.model.traffic import versions_in
from reconciler.model.version import Version
from reconciler.planner.gates import Candidate, Passage, key_of, passage
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp
from reconciler.words import address


@dataclass(frozen=True, slots=True, kw_only=True)
class Besides:
    """What is to be said besides the versions: candidates that wait at gates, checks to run, when to ask again."""

    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()
    checks: RunChecks | None = None
    wake_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The versions and shares that a choice stands for, and the deployment that they come from by promotion."""

    traffic: tuple[Allotment, ...]
    source: Deployment | None = None
    besides: Besides = Besides()
    remarks: tuple[str, ...] = ()
    """How the gates were passed, where that is worth remembering."""
    due_at: datetime | None = None
    """The departure of the train that takes it."""
    stays: bool = False
    """It is what is here already, as far as it went well: nothing newer may enter."""


def whole(version: Version) -> tuple[Allotment, ...]:
    """All of the traffic for one version."""
    return (Allotment(version=version.id, number=version.number, name=version.name, percent=100),)


def find(choice: Choice, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Found | Besides:
    """The versions that `choice` stands for, or what is missing for it."""
    match choice:
        case Latest():
            return _latest(wanted, app)
        case Pinned():
            return _pinned(choice, wanted, app)
        case Tracked():
            return _tracked(choice, wanted, app, record)


def _latest(wanted: Desired, app: RecordedApp) -> Found | Besides:
    if app.content is None:
        return _waiting(wanted, "version", "no content has been published yet")
    return Found(whole(app.versions[app.content]))


def _pinned(choice: Pinned, wanted: Desired, app: RecordedApp) -> Found | Besides:
    allotted: list[Allotment] = []
    for share in choice.shares:
        version = app.versions.get(app.references.get(share.version) or "")
        if version is None:
            missing = Refused(
                app=wanted.app,
                environment=wanted.environment,
                rule="version",
                detail=f"{wanted.app} has no version {share.version}; "
                f"`reconciler versions list {wanted.app}` shows those it has",
            )
            return Besides(refused=(missing,))
        allotted.append(Allotment(version=version.id, number=version.number, name=version.name, percent=share.percent))
    return Found(tuple(sorted(allotted, key=lambda part: part.number)))


def _tracked(choice: Tracked, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Found | Besides:
    upstream = app.environments.get(choice.environment)
    source = candidate(upstream, app) if upstream else None
    if source is not None and upstream is not None and _overtaken(source, upstream, record):
        source = None
    gated = wanted.gates is not None or wanted.train is not None
    if source is not None and (not gated or not entering(source.traffic, record, app)):
        return Found(source.traffic, source)
    besides = Besides()
    if gated and upstream is not None:
        through = _through_gates(choice, wanted, upstream, app, record)
        if isinstance(through, Found):
            return through
        besides = through
    # Where nothing good is known, what runs here keeps its versions: settings and ends of seasons still reach it.
    if stays := rolling(record, app) or newest_good(record, app) or _by_own_choice(record.running):
        return Found(stays.traffic, besides=besides, stays=True)
    if besides.waiting or besides.refused:
        return besides
    if upstream is not None and upstream.running is not None:
        return _waiting(wanted, "promotion", f"what runs in {choice.environment} is not to be promoted")
    return _waiting(wanted, "promotion", f"nothing has completed in {choice.environment} yet")


def _through_gates(
    choice: Tracked, wanted: Desired, upstream: EnvironmentRecord, app: RecordedApp, record: EnvironmentRecord
) -> Found | Besides:
    """The newest in line that has passed every gate, with what is to be said of those before it."""
    asked: list[Passage] = []
    for deployment in in_line(upstream, app, record):
        answer = passage(_candidate(deployment, choice.environment, wanted, app), wanted, app, record)
        if answer.passed_at is not None:
            besides = _besides(asked)
            if answer.checks and not besides.checks:  # those that are only reported run all the same
                besides = replace(besides, checks=answer.checks)
            return Found(deployment.traffic, deployment, besides, answer.remarks, answer.due_at)
        asked.append(answer)
    return _besides(asked)


def _besides(asked: list[Passage]) -> Besides:
    """What is said of candidates that have not passed: of the one that came first, and of the newest."""
    if not asked:
        return Besides()
    shown = {id(one): one for one in (asked[-1], asked[0])}.values()
    # What is being run is waited for; what could not tell and rests holds no newer one back.
    waits = [wait for one in asked if one.checks is None for wait in one.waiting]
    running = any(wait.waits_for == "checks" and wait.until is None for wait in waits)
    checks = next((one.checks for one in asked if one.checks), None)
    return Besides(
        waiting=tuple(wait for one in shown for wait in one.waiting),
        refused=tuple(refusal for one in asked for refusal in one.refused),
        checks=None if running else checks,
        wake_at=earliest([one.wake_at for one in asked]),
    )


def in_line(upstream: EnvironmentRecord, app: RecordedApp, record: EnvironmentRecord) -> tuple[Deployment, ...]:
    """What completed upstream by its own choice since what is here, may be promoted, and is not here: newest first.

    A version that was deployed there several times stands where it came first.
    """
    here = versions_in(stays.traffic) if (stays := own(record)) else frozenset()
    line: dict[frozenset[str], Deployment] = {}
    for deployment in upstream.completed:
        versions = versions_in(deployment.traffic)
        if not _may_go_on(deployment, app):
            continue
        if versions == here:
            break
        if len(versions) == 1 and not withdrawn_in(deployment, app) and not _overtaken(deployment, upstream, record):
            line[versions] = deployment
    return tuple(sorted(line.values(), key=lambda one: (one.finished_at or one.created_at, one.number), reverse=True))


def _candidate(deployment: Deployment, source: str, wanted: Desired, app: RecordedApp) -> Candidate:
    return Candidate(
        traffic=deployment.traffic,
        key=key_of(deployment.traffic, wanted),
        ready_at=deployment.finished_at or deployment.created_at,
        source=source,
        authors=authors(deployment.traffic, app),
    )


def authors(traffic: tuple[Allotment, ...], app: RecordedApp) -> frozenset[str]:
    """Who wrote these versions, in lower case."""
    known = [app.versions[part.version] for part in traffic if part.version in app.versions]
    own = {address(version.author.email) for version in known if version.author.email}
    return frozenset(own).union(*(app.writers.get(version.commit, frozenset()) for version in known))


def entering(traffic: tuple[Allotment, ...], record: EnvironmentRecord, app: RecordedApp) -> bool:
    """Whether versions would come in that are not here: what runs, and what ran here last by its own choice, are."""
    known = (record.running, own(record), rolling(record))
    here = {part.version for one in known if one for part in one.traffic}
    here -= app.withdrawn.keys()
    return any(part.version not in here for part in traffic)


def rolling(record: EnvironmentRecord, app: RecordedApp | None = None) -> Deployment | None:
    """What is being let in step by step: it has passed the gates, and is as good as here unless it was withdrawn."""
    active = record.active
    if active is None or not active.rolling or not active.traffic or active.grounds.chosen_by == "season":
        return None
    return active if app is None or not withdrawn_in(active, app) else None


def own(record: EnvironmentRecord) -> Deployment | None:
    """The newest that completed here by the environment's own choice, and holds something."""
    return next((d for d in record.completed if d.grounds.chosen_by != "season" and d.traffic), None)


def _overtaken(source: Deployment, upstream: EnvironmentRecord, record: EnvironmentRecord) -> bool:
    """Whether something newer came here past `source`, by another way than through `upstream`: an environment that
    returns to the chain must not bring old code back. What its own entry asks for since then is a person's word."""
    running = record.running
    came = next((d for d in record.completed if d.cause == "promotion"), None)
    if running is None or came is None or came.traffic != running.traffic or _newest(source) >= _newest(came):
        return False
    if any(one.traffic == came.traffic for one in upstream.completed):
        return False
    asked_since = record.touch is not None and record.touch.at >= came.created_at
    return source.finished_at is not None and came.created_at > source.finished_at and not asked_since


def _newest(deployment: Deployment) -> int:
    return max((part.number for part in deployment.traffic), default=0)


def _by_own_choice(running: Deployment | None) -> Deployment | None:
    return running if running and running.traffic and running.grounds.chosen_by != "season" else None


def candidate(upstream: EnvironmentRecord, app: RecordedApp) -> Deployment | None:
    """What may be promoted out of an environment: the newest that completed there by its own choice, if it holds."""
    for deployment in upstream.completed:
        if not _may_go_on(deployment, app):
            continue
        whole_traffic = len(deployment.traffic) == 1 and not withdrawn_in(deployment, app)
        return deployment if whole_traffic else None
    return None


def _may_go_on(deployment: Deployment, app: RecordedApp) -> bool:
    """Whether the chain hears of it: not of a season's choice, nor of a person's way back until git says the same."""
    if deployment.grounds.chosen_by == "season":
        return False
    return not deployment.grounds.held_by or versions_in(deployment.traffic) == {app.content}


def newest_good(record: EnvironmentRecord, app: RecordedApp) -> Deployment | None:
    """The newest that completed here by the environment's own choice, holds something, and was not withdrawn since."""
    for deployment in record.completed:
        if deployment.grounds.chosen_by != "season" and deployment.traffic and not withdrawn_in(deployment, app):
            return deployment
    return None


def withdrawn_in(deployment: Deployment, app: RecordedApp) -> tuple[str, ...]:
    """Ids of the versions in a deployment that a revert took back."""
    return tuple(part.version for part in deployment.traffic if part.version in app.withdrawn)


def still_good(deployment: Deployment, app: RecordedApp, record: EnvironmentRecord) -> bool:
    """Whether it holds something, and of that nothing was taken back or went wrong here: it can be gone back to."""
    suspect = any(part.version in record.suspicions for part in deployment.traffic)
    return bool(deployment.traffic) and not suspect and not withdrawn_in(deployment, app)


def _waiting(wanted: Desired, waits_for: WaitsFor, detail: str) -> Besides:
    lacking = Waiting(app=wanted.app, environment=wanted.environment, waits_for=waits_for, detail=detail)
    return Besides(waiting=(lacking,))
