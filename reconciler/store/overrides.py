"""Which commits say that a rule does not count this once, and whose commits are signed?

Overrides are trailers: reviewed like everything else, and remembered with their author.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, select

from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Among, Prepared

Kind = Literal["freeze", "rollback"]

_O, _S = tables.overrides.c, tables.signatures.c
_FREEZES = Among(select(tables.overrides).where(_O.kind == "freeze"), _O.commit)
_ROLLBACKS = Among(select(tables.overrides).where(_O.kind == "rollback"), _O.app)
_OF_OTHER_KEYS = Prepared(delete(tables.signatures).where(_S["keys"] != bindparam("now")))
_SIGNATURES = Among(select(tables.signatures), _S.commit)


def note(transaction: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write overrides down: position, kind, app, environment, commit, author, reason, at."""
    if not rows:
        return
    transaction.connection.execute(tables.overrides.insert(), list(rows))
    for row in rows:
        transaction.note(
            f"override.{row['kind']}",
            row["at"],
            {"reason": row["reason"], "commit": row["commit"]},
            app=row["app"] or None,
            environment=row["environment"] or None,
            subject=row["commit"],
            actor=row["author"],
        )


def of_commits(connection: Connection, commits: Sequence[str]) -> Iterable[Row[Any]]:
    """The words of these commits that their changes pass freezes."""
    return _FREEZES.run(connection, commits)


def of_apps(connection: Connection, apps: Sequence[str]) -> Iterable[Row[Any]]:
    """The words that rollbacks of these apps may go past their guards."""
    return _ROLLBACKS.run(connection, apps)


def signatures(connection: Connection, commits: Sequence[str]) -> Iterable[Row[Any]]:
    """What is known of these commits' signatures."""
    return _SIGNATURES.run(connection, commits)


def forget_signatures(transaction: Transaction, keys: str) -> int:
    """Forget what was judged by other keys than these; how many commits that are."""
    return _OF_OTHER_KEYS.change(transaction.connection, now=keys)


def note_signature(transaction: Transaction, commit: str, good: bool, detail: str, keys: str, now: datetime) -> None:
    """Write down how a commit's signature was judged, in place of an earlier judgement."""
    transaction.connection.execute(delete(tables.signatures).where(_S.commit == commit))
    values = {"commit": commit, "good": good, "detail": detail, "keys": keys, "at": now}
    transaction.connection.execute(tables.signatures.insert().values(**values))
    transaction.note("commit.signature", now, {"good": good, "detail": detail}, subject=commit)
