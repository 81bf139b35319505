"""What is a forge told of: how does each commit fare in each environment, and which deployments are there?

A commit's status in an environment is a level: it is worked out when it is sent, from all apps that the commit deployed
there, so a thousand apps are a few calls. A deployment's record is made when it starts and moved on when it ends, in
that order. Before a record is made again after a lost answer, it is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from reconciler.model.deployment import Deployment
from reconciler.model.version import spoken
from reconciler.notify.clocks import Clock
from reconciler.notify.facts import ENDS, stable_id
from reconciler.notify.forge import Forge, Place, Record, State, calling
from reconciler.notify.github import HEADERS, GitHub
from reconciler.notify.gitlab import GitLab
from reconciler.store import deployments, forge_records, messages, repository
from reconciler.store.database import Database, Transaction
from reconciler.store.declared import chunks
from reconciler.store.rows import deployment_of
from reconciler.views.scene import manifests

_STATES: Mapping[str, State] = {
    "pending": "pending",
    "started": "running",
    "completed": "success",
    "failed": "failure",
    "aborted": "aborted",
}
_WORST: Sequence[str] = ("failed", "started", "pending", "aborted", "completed")


def to_tell(transaction: Transaction, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Make the messages that tell a forge of these facts."""
    facts = [row for row in rows if row.kind in ENDS and row.subject]
    known: dict[str, Row[Any]] = {}
    for part in chunks({row.subject for row in facts}):
        known |= deployments.by_ids(transaction.connection, part)
    made: list[dict[str, Any]] = []
    streams: set[str] = set()
    for row in facts:
        found = known.get(row.subject)
        if found is None or not found.commit:
            continue
        stream = f"status {found.commit} {found.environment}"
        if stream not in streams:
            streams.add(stream)
            title = f"status of {found.commit[:10]} in {found.environment}"
            content = {"kind": "status", "commit": found.commit, "environment": found.environment, "title": title}
            made.append(_message(row, stream, content, now))
        if row.kind != "deployment.aborted" or found.started_at is not None:
            status = row.kind.removeprefix("deployment.")
            title = f"deployment {found.number} of {found.app} in {found.environment}: {status}"
            content = {"kind": "record", "deployment": found.id, "status": status, "title": title}
            made.append(_message(row, f"record {found.id}", content, now))
    waiting = messages.waiting_streams(transaction.connection, streams)
    messages.add(transaction, [one for one in made if one["stream"] not in waiting])


def _message(row: Row[Any], stream: str, content: dict[str, Any], now: datetime) -> dict[str, Any]:
    made = stable_id("forge", stream, f"ledger:{row.sequence}")
    return messages.to_send(made, "forge", content, now, stream=stream)


class ToForge:
    """Tells one forge."""

    def __init__(self, database: Database, place: Place, environ: Mapping[str, str], clock: Clock) -> None:
        self._database = database
        self._place = place
        self._environ = environ
        self._clock = clock

    def carry(self, row: Any) -> str:
        """Send one message; what was said. Raises NotDelivered and StoreError."""
        if row.content["kind"] == "status":
            return self._status(row)
        return self._record(row)

    def _status(self, row: Any) -> str:
        commit, environment = row.content["commit"], row.content["environment"]
        with self._database.read() as connection:
            counted = forge_records.standing(connection, commit, environment)
            before = messages.last_said(connection, row.stream)
        worst = next((status for status in _WORST if counted.get(status)), "pending")
        total = sum(counted.values())
        words = ", ".join(f"{counted[status]} {status}" for status in _WORST if counted.get(status))
        said = f"{_STATES[worst]}: {words if total > 1 else worst}"
        if said != before:
            with self._forge() as forge:
                forge.status(commit, f"reconciler/{environment}", _STATES[worst], said.partition(": ")[2])
        return said

    def _record(self, row: Any) -> str:
        with self._database.read() as connection:
            found = deployments.by_ids(connection, [row.content["deployment"]]).get(row.content["deployment"])
            if found is None:
                return "it is not recorded any more"
            deployment = deployment_of(found)
            place = repository.followed(connection)
            known = forge_records.number_of(connection, deployment.id)
            taken = forge_records.numbers(connection, deployment.app, deployment.environment)
            domains = _domains(connection, deployment.app)
        record = _recorded(deployment, row.content["status"], place.branch if place else "", domains)
        with self._forge() as forge:
            if known is None:
                known = forge.find(record, taken) if row.attempts or row.uncertain else None
                known = known if known is not None else forge.create(replace(record, state="running"))
                with self._database.write() as transaction:
                    forge_records.remember(transaction, deployment.id, known, self._clock())
            forge.update(known, record)
        return f"{record.state}: record {known}"

    @contextmanager
    def _forge(self) -> Iterator[Forge]:
        place = self._place
        if place.type == "github":
            with calling(place, self._environ, "Authorization", "Bearer ", **HEADERS) as calls:
                yield GitHub(calls, place.repository)
        else:
            with calling(place, self._environ, "PRIVATE-TOKEN", "") as calls:
                yield GitLab(calls, place.repository)


def _domains(connection: Any, app: str) -> tuple[str, ...]:
    manifest = manifests(connection, [app]).get(app)
    return manifest.spec.triggers.domains if manifest is not None else ()


def _recorded(deployment: Deployment, status: str, branch: str, domains: Sequence[str]) -> Record:
    words = f"{spoken(deployment.traffic)} of {deployment.app}: {deployment.reason}"
    if status == "failed" and deployment.error:
        words = f"{spoken(deployment.traffic)} of {deployment.app} failed: {deployment.error}"
    return Record(
        deployment=deployment.id,
        app=deployment.app,
        environment=deployment.environment,
        commit=deployment.commit or "",
        branch=branch,
        description=" ".join(words.split()),
        state=_STATES[status],
        url=f"https://{domains[0]}" if domains and status == "completed" and "*" not in domains[0] else "",
    )
