"""Which documents does a file hold, and as which text does it hold them?

Bytes become text here, and text becomes the documents of `walk`; a file that cannot be read to its end gives
what stands before the mistake.
"""

from __future__ import annotations

from dataclasses import dataclass

from yaml import YAMLError

from reconciler.manifest.faults import Fault, Stop, broken_yaml, decoded
from reconciler.manifest.walk import Document, Walk

LARGEST = 1 << 20
MOST_DIRECTIVES = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's text and documents, and why reading ended early, if it did."""

    text: str
    documents: tuple[Document, ...]
    fault: Fault | None


def read(data: bytes) -> Reading:
    """Every document of a file. Raises nothing, whatever the bytes."""
    if len(data) > LARGEST:
        return _unread(Fault(0, f"the file has {len(data):,} bytes; {LARGEST:,} is the most", "split it"))
    text = decoded(data)
    if isinstance(text, Fault):
        return _unread(text, data)
    # libyaml compares each directive with all the others, which a hostile file could make last for minutes.
    if text.count("%TAG") > MOST_DIRECTIVES:
        return Reading(text, (), Fault(text.index("%TAG"), "there are too many %TAG lines", "leave tags out"))
    documents: list[Document] = []
    fault = None
    try:
        # What was read before an error stays in the list.
        documents.extend(Walk(text))
    except Stop as stop:
        fault = stop.fault
    except YAMLError as error:
        fault = broken_yaml(error, text)
    return Reading(text, tuple(documents), fault)


def _unread(fault: Fault, data: bytes = b"") -> Reading:
    return Reading(data.decode("utf-8", "replace").removeprefix("\ufeff"), (), fault)
