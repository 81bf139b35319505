"""What facts does one commit add?

The commit, the versions it publishes, the entries it changes, what it takes back by reverting, whether it
changes too much at once. Written in a cycle's transaction; commits are noted one by one, so that it makes no
difference how they arrive together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler.engine.beginning import AT_ONCE, declare_all
from reconciler.engine.commit import Arrival
from reconciler.engine.contents import Asked, ask
from reconciler.engine.declaring import declare
from reconciler.engine.marks import placement_row, touch_row
from reconciler.engine.overriding import note_overrides, writers_of
from reconciler.engine.reading import Manifests
from reconciler.engine.reverting import evidence, revert_of
from reconciler.engine.seasonal import relabelled, season_touches
from reconciler.engine.touching import Touching
from reconciler.engine.weighing import Weight, let_go, weigh
from reconciler.git.shapes import Commit
from reconciler.git.trailers import pull_request
from reconciler.model.deployment import Place
from reconciler.model.version import tags_of
from reconciler.planner.noting import (
    MASS_LEAST,
    Meaning,
    Revert,
    content_meaning,
    entry_meaning,
    puts_back,
)
from reconciler.store import commits, declared, due, versions
from reconciler.store.database import Transaction
from reconciler.store.rows import content_row

MESSAGE_KEPT = 20_000
SUBJECT_KEPT = 500
HELD = Meaning(look="changed")


@dataclass(slots=True)
class _Facts:
    """Rows that a commit adds, gathered so that each table is written once."""

    versions: list[dict[str, Any]] = field(default_factory=list)
    touches: list[dict[str, Any]] = field(default_factory=list)
    placements: list[dict[str, Any]] = field(default_factory=list)
    withdrawals: list[dict[str, Any]] = field(default_factory=list)
    asked_again: list[str] = field(default_factory=list)
    changed: set[Place] = field(default_factory=set)
    """What is recorded, and the commit changes or removes."""
    put_back: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Where it takes back what others did: app, environment ('' for the content), and which commits."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What one commit concerns."""

    apps: set[str]
    """Those whose plan can be another one now, which are due."""
    files: set[str] = field(default_factory=set)
    """Files of which it was looked at again what they declare, after the first commit."""
    braked: Weight | None = None


def note(transaction: Transaction, arrival: Arrival, root: str) -> Noted:
    """Note a commit."""
    connection = transaction.connection
    revert = revert_of(connection, arrival)
    if arrival.first:
        apps, manifests = declare_all(transaction, arrival, root)
        _note_commit(transaction, arrival, revert)
        return Noted(_note_all(transaction, arrival, sorted(apps), revert, manifests))
    concerned = declare(transaction, arrival, root)
    _note_commit(transaction, arrival, revert)
    asked, facts = _facts(connection, arrival, concerned.apps, revert, concerned.manifests)
    touching = season_touches(connection, arrival, concerned, revert)
    if len(asked) >= MASS_LEAST:
        relabelled(connection, arrival, asked, touching)
    weight = weigh(transaction, arrival, facts.changed | touching.changed, touching.left)
    braked = weight if weight is not None and not weight.acknowledged else None
    _write(transaction, arrival, asked, facts, touching, weight)
    named = {one.name for one in asked}
    others = touching.apps | _waiting_for(connection, facts)
    others |= note_overrides(transaction, arrival, weighed=weight is not None)
    others -= named
    due.mark(transaction, others, arrival.now)
    return Noted(named | others, concerned.files, braked)


def _note_all(
    transaction: Transaction, arrival: Arrival, apps: Sequence[str], revert: Revert | None, manifests: Manifests
) -> set[str]:
    """The very first commit concerns every app: noted piece by piece, so that memory never holds all of it."""
    for start in range(0, len(apps), AT_ONCE):
        asked, facts = _facts(transaction.connection, arrival, apps[start : start + AT_ONCE], revert, manifests)
        _write(transaction, arrival, asked, facts, Touching(), None)
        transaction.flush()
    return set(apps)


