"""Who may ask over HTTP: which tokens were made and revoked, and which sessions of people were begun with them?

Only digests are kept: whoever reads the store cannot ask with what is in it. What a scope allows is the API's question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from reconciler.store import tables
from reconciler.store.database import Database, Transaction
from reconciler.store.statements import Prepared

T, S = tables.tokens.c, tables.sessions.c
USE_IS_NOTED = timedelta(hours=1)
"""How exactly the last use of a token is known."""
_FIND = Prepared(select(tables.tokens).where(T.id == bindparam("token")))
_SESSION = Prepared(
    select(tables.sessions, T.revoked_at, T.expires_at.label("token_expires_at"))
    .outerjoin(tables.tokens, T.id == S.token)
    .where(S.digest == bindparam("session"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token, which is not the token."""

    id: str
    name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...] = ()
    """In which its holder may approve, where a gate asks for roles."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    used_at: datetime | None = None
    """Of the last use, within an hour."""

    def state(self, now: datetime) -> str:
        """Whether it can be used at `now` (UTC): valid, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person at the pages."""

    actor: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...]
    token: str | None


def make(transaction: Transaction, token: Token, digest: str) -> None:
    """Write a new token down. `digest` is of its secret part, in hexadecimal."""
    values = {
        "id": token.id,
        "name": token.name,
        "digest": digest,
        "scopes": list(token.scopes),
        "roles": list(token.roles),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
    }
    transaction.connection.execute(tables.tokens.insert().values(**values))
    until = token.expires_at.isoformat() if token.expires_at else None
    body = {"name": token.name, "scopes": list(token.scopes), "roles": list(token.roles), "expires_at": until}
    transaction.note("token.created", token.created_at, body, subject=token.id, actor=token.created_by)


def find(connection: Connection, identifier: str) -> tuple[Token, str] | None:
    """A token by the part of it that may be seen, and the digest of its secret."""
    row = _FIND.run(connection, token=identifier).one_or_none()
    return (_token(row), row.digest) if row is not None else None


def listed(connection: Connection) -> list[Token]:
    """Every token that was ever made, the newest first."""
    return [_token(row) for row in connection.execute(select(tables.tokens).order_by(T.created_at.desc(), T.id))]


def revoke(transaction: Transaction, identifier: str, actor: str, now: datetime) -> bool:
    """End a token and the sessions that were begun with it; False where it had ended before, or was never made."""
    open_ = update(tables.tokens).where(T.id == identifier, T.revoked_at.is_(None))
    if not transaction.connection.execute(open_.values(revoked_at=now, revoked_by=actor)).rowcount:
        return False
    transaction.connection.execute(delete(tables.sessions).where(S.token == identifier))
    transaction.note("token.revoked", now, {}, subject=identifier, actor=actor)
    return True


def note_use(database: Database, token: Token, now: datetime) -> None:
    """Remember that a token was used, unless that was written within the last hour."""
    if token.used_at is not None and now - token.used_at < USE_IS_NOTED:
        return
    with database.aside() as connection:
        connection.execute(update(tables.tokens).where(T.id == token.id).values(used_at=now))


def begin_session(
    transaction: Transaction,
    digest: str,
    who: Session,
    now: datetime,
    until: datetime,
) -> None:
    """A person has shown who they are; sessions that are over are forgotten."""
    connection = transaction.connection
    connection.execute(delete(tables.sessions).where(S.expires_at <= now))
    allows = {"scopes": list(who.scopes), "roles": list(who.roles), "token": who.token}
    values = {"digest": digest, "actor": who.actor, **allows, "created_at": now, "expires_at": until}
    connection.execute(tables.sessions.insert().values(**values))
    transaction.note("session.begun", now, allows, actor=who.actor)


def session(connection: Connection, digest: str, now: datetime) -> Session | None:
    """The session of a cookie, while it lasts."""
    row = _SESSION.run(connection, session=digest).one_or_none()
    if row is None or row.expires_at <= now or row.revoked_at is not None:
        return None
    if row.token_expires_at is not None and row.token_expires_at <= now:
        return None
    return Session(actor=row.actor, scopes=tuple(row.scopes), roles=tuple(row.roles), token=row.token)


def end_session(transaction: Transaction, digest: str, actor: str, now: datetime) -> None:
    """A person leaves."""
    if transaction.connection.execute(delete(tables.sessions).where(S.digest == digest)).rowcount:
        transaction.note("session.ended", now, {}, actor=actor)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        roles=tuple(row.roles),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        used_at=row.used_at,
    )
