"""What is a secret's value, and how is it kept out of what a command prints?

References become values at the last moment, for one call, and are kept nowhere. Blanking is a safety net
under commands that print what they should not: it finds a value as it is, its lines, and how JSON, URLs and
base64 write it; it cannot find what a command has turned into something else.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from reconciler.errors import PersonNeeded
from reconciler.model.app import SecretReference

SHORTEST = 4
"""A value below this length cannot be blanked: `***` for every `7` would tell more than it hides, and leave
nothing to read. It is handed over all the same, but then nothing of the command's output is kept."""
LARGEST = 64 * 1024
BLANK = b"***"


IN_A_MANIFEST = "set it where the daemon runs, or correct the reference in the manifest"


def resolve(
    references: Iterable[SecretReference], environ: Mapping[str, str], remedy: str = IN_A_MANIFEST
) -> dict[str, str]:
    """The values by the secrets' names: `env:NAME` from `environ`, `file:PATH` from a file (UTF-8, one line
    end at its end left out, a relative path from the daemon's working directory).

    Raises PersonNeeded, with `remedy` and every reference that has no value, is empty, over 64 KiB or no text.
    """
    values: dict[str, str] = {}
    wrong: list[str] = []
    for reference in references:
        kind, _, place = reference.source.partition(":")
        try:
            value = environ[place] if kind == "env" else _file(place)
            values[reference.name] = _sound(value)
        except KeyError:
            wrong.append(f"{reference.name} (from {reference.source}): the variable is not set")
        except OSError as error:
            wrong.append(f"{reference.name} (from {reference.source}): {error.strerror}")
        except ValueError as error:
            wrong.append(f"{reference.name} (from {reference.source}): {error}")
    if wrong:
        raise PersonNeeded(
            f"no value for the secret {'; '.join(wrong)}",
            remedy,
        )
    return values


def value_of(name: str, source: str, environ: Mapping[str, str], remedy: str = IN_A_MANIFEST) -> str:
    """The value behind one reference, as `resolve` finds it; `name` is what complaints call it, and `remedy` says how
    it is mended. Raises PersonNeeded."""
    return resolve([SecretReference(name=name, source=source)], environ, remedy)[name]


def _file(path: str) -> str:
    # Without O_NONBLOCK a named pipe would be waited for for ever.
    with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a file")
        content = file.read(LARGEST + 3)
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # The original error holds the content.
        raise ValueError("it is not text in UTF-8") from None


def _sound(value: str) -> str:
    if not value:
        raise ValueError("it is empty")
    if len(value.encode("utf-8", "surrogateescape")) > LARGEST:
        raise ValueError(f"it is over {LARGEST // 1024} KiB")
    if "\0" in value:
        raise ValueError("it holds a NUL character")
    return value


class Blanker:
    """Puts `***` in the place of secret values. Immutable; `stream` makes what follows one output."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = tuple(sorted({form for value in secrets.values() for form in _forms(value)}))
        self.too_short = tuple(sorted(name for name, value in secrets.items() if len(value.strip()) < SHORTEST))
        """Names of the secrets that cannot be blanked: output must then not be kept at all."""

    def __repr__(self) -> str:
        return f"<Blanker of {len(self._forms)} forms>"

    def text(self, text: str) -> str:
        """`text` without secrets, as a whole."""
        blanked = self.stream()
        content = text.encode("utf-8", "surrogateescape")
        return (blanked.feed(content) + blanked.finish()).decode("utf-8", "surrogateescape")

    def stream(self) -> Blanked:
        """For output that comes in pieces."""
        return Blanked(self._forms)


class Blanked:
    """One output on its way. What may be the beginning of a secret is held back until the rest has come."""

    def __init__(self, forms: tuple[bytes, ...]) -> None:
        self._forms = forms
        self._held = b""
        self._covered = 0
        """How many bytes of what is held are known to be secret."""
        self._in_blank = False
        """Whether what was given out last was a secret, which may go on."""

    def feed(self, chunk: bytes) -> bytes:
        """The next piece, as far as it is known to be harmless, blanked."""
        content = self._held + chunk
        return self._give(content, self._undecided(content))

    def finish(self) -> bytes:
        """What is left when nothing more comes."""
        return self._give(self._held, len(self._held))

    def _undecided(self, content: bytes) -> int:
        """Where the first secret may begin that is not whole yet."""
        first = len(content)
        for form in self._forms:
            start = max(0, len(content) - len(form) + 1)
            while (start := content.find(form[:1], start, first)) >= 0:
                if form.startswith(content[start:]):
                    first = start
                    break
                start += 1
        return first

    def _give(self, content: bytes, end: int) -> bytes:
        given: list[bytes] = []
        place, covered_to = 0, self._covered
        for start, stop in self._secret_parts(content):
            if start >= end:
                break
            if start > place:
                given.append(content[place:start])
                self._in_blank = False
            if not self._in_blank:
                given.append(BLANK)
            self._in_blank = True
            place, covered_to = min(stop, end), stop
        if place < end:
            given.append(content[place:end])
            self._in_blank = False
        self._held = content[end:]
        self._covered = max(0, covered_to - end)
        return b"".join(given)

    def _secret_parts(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Where secrets stand, in order; what overlaps or touches is one part."""
        found = [(0, self._covered)] if self._covered else []
        for form in self._forms:
            start = content.find(form)
            while start >= 0:
                found.append((start, start + len(form)))
                start = content.find(form, start + 1)
        begin = end = -1
        for start, stop in sorted(found):
            if start > end:
                if end > 0:
                    yield begin, end
                begin = start
            end = max(end, stop)
        if end > 0:
            yield begin, end


def _forms(value: str) -> Iterator[bytes]:
    """The byte strings that give a value away."""
    raw = value.encode("utf-8", "surrogateescape")
    lines = [line.strip() for line in value.splitlines()]
    texts = [value, value.strip(), "\n".join(value.splitlines()), *lines]
    texts += [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]]
    texts += [quote(raw, safe=""), quote(raw), quote_plus(raw)]
    encoded = [base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")]
    for form in [text.encode("utf-8", "surrogateescape") for text in texts] + encoded:
        if len(form) >= SHORTEST:
            yield form
