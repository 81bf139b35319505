"""What goes back, and to what?

Two rules: a version that a revert withdrew leaves every environment that took it by promotion, now; a
deployment that failed is followed by the last good one where the environment says so. What was rolled back is
remembered as suspect.
"""

from dataclasses import dataclass

from reconciler.desired import Desired, Latest, Tracked
from reconciler.model.deployment import Deployment, Grounds, Subject
from reconciler.model.plan import Refused
from reconciler.model.traffic import versions_in
from reconciler.model.version import Version, label, spoken
from reconciler.planner.causes import RECONCILER, Why, grounds_of, is_pin
from reconciler.planner.promotions import newest_good, still_good, withdrawn_in
from reconciler.planner.recorded import Allowance, EnvironmentRecord, RecordedApp, Suspicion, Withdrawal
from reconciler.words import counted


def withdrawal(wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> tuple[Withdrawal, Deployment] | None:
    """The newest withdrawal that concerns what is here by promotion, or on its way here."""
    if not isinstance(wanted.choice, Tracked):
        return None
    here = [d for d in (record.active, record.settled) if d is not None]
    hits = [(app.withdrawn[version], d) for d in here for version in withdrawn_in(d, app)]
    return max(hits, key=lambda hit: hit[0].position, default=None)


def retreat(
    wanted: Desired, app: RecordedApp, record: EnvironmentRecord, taken_back: Withdrawal, left: Deployment
) -> tuple[Subject, Grounds, Why] | None:
    """Where to go from a withdrawn version: what the revert restored if that ran here, else the newest good one."""
    good = _restored(record, app, taken_back) or newest_good(record, app)
    if good is None:
        return None
    subject = wanted.subject(good.traffic)
    reason = (
        f"{taken_back.commit[:10]} reverts {taken_back.reverts[:10]}, which {spoken(left.traffic)} contains: "
        f"back to {spoken(good.traffic)}"
    )
    why = Why(
        cause="rollback",
        reason=reason,
        commit=taken_back.commit,
        deployed_by=taken_back.author,
        reverts=(taken_back.reverts,),
    )
    return subject, grounds_of(wanted, good.traffic), why


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against going back, and what a person can do about it."""

    reason: str
    remedy: str


def guard(
    subject: Subject,
    wanted: Desired,
    app: RecordedApp,
    record: EnvironmentRecord,
    limit: int,
    since: int | Deployment,
) -> Refused | tuple[str, ...]:
    """As `objection`, as a refusal of what is planned."""
    found = objection(subject, wanted, app, record, limit, since)
    if isinstance(found, tuple):
        return found
    detail = f"{found.reason}; {found.remedy}"
    return Refused(app=wanted.app, environment=wanted.environment, rule="rollback", detail=detail)


def objection(
    subject: Subject,
    wanted: Desired,
    app: RecordedApp,
    record: EnvironmentRecord,
    limit: int,
    since: int | Deployment,
) -> Objection | tuple[str, ...]:
    """The first rule that speaks against going back to `subject`; or, where a commit from `since` on allows it all the
    same, the remark that it did, if any rule spoke against it.

    `since` is a commit's position, or the deployment that is left: then its own commit may allow it too.

    At most `limit` deployments back; not across a migration that the older version lacks; not to a binding whose
    resource has gone; not to secrets that were found elsewhere then.
    """
    rules = (_too_far(subject, wanted, record, limit), _across_migration(subject, app, record))
    against = [words for words in (*rules, _lost_resource(subject, app), _moved_secret(subject, app, record)) if words]
    if not against:
        return ()
    trailer = f"`Allow-Rollback: {wanted.app}/{wanted.environment}`"
    for one in app.allowances:
        if one.environment == record.environment and _allows(one, since):
            return (f"{'; '.join(against)}: passed by the word of {one.author} in {one.commit[:10]} ({trailer})",)
    return Objection(against[0], f"a commit with the trailer {trailer} goes back all the same, or release forward")


def _allows(word: Allowance, since: int | Deployment) -> bool:
    if isinstance(since, Deployment):
        return word.at >= since.created_at or word.commit == since.commit
    return word.position >= since


def _too_far(subject: Subject, wanted: Desired, record: EnvironmentRecord, limit: int) -> str | None:
    """A version that never ran here is not gone back to, so nothing limits it. Repairs released nothing: they do not
    count."""
    versions = versions_in(subject.traffic)
    released = enumerate(d for d in record.completed if d.cause != "repair")
    back = next((at for at, d in released if versions_in(d.traffic) == versions), None)
    if back is None:
        back = min((record.depths.get(version, 0) for version in versions), default=0)
    if back <= limit:
        return None
    return (
        f"{spoken(subject.traffic)} ran here {back} deployments ago, and {wanted.environment} goes back {limit} "
        f"at most (`rollback.limit` of the Environment)"
    )


def _leaving(subject: Subject, app: RecordedApp, record: EnvironmentRecord) -> list[Version]:
    """What is here or on its way here, and would be left."""
    stay = versions_in(subject.traffic)
    here = [part.version for d in (record.active, record.settled) if d for part in d.traffic]
    return [app.versions[version] for version in dict.fromkeys(here) if version not in stay and version in app.versions]


def _going(subject: Subject, app: RecordedApp) -> list[Version]:
    return [app.versions[part.version] for part in subject.traffic if part.version in app.versions]


def _across_migration(subject: Subject, app: RecordedApp, record: EnvironmentRecord) -> str | None:
    for old in _going(subject, app):
        for new in _leaving(subject, app, record):
            if lacking := [step for step in new.migrations if step not in old.migrations]:
                return (
                    f"{label(old.number, old.name)} lacks {_counted('migration', lacking)} that "
                    f"{label(new.number, new.name)} has made, and migrations go one way"
                )
    return None


def _lost_resource(subject: Subject, app: RecordedApp) -> str | None:
    if app.resources is None:
        return None
    for old in _going(subject, app):
        if gone := [b.resource for b in old.bindings if b.resource not in app.resources]:
            return f"{label(old.number, old.name)} is bound to {_counted('resource', gone)} that git no longer declares"
    return None


def _moved_secret(subject: Subject, app: RecordedApp, record: EnvironmentRecord) -> str | None:
    for old in _going(subject, app):
        for new in _leaving(subject, app, record):
            now = {secret.name: secret.source for secret in new.secrets}
            if moved := [s.name for s in old.secrets if now.get(s.name) != s.source]:
                return (
                    f"{label(old.number, old.name)} reads {_counted('secret', moved)} from another place than "
                    f"{label(new.number, new.name)} does"
                )
    return None


def _counted(noun: str, names: list[str]) -> str:
    return f"{counted(len(names), noun)} ({', '.join(names)})"


def _restored(record: EnvironmentRecord, app: RecordedApp, taken_back: Withdrawal) -> Deployment | None:
    if taken_back.restores is None or taken_back.restores in app.withdrawn:
        return None
    return next((d for d in record.completed if [part.version for part in d.traffic] == [taken_back.restores]), None)


def suspicion(subject: Subject, wanted: Desired, app: RecordedApp, record: EnvironmentRecord) -> Suspicion | None:
    """Why automation must not deploy this here again, if it went wrong here before.

    A version named by a person is judged as a whole subject only, unless a hold takes it back. A commit that changed
    the environment's entry, or the environment itself, after the failure is a person's newer word. So is a revert,
    for versions that did well here.
    """
    if not record.suspicions:
        return None
    held = record.hold.version if record.hold else None
    suspects = [part.version for part in subject.traffic if part.version in record.suspicions]
    versions = [version for version in suspects if version == held or not is_pin(wanted)]
    suspected = [*versions, subject.fingerprint]
    bad = max((record.suspicions[w] for w in suspected if w in record.suspicions), key=lambda s: s.at, default=None)
    if bad is None:
        return None
    words = [touch for touch in (record.touch,) if touch and touch.look in ("changed", "reverted")]
    if not versions and isinstance(wanted.choice, Latest) and app.content_touch:
        words += [app.content_touch] if app.content_touch.look == "reverted" else []
    return None if any(touch.at > bad.at for touch in words) else bad


def last_good(
    wanted: Desired, app: RecordedApp, record: EnvironmentRecord, bad: Subject
) -> tuple[Subject, Grounds] | None:
    """What stood here before it went wrong: the last good versions with today's settings, else with those of then."""
    for good in record.completed:
        if not still_good(good, app, record):
            continue
        for subject in (wanted.subject(good.traffic), good.subject):
            if subject.fingerprint not in record.suspicions and subject.fingerprint != bad.fingerprint:
                return subject, grounds_of(wanted, good.traffic)
    return None


def after_failure(failed: Deployment, subject: Subject) -> Why:
    """The words for going back after a failure, or from a rollout that a person stopped."""
    ended = "failed" if failed.status == "failed" else "was stopped on its way"
    return Why(
        cause="auto-rollback",
        reason=f"{spoken(failed.traffic)} {ended} (deployment {failed.number}): back to {spoken(subject.traffic)}",
        commit=failed.commit,
        deployed_by=RECONCILER,
    )


def goes_nowhere(deployment: Deployment) -> bool:
    """Whether nothing is gone back to where this failed: it went back itself, or put right what ran well before."""
    return deployment.goes_back or deployment.cause == "repair"
