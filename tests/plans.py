"""The smallest apps and environments that tests of the planner ask about, and how an answer is read word for word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.deployment import Deployment
from reconciler.model.plan import Deploy, Plan
from reconciler.planner.recorded import RecordedApp
from tests.builders import app, at, deployment, environment, planned, version

HERE = {"app": "shop", "environment": "sandbox"}
ALONE = app(environments=("sandbox",))
BOTH = app(environments=("sandbox", "live"))
PLACES = {"sandbox": environment("sandbox"), "live": environment("live", "sandbox")}
ONE, TWO = version(1).id, version(2).id


def live(number: int, of: int, status: Any = "completed", **more: Any) -> Deployment:
    """A deployment of version `of` in live."""
    return deployment(number, of, status, environment="live", **more)


def alone(facts: RecordedApp, hours: float = 9, entry: Mapping[str, Any] | None = None, **spec: Any) -> Plan:
    """The plan where the app is in sandbox only."""
    shop = app(environments={"sandbox": dict(entry or {})})
    return planned(shop, facts, at(hours), {"sandbox": environment("sandbox", **spec)})


def both(facts: RecordedApp, hours: float = 9, entry: Mapping[str, Any] | None = None, **spec: Any) -> Plan:
    """The plan where the app is in sandbox and in live, which follows it; `entry` and `spec` are live's."""
    shop = app(environments={"sandbox": {}, "live": dict(entry or {})})
    return planned(shop, facts, at(hours), {**PLACES, "live": environment("live", "sandbox", **spec)})


def deploy_of(plan: Plan, name: str = "sandbox") -> Deploy:
    """The one deployment that a plan makes in an environment."""
    (one,) = [action for action in plan.actions if isinstance(action, Deploy) and action.environment == name]
    return one


def only(plan: Plan) -> Deploy:
    """The one deployment that a plan makes."""
    (one,) = [action for action in plan.actions if isinstance(action, Deploy)]
    return one


def told(deploy: Deploy) -> tuple[str, str, str | None, str]:
    """Cause, reason, commit and in whose name."""
    return deploy.cause, deploy.reason, deploy.commit, deploy.deployed_by
