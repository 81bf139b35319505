"""What is recorded of these apps, all that the planner asks for, in a fixed number of queries however many they are?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, exists, null, select, text

from reconciler.model.deployment import Deployment
from reconciler.model.version import Version
from reconciler.planner.recorded import (
    AbortRequest,
    Brake,
    Dependency,
    DriftRecord,
    EnvironmentRecord,
    Newest,
    PauseRecord,
    RecordedApp,
    RetryRequest,
    Suspicion,
    Touch,
    TriggerRecord,
    Withdrawal,
)
from reconciler.store import declared, deployments, drifts, interventions, passing, tables, versions
from reconciler.store.passing import NOTHING_MORE, Needs, Passing
from reconciler.store.statements import Among, Prepared, many, side_by_side

EACH = 25
"""How many of the newest deployments the planner sees in an environment, besides repairs."""
NEAR = 3
"""How many of them it sees at first, where that is asked for."""

_C, _T, _B, _W = tables.commits.c, tables.touches.c, tables.brakes.c, tables.withdrawals.c
_COMMIT = (_C.position, _C.id, _C.noted_at, _C.author_email, _C.author_name, _C.subject)
_SUSPICIONS = Among(select(tables.suspicions), tables.suspicions.c.app)
_TRIGGERS = Among(select(tables.triggers), tables.triggers.c.app)
_A, _EARLIER = tables.apps.c, tables.touches.alias("earlier").c
_NEWEST_TOUCH = (
    select(_EARLIER.position)
    .where(_EARLIER.app == _A.name, _EARLIER.environment == "", _EARLIER.after == _A.content)
    .order_by(_EARLIER.position.desc())
    .limit(1)
    .correlate(tables.apps)
    .scalar_subquery()
)
_CONTENT_TOUCHES = (
    select(*_COMMIT, _T.app, _T.look, _T.reverts)
    .select_from(tables.apps)
    .join(tables.touches, (_T.position == _NEWEST_TOUCH) & (_T.app == _A.name) & (_T.environment == ""))
    .join(tables.commits, _C.position == _T.position)
)
"""The commit that made the content what the branch asks for: mostly the newest that touched it."""
_COMMITS_AT = select(*_COMMIT, null(), null(), null()).where(_C.position.in_(many("positions")))
_TOUCHES = Prepared(_CONTENT_TOUCHES.where(_A.name.in_(many("apps"))).union_all(_COMMITS_AT))
_WITHDRAWN = Among(select(tables.withdrawals), _W.app)
_BRAKES = Among(
    select(_T.app, _T.environment, tables.brakes)
    .join_from(tables.touches, tables.brakes, _T.position == _B.position)
    .where(_T.braked)
    .order_by(_B.position),
    _T.app,
)


_I = tables.interventions.c
_RARE = Prepared(
    select(
        *(
            exists().where(column.in_(many("apps")), *also).label(name)
            for name, column, also in (
                ("suspicions", tables.suspicions.c.app, ()),
                ("triggers", tables.triggers.c.app, ()),
                ("withdrawn", _W.app, ()),
                ("wishes", _I.app, (_I.done_at.is_(None),)),
                # Said so that the index of what is braked is used, and not that of all that ever touched the apps.
                ("brakes", _T.app.concat(""), (text("touches.braked"),)),
                ("dependencies", tables.dependencies.c.app, ()),
                ("approvals", tables.approvals.c.app, ()),
                ("checks", tables.checks.c.app, ()),
                ("holds", tables.holds.c.app, ()),
                ("allowances", tables.overrides.c.app, ()),
                ("drifts", tables.drifts.c.app, ()),
            )
        )
    )
)
"""Which of the tables that mostly hold nothing hold something of these apps: one question in place of many."""


@dataclass(slots=True)
class _Gathered:
    """Rows by app, as the queries return them."""

    apps: dict[str, Row[Any]]
    placements: dict[str, dict[str, Row[Any]]]
    recent: dict[str, dict[str, list[Deployment]]] = field(default_factory=dict)
    near: Collection[str] = ()
    """The apps of which only the newest few deployments were read."""
    suspicions: dict[tuple[str, str], dict[str, Suspicion]] = field(default_factory=dict)
    triggers: dict[tuple[str, str], TriggerRecord] = field(default_factory=dict)
    drifts: dict[tuple[str, str], DriftRecord] = field(default_factory=dict)
    withdrawn: dict[str, dict[str, Withdrawal]] = field(default_factory=dict)
    wishes: dict[str, list[Row[Any]]] = field(default_factory=dict)
    brakes: dict[str, list[Brake]] = field(default_factory=dict)
    dependencies: dict[str, list[Dependency]] = field(default_factory=dict)
    content_touches: dict[str, Touch] = field(default_factory=dict)
    entry_touches: dict[tuple[str, str], Touch] = field(default_factory=dict)
    references: dict[str, dict[str, str | None]] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    passing: Passing = field(default_factory=Passing)


def load(
    connection: Connection,
    names: Sequence[str],
    references: Mapping[str, Collection[str]],
    rows: dict[str, Row[Any]] | None = None,
    needs: Needs = NOTHING_MORE,
    near: Collection[str] = (),
) -> dict[str, RecordedApp]:
    """What is recorded of each named app; `references` are the version references that its manifests hold.

    `rows` are the apps' own rows, where the caller has read them already. `needs` is what gates and freezes ask for.
    Of the apps in `near` only the newest few deployments are read: see `Newest`.
    """
    rows = rows or declared.apps(connection, names)
    gathered = _Gathered(rows, declared.placements(connection, names), near=near)
    rare = _RARE.run(connection, apps=names)[0]
    _gather_deployments(connection, names, gathered, rare)
    _gather_touches(connection, gathered)
    _gather_rulings(connection, names, gathered, rare)
    if rare.dependencies:
        _gather_dependencies(connection, names, gathered)
    _gather_versions(connection, references, gathered)
    _gather_passing(connection, names, needs, gathered, rare)
    return {name: _app(name, gathered) for name in names if name in gathered.apps}


def _gather_deployments(connection: Connection, names: Sequence[str], gathered: _Gathered, rare: Any) -> None:
    near, far = ([name for name in names if (name in gathered.near) is wanted] for wanted in (True, False))
    for apps, each in ((near, NEAR), (far, EACH)):
        for deployment in deployments.recent(connection, apps, each) if apps else ():
            here = gathered.recent.setdefault(deployment.app, {})
            here.setdefault(deployment.environment, []).append(deployment)
    # What was put right over and over hides nothing that was released before.
    full = [several for here in gathered.recent.values() for several in here.values() if len(several) >= EACH]
    for deployment in passing.before_repairs(connection, full):
        gathered.recent[deployment.app][deployment.environment].append(deployment)
    for row in _SUSPICIONS.run(connection, names) if rare.suspicions else ():
        found = Suspicion(what=row.what, deployment=row.deployment, number=row.number, at=row.at, why=row.why)
        gathered.suspicions.setdefault((row.app, row.environment), {})[row.what] = found
    for row in _TRIGGERS.run(connection, names) if rare.triggers else ():
        retry_at = row.retry_at if row.open else None
        gathered.triggers[row.app, row.environment] = TriggerRecord(
            requested=row.requested, target=row.target, retry_at=retry_at, error=row.error, attempts=row.attempts
        )
    for row in drifts.of(connection, names) if rare.drifts else ():
        seen = DriftRecord(deployment=row.deployment, since=row.since, detail=row.detail)
        gathered.drifts[row.app, row.environment] = seen


def _touch(row: Any, look: Any, reverts: Any) -> Touch:
    return Touch(
        position=row.position,
        commit=row.id,
        at=row.noted_at,
        author=row.author_email or row.author_name,
        look=look,
        subject=row.subject,
        reverts=tuple(reverts or ()),
    )


def _gather_touches(connection: Connection, gathered: _Gathered) -> None:
    pairs = [p for by_environment in gathered.placements.values() for p in by_environment.values() if p.touch]
    found: dict[int, Any] = {}
    for apps, positions in side_by_side(gathered.apps, {pair.touch for pair in pairs}):
        for row in _TOUCHES.run(connection, apps=apps, positions=positions):
            if row.app is None:
                found[row.position] = row
            else:
                gathered.content_touches[row.app] = _touch(row, row.look, row.reverts)
    for pair in pairs:
        if pair.touch in found:
            gathered.entry_touches[pair.app, pair.environment] = _touch(found[pair.touch], pair.look, pair.reverts)


def _gather_rulings(connection: Connection, names: Sequence[str], gathered: _Gathered, rare: Any) -> None:
    for row in _WITHDRAWN.run(connection, names) if rare.withdrawn else ():
        gathered.withdrawn.setdefault(row.app, {})[row.version] = Withdrawal(
            version=row.version,
            commit=row.commit,
            position=row.position,
            reverts=row.reverts,
            author=row.author,
            restores=row.restores,
        )
    for wish in interventions.open_for(connection, list(names)) if rare.wishes else ():
        gathered.wishes.setdefault(wish.app, []).append(wish)
    for row in _BRAKES.run(connection, names) if rare.brakes else ():
        brake = Brake(
            commit=row.commit,
            position=row.position,
            changed=row.changed,
            recorded=row.recorded,
            environment=row.environment,
        )
        gathered.brakes.setdefault(row.app, []).append(brake)


def _gather_dependencies(connection: Connection, names: Sequence[str], gathered: _Gathered) -> None:
    needed = declared.depends_on(connection, names)
    others = sorted({on for several in needed.values() for on in several})
    if not others:
        return
    placed = declared.placements(connection, others)
    reached = [d for d in deployments.recent(connection, others, 3) if d.active or d.started_at is not None]
    found = {(d.app, d.environment, d.active): d for d in reversed(reached)}
    states = {key: (found.get((*key, False)), found.get((*key, True))) for key in {(k[0], k[1]) for k in found}}
    for app, several in needed.items():
        for on in several:
            for environment, row in placed.get(on, {}).items():
                if row.declared:
                    ended, active = states.get((on, environment), (None, None))
                    done = ended is not None and ended.status == "completed"
                    gathered.dependencies.setdefault(app, []).append(
                        Dependency(app=on, environment=environment, completed=done, active=active is not None)
                    )


def _gather_versions(connection: Connection, references: Mapping[str, Collection[str]], gathered: _Gathered) -> None:
    needed = {row.content for row in gathered.apps.values() if row.content}
    meant = versions.meant(connection, references)
    for name, several in references.items():
        found = {reference: meant.get((name, reference)) for reference in several}
        gathered.references[name] = {reference: one.id if one else None for reference, one in found.items()}
    gathered.versions.update({one.id: one for one in meant.values()})
    gathered.versions.update(versions.by_id(connection, needed - set(gathered.versions)))


def _gather_passing(connection: Connection, names: Sequence[str], needs: Needs, gathered: _Gathered, rare: Any) -> None:
    found = gathered.passing
    _extend(connection, needs.lines, gathered)
    if rare.approvals or rare.checks:
        passing.gather_words(connection, names, found)
    if rare.holds:
        passing.gather_holds(connection, names, found)
    if rare.allowances:
        passing.gather_allowances(connection, names, found)
    goes_back = any(touch.look == "reverted" for touch in gathered.entry_touches.values())
    named = any(gathered.references.values())
    if needs.versions or rare.withdrawn or rare.suspicions or rare.holds or goes_back or named:
        ran = [d for by_environment in gathered.recent.values() for several in by_environment.values() for d in several]
        passing.gather_versions(connection, ran, gathered.versions, found)
        gathered.versions.update(found.versions)
    found.depths = passing.depths(
        connection,
        [
            (recent, references.values())
            for app, references in gathered.references.items()
            for recent in gathered.recent.get(app, {}).values()
            if len(recent) >= EACH
        ],
    )
    if needs.versions:
        commits = {version.commit for version in gathered.versions.values()}
        commits |= {touch.commit for touch in gathered.entry_touches.values()}
        passing.gather_commits(connection, commits, needs.signed, found)


def _extend(connection: Connection, lines: Iterable[passing.Line], gathered: _Gathered) -> None:
    """Where the newest deployments of an environment do not reach back far enough, those in line stand behind them."""

    def there(app: str, environment: str) -> list[Deployment]:
        return gathered.recent.get(app, {}).get(environment, [])

    for one in passing.in_line(connection, [line for line in lines if len(there(line.app, line.environment)) >= EACH]):
        recent = there(one.app, one.environment)
        if one.id not in {each.id for each in recent}:
            recent.append(one)
            recent.sort(key=lambda each: each.number, reverse=True)


def _app(name: str, gathered: _Gathered) -> RecordedApp:
    row = gathered.apps[name]
    wishes = gathered.wishes.get(name, [])
    environments = {*gathered.placements.get(name, {}), *gathered.recent.get(name, {})}
    return RecordedApp(
        app=name,
        content=row.content,
        content_touch=gathered.content_touches.get(name),
        versions=gathered.versions,
        references=gathered.references.get(name, {}),
        environments={environment: _environment(name, environment, gathered) for environment in environments},
        withdrawn=gathered.withdrawn.get(name, {}),
        pauses=tuple(
            PauseRecord(environment=w.environment, by=w.actor, reason=w.reason, until=w.until)
            for w in wishes
            if w.kind == "pause"
        ),
        aborts=tuple(
            AbortRequest(deployment=w.subject, actor=w.actor, reason=w.reason) for w in wishes if w.kind == "abort"
        ),
        retries=tuple(RetryRequest(deployment=w.subject, actor=w.actor) for w in wishes if w.kind == "retry"),
        brakes=tuple(gathered.brakes.get(name, [])),
        complaints=tuple(f"{c['path']}:{c['line']}:{c['column']}: {c['message']}" for c in row.complaints or ()),
        dependencies=tuple(gathered.dependencies.get(name, [])),
        signatures=gathered.passing.signatures,
        overrides=gathered.passing.overrides,
        writers=gathered.passing.writers,
        allowances=tuple(gathered.passing.allowances.get(name, [])),
        resources=gathered.passing.resources,
    )


def _environment(app: str, environment: str, gathered: _Gathered) -> EnvironmentRecord:
    placement = gathered.placements.get(app, {}).get(environment)
    return EnvironmentRecord(
        environment=environment,
        declared=bool(placement and placement.declared),
        touch=gathered.entry_touches.get((app, environment)),
        recent=_recent(gathered.recent.get(app, {}).get(environment, []), near=app in gathered.near),
        suspicions=gathered.suspicions.get((app, environment), {}),
        triggers=gathered.triggers.get((app, environment)),
        approvals={key: tuple(given) for key, given in gathered.passing.approvals.get((app, environment), {}).items()},
        checked=gathered.passing.checked.get((app, environment), {}),
        hold=gathered.passing.holds.get((app, environment)),
        depths=gathered.passing.depths.get((app, environment), {}),
        seen=gathered.drifts.get((app, environment)),
    )


def _recent(several: Sequence[Deployment], *, near: bool) -> tuple[Deployment, ...]:
    """The deployments of an app in an environment; where only the `near` ones were read, those without a gap."""
    if not near or not several:
        return tuple(several)
    highest = several[0].number
    found = Newest(one for place, one in enumerate(several) if one.number == highest - place)
    return found if highest > len(found) else tuple(several)
