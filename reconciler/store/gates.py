"""Who approved what may enter an environment, and how did its checks fare?

Filed under a key that stands for the plan: versions, shares and the environment's own settings. Whether they are enough
is the planner's question.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from reconciler.model.deployment import Allotment
from reconciler.model.gates import Check
from reconciler.model.plan import RunChecks
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

CHECK = TypeAdapter(Check)
TRAFFIC = TypeAdapter(tuple[Allotment, ...])
Verdict = Literal["passed", "failed"]
MOST = 1_000
"""So many checks that are to be run are looked at at a time."""

_A, _C, _R = tables.approvals.c, tables.checks.c, tables.requests.c
_APPROVALS = Among(select(tables.approvals).order_by(_A.id), _A.app)
_TOLD = (_C.app, _C.environment, _C.key, _C.name, _C.verdict, _C.at, _C.detail, _C.next_attempt_at)
_CHECKS = Among(select(*_TOLD), _C.app)
_NOW = bindparam("now", type_=_C.next_attempt_at.type)
_RUNNING = Prepared(
    select(tables.checks)
    .where(_C.verdict == "running", or_(_C.next_attempt_at.is_(None), _C.next_attempt_at <= _NOW))
    .order_by(_C.at, _C.name)
    .limit(bindparam("most"))
)
_NEXT_CHECK = Prepared(
    select(_C.next_attempt_at)
    .where(_C.verdict == "running", _C.next_attempt_at > _NOW)
    .order_by(_C.next_attempt_at)
    .limit(1)
)


def ask(transaction: Transaction, waiting: Iterable[tuple[str, str, str]], now: datetime) -> None:
    """Write down what waits for a person at a gate: (key, app, environment). What was asked before stays as it is."""
    wanted = {key: (app, environment) for key, app, environment in waiting}
    known = set(transaction.connection.scalars(select(_R.key).where(_R.key.in_(list(wanted)))))
    rows = [
        {"key": key, "app": app, "environment": environment, "since": now}
        for key, (app, environment) in wanted.items()
        if key not in known
    ]
    if not rows:
        return
    transaction.connection.execute(tables.requests.insert(), rows)
    for key, (app, environment) in wanted.items():
        if key not in known:
            transaction.note("gate.asked", now, {}, app=app, environment=environment, subject=key)


def asked(connection: Connection, beginning: str) -> list[Row[Any]]:
    """What stands or stood at a gate, by the beginning of its key; two at most, to tell whether it is the only one."""
    query = select(tables.requests).where(_R.key >= beginning, _R.key < beginning + "g")
    return list(connection.execute(query.order_by(_R.key).limit(2)))


def asked_in(connection: Connection, app: str, environment: str) -> list[Row[Any]]:
    """What stands or stood at the gate of an environment, newest first."""
    query = select(tables.requests).where(_R.app == app, _R.environment == environment)
    return list(connection.execute(query.order_by(_R.since.desc()).limit(100)))


def approvals(connection: Connection, apps: Sequence[str]) -> Iterable[Row[Any]]:
    """Every approval of these apps, oldest first."""
    return _APPROVALS.run(connection, apps)


def checks(connection: Connection, apps: Sequence[str]) -> Iterable[Row[Any]]:
    """How the checks of these apps' gates fared, without their output."""
    return _CHECKS.run(connection, apps)


def approve(
    transaction: Transaction,
    app: str,
    environment: str,
    key: str,
    actor: str,
    role: str | None,
    reason: str,
    now: datetime,
) -> None:
    """Write down that `actor` approves what the key stands for."""
    values = {"app": app, "environment": environment, "key": key, "actor": actor, "role": role, "reason": reason}
    transaction.connection.execute(tables.approvals.insert().values(**values, at=now))
    body = {"key": key, "role": role, "reason": reason}
    transaction.note("gate.approved", now, body, app=app, environment=environment, subject=key, actor=actor)


