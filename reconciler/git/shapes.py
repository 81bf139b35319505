"""What does git say, as values? Commits, entries of a tree, changes between two trees, objects read.

Ids are full lower-case hex (40 digits, 64 in a SHA-256 repository). Modes are git's six octal digits, such as
`100644`, `040000` for a directory and `160000` for a submodule. Paths are text in which bytes that are not
UTF-8 are kept by `surrogateescape`; they are as the repository has them, so whoever writes one to a disk
refuses `..`, `.git` and a leading slash himself.

Values only: reading them is in `objects`, taking git's own formats apart in `parsing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.errors import WrongUse

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LINK = "120000"
"""The mode of a symbolic link."""
ENTRY_TYPES = {"040000": "tree", "160000": "commit"}


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. Instants are in UTC; those that no calendar holds become the nearest one."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message that says anything."""
        return next((line.strip() for line in self.message.splitlines() if line.strip()), "")

    @property
    def first_parent(self) -> str | None:
        """The commit that the branch was at before; None for the first of a history."""
        return self.parents[0] if self.parents else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: a file (`blob`), a directory (`tree`) or a submodule (`commit`)."""

    path: str
    mode: str
    type: str
    id: str


ChangeKind = Literal["A", "M", "D", "T"]


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs between two trees: added, modified, deleted, or of another type.

    Where there is nothing, the mode is `000000` and the id all zeros. Directories are listed as well as the
    files in them, so that the new tree id of a directory is at hand.
    """

    path: str
    old_mode: str
    new_mode: str
    old_id: str
    new_id: str
    kind: ChangeKind

    @property
    def is_tree(self) -> bool:
        """Whether only directories are on the sides that exist."""
        return {self.old_mode, self.new_mode} <= {"000000", "040000"}


@dataclass(frozen=True, slots=True)
class Object:
    """An object read whole."""

    id: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TooLarge:
    """An object that exists and was not held, since its `size` in bytes is over the `limit`."""

    id: str
    type: str
    size: int
    limit: int


@dataclass(frozen=True, slots=True)
class Missing:
    """An object that the mirror does not hold.

    Either the mirror is damaged, or, in a mirror just made anew, the file is larger than 1 GiB and was never
    fetched.
    """

    id: str


def is_full_id(object_id: str) -> bool:
    """Whether a name is a whole id."""
    return bool(_ID.fullmatch(object_id))


def full_id(object_id: str) -> str:
    """The id itself. Raises WrongUse when it is not a full one, so nothing else reaches a command line."""
    if not is_full_id(object_id):
        raise WrongUse(f"{object_id!r} is not the id of an object", "Give all 40 digits, or 64 with SHA-256.")
    return object_id


def is_zero(object_id: str) -> bool:
    """Whether an id of a `Change` stands for nothing."""
    return not object_id.strip("0")
