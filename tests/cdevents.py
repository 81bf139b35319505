"""The shapes of CloudEvents 1.0 and of those events of CDEvents 0.4.1 that are sent, as JSON Schemas.

Written by hand from the published specifications: CloudEvents' JSON format (github.com/cloudevents/spec, 1.0.2) and the
schemas of CDEvents (github.com/cdevents/spec, directory `schemas`, version 0.4.1), since no registry has a package of
them. Like those, they allow no property that is not named.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs

TEXT = {"type": "string", "minLength": 1}
SOURCE = {"type": "string", "minLength": 1, "format": "uri-reference"}


def _closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


REFERENCE = _closed(["id"], id=TEXT, source={"type": "string", "format": "uri-reference"})
_TASK = {"taskName": {"type": "string"}, "pipelineRun": REFERENCE, "url": {"type": "string", "format": "uri"}}
_SERVICE = _closed(["environment", "artifactId"], environment=REFERENCE, artifactId={**TEXT, "pattern": "^pkg:"})
CONTENTS = {
    "dev.cdevents.taskrun.started.0.2.0": ("taskRun", _closed([], **_TASK)),
    "dev.cdevents.taskrun.finished.0.2.0": (
        "taskRun",
        _closed([], **_TASK, outcome={"type": "string"}, errors={"type": "string"}),
    ),
    "dev.cdevents.service.deployed.0.2.0": ("service", _SERVICE),
    "dev.cdevents.service.upgraded.0.2.0": ("service", _SERVICE),
    "dev.cdevents.service.rolledback.0.2.0": ("service", _SERVICE),
    "dev.cdevents.service.removed.0.2.0": ("service", _closed(["environment"], environment=REFERENCE)),
}


def _cdevent(name: str) -> dict[str, Any]:
    kind, content = CONTENTS[name]
    context = _closed(
        ["version", "id", "source", "type", "timestamp"],
        version={"const": "0.4.1"},
        id=TEXT,
        source=SOURCE,
        type={"const": name},
        timestamp={"type": "string", "format": "date-time"},
        schemaUri={"type": "string", "format": "uri"},
        chainId=TEXT,
        links={"type": "array"},
    )
    subject = _closed(
        ["id", "type", "content"],
        id=TEXT,
        source={"type": "string", "format": "uri-reference"},
        type={"const": kind},
        content=content,
    )
    custom = {"oneOf": [{"type": "object"}, {"type": "string", "contentEncoding": "base64"}]}
    return _closed(
        ["context", "subject"],
        context=context,
        subject=subject,
        customData=custom,
        customDataContentType={"type": "string"},
    )


def _cloud_event(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "source", "specversion", "type", "data"],
        "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
        "properties": {
            "id": TEXT,
            "source": SOURCE,
            "specversion": {"const": "1.0"},
            "type": {"const": name},
            "subject": TEXT,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": _cdevent(name),
        },
    }


def check(event: Any) -> None:
    """Raises what is wrong with an event."""
    name = event["type"]
    assert name in CONTENTS, f"{name} is not a type of CDEvents"
    jsonschema_rs.validator_for(_cloud_event(name), validate_formats=True).validate(event)
    assert event["id"] == event["data"]["context"]["id"]
    assert event["source"] == event["data"]["context"]["source"]
