"""How is a fact said in the vocabulary of CDEvents, as a CloudEvent?

Deployments are told as runs of a task, which have a beginning and an outcome, and what they came to as what it means
for the service: deployed, upgraded, rolled back, removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from reconciler.model.alert import Alert
from reconciler.notify import wording
from reconciler.notify.facts import Happening, stable_id
from reconciler.schedule import rfc3339
from reconciler.store import messages
from reconciler.words import plain

SPEC = "0.4.1"
SOURCE = "/reconciler"
TASK_STARTED = "dev.cdevents.taskrun.started.0.2.0"
TASK_FINISHED = "dev.cdevents.taskrun.finished.0.2.0"
SERVICE = "dev.cdevents.service.{}.0.2.0"
OUTCOMES = {"completed": "success", "failed": "failure", "aborted": "cancel"}


def event_message(alert: Alert, one: Happening, now: datetime) -> dict[str, Any]:
    """The message that carries an event to an alert whose format is `cdevents`."""
    made = stable_id("cdevents", alert.name, one.fact)
    title = plain(wording.fields(alert, one.said)["title"])
    content = {"format": "cdevents", "title": title, "events": cloud_events(one, made)}
    stream = stable_id("cdevents", alert.name, one.app, one.environment)
    return messages.to_send(made, "alert", content, now, stream=stream, alert=alert.name, to=alert.spec.to)


def cloud_events(one: Happening, made: str) -> list[dict[str, Any]]:
    """A fact as CloudEvents in structured mode: the run of the task, and what it means for the service."""
    kinds = {"rolled-back": [_service(one, "rolledback")], "started": [_started(one)]}.get(one.event)
    if kinds is None:
        kinds = [_finished(one)]
        if one.event == "completed" and one.cause not in ("rollback", "auto-rollback"):
            kinds.append(_service(one, _change(one.said)))
    return [_wrapped(one, kind, f"{made}-{number}") for number, kind in enumerate(kinds)]


def _change(said: Mapping[str, str]) -> str:
    if said.get("version") == "nothing":
        return "removed"
    return "deployed" if said.get("first") else "upgraded"


def _wrapped(one: Happening, kind: tuple[str, dict[str, Any]], made: str) -> dict[str, Any]:
    name, subject = kind
    at = rfc3339(one.at)
    context = {"version": SPEC, "id": made, "source": SOURCE, "type": name, "timestamp": at}
    data = {
        "context": context,
        "subject": subject,
        "customData": {key: value for key, value in one.said.items() if value},
        "customDataContentType": "application/json",
    }
    return {
        "specversion": "1.0",
        "id": made,
        "source": SOURCE,
        "type": name,
        "subject": subject["id"],
        "time": at,
        "datacontenttype": "application/json",
        "data": data,
    }


def _task(one: Happening) -> tuple[str, dict[str, Any]]:
    return one.said.get("deployment", ""), {"taskName": f"deploy {one.app} to {one.environment}"}


def _started(one: Happening) -> tuple[str, dict[str, Any]]:
    name, content = _task(one)
    return TASK_STARTED, {"id": name, "source": SOURCE, "type": "taskRun", "content": content}


def _finished(one: Happening) -> tuple[str, dict[str, Any]]:
    name, content = _task(one)
    content |= {"outcome": OUTCOMES[one.event]}
    if one.event != "completed":
        content |= {"errors": one.said.get("message", "")}
    return TASK_FINISHED, {"id": name, "source": SOURCE, "type": "taskRun", "content": content}


def _service(one: Happening, change: str) -> tuple[str, dict[str, Any]]:
    content: dict[str, Any] = {"environment": {"id": one.environment, "source": SOURCE}}
    if change != "removed":
        content["artifactId"] = package_url(one.app, one.said.get("artifact", ""), one.said.get("version", ""))
    return SERVICE.format(change), {"id": one.app, "source": SOURCE, "type": "service", "content": content}


def package_url(app: str, artifact: str, version: str) -> str:
    """What was deployed, as a package URL: the app, its version and the digest of its content."""
    named = quote(version.replace(" ", "_"), safe="._-")
    checksum = f"?checksum={quote(artifact, safe=':')}" if artifact else ""
    return f"pkg:generic/{quote(app, safe='._-')}@{named}{checksum}"
