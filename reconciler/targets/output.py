"""What is kept of a command's output, and what is said while it runs?

At most 256 KiB are kept, from the head and the tail; a few lines are said while they come. Secrets
are blanked before anything else sees a byte; what only a terminal understands is left out. Running the
command belongs to `process`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from reconciler.targets.secrets import Blanker

KEPT = 256 * 1024
"""How many bytes of an output are kept: half from its head, half from its tail."""
LONGEST_LINE = 500
"""How many characters of a line are said."""
AT_ONCE = 20
"""How many lines are said before the rate counts."""
A_SECOND = 5
"""How many lines a second are said when there are many."""
AT_MOST = 100
"""How many lines are said in all."""
_LONGEST_WAIT = 64 * 1024
"""After so many bytes without a line's end they are taken for a line."""

_TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """`text` that is safe in a terminal, a page and a database: lines, tabs and printable characters only."""
    return _CONTROL.sub("", _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


class Output:
    """One command's output, fed in pieces."""

    def __init__(self, say: Callable[[str], None], blanker: Blanker) -> None:
        self._say = say
        self._blanker = blanker
        self._stream = blanker.stream()
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0
        self._line = b""
        self._credit = float(AT_ONCE)
        self._last = time.monotonic()
        self._lines = 0
        self.said = not blanker.too_short
        """Whether everything so far was said as it came."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        if not self._blanker.too_short:
            self._take(self._stream.feed(piece))

    def close(self) -> None:
        """Nothing more comes."""
        self._take(self._stream.finish())
        if self._line:
            self._say_line(self._line)
            self._line = b""

    @property
    def text(self) -> str:
        """What is kept."""
        if self._blanker.too_short:
            names = ", ".join(self._blanker.too_short)
            return f"(not kept: the secret {names} is too short to be blanked out)"
        gap = f"\n… {self._left_out} bytes left out …\n".encode() if self._left_out else b""
        return self._readable(bytes(self._head) + gap + bytes(self._tail))

    def _take(self, piece: bytes) -> None:
        self._keep(piece)
        *lines, self._line = re.split(rb"\r\n|\r|\n", self._line + piece)
        if len(self._line) > _LONGEST_WAIT:
            lines, self._line = [*lines, self._line], b""
        for line in lines:
            self._say_line(line)

    def _keep(self, piece: bytes) -> None:
        room = KEPT // 2 - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        surplus = len(self._tail) - KEPT // 2
        if surplus > 0:
            self._left_out += surplus
            del self._tail[:surplus]

    def _say_line(self, line: bytes) -> None:
        now = time.monotonic()
        self._credit = min(AT_ONCE, self._credit + (now - self._last) * A_SECOND)
        self._last = now
        if self._credit < 1 or self._lines >= AT_MOST:
            self.said = False
            return
        text = self._readable(line)
        if not text.strip():
            return
        self._credit -= 1
        self._lines += 1
        self.said = self.said and len(text) <= LONGEST_LINE
        self._say(text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…")

    def _readable(self, content: bytes) -> str:
        # Once more: without a terminal's codes in the middle of it, a secret may read as one again.
        return self._blanker.text(clean(content.decode("utf-8", "replace")))
