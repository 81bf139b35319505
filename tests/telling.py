"""What tests of notices share: alerts as manifests, and a world that tells as soon as it has settled."""

from __future__ import annotations

import json
from typing import Any

from reconciler.store import messages, notices
from tests.world import World

FAILING = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec: {track: latest, retry: {limit: 0}, target: {type: exec, command: [sh, -c, "exit 3"]}}
"""


def alert(to: str, name: str = "team", **spec: Any) -> str:
    """An Alert manifest, by default of failures."""
    said = {"to": to, "events": ["failed"], **spec}
    return json.dumps({"apiVersion": "reconciler/v1", "kind": "Alert", "metadata": {"name": name}, "spec": said})


def to(world: World, url: str, name: str = "address") -> str:
    """A reference to an address that lies in a file."""
    place = world.directory / name
    place.write_text(f"{url}\n")
    return f"file:{place}"


def settle_and_tell(world: World) -> int:
    """Do all that can be done now, and send what is to be told of it; how many attempts."""
    with world.running() as found:
        attempts: list[int] = []
        found.daemon.settle(found.notifying.begin, lambda: attempts.append(found.notifying.tell()))
        return attempts[0]


def said(world: World) -> list[tuple[str, str, str]]:
    """Messages, oldest first: alert, status and title."""
    with world.running() as found, found.database.read() as connection:
        rows = messages.listed(connection, None, None, 1000)
    return [(row.alert, row.status, row.content.get("title", "")) for row in reversed(rows)]


def noted(world: World) -> list[tuple[str, str]]:
    """Notices, by message or not: alert and event."""
    with world.running() as found, found.database.read() as connection:
        sent = messages.listed(connection, None, None, 1000)
        rows = [one for row in sent for one in notices.of_message(connection, row.id)]
        rows += [one for name in notices.gathered(connection) for one in notices.unsent(connection, name, 1000)]
    return sorted((row.alert, row.event) for row in rows)
