"""How are git's own formats taken apart? Raw commits, raw trees, and the raw output of diff-tree and ls-tree.

Pure, and never failing on what an odd or hostile repository holds: what cannot be read becomes empty text or
the nearest instant, since a commit that somebody made long ago cannot be mended. Running git does not belong
here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reconciler.git.shapes import ENTRY_TYPES, Change, ChangeKind, Commit, Entry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_SECONDS = re.compile(rb"\s*(-?[0-9]+)")
# Python also calls things encodings that are none of text, such as rot13 and zlib.
_ENCODINGS = re.compile(
    r"ascii|utf-(?:8|16|32)|iso(?:8859|2022)|latin|cp\d|koi8|euc_|gb|big5|shift_jis|mac|tis-|hz|johab"
)
_KINDS: dict[bytes, ChangeKind] = {b"A": "A", b"M": "M", b"D": "D", b"T": "T"}


def text(raw: bytes) -> str:
    """A path as text; bytes that are not UTF-8 survive the way back through `raw_path`."""
    return raw.decode("utf-8", "surrogateescape")


def raw_path(path: str | bytes) -> bytes:
    """A path as git holds it."""
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")


def commit(object_id: str, data: bytes) -> Commit:
    """A raw commit, decoded as its `encoding` header says, with replacement where that does not fit."""
    head, _, message = data.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        # Lines that begin with a space continue a signature and end no header that we read.
        key, _, value = line.partition(b" ")
        if key:
            fields.setdefault(key, []).append(value)
    encoding = _encoding(fields.get(b"encoding", [b"utf-8"])[0])
    author = _person(fields.get(b"author", [b""])[0], encoding)
    committer = _person(fields.get(b"committer", [b""])[0], encoding)
    return Commit(
        object_id,
        _ascii(fields.get(b"tree", [b""])[0]),
        tuple(_ascii(parent) for parent in fields.get(b"parent", [])),
        *author,
        *committer,
        _decoded(message, encoding),
    )


def _decoded(raw: bytes, encoding: str) -> str:
    """What a person wrote. Not every database holds a NUL, so all of them hold the picture of one."""
    return raw.decode(encoding, "replace").replace("\0", "\N{SYMBOL FOR NULL}")


def _ascii(raw: bytes) -> str:
    return raw.strip().decode("ascii", "replace")


def _encoding(raw: bytes) -> str:
    try:
        name = codecs.lookup(_ascii(raw)).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if _ENCODINGS.match(name) else "utf-8"


def _person(raw: bytes, encoding: str) -> tuple[str, str, datetime]:
    name, _, rest = raw.partition(b"<")
    email, _, _ = rest.partition(b">")
    seconds = _SECONDS.match(raw.rpartition(b">")[2])
    return (
        _decoded(name.strip(), encoding),
        _decoded(email.strip(), encoding),
        _instant(seconds.group(1) if seconds else b"0"),
    )


def _instant(seconds: bytes) -> datetime:
    # More digits than any instant needs would also be slow to turn into a number.
    if len(seconds) > 15:
        return _FIRST if seconds.startswith(b"-") else _LAST
    value = int(seconds)
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        return _FIRST if value < 0 else _LAST


def tree(data: bytes, id_length: int) -> dict[bytes, tuple[str, str]]:
    """A raw tree: name to (mode, id). `id_length` is that of a raw id: 20 bytes, or 32 with SHA-256."""
    entries: dict[bytes, tuple[str, str]] = {}
    at = 0
    while at < len(data):
        name_at = data.find(b" ", at) + 1
        id_at = data.find(b"\0", name_at) + 1
        if not name_at or not id_at:
            break
        mode = data[at : name_at - 1].decode("ascii", "replace").zfill(6)
        entries[data[name_at : id_at - 1]] = (mode, data[id_at : id_at + id_length].hex())
        at = id_at + id_length
    return entries


def listing(records: bytes, prefix: str) -> list[Entry]:
    """Whole records of `ls-tree -z`: mode, type, id, a tab and the path; many at once, since that is faster."""
    rows = (record.split("\t", 1) for record in text(records).split("\0")[:-1])
    return [Entry(prefix + path, *meta.split(" ")) for meta, path in rows]


def changes(fields: Sequence[bytes]) -> list[Change]:
    """The records of `diff-tree --raw -z`: pairs of `:modes ids status` and path."""
    return [_change(meta, path) for meta, path in zip(fields[::2], fields[1::2], strict=True)]


def _change(meta: bytes, path: bytes) -> Change:
    old_mode, new_mode, old_id, new_id, status = meta[1:].split(b" ")
    # Unmerged and unknown are states of an index and do not occur between trees.
    kind = _KINDS.get(status, "M")
    return Change(text(path), old_mode.decode(), new_mode.decode(), old_id.decode(), new_id.decode(), kind)


def entry(path: str, mode: str, object_id: str) -> Entry:
    """An entry whose type follows from its mode."""
    return Entry(path, mode, ENTRY_TYPES.get(mode, "blob"), object_id)
