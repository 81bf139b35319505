"""One readable line for each input of a test: apps, environments, versions, deployments, what is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from reconciler.desired import Desired, desired
from reconciler.model.app import App
from reconciler.model.deployment import Allotment, Cause, Deployment, Grounds, Status, Subject
from reconciler.model.environment import Environment
from reconciler.model.plan import Deploy, Plan
from reconciler.model.season import Freeze, Season
from reconciler.model.sets import Group
from reconciler.model.version import Author, Content, Version, digest
from reconciler.planner.plan import plan
from reconciler.planner.recorded import EnvironmentRecord, Look, RecordedApp, Suspicion, Touch, Withdrawal

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
APP = TypeAdapter(App)
ENVIRONMENT = TypeAdapter(Environment)
SEASON = TypeAdapter(Season)
FREEZE = TypeAdapter(Freeze)
GROUP = TypeAdapter(Group)


def at(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def app(name: str = "shop", environments: Any = ("sandbox", "live"), **spec: Any) -> App:
    """An App manifest."""
    listed = list(environments) if isinstance(environments, tuple) else environments
    return APP.validate_python({"metadata": {"name": name}, "spec": {"environments": listed, **spec}})


def environment(name: str, track: str = "latest", **spec: Any) -> Environment:
    """An Environment manifest."""
    return ENVIRONMENT.validate_python({"metadata": {"name": name}, "spec": {"track": track, **spec}})


def chain(**spec: Any) -> dict[str, Environment]:
    """The three environments of the tests: sandbox → pre-release → live."""
    made = [
        environment("sandbox", "latest", **spec),
        environment("pre-release", "sandbox", **spec),
        environment("live", "pre-release", **spec),
    ]
    return {one.name: one for one in made}


def season(name: str, start: str, until: str, **spec: Any) -> Season:
    """A Season manifest; times are in UTC."""
    given = {"apps": ["shop"], "environments": ["live"], "from": start, "until": until, "timezone": "UTC", **spec}
    return SEASON.validate_python({"metadata": {"name": name}, "spec": given})


def freeze(name: str, start: str, until: str, **spec: Any) -> Freeze:
    """A Freeze manifest; times are in UTC."""
    given = {"environments": ["live"], "from": start, "until": until, "timezone": "UTC", "reason": "stock-taking"}
    return FREEZE.validate_python({"metadata": {"name": name}, "spec": {**given, **spec}})


def group(*apps: str, environments: Sequence[str] = ("live",), name: str = "checkout") -> Group:
    """A Group manifest."""
    return GROUP.validate_python({"metadata": {"name": name}, "spec": {"apps": apps, "environments": environments}})


def version(number: int, name: str | None = None, app: str = "shop", **more: Any) -> Version:
    """The version of this number; its content is its number."""
    content = Content(app=app, name=name, image=f"image:{number}")
    return Version(**{**_version(number, name, app, content), **more})


def _version(number: int, name: str | None, app: str, content: Content) -> dict[str, Any]:
    return {
        "id": digest(content),
        "app": app,
        "number": number,
        "name": name,
        "message": f"change {number}",
        "tags": (),
        "author": Author(name="Ann", email="ann@example.com"),
        "commit": f"{number:040x}",
        "created_at": NOON,
        "bundle": None,
        "image": f"image:{number}",
        "config": {},
        "bindings": (),
        "secrets": (),
        "migrations": (),
    }


def traffic(*numbers: int) -> tuple[Allotment, ...]:
    """All of the traffic for one version, or equal shares for several."""
    return tuple(Allotment(version=version(n).id, number=n, name=None, percent=100 / len(numbers)) for n in numbers)


def deployment(
    number: int,
    of: int,
    status: Status = "completed",
    cause: Cause = "release",
    environment: str = "sandbox",
    config: Mapping[str, Any] | None = None,
    grounds: Grounds | None = None,
    **more: Any,
) -> Deployment:
    """A deployment of version `of`."""
    subject = Subject(traffic=traffic(of) if of else (), config=dict(config or {}))
    started = None if status == "pending" else at(number)
    ended = None if status in ("pending", "started") else at(number)
    return Deployment(
        id=f"{environment}-{number}",
        number=number,
        app="shop",
        environment=environment,
        status=status,
        cause=cause,
        traffic=subject.traffic,
        config=subject.config,
        commit=f"{of:040x}",
        created_at=at(number),
        started_at=more.pop("started_at", started),
        finished_at=ended,
        grounds=grounds or Grounds(base=subject.fingerprint),
        **more,
    )


def record(environment: str, *newest_first: Deployment, **more: Any) -> EnvironmentRecord:
    """What is recorded in one environment."""
    return EnvironmentRecord(
        environment=environment, declared=True, touch=more.pop("touch", None), recent=newest_first, **more
    )


def touch(of: int, look: Look = "new", reverts: Sequence[str] = (), hours: float = 0) -> Touch:
    """The commit that published version `of`."""
    return Touch(
        position=of,
        commit=f"{of:040x}",
        at=at(hours),
        author="ann@example.com",
        look=look,
        subject=f"change {of}",
        reverts=tuple(reverts),
    )


def recorded(content: int, *records: EnvironmentRecord, **more: Any) -> RecordedApp:
    """What is recorded of the app whose newest content is version `content`."""
    versions = {one.id: one for one in (version(n) for n in range(1, 10))}
    versions |= {one.id: one for one in more.pop("versions", ())}
    return RecordedApp(
        app="shop",
        content=version(content).id,
        content_touch=more.pop("content_touch", touch(content)),
        versions=versions,
        environments={one.environment: one for one in records},
        **more,
    )


def withdrawal(of: int, restores: int | None = None, reverts: int = 0) -> dict[str, Withdrawal]:
    """A revert took version `of` back."""
    return {
        version(of).id: Withdrawal(
            version=version(of).id,
            commit="f" * 40,
            position=50,
            reverts=f"{reverts or of:040x}",
            author="bob@example.com",
            restores=version(restores).id if restores else None,
        )
    }


def suspicion(what: str, deployment: Deployment) -> dict[str, Suspicion]:
    """Something went wrong here."""
    return {
        what: Suspicion(
            what=what, deployment=deployment.id, number=deployment.number, at=at(deployment.number), why="failed"
        )
    }


def desires(
    app: App,
    environments: Mapping[str, Environment],
    now: datetime,
    seasons: Sequence[Season] = (),
    freezes: Sequence[Freeze] = (),
) -> dict[str, Desired]:
    """What should run in every environment of an app."""
    places = app.spec.environments
    return {name: desired(app, environments[name], environments, seasons, now, freezes) for name in places}


def planned(
    app: App,
    facts: RecordedApp,
    now: datetime = NOON,
    environments: Mapping[str, Environment] | None = None,
    seasons: Sequence[Season] = (),
    freezes: Sequence[Freeze] = (),
) -> Plan:
    """The plan of an app."""
    known = environments or chain()
    return plan(app, desires(app, known, now, seasons, freezes), known, facts, now)


def waits(plan: Plan, environment: str) -> list[str]:
    """What an environment waits for, in one word each."""
    return [one.waits_for for one in plan.waiting if one.environment == environment]


def deploys(plan: Plan) -> dict[str, tuple[str, list[int]]]:
    """Cause and version numbers of what a plan deploys, by environment."""
    return {
        action.environment: (action.cause, [part.number for part in action.subject.traffic])
        for action in plan.actions
        if isinstance(action, Deploy)
    }
