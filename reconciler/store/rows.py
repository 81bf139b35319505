"""How does a row become a noun, and a noun a row?

What was checked before it was recorded is not checked again: a turn reads thousands of rows.
"""

from dataclasses import fields
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import Row

from reconciler.model.app import Binding, SecretReference
from reconciler.model.deployment import Allotment, Deployment, Grounds, Subject
from reconciler.model.rollout import progress_of
from reconciler.model.shape import unchecked
from reconciler.model.version import Author, Content, Version

GROUNDS = TypeAdapter(Grounds)


_author, _version, _allotment = unchecked(Author), unchecked(Version), unchecked(Allotment)
_grounds, _deployment = unchecked(Grounds), unchecked(Deployment)
_GROUNDS = [one.name for one in fields(cast(Any, Grounds))]


def version_of(row: Row[Any]) -> Version:
    """The version that a row of `versions` records."""
    content = row.content
    return _version(
        row.id,
        row.app,
        row.number,
        row.name,
        row.message,
        tuple(row.tags),
        _author(row.author_name, row.author_email),
        row.commit or "",
        row.created_at,
        row.source,
        content["bundle"],
        content["image"],
        content["config"],
        tuple(Binding(**binding) for binding in content["bindings"]),
        tuple(SecretReference(name=secret["name"], source=secret["from"]) for secret in content["secrets"]),
        tuple(content["migrations"]),
        bool(row.partial),
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
    return _deployment(
        row.id,
        row.number,
        row.app,
        row.environment,
        row.status,
        row.cause,
        tuple([_allotment(p["version"], p["number"], p.get("name"), float(p["percent"])) for p in row.traffic]),
        row.config,
        row.commit,
        row.deployed_by,
        row.reason,
        row.rolled_back_from,
        tuple(row.reverts),
        row.created_at,
        row.started_at,
        row.finished_at,
        row.late_by_seconds,
        row.error,
        row.scm_branch,
        row.scm_sha,
        row.build_url,
        row.extra_metadata,
        _grounds_of(row.grounds),
        row.attempts,
        row.next_attempt_at,
        progress_of(row.rollout),
    )


def _grounds_of(held: dict[str, Any]) -> Grounds:
    """Moments are texts there, and what was recorded by an older version lacks what it did not know."""
    if len(held) < len(_GROUNDS) or held["scheduled_at"] is not None or held["season_ends"]:
        return Grounds(**held)
    one: dict[str, Any] = {**held, "season_ends": ()}
    one["seasons"], one["moved_with"] = tuple(one["seasons"]), tuple(one["moved_with"])
    return _grounds(*[one[name] for name in _GROUNDS])
