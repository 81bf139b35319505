"""Commands as a page shows them, typed one after the other, and what they print compared with what the page says.

What differs with every run (ids, moments, lengths of time, sizes) is not compared; `…` stands for lines left out.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PATIENCE = 60.0
_VARIES = (
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?( UTC|Z)?|\d{4}-\d{2}-\d{2}",
    r"\b[0-9a-f]{7,64}\b",
    r"\b\d+(\.\d+)? (s|min|h|d|MB)\b",
    r"https?://\S+",
)


class Shown(NamedTuple):
    """A block of commands, and what the last of them is said to print; nothing where the page does not say."""

    commands: list[str]
    printed: list[str]


def shown(page: str) -> Iterator[Shown]:
    """The blocks of a page, in order."""
    found = re.findall(r"^```sh\n(.*?)^```\n(?:```\n(.*?)^```\n)?", page, re.MULTILINE | re.DOTALL)
    for commands, printed in found:
        yield Shown(commands.splitlines(), printed.splitlines())


def typed(block: Shown, place: Path, before: str = "", *, environ: Mapping[str, str]) -> None:
    """Type a block. What it prints must come to be what the page says: its last line is typed again until then."""
    for number, line in enumerate(block.commands, start=1):
        last = number == len(block.commands)
        deadline = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run(
                ["bash", "-c", f"set -eu\n{before}\n{line}"],
                cwd=place,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            said = block.printed if last else []
            if done.returncode == 0 and (not said or agree(said, done.stdout.rstrip().splitlines())):
                break
            told = f"{line}\nprints\n{done.stdout}{done.stderr}\nand the page says\n" + "\n".join(said)
            assert said, told
            assert time.monotonic() < deadline, told
            time.sleep(0.1)


def agree(said: list[str], printed: list[str]) -> bool:
    """Whether these lines are the ones that a page says, but for what varies."""
    ahead = [plain(line) for line in printed]
    skipping = False
    for line in map(plain, said):
        if line == "…":
            skipping = True
        elif skipping:
            if line not in ahead:
                return False
            ahead, skipping = ahead[ahead.index(line) + 1 :], False
        elif not ahead or ahead.pop(0) != line:
            return False
    return skipping or not ahead


def plain(line: str) -> str:
    """A line without what varies, and without the widths of columns."""
    for pattern in _VARIES:
        line = re.sub(pattern, "#", line)
    return " ".join(line.split())
