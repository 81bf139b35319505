"""Up to where has the followed branch been noted?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from reconciler.errors import StoreError
from reconciler.store import tables
from reconciler.store.database import Transaction

ROW = 1

_FOLLOWED = select(tables.repository)
_ADVANCE = update(tables.repository).values(
    head=bindparam("to_head"),
    tree=bindparam("to_tree"),
    position=bindparam("to_position"),
    held_head=None,
    held_since=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The branch, and the newest commit of it that was noted."""

    url: str
    branch: str
    head: str | None
    tree: str | None
    position: int
    held_head: str | None = None
    held_since: datetime | None = None


def followed(connection: Connection) -> Followed | None:
    """What is followed, or None before the very first cycle."""
    row = connection.execute(_FOLLOWED).one_or_none()
    if row is None:
        return None
    return Followed(
        url=row.url,
        branch=row.branch,
        head=row.head,
        tree=row.tree,
        position=row.position,
        held_head=row.held_head,
        held_since=row.held_since,
    )


def follow(transaction: Transaction, url: str, branch: str) -> Followed:
    """Begin to follow a branch; a store that follows another branch is refused."""
    known = followed(transaction.connection)
    if known is None:
        transaction.connection.execute(
            tables.repository.insert().values(id=ROW, url=url, branch=branch, position=0, foreign_documents=0)
        )
        return Followed(url=url, branch=branch, head=None, tree=None, position=0)
    if known.branch != branch:
        raise StoreError(
            f"this store follows the branch {known.branch}, not {branch}",
            "give the other branch a state of its own, or set the branch back",
        )
    return known


def advance(transaction: Transaction, head: str, tree: str, position: int) -> None:
    """The commit at `head` has been noted: nothing before it is looked at again."""
    transaction.connection.execute(_ADVANCE, {"to_head": head, "to_tree": tree, "to_position": position})


def hold(transaction: Transaction, head: str, at: datetime) -> None:
    """A head that does not descend from the one noted waits until a person accepts it."""
    transaction.connection.execute(update(tables.repository).values(held_head=head, held_since=at))


def let_go(transaction: Transaction) -> None:
    """The branch is back where it was: nothing is held any more."""
    transaction.connection.execute(update(tables.repository).values(held_head=None, held_since=None))
