"""Tokens for tests that ask over HTTP: made in the store as the command makes them, each with another secret."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from reconciler.model import access
from reconciler.store import tokens
from reconciler.store.database import Database

BY = "owner@example.com"
_NUMBERS = count(1)


def written() -> access.Written:
    """A token that nobody has yet."""
    number = next(_NUMBERS)
    return access.Written(f"{number:012x}", f"{number:03d}{'Ab-_9' * 8}")


def bearer(
    url: str,
    *scopes: access.TokenScope,
    now: datetime,
    name: str = "ci",
    roles: tuple[str, ...] = (),
    expires: datetime | None = None,
    revoked: bool = False,
) -> str:
    """A new token in the store at `url`, as it is put behind `Bearer`."""
    made = written()
    store = Database(url)
    try:
        with store.write() as transaction:
            token = tokens.Token(
                id=made.id, name=name, scopes=scopes, roles=roles, created_at=now, created_by=BY, expires_at=expires
            )
            tokens.make(transaction, token, access.digest(made.secret))
            if revoked:
                tokens.revoke(transaction, made.id, BY, now)
    finally:
        store.close()
    return made.text


def header(token: str) -> dict[str, str]:
    """What is sent along with a request."""
    return {"Authorization": f"Bearer {token}"}
