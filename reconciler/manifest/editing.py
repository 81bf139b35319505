"""How does one manifest of a file become another, while every other byte of the file stays as it is?

Bytes in, bytes out: comments, order, quotes, indentation, line ends and the other documents stay; only lines of what
changes are touched. `change` takes the whole document as it is to be; `set_value`, `remove_value` and the choices of
`editing_choices` are made of it. The result is read again with `parse` before anybody gets it.

What cannot be changed without touching more is refused with its place: aliases and what they refer to, `? ` keys,
files that are broken. Behind it: `editing_tree` (marks), `editing_splices` and `editing_lines` (which
characters), `editing_written` (how a new value is written). Which value is wanted is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.errors import ManifestError, WrongUse
from reconciler.manifest.editing_splices import Stepping, applied, same
from reconciler.manifest.editing_tree import Faraway, root
from reconciler.manifest.editing_written import writable
from reconciler.manifest.parse import Parsed, parse
from reconciler.manifest.places import Places
from reconciler.manifest.text import Reading, read
from reconciler.words import plain

_MARK = b"\xef\xbb\xbf"
_MOST_STEPS = 500
_BY_HAND = "nothing was changed: make this change by hand"


def change(path: str, data: bytes, ordinal: int, wanted: dict[str, Any]) -> bytes:
    """The file's bytes after document `ordinal`, counted from 0, has become `wanted`.

    The same bytes when it is so already. `path` is only for messages. Raises ManifestError, with place and remedy,
    when the file is broken, when the change would reach further than this document, or when the document was
    accepted and would not be any more; WrongUse for a document that there is not, or what is no
    value of JSON.
    """
    if not writable(wanted):
        raise WrongUse(f"The new value for {plain(path)} cannot be written", "Give texts, numbers, lists and mappings.")
    reading = read(data)
    _refuse_broken(path, reading, ordinal)
    before = reading.documents
    for _ in range(_MOST_STEPS):
        if same(reading.documents[ordinal].value, wanted):
            break
        reading = _step(path, reading, ordinal, wanted, len(before))
    if reading.text.encode() == data.removeprefix(_MARK):
        return data
    changed = data[: len(_MARK) if data.startswith(_MARK) else 0] + reading.text.encode()
    _verify(path, reading, ordinal, parse(path, data), parse(path, changed))
    for old, new in zip(before, read(changed).documents, strict=True):
        if not same(new.value, wanted if new.ordinal == ordinal else old.value):
            raise _refusal(path, reading, 0, "the change would reach further than it should", _BY_HAND)
    return changed


def set_value(path: str, data: bytes, ordinal: int, keys: Sequence[str | int], value: Any) -> bytes:
    """The file's bytes after the value that `keys` lead to is another; mappings on the way are made if need be.

    An empty value on the way counts as an empty mapping, and a list of names, stepped into by a name, as a mapping
    with these keys. Raises as `change` does.
    """
    wanted = _document(path, data, ordinal)
    holder = _reach(path, data, ordinal, wanted, keys, make=True)
    if isinstance(holder, list) and keys[-1] == len(holder):
        holder.append(value)
    else:
        holder[keys[-1]] = value
    return change(path, data, ordinal, wanted)


def remove_value(path: str, data: bytes, ordinal: int, keys: Sequence[str | int]) -> bytes:
    """The file's bytes without the key or the list's item that `keys` lead to; the same when there is none.

    Raises as `change` does.
    """
    wanted = _document(path, data, ordinal)
    holder = _reach(path, data, ordinal, wanted, keys, make=False)
    last = keys[-1]
    there = last in holder if isinstance(holder, dict) else isinstance(last, int) and last < len(holder)
    if there:
        del holder[last]
    return change(path, data, ordinal, wanted) if there else data


def document(path: str, data: bytes, ordinal: int) -> Any:
    """The value of a document, the caller's own to change. Raises as `change` does."""
    reading = read(data)
    _refuse_broken(path, reading, ordinal)
    return _own(reading.documents[ordinal].value)


def _own(value: Any) -> Any:
    """A copy in which no two places share what an alias repeats."""
    if isinstance(value, dict):
        return {key: _own(one) for key, one in value.items()}
    return [_own(one) for one in value] if isinstance(value, list) else value


