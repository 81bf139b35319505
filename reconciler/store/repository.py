"""What is followed, up to where has it been noted, and why can it not be followed just now?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from reconciler.errors import FollowsAnother
from reconciler.store import tables
from reconciler.store.database import Transaction
from reconciler.store.statements import Prepared

ROW = 1

_FOLLOWED = Prepared(select(tables.repository))
_ADVANCE = Prepared(
    update(tables.repository).values(
        head=bindparam("to_head"),
        tree=bindparam("to_tree"),
        position=bindparam("to_position"),
        held_head=None,
        held_since=None,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the settings say is to be followed."""

    url: str
    """Without credentials."""
    branch: str
    root: str
    """The path inside the repository, '' for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why it cannot be followed, since when, and when it is tried again (UTC)."""

    message: str
    next_step: str
    since: datetime
    again_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The branch, and the newest commit of it that was noted."""

    url: str
    branch: str
    root: str = ""
    head: str | None
    tree: str | None
    position: int
    held_head: str | None = None
    held_since: datetime | None = None
    trouble: Trouble | None = None


def followed(connection: Connection) -> Followed | None:
    """What is followed, or None before the very first cycle."""
    row = _FOLLOWED.run(connection).one_or_none()
    if row is None:
        return None
    trouble = None
    if row.trouble is not None:
        trouble = Trouble(
            message=row.trouble,
            next_step=row.trouble_next_step,
            since=row.trouble_since,
            again_at=row.again_at,
        )
    return Followed(
        url=row.url,
        branch=row.branch,
        root=row.root,
        head=row.head,
        tree=row.tree,
        position=row.position,
        held_head=row.held_head,
        held_since=row.held_since,
        trouble=trouble,
    )


def fits(known: Followed | None, source: Source) -> bool:
    """Whether the store follows this very source. Raises FollowsAnother where this cannot continue that."""
    if known is None or known.head is None:
        return known is not None and (known.url, known.branch, known.root) == (source.url, source.branch, source.root)
    for setting, before, now in (
        ("branch", known.branch, source.branch),
        ("path", known.root or ".", source.root or "."),
    ):
        if before != now:
            # What lies elsewhere was noted as other facts: to go on with them would take everything else for removed.
            raise FollowsAnother(
                f"this store follows the {setting} {before} of the repository, not {now}",
                f"set repository.{setting} back to {before}, or follow {now} with a state of its own: "
                "another `data` directory and another `state.url`",
            )
    return known.url == source.url


def follow(transaction: Transaction, source: Source, at: datetime) -> Followed:
    """Begin or go on to follow a source; the moment is for the ledger.

    The address may change: whether what is there now continues what was noted is told by the commits. Raises
    FollowsAnother for another branch or path.
    """
    known = followed(transaction.connection)
    if fits(known, source) and known is not None:
        return known
    values = {"url": source.url, "branch": source.branch, "root": source.root}
    if known is None:
        transaction.connection.execute(tables.repository.insert().values(id=ROW, position=0, **values))
    else:
        transaction.connection.execute(update(tables.repository).values(**values))
    if known is not None and known.head is not None:
        transaction.note("repository.moved", at, {"from": known.url, "to": source.url})
    found = followed(transaction.connection)
    assert found is not None
    return found


def advance(transaction: Transaction, head: str, tree: str, position: int) -> None:
    """The commit at `head` has been noted: nothing before it is looked at again."""
    _ADVANCE.change(transaction.connection, to_head=head, to_tree=tree, to_position=position)


def hold(transaction: Transaction, head: str, at: datetime) -> None:
    """A head that does not descend from the one noted waits until a person accepts it."""
    transaction.connection.execute(update(tables.repository).values(held_head=head, held_since=at))


def let_go(transaction: Transaction) -> None:
    """The branch is back where it was: nothing is held any more."""
    transaction.connection.execute(update(tables.repository).values(held_head=None, held_since=None))


def trouble(transaction: Transaction, found: Trouble | None) -> None:
    """Why it cannot be followed just now; None: it can."""
    values = {
        "trouble": found.message if found else None,
        "trouble_next_step": found.next_step if found else None,
        "trouble_since": found.since if found else None,
        "again_at": found.again_at if found else None,
    }
    transaction.connection.execute(update(tables.repository).values(**values))
