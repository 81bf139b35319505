"""A person wants to go back in one environment: from what, to what, and does anything speak against it?

Answered before anything is written down, for whoever asks and for whoever leads alike. That it then happens, and that
automation leaves it there, follows from the hold and the suspicions that are recorded: see `aim`.
"""

from dataclasses import dataclass

from reconciler.desired import Desired
from reconciler.model.deployment import Allotment, Deployment, Subject
from reconciler.model.environment import EnvironmentSpec
from reconciler.model.traffic import largest, versions_in
from reconciler.model.version import Version, label, spoken
from reconciler.planner import rollbacks
from reconciler.planner.promotions import Found, find, still_good, whole
from reconciler.planner.recorded import EnvironmentRecord, RecordedApp, Suspicion


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """From a deployment to the versions that ran well before it."""

    left: Deployment
    traffic: tuple[Allotment, ...]
    version: str
    """What is taken back: the largest of what is left."""
    suspects: tuple[tuple[Subject, tuple[str, ...]], ...]
    """What is not to be released here by itself any more: what runs, and what git asks for at this moment."""


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why there is no way back, and what can be done instead."""

    reason: str
    remedy: str


def way_back(
    wanted: Desired, app: RecordedApp, record: EnvironmentRecord, spec: EnvironmentSpec, version: Version | None
) -> WayBack | NoWay:
    """The way back to `version`, None for what ran well before what runs now.

    `record` must reach back as far as anybody may want to go: what is not in it never ran here.
    """
    left = record.reached
    if left is None or not left.traffic:
        return NoWay(f"nothing runs in {wanted.environment}", "there is nothing to go back from")
    found = _target(left, app, record, version)
    if isinstance(found, NoWay):
        return found
    asked = find(wanted.choice, wanted, app, record)
    wish = asked.traffic if isinstance(asked, Found) else ()
    if wish == found:
        return NoWay(
            f"git asks for {spoken(found)} in {wanted.environment} already",
            f"`reconciler why {wanted.app} {wanted.environment}` tells what keeps it from running",
        )
    subject = wanted.subject(found)
    if bad := _bad(subject, record):
        return NoWay(
            f"{spoken(found)} {bad.why} in {wanted.environment} (deployment {bad.number})",
            _nevertheless(found, bad, wanted, record),
        )
    against = rollbacks.objection(subject, wanted, app, record, spec.rollback.limit, left)
    if isinstance(against, rollbacks.Objection):
        return NoWay(against.reason, against.remedy)
    going = versions_in(left.traffic) - versions_in(found)
    taken = largest(part for part in left.traffic if part.version in going)
    suspects = [(left.subject, _gone(left.traffic, found))]
    if wish and versions_in(wish) != versions_in(left.traffic):
        suspects.append((wanted.subject(wish), _gone(wish, found)))
    return WayBack(
        left=left,
        traffic=found,
        version=taken.version if taken else left.traffic[-1].version,
        suspects=tuple(suspects),
    )


def _target(
    left: Deployment, app: RecordedApp, record: EnvironmentRecord, version: Version | None
) -> tuple[Allotment, ...] | NoWay:
    here = record.environment
    if version is None:
        stay = versions_in(left.traffic)
        for good in record.completed:
            other = good.number < left.number and versions_in(good.traffic) != stay
            if other and still_good(good, app, record):
                return good.traffic
        return NoWay(f"nothing else ran well in {here} before {spoken(left.traffic)}", "commit a fix, or a revert")
    said = label(version.number, version.name)
    if left.traffic == whole(version):
        return NoWay(f"{said} is what runs in {here}", f"`reconciler versions list {app.app}` shows the others")
    if not any(versions_in(d.traffic) == {version.id} for d in record.completed):
        return NoWay(
            f"{said} never ran in {here}",
            f"`reconciler deployments list --app {app.app} --environment {here} --status completed` shows what did",
        )
    if taken_back := app.withdrawn.get(version.id):
        return NoWay(
            f"{said} was taken back: {taken_back.commit[:10]} reverts {taken_back.reverts[:10]}",
            "name another version, or commit a revert of the revert",
        )
    return whole(version)


def _nevertheless(traffic: tuple[Allotment, ...], bad: Suspicion, wanted: Desired, record: EnvironmentRecord) -> str:
    """How somebody has what went wrong here all the same."""
    if record.may_be_retried(bad.deployment):
        return f"`reconciler retry {bad.deployment}` tries it again, or name another version"
    if len(traffic) > 1:
        return f"name another version, or commit it with `Allow-Suspect: {wanted.app}/{wanted.environment}`"
    there = f"{wanted.app} --to {wanted.environment} --version v{traffic[0].number}"
    return f"name another version, or `reconciler promote {there} --allow-suspect` writes the commit that wants it"


def _bad(subject: Subject, record: EnvironmentRecord) -> Suspicion | None:
    suspected = [subject.fingerprint, *(part.version for part in subject.traffic)]
    return next((record.suspicions[what] for what in suspected if what in record.suspicions), None)


def _gone(traffic: tuple[Allotment, ...], stays: tuple[Allotment, ...]) -> tuple[str, ...]:
    return tuple(sorted(versions_in(traffic) - versions_in(stays)))
