"""Are a version's unpacked files harmless, and which are they?

The files come from a repository that many people write to. A symbolic link may point to a place inside the
bundle and nowhere else: whoever serves or packs the release would follow it. Where the files go is the
targets' affair.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import PersonNeeded
from reconciler.model.release import ReleasedVersion
from reconciler.targets.base import Work

REMEDY = "replace it in the repository by a file, or by a relative link to something inside the bundle"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What lies in an unpacked bundle, as paths that begin with its root."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    """Every directory, the root among them."""
    links: tuple[str, ...] = ()


def unpacked(part: ReleasedVersion, root: str, work: Work) -> Bundle:
    """Unpack a version's bundle, if it has one, into the empty directory `root`, and look at it.

    Raises PersonNeeded for a link that leads out, Aborted, OSError, and what `work.unpack` raises.
    """
    work.go_on()
    if part.bundle is not None:
        work.unpack(part.bundle, Path(root))
        work.go_on()
    return look(root)


def look(root: str) -> Bundle:
    """Everything below `root`. Raises PersonNeeded for links that lead out and what is no file; OSError."""
    files: list[str] = []
    links: list[str] = []
    folders = [root]
    for folder in folders:  # grows while it is walked
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    _stays_inside(entry.path, root)
                    links.append(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.path)
                else:
                    raise PersonNeeded(
                        f"{printable(os.path.relpath(entry.path, root))} is neither a file nor a link", REMEDY
                    )
    return Bundle(tuple(files), tuple(folders), tuple(links))


def _stays_inside(link: str, root: str) -> None:
    """Both as it is written, since the bundle moves, and as it is followed, since links lead to links."""
    leads_to = os.readlink(link)
    followed, real = os.path.realpath(link), os.path.realpath(root)
    here = os.path.relpath(link, root)
    if leads_out(here, leads_to) or os.path.commonpath([followed, real]) != real:
        raise PersonNeeded(outward(here, leads_to), REMEDY)


def leads_out(link: str, leads_to: str) -> bool:
    """Whether a link of the bundle leads out by what is written in it; `link` is a path from the bundle's root."""
    written = os.path.normpath(os.path.join(os.path.dirname(link), leads_to))
    return os.path.isabs(leads_to) or written.split(os.sep)[0] == os.pardir


def outward(link: str, leads_to: str) -> str:
    """What is said of a link that leads out."""
    return f"the symbolic link {printable(link)} leads out of the bundle, to {printable(leads_to)}"


def printable(text: str) -> str:
    """Text without control characters, undecodable bytes or too many letters."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:200])