def begin_checks(transaction: Transaction, action: RunChecks, now: datetime) -> None:
    """Write down that these checks are to be run; those that are known already stay as they are."""
    here = (_C.app == action.app) & (_C.environment == action.environment) & (_C.key == action.key)
    known = set(transaction.connection.scalars(select(_C.name).where(here)))
    rows = [
        {
            "app": action.app,
            "environment": action.environment,
            "key": action.key,
            "name": check.name,
            "verdict": "running",
            "definition": CHECK.dump_python(check, mode="json"),
            "traffic": TRAFFIC.dump_python(action.traffic, mode="json"),
            "config": dict(action.config),
            "commit": action.commit,
            "at": now,
            "next_attempt_at": None,
            "detail": "",
            "output": "",
        }
        for check in action.checks
        if check.name not in known
    ]
    if rows:
        transaction.connection.execute(tables.checks.insert(), rows)


def to_run(connection: Connection, now: datetime) -> list[Row[Any]]:
    """Some checks that are to be run, the one that waits longest first; they may be under way already."""
    return _RUNNING.run(connection, now=now, most=MOST)


def asked_for(connection: Connection, app: str, environment: str, key: str, name: str) -> datetime | None:
    """Since when a check is to be run; None when it has ended."""
    return connection.scalar(select(_C.at).where(_this(app, environment, key, name), _C.verdict == "running"))


def leave_out(transaction: Transaction, row: Row[Any]) -> None:
    """A check that nobody waits for any more is not run."""
    this = _this(row.app, row.environment, row.key, row.name)
    transaction.connection.execute(delete(tables.checks).where(this, _C.verdict == "running"))


def next_check(connection: Connection, now: datetime) -> datetime | None:
    """When a check that could not tell is asked again, of those whose moment has not come."""
    found: datetime | None = _NEXT_CHECK.run(connection, now=now).scalar()
    return found


def _this(app: str, environment: str, key: str, name: str) -> Any:
    return (_C.app == app) & (_C.environment == environment) & (_C.key == key) & (_C.name == name)


def ended(
    transaction: Transaction,
    app: str,
    environment: str,
    key: str,
    name: str,
    verdict: Verdict,
    detail: str,
    output: str,
    now: datetime,
) -> bool:
    """Write down how a check ended; False when nobody waits for it any more."""
    waiting = (*(_this(app, environment, key, name),), _C.verdict == "running")
    values = {"verdict": verdict, "at": now, "detail": detail, "output": output, "next_attempt_at": None}
    done = transaction.connection.execute(update(tables.checks).where(*waiting).values(**values))
    if not done.rowcount:
        return False
    body = {"check": name, "verdict": verdict, "message": detail, "output": output}
    transaction.note("gate.checked", now, body, app=app, environment=environment, subject=key)
    return True


def ask_again(
    transaction: Transaction, app: str, environment: str, key: str, name: str, after: timedelta, now: datetime
) -> None:
    """A check could not tell: it is asked again a little later."""
    query = update(tables.checks).where(_this(app, environment, key, name), _C.verdict == "running")
    transaction.connection.execute(query.values(next_attempt_at=now + after))


def forget_failures(
    transaction: Transaction, app: str, environment: str, key: str, actor: str, now: datetime, reason: str = ""
) -> int:
    """The checks that failed, or that rest since they could not tell, are run again as a person asked; how many."""
    here = (_C.app == app, _C.environment == environment, _C.key == key)
    done = transaction.connection.execute(delete(tables.checks).where(*here, _C.verdict == "failed"))
    resting = update(tables.checks).where(*here, _C.verdict == "running", _C.next_attempt_at.is_not(None))
    roused = transaction.connection.execute(resting.values(next_attempt_at=now))
    count = int(done.rowcount) + int(roused.rowcount)
    if count:
        body = {"key": key, "checks": count} | ({"reason": reason} if reason else {})
        transaction.note("gate.again", now, body, app=app, environment=environment, subject=key, actor=actor)
    return count


def ended_checks(connection: Connection, app: str, environment: str, key: str) -> list[Row[Any]]:
    """How the checks of a gate ended and what they printed, in the order in which they did."""
    here = (_C.app == app, _C.environment == environment, _C.key == key, _C.verdict != "running")
    return list(connection.execute(select(tables.checks).where(*here).order_by(_C.at, _C.name)))