def _facts(
    connection: Connection, arrival: Arrival, apps: Collection[str], revert: Revert | None, manifests: Manifests
) -> tuple[list[Asked], _Facts]:
    """What these apps ask for at a commit, and the rows that this adds."""
    asked = ask(connection, arrival, apps, manifests)
    placed = declared.placements(connection, [one.name for one in asked])
    facts = _Facts()
    # What a commit does to a held app counts once the app is mended: a revert of it is then understood.
    held = [one for one in asked if one.held and one.name in apps]
    facts.touches += [touch_row(arrival, one.name, "", _content_before(one), None, HELD) for one in held]
    _contents(connection, arrival, asked, placed, revert, facts)
    for one in asked:
        _entries(arrival, one, placed.get(one.name, {}), revert, facts)
    return asked, facts


def _waiting_for(connection: Connection, facts: _Facts) -> set[str]:
    """Apps that wait, or need not wait any more, for one that came to an environment or left it."""
    placed = {row["app"] for row in facts.placements}
    return declared.dependents(connection, placed) if placed else set()


def _contents(
    connection: Connection,
    arrival: Arrival,
    asked: Sequence[Asked],
    placed: Mapping[str, Mapping[str, Any]],
    revert: Revert | None,
    facts: _Facts,
) -> None:
    """Versions and publications."""
    changed = [one for one in asked if not one.held and one.row["content"] != _content_before(one)]
    asking = [one for one in changed if one.row["content"]]
    known, numbers = versions.standing(connection, [o.name for o in asking], [o.row["content"] for o in asking])
    for one in changed:
        after = one.row["content"]
        published = commits.published_at(connection, one.name, after) if after in known else None
        proof = evidence(arrival, one, revert) if revert and published is None and after else "none"
        meaning = content_meaning(one.name, after, published, proof, revert)
        if one.content is not None and after not in known:
            numbers[one.name] = numbers.get(one.name, 0) + 1
            facts.versions.append(_version_row(arrival, one, numbers[one.name], meaning))
        facts.touches.append(touch_row(arrival, one.name, "", _content_before(one), after, meaning))
        facts.asked_again += [after] if after in known else []  # what is new cannot have been withdrawn
        facts.withdrawals += _withdrawn(connection, arrival, one, meaning)
        before = one.before
        back = _goes_back(one.name, after, meaning, revert)
        facts.put_back += [(one.name, "", meaning.reverts)] if back and meaning.reverts else []
        if before is not None and not before.removed and before.content is not None and not back:
            there = placed.get(one.name, {})
            facts.changed |= {(one.name, environment) for environment, row in there.items() if row.declared}


def _goes_back(app: str, after: str | None, meaning: Meaning, revert: Revert | None) -> bool:
    """Whether it takes back what came later, and does nothing else; the content that is left may never have been."""
    if meaning.look == "reverted" or puts_back(app, "", after, revert):
        return True
    return revert is not None and revert.direction == "back" and bool(meaning.reverts) and not meaning.partial


def _is_mended(one: Asked) -> bool:
    """Whether the app was held until now, and asks for what it asked for before that."""
    was_held = one.before is not None and one.before.complaints is not None
    return was_held and not one.held and one.row["content"] == _content_before(one)


def _content_before(one: Asked) -> str | None:
    content: str | None = one.before.content if one.before is not None else None
    return content


def _withdrawn(connection: Connection, arrival: Arrival, one: Asked, meaning: Meaning) -> list[dict[str, Any]]:
    if meaning.withdraw_from is None:
        return []
    after = one.row["content"]
    taken = commits.published_between(connection, one.name, meaning.withdraw_from, arrival.position) - {after}
    return [
        {
            "version": version,
            "app": one.name,
            "position": arrival.position,
            "commit": arrival.commit.id,
            "reverts": meaning.reverts[0] if meaning.reverts else "",
            "author": arrival.commit.author_email,
            "restores": after if meaning.look == "reverted" else None,
        }
        for version in sorted(taken)
    ]


def _entries(arrival: Arrival, one: Asked, placed: dict[str, Any], revert: Revert | None, facts: _Facts) -> None:
    """What changed in the environments' own entries."""
    if one.held:
        return
    for environment in sorted({*one.entries, *placed}):
        row = placed.get(environment)
        before = row.entry if row is not None and row.declared else None
        after = one.entries.get(environment)
        if before == after:
            continue
        meaning = entry_meaning(one.name, environment, after, revert)
        facts.placements.append(placement_row(one.name, environment, after, arrival, meaning))
        if not arrival.first:
            facts.touches.append(touch_row(arrival, one.name, environment, before, after, meaning))
        facts.put_back += [(one.name, environment, meaning.reverts)] if meaning.look == "reverted" else []
        if before is not None and one.row["content"] == _content_before(one) and meaning.look != "reverted":
            facts.changed.add((one.name, environment))


