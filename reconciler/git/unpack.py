"""How do the files of a tree get onto a disk?

Bytes, modes and links as git has them, nothing else of git. Names that would leave the directory never come out of a
sound repository; they are refused all the same. Whether a link is harmless is the reader's affair.
"""

import os
from pathlib import Path

from reconciler.errors import GitCorrupt, PersonNeeded
from reconciler.git.objects import Objects
from reconciler.git.shapes import LINK, Entry

LARGEST = 1 << 30
NO_SUBMODULES = "put its files into this repository instead"
FORBIDDEN = {"", ".", "..", ".git"}


def unpack(objects: Objects, tree_id: str, directory: Path) -> None:
    """Write the files of a tree into an empty directory.

    Raises PersonNeeded for what cannot be released (a submodule, a hostile name), GitCorrupt, OSError.
    """
    files: list[Entry] = []
    for entry in objects.walk(tree_id):
        _check(entry)
        if entry.type == "tree":
            (directory / entry.path).mkdir()
        else:
            files.append(entry)
    for entry, (_, data) in zip(files, objects.blobs((entry.id for entry in files), LARGEST), strict=True):
        if not isinstance(data, bytes):
            raise GitCorrupt(f"the file {_shown(entry.path)} cannot be read", "the mirror is made anew")
        _write(directory / entry.path, entry.mode, data)


def _check(entry: Entry) -> None:
    if any(part.lower() in FORBIDDEN for part in entry.path.split("/")):
        raise PersonNeeded(f"the bundle holds a file of the name {_shown(entry.path)}", "rename it")
    if entry.type == "commit":
        raise PersonNeeded(
            f"the bundle holds the submodule {_shown(entry.path)}",
            NO_SUBMODULES,
        )


def _write(path: Path, mode: str, data: bytes) -> None:
    if mode == LINK:
        os.symlink(data, os.fsencode(path))
        return
    # Without a file object: what that asks of the system besides costs more than the writing, many times a second.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if mode == "100755" else 0o644)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode().encode("unicode_escape").decode()
