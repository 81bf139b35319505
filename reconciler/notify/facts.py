"""Which facts of the ledger is somebody told of, and what can be said about each?

A fact becomes one or more happenings, each with the name of an event and the fields that templates may use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from reconciler.model.alert import EventName
from reconciler.model.deployment import EXTERNAL, ROLLBACKS, Deployment
from reconciler.model.plan import short
from reconciler.model.traffic import largest
from reconciler.model.version import spoken
from reconciler.schedule import rfc3339
from reconciler.store import deployments, reports
from reconciler.store.declared import chunks
from reconciler.store.rows import deployment_of

ENDS: Mapping[str, EventName] = {
    "deployment.started": "started",
    "deployment.completed": "completed",
    "deployment.failed": "failed",
    "deployment.aborted": "aborted",
}
OTHERS: Mapping[str, EventName] = {
    "hold.began": "held",
    "gate.waits": "waiting-for-approval",
    "plan.refused": "refused",
    "drift.began": "drifted",
    "drift.changed": "drifted",
    "manifest.broken": "manifest-broken",
    "branch.held": "head-held",
}
REPORTED: Mapping[str, EventName] = {
    "report.started": "started",
    "report.completed": "completed",
    "report.failed": "failed",
    "report.aborted": "aborted",
}
"""What was reported of deployments that are made elsewhere."""
REFUSED = "report.refused"
UNTAKEN = "triggers.failed"
KINDS = (*ENDS, *OTHERS, *REPORTED, REFUSED, UNTAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that somebody may be told of."""

    fact: str
    """What it is known by: the same fact is told once to each alert."""
    at: datetime
    event: EventName
    app: str = ""
    environment: str = ""
    cause: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    """The fields of a template, as far as they are known."""