def _version_row(arrival: Arrival, one: Asked, number: int, meaning: Meaning) -> dict[str, Any]:
    content, commit = one.content, arrival.commit
    assert content is not None
    return {
        "id": one.row["content"],
        "app": one.name,
        "number": number,
        "name": content.name,
        "message": commit.subject[:SUBJECT_KEPT],
        "tags": list(tags_of(commit.subject[:SUBJECT_KEPT])),
        "author_name": commit.author_name,
        "author_email": commit.author_email,
        "commit": commit.id,
        "position": arrival.position,
        "created_at": commit.committed_at,
        "source": "git",
        "partial": meaning.partial,
        "content": content_row(content),
    }


def _note_commit(transaction: Transaction, arrival: Arrival, revert: Revert | None) -> None:
    commit = arrival.commit
    row = {
        "position": arrival.position,
        "id": commit.id,
        "tree": commit.tree,
        "author_name": commit.author_name,
        "author_email": commit.author_email,
        "committed_at": commit.committed_at,
        "noted_at": arrival.now,
        "subject": commit.subject[:SUBJECT_KEPT],
        "message": commit.message[:MESSAGE_KEPT],
        "pull_request": pull_request(commit.subject),
        "direction": revert.direction if revert else None,
        "reverts": list(revert.commits) if revert else [],
        "writers": writers_of(arrival),
    }
    commits.note(transaction, [row])
    commits.note_merged(transaction, [_merged_row(one, arrival.position) for one in arrival.merged])
    transaction.note(
        "commit.noted",
        arrival.now,
        {"position": arrival.position, "subject": row["subject"], "reverts": row["reverts"]},
        subject=commit.id,
        actor=commit.author_email or commit.author_name,
    )


def _merged_row(commit: Commit, position: int) -> dict[str, Any]:
    return {
        "id": commit.id,
        "position": position,
        "subject": commit.subject[:SUBJECT_KEPT],
        "pull_request": pull_request(commit.subject),
    }


def _due_at(one: Asked, now: datetime) -> datetime:
    """What was asked for is planned now; what is due already keeps its place."""
    before = one.before.due_at if one.before is not None else None
    return now if before is None or before > now else before


def _write(
    transaction: Transaction,
    arrival: Arrival,
    asked: Sequence[Asked],
    facts: _Facts,
    touching: Touching,
    weight: Weight | None,
) -> None:
    versions.add(transaction, facts.versions)
    commits.ask_again(transaction, facts.asked_again)
    commits.withdraw(transaction, facts.withdrawals)
    # A season touches placements that the commit itself may have changed too: the commit's own row wins.
    own = {(row["app"], row["environment"]) for row in facts.placements}
    held = [row for row in touching.placements if (row["app"], row["environment"]) not in own]
    declared.replace_placements(transaction, [*facts.placements, *held])
    braked = weight is not None and not weight.acknowledged
    if not arrival.adopting:
        let_go(transaction, facts.touches, facts.put_back, touching, weight)
    beneath = touching.weighed(arrival) if braked else []
    touched = {(row["app"], row["environment"]): row for row in (*touching.touches, *beneath, *facts.touches)}
    touches = [{**row, "braked": braked} for row in touched.values()]
    commits.mended(transaction, [one.name for one in asked if _is_mended(one)])
    commits.note_touches(transaction, touches)
    rows = [{**one.row, "due_at": _due_at(one, arrival.now)} for one in asked]
    before = {one.name: one.before for one in asked if one.before is not None}
    declared.replace_apps(transaction, rows, {one.name: one.depends_on for one in asked}, before)
    for row in facts.versions:
        body = {
            "number": row["number"],
            "name": row["name"],
            "commit": row["commit"],
            "message": row["message"],
        }
        transaction.note("version.published", arrival.now, body, app=str(row["app"]), subject=str(row["id"]))
    for row in facts.withdrawals:
        body = {"reverts": row["reverts"], "commit": row["commit"]}
        transaction.note("version.withdrawn", arrival.now, body, app=row["app"], subject=row["version"])