def _document(path: str, data: bytes, ordinal: int) -> dict[str, Any]:
    found = document(path, data, ordinal)
    if not isinstance(found, dict):
        raise _refusal(path, read(data), 0, "this document is no mapping", "name a manifest of the file")
    return found


def _reach(path: str, data: bytes, ordinal: int, wanted: Any, keys: Sequence[str | int], *, make: bool) -> Any:
    """The mapping or list that the last key belongs to, in a value that is the caller's own."""
    if not keys:
        raise WrongUse("A change of a manifest names no key", "Name at least one.")
    holder = wanted
    for depth, key in enumerate(keys):
        fits = isinstance(holder, dict if isinstance(key, str) else list)
        # One behind the last position of a list is where it grows.
        if not fits or (isinstance(key, int) and not 0 <= key <= len(holder) - (depth + 1 < len(keys))):
            at = Places(read(data)).find(ordinal, tuple(keys[:depth]))
            message = f"{plain(path)}:{at[0]}:{at[1]}: there is no {str(key)[:60]!r} in this"
            raise ManifestError(message, "name a key that there is")
        if depth + 1 < len(keys):
            inner = holder.get(key) if isinstance(holder, dict) else holder[key]
            if inner is None and not make:
                return {}
            if inner is None or (isinstance(inner, list) and isinstance(keys[depth + 1], str) and _names(inner)):
                inner = {name: {} for name in inner or ()}
                holder[key] = inner
            holder = inner
    return holder


def _names(value: list[Any]) -> bool:
    return all(isinstance(name, str) for name in value)


def _step(path: str, reading: Reading, ordinal: int, wanted: Any, count: int) -> Reading:
    value = reading.documents[ordinal].value
    try:
        splices = Stepping(reading.text, root(reading.text, ordinal)).step(value, wanted)
    except Faraway as far:
        raise _refusal(path, reading, far.index, far.message, far.remedy) from far
    following = read(applied(reading.text, splices).encode("utf-8", "replace"))
    place = splices[0][0] if splices else 0
    if not splices or following.fault is not None or len(following.documents) != count:
        raise _refusal(path, reading, place, "this cannot be changed without touching more", _BY_HAND)
    if faults := following.documents[ordinal].faults:
        raise _refusal(path, reading, place, f"{faults[0].message}; nothing was changed", faults[0].remedy)
    return following


def _refuse_broken(path: str, reading: Reading, ordinal: int) -> None:
    fault = reading.fault
    if fault is None and 0 <= ordinal < len(reading.documents) and reading.documents[ordinal].faults:
        fault = reading.documents[ordinal].faults[0]
    if fault is not None:
        raise _refusal(path, reading, fault.index, fault.message, fault.remedy)
    if not 0 <= ordinal < len(reading.documents):
        raise WrongUse(
            f"{plain(path)} has {len(reading.documents)} documents; there is none with the number {ordinal}",
            "Documents are counted from 0.",
        )


def _verify(path: str, reading: Reading, ordinal: int, before: Parsed, after: Parsed) -> None:
    """What was accepted still is, and says the same but for the document that was changed."""
    accepted = {one.ordinal: one for one in after.declarations}
    for old in before.declarations:
        new = accepted.get(old.ordinal)
        if new is None:
            raise _unaccepted(path, before, after)
        if old.ordinal != ordinal and new != old:
            raise _refusal(path, reading, 0, "another manifest of this file would change too", _BY_HAND)


def _unaccepted(path: str, before: Parsed, after: Parsed) -> ManifestError:
    """Why a manifest that was accepted would not be any more."""
    known = {complaint.message for complaint in before.complaints}
    found = [one for one in after.complaints if one.severity == "error" and one.message not in known]
    if not found:
        return ManifestError(f"{plain(path)}: the manifest would not be accepted any more", _BY_HAND)
    why = found[0]
    message = f"{plain(path)}:{why.line}:{why.column}: {why.message}; nothing was changed"
    return ManifestError(message, why.remedy or "ask for another value")


def _refusal(path: str, reading: Reading, index: int, message: str, remedy: str) -> ManifestError:
    line, column = Places(reading).place(index)
    return ManifestError(f"{plain(path)}:{line}:{column}: {plain(message)}", plain(remedy))
