"""What does the log say of deployments, and of what is followed?"""

from collections.abc import Callable
from typing import Any

from reconciler import telemetry
from reconciler.engine.breakages import News
from reconciler.engine.outcomes import TriggersOutcome
from reconciler.errors import StoreError
from reconciler.model.deployment import Deployment
from reconciler.model.environment import EnvironmentSpec
from reconciler.planner import rollouts
from reconciler.schedule import rfc3339
from reconciler.store.database import Database
from reconciler.views.scene import declared_environments

log = telemetry.logger("daemon")


def tell(news: News) -> None:
    """Something about the repository, the branch or the manifests."""
    (log.warning if news.bad else log.info)(news.event, **news.facts)


def tell_triggers(refused: TriggersOutcome) -> None:
    """A target did not take routes, domains and crons."""
    log.warning(
        "triggers.failed",
        app=refused.app,
        environment=refused.environment,
        error=refused.error,
        next="they are handed over again, later each time; `reconciler status` tells when",
    )


def deployment_teller(database: Database) -> Callable[[Deployment], None]:
    """Tells how a deployment fares, after each answer of its target."""
    failed: dict[str, int] = {}
    """How many attempts of a deployment that goes on have failed so far."""

    def tell_deployment(deployment: Deployment) -> None:
        facts: dict[str, Any] = {"app": deployment.app, "environment": deployment.environment}
        facts |= {"number": deployment.number, "cause": deployment.cause, "reason": deployment.reason}
        facts |= {"error": deployment.error} if deployment.error else {}
        if deployment.next_attempt_at is None and deployment.rolling:
            failed.pop(deployment.id, None)
            log.info("deployment.rolling", **facts, at=rollouts.said(deployment))
            return
        if deployment.next_attempt_at is None:
            failed.pop(deployment.id, None)
            well = deployment.status in ("completed", "aborted") and not deployment.error
            (log.info if well else log.warning)(f"deployment.{deployment.status}", **facts)
            return
        counted = deployment.attempts > failed.get(deployment.id, 0)
        failed[deployment.id] = deployment.attempts
        facts |= {"again_at": rfc3339(deployment.next_attempt_at)}
        if counted:
            facts |= {"attempt": deployment.attempts, "of": _attempts(database, deployment.environment)}
            log.warning("deployment.attempt-failed", **facts)
        else:
            # The target only asked for time: this is no failure.
            log.info("deployment.put-off", **facts)

    return tell_deployment


def _attempts(database: Database, environment: str) -> int | None:
    """How many attempts a deployment may have; None where nobody can tell just now."""
    try:
        with database.read() as connection:
            found = declared_environments(connection).get(environment)
    except StoreError:
        return None
    return (found.spec if found else EnvironmentSpec()).retry.limit + 1