def stable_id(*parts: str) -> str:
    """The id of a message, made of what it tells: the same after a crash."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def happenings(connection: Connection, rows: Iterable[Row[Any]]) -> Iterator[Happening]:
    """What these rows of the ledger come to, in their order."""
    rows = list(rows)
    known: dict[str, Row[Any]] = {}
    for part in chunks({row.subject for row in rows if row.kind in ENDS and row.subject}):
        known |= deployments.by_ids(connection, part)
    told = {row.subject for row in rows if row.kind in REPORTED and row.subject}
    elsewhere = {one.id: one for part in chunks(told) for one in reports.by_ids(connection, part)}
    for row in rows:
        if row.kind in REPORTED and row.subject in elsewhere:
            yield _of_report(row, elsewhere[row.subject])
        elif row.kind == REFUSED:
            yield _not_started(row)
        elif row.kind == UNTAKEN:
            if row.body.get("again") is False:  # it is tried on and on, and told once
                yield _untaken(row)
        elif row.kind in ENDS:
            found = known.get(row.subject)
            if found is not None:
                yield from _of_deployment(row, deployment_of(found))
        elif row.kind in OTHERS:
            yield _other(row)


def _of_deployment(row: Row[Any], deployment: Deployment) -> Iterator[Happening]:
    said = _deployed(row, deployment) | {
        "reason": deployment.reason,
        "commit": deployment.commit or "",
        "next": f"`reconciler deployments show {deployment.id}` tells what happened",
    }
    if leading := largest(deployment.traffic):
        said["artifact"] = leading.version
    event = ENDS[row.kind]
    yield _happening(row, event, said)
    if event == "completed" and deployment.cause in ROLLBACKS:
        yield _happening(row, "rolled-back", said, " rolled-back")


def _of_report(row: Row[Any], deployment: Deployment) -> Happening:
    said = _deployed(row, deployment) | {
        "reason": f"made elsewhere, as {row.actor} reported",
        "commit": deployment.scm_sha or "",
        "next": deployment.build_url or f"`reconciler deployments show {deployment.id}` tells what was reported",
    }
    return _happening(row, REPORTED[row.kind], said)


def _not_started(row: Row[Any]) -> Happening:
    """A start that was reported from elsewhere, and refused: for want of an approval, or by another rule."""
    body, key = row.body, str(row.subject or "")
    version, approval = body.get("version", ""), "approval" in body.get("rules", ())
    way_out = f"`reconciler approve {short(key)}` lets it start" if approval else "whoever deploys it starts it again"
    title = "waits for approval" if approval else "may not start"
    said = {
        "title": f"{row.app} in {row.environment}: {version}, deployed elsewhere, {title}",
        "version": version,
        "cause": EXTERNAL,
        "actor": row.actor,
        "message": body.get("message", ""),
        "next": way_out,
    }
    return _happening(row, "waiting-for-approval" if approval else "refused", said)


def _untaken(row: Row[Any]) -> Happening:
    """Routes, domains or crons that a target refuses."""
    said = {
        "title": f"{row.app} in {row.environment}: the target refuses routes, domains or crons",
        "actor": row.actor,
        "message": row.body.get("error") or "",
        "next": f"`reconciler why {row.app} {row.environment}` tells more",
    }
    return _happening(row, "refused", said)


def _other(row: Row[Any]) -> Happening:
    event = OTHERS[row.kind]
    return _happening(row, event, {"actor": row.actor} | _SAID[event](row))


def _happening(row: Row[Any], event: EventName, said: Mapping[str, str], more: str = "") -> Happening:
    """What a fact comes to; `more` tells it from what else the same fact comes to."""
    place = {"app": row.app or "", "environment": row.environment or ""}
    return Happening(
        fact=f"ledger:{row.sequence}{more}",
        at=row.at,
        event=event,
        cause=said.get("cause", ""),
        said={**said, "event": event, "at": rfc3339(row.at), **place},
        **place,
    )


def _deployed(row: Row[Any], deployment: Deployment) -> dict[str, str]:
    """What can be said of any deployment, whoever made it."""
    said = {
        "version": spoken(deployment.traffic),
        "number": str(deployment.number),
        "deployment": deployment.id,
        "cause": deployment.cause,
        "actor": deployment.deployed_by or row.actor,
        "message": row.body.get("message", ""),
    }
    return said | ({"first": "yes"} if deployment.number == 1 else {})


def _held(row: Row[Any]) -> dict[str, str]:
    way_out = f"`reconciler release {row.app} {row.environment}` carries out again what git says"
    return {"message": row.body.get("reason", ""), "deployment": row.subject or "", "next": way_out}


def _waits(row: Row[Any]) -> dict[str, str]:
    key = str(row.body.get("key") or "")
    return {"message": row.body.get("message", ""), "next": f"`reconciler approve {key[:12]}` lets it in"}


def _refused(row: Row[Any]) -> dict[str, str]:
    return {"message": row.body.get("message", ""), "next": f"`reconciler why {row.app} {row.environment}` tells more"}


def _drifted(row: Row[Any]) -> dict[str, str]:
    said = {"message": row.body.get("detail", ""), "deployment": row.subject or ""}
    return said | {"next": f"`reconciler drift {row.app}` looks again"}


def _broken(row: Row[Any]) -> dict[str, str]:
    body = row.body
    remedy = f" ({body['remedy']})" if body.get("remedy") else ""
    return {"message": f"{body.get('file', '')}: {body.get('error', '')}{remedy}", "next": body.get("next", "")}


def _head(row: Row[Any]) -> dict[str, str]:
    head, noted = str(row.body.get("head")), str(row.body.get("noted"))
    said = f"{head[:10]} does not continue {noted[:10]}, which stays in force"
    return {"message": said, "commit": head, "next": f"`reconciler accept {head[:10]}` follows it"}


_SAID = {
    "held": _held,
    "waiting-for-approval": _waits,
    "refused": _refused,
    "drifted": _drifted,
    "manifest-broken": _broken,
    "head-held": _head,
}
