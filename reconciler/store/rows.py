"""How does a row become a noun, and a noun a row?"""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from reconciler.model.app import Binding, SecretReference
from reconciler.model.deployment import Allotment, Deployment, Grounds, Subject
from reconciler.model.rollout import progress_of
from reconciler.model.version import Author, Content, Version

GROUNDS = TypeAdapter(Grounds)


def version_of(row: Row[Any]) -> Version:
    """The version that a row of `versions` records."""
    content = row.content
    return Version(
        id=row.id,
        app=row.app,
        number=row.number,
        name=row.name,
        message=row.message,
        tags=tuple(row.tags),
        author=Author(name=row.author_name, email=row.author_email),
        commit=row.commit or "",
        created_at=row.created_at,
        source=row.source,
        partial=row.partial,
        bundle=content["bundle"],
        image=content["image"],
        config=content["config"],
        bindings=tuple(Binding(**binding) for binding in content["bindings"]),
        secrets=tuple(SecretReference(name=secret["name"], source=secret["from"]) for secret in content["secrets"]),
        migrations=tuple(content["migrations"]),
    )


def content_row(content: Content) -> dict[str, Any]:
    """What `versions.content` holds."""
    return {
        "bundle": content.bundle,
        "image": content.image,
        "config": content.config,
        "bindings": [{"name": b.name, "type": b.type, "resource": b.resource} for b in content.bindings],
        "secrets": [{"name": s.name, "from": s.source} for s in content.secrets],
        "migrations": list(content.migrations),
    }


def traffic_row(subject: Subject) -> list[dict[str, Any]]:
    """What `deployments.traffic` holds."""
    return [
        {"version": part.version, "number": part.number, "name": part.name, "percent": part.percent}
        for part in subject.traffic
    ]


def grounds_row(grounds: Grounds) -> dict[str, Any]:
    """What `deployments.grounds` holds."""
    dumped: dict[str, Any] = GROUNDS.dump_python(grounds, mode="json")
    return dumped


def deployment_of(row: Row[Any]) -> Deployment:
    """The deployment that a row of `deployments` records."""
    return Deployment(
        id=row.id,
        number=row.number,
        app=row.app,
        environment=row.environment,
        status=row.status,
        cause=row.cause,
        traffic=tuple(Allotment(**part) for part in row.traffic),
        config=row.config,
        commit=row.commit,
        deployed_by=row.deployed_by,
        reason=row.reason,
        rolled_back_from=row.rolled_back_from,
        reverts=tuple(row.reverts),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        late_by_seconds=row.late_by_seconds,
        error=row.error,
        scm_branch=row.scm_branch,
        scm_sha=row.scm_sha,
        build_url=row.build_url,
        extra_metadata=row.extra_metadata,
        grounds=Grounds(**row.grounds),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        rollout=progress_of(row.rollout),
    )
